package clients

import (
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// TestGoSDK does the jobs with the official Go SDK.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, protocol := range map[string]string{"modern": modern, "legacy": legacy} {
		o := b.office(t, "http-"+name)
		overHTTP := func(token string) mcp.Transport {
			return &mcp.StreamableClientTransport{Endpoint: b.url, HTTPClient: &http.Client{Transport: bearer(token)}}
		}
		t.Run(name+"/http/agent", func(t *testing.T) { work(t, overHTTP(o.agent), protocol, agentJob("http-"+name)) })
		t.Run(name+"/http/reader", func(t *testing.T) { work(t, overHTTP(o.reader), protocol, readerJob()) })

		o = b.office(t, "stdio-"+name)
		overStdio := func(token string) mcp.Transport {
			cmd := exec.CommandContext(t.Context(), b.bin, "stdio")
			cmd.Env = b.environment("COLAFLOW_TOKEN=" + token)
			return &mcp.CommandTransport{Command: cmd}
		}
		t.Run(name+"/stdio/agent", func(t *testing.T) { work(t, overStdio(o.agent), protocol, agentJob("stdio-"+name)) })
		t.Run(name+"/stdio/reader", func(t *testing.T) { work(t, overStdio(o.reader), protocol, readerJob()) })
	}
}

// bearer adds a token to every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
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
