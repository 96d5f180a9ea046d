package clients

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// TestGoSDK does the jobs with the official Go SDK.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, protocol := range map[string]string{"modern": modern, "legacy": legacy} {
		for _, transport := range []string{"http", "stdio", "bridge"} {
			tenant := name + "-" + transport
			o := b.office(t, tenant)
			t.Run(name+"/"+transport+"/agent", func(t *testing.T) {
				work(t, b.transport(t, transport, o.agent), protocol, agentJob(tenant))
			})
			t.Run(name+"/"+transport+"/reader", func(t *testing.T) {
				work(t, b.transport(t, transport, o.reader), protocol, readerJob())
			})
		}
	}
}

// transport is the SDK's way to the program with a token.
func (b *bundle) transport(t *testing.T, name, token string) mcp.Transport {
	if name == "http" {
		return &mcp.StreamableClientTransport{Endpoint: b.url, HTTPClient: &http.Client{Transport: bearer{b.way, token}}}
	}
	cmd := exec.CommandContext(t.Context(), b.bin, "stdio")
	cmd.Env = b.stdio(name, token)
	return overPipes(cmd)
}

// overPipes is the SDK's way to a program that it starts, and gives time to end.
func overPipes(cmd *exec.Cmd) mcp.Transport {
	return &mcp.CommandTransport{Command: cmd, TerminateDuration: time.Minute}
}

// bearer adds a token to every request.
type bearer struct {
	way   http.RoundTripper
	token string
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.way.RoundTrip(r)
}

func work(t *testing.T, transport mcp.Transport, protocol string, job []step) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.8.0"}, nil)
	session, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: protocol})
	require.NoError(t, err)
	done := answers{Protocol: session.InitializeResult().ProtocolVersion}
	for _, s := range job {
		var o outcome
		result, err := send(t, session, s)
		var refusal *jsonrpc.Error
		switch {
		case errors.As(err, &refusal):
			require.NoError(t, json.Unmarshal(mustJSON(t, refusal), &o.Error))
		case err != nil:
			require.NoError(t, err)
		default:
			o.Result = mustJSON(t, result)
		}
		done.Outcomes = append(done.Outcomes, o)
	}
	require.NoError(t, session.Close())
	done.check(t, protocol, job)
}

// send makes the SDK's own call of a step.
func send(t *testing.T, session *mcp.ClientSession, s step) (any, error) {
	t.Helper()
	switch s.Method {
	case "tools/list":
		return session.ListTools(t.Context(), nil)
	case "tools/call":
		return session.CallTool(t.Context(), params[mcp.CallToolParams](t, s))
	case "resources/list":
		return session.ListResources(t.Context(), nil)
	case "resources/templates/list":
		return session.ListResourceTemplates(t.Context(), nil)
	case "resources/read":
		return session.ReadResource(t.Context(), params[mcp.ReadResourceParams](t, s))
	case "prompts/list":
		return session.ListPrompts(t.Context(), nil)
	case "prompts/get":
		return session.GetPrompt(t.Context(), params[mcp.GetPromptParams](t, s))
	case "completion/complete":
		return session.Complete(t.Context(), params[mcp.CompleteParams](t, s))
	}
	t.Fatalf("no call for %s", s.Method)
	return nil, nil
}

func params[P any](t *testing.T, s step) *P {
	t.Helper()
	p := new(P)
	require.NoError(t, json.Unmarshal(mustJSON(t, s.Params), p))
	return p
}

func mustJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// TestGoSDK_Progress hears how far a report is that goes back far, on every way.
func TestGoSDK_Progress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.office(t, "acme").agent
	for name, protocol := range map[string]string{"modern": modern, "legacy": legacy} {
		for _, transport := range []string{"http", "stdio", "bridge"} {
			t.Run(name+"/"+transport, func(t *testing.T) {
				heard := make(chan mcp.ProgressNotificationParams, 10)
				client := mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.8.0"}, &mcp.ClientOptions{
					ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { heard <- *r.Params }})
				session, err := client.Connect(t.Context(), b.transport(t, transport, token), &mcp.ClientSessionOptions{ProtocolVersion: protocol})
				require.NoError(t, err)
				call := &mcp.CallToolParams{Name: "get_report", Arguments: args{"type": "throughput", "project": []string{"WEB"}, "from": "2025-01-01"}}
				call.SetProgressToken("up")
				result, err := session.CallTool(t.Context(), call)
				require.NoError(t, err)
				require.False(t, result.IsError)
				for n := range 2 {
					select {
					case p := <-heard:
						require.Equal(t, "up", p.ProgressToken)
						require.EqualValues(t, n+1, p.Progress)
					case <-time.After(time.Minute):
						require.Fail(t, "no progress")
					}
				}
				require.NoError(t, session.Close())
			})
		}
	}
}

// TestGoSDK_TokenRefused: whichever way a client comes, its user reads that the
// token is the trouble.
func TestGoSDK_TokenRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Tenant(t, "acme")
	client := mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.8.0"}, nil)
	for transport, reason := range map[string]string{
		"http":   "Unauthorized",
		"stdio":  "The token in COLAFLOW_TOKEN is missing, unknown, expired or revoked",
		"bridge": "The token in COLAFLOW_TOKEN is missing, unknown, expired or revoked",
	} {
		_, err := client.Connect(t.Context(), b.transport(t, transport, "mcp_acme_00000000000000000000000000000000"), nil)
		require.ErrorContains(t, err, reason, transport)
	}
}
