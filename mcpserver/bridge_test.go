package mcpserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

// line is one message that came out of a bridge.
type line struct {
	ID     any
	Result map[string]any
	Error  struct {
		Code    int
		Message string
	}
}

// bridged sends lines through a bridge and returns what came out, by id.
func bridged(t *testing.T, cfg mcpserver.BridgeConfig, lines ...string) map[string]line {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, mcpserver.Bridge(t.Context(), cfg, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out))
	answers := map[string]line{}
	for text := range strings.Lines(out.String()) {
		var l line
		require.NoError(t, json.Unmarshal([]byte(text), &l), "every line is JSON: %s", text)
		answers[fmt.Sprint(l.ID)] = l
	}
	return answers
}

const (
	initialize  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	getMe       = `{"jsonrpc":"2.0","id":"me","method":"tools/call","params":{"name":"get_me","arguments":{}}}`
)

func TestBridge_BothEras(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	cfg := mcpserver.BridgeConfig{URL: b.http.URL, Token: acme.FullToken(t)}

	legacy := bridged(t, cfg, initialize, initialized, getMe,
		`{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"colaflow://projects/WEB"}}`)
	require.Equal(t, "2025-06-18", legacy["0"].Result["protocolVersion"])
	require.Contains(t, fmt.Sprint(legacy["me"].Result), "ada@acme.test")
	require.Len(t, legacy, 3)

	modern := bridged(t, cfg,
		`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{`+modernMeta+`}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_me","arguments":{},`+modernMeta+`}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"naïve tool","arguments":{},`+modernMeta+`}}`,
		`{"jsonrpc":"2.0","id":4,"method":"no/such","params":{`+modernMeta+`}}`)
	require.Contains(t, modern["1"].Result, "capabilities")
	require.Contains(t, fmt.Sprint(modern["2"].Result), "ada@acme.test")
	require.Contains(t, modern["3"].Error.Message, "naïve tool", "a name that is not ASCII travels in its header")
	require.Equal(t, -32601, modern["4"].Error.Code)
}

func TestBridge_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	token := acme.FullToken(t)

	t.Run("token", func(t *testing.T) {
		answers := bridged(t, mcpserver.BridgeConfig{URL: b.http.URL, Token: token[:len(token)-1] + "x"}, initialize, initialized, getMe)
		require.Equal(t, -32001, answers["me"].Error.Code)
		require.Contains(t, answers["me"].Error.Message, "COLAFLOW_TOKEN")
	})
	t.Run("nobody listens", func(t *testing.T) {
		answers := bridged(t, mcpserver.BridgeConfig{URL: "http://127.0.0.1:1", Token: token}, initialized, getMe)
		require.Contains(t, answers["me"].Error.Message, "Cannot reach 127.0.0.1:1: connect: connection refused.")
	})
	t.Run("shape", func(t *testing.T) {
		answers := bridged(t, mcpserver.BridgeConfig{URL: b.http.URL, Token: token}, "{", "[]", strings.Repeat("x", 1<<20+1), getMe)
		require.NotEmpty(t, answers["<nil>"].Error.Message)
		require.Contains(t, answers, "me")
	})
	t.Run("address", func(t *testing.T) {
		for url, want := range map[string]string{
			"":                              "must be like https://",
			"ftp://example.com":             "must be like https://",
			"http://colaflow.example.com":   "refusing to send the token",
			"http://127.0.0.1.example.com":  "refusing to send the token",
			"https://me:secret@example.com": "must hold no user",
			"https://example.com/?token=1":  "must hold no user",
		} {
			err := mcpserver.Bridge(t.Context(), mcpserver.BridgeConfig{URL: url, Token: token}, strings.NewReader(""), io.Discard)
			require.ErrorContains(t, err, want, url)
			require.NotContains(t, err.Error(), "secret")
		}
		for _, cfg := range []mcpserver.BridgeConfig{{URL: "http://acme.localhost:1"}, {URL: "http://[::1]:1"}, {URL: "http://10.0.0.1", Insecure: true}} {
			require.NoError(t, mcpserver.Bridge(t.Context(), cfg, strings.NewReader(""), io.Discard))
		}
	})
}

// remote is a server that answers each message as a test wants.
func remote(t *testing.T, answer http.HandlerFunc) mcpserver.BridgeConfig {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return mcpserver.BridgeConfig{URL: s.URL, Token: "mcp_acme_0"}
}

func TestBridge_ForeignAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status          int
		kind, body, say string
	}{
		"not found":      {404, "text/html", "<html>", "There is no MCP server at"},
		"a page":         {200, "text/html", "<html>", "There is no MCP server at"},
		"gateway":        {502, "text/html", "<html>", "answered HTTP 502"},
		"redirect":       {302, "text/html", "", "redirects to"},
		"suspended":      {403, "application/json", `{"error":"tenant_suspended","message":"This tenant is suspended."}`, "This tenant is suspended."},
		"limited":        {429, "application/json", `{}`, "try again in 7 seconds"},
		"error, no id":   {400, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"header mismatch"}}`, "header mismatch"},
		"stream, broken": {200, "text/event-stream", "data: <html>\n\n", "could not be read"},
		"cut":            {200, "application/json", `{"jsonrpc":"2.0","id":"me","resu`, "There is no MCP server at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := remote(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.kind)
				w.Header().Set("Retry-After", "7")
				w.Header().Set("Location", "https://elsewhere.example")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			answers := bridged(t, cfg, getMe)
			require.Contains(t, answers["me"].Error.Message, test.say)
		})
	}
}

func TestBridge_StreamAndCancel(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var versions []string
	started := make(chan struct{})
	cfg := remote(t, func(w http.ResponseWriter, r *http.Request) {
		var m struct{ Method string }
		_ = json.NewDecoder(r.Body).Decode(&m)
		mu.Lock()
		versions = append(versions, m.Method+" "+r.Header.Get("Mcp-Protocol-Version"))
		mu.Unlock()
		switch m.Method {
		case "initialize":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{\n \"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-03-26\"}\n}")
		case "tools/call":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, ": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"+
				"data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":\"me\",\"result\":{\"a\":1}}\n\n")
		case "ping":
			close(started)
			<-r.Context().Done()
		}
	})
	in, pipe := io.Pipe()
	go func() {
		for _, l := range []string{initialize, getMe, `{"jsonrpc":"2.0","id":5,"method":"ping"}`} {
			_, _ = io.WriteString(pipe, l+"\n")
		}
		<-started
		_, _ = io.WriteString(pipe, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}`+"\n")
		_ = pipe.Close()
	}()
	var out bytes.Buffer
	require.NoError(t, mcpserver.Bridge(t.Context(), cfg, in, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.ElementsMatch(t, []string{
		`{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26"}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress"}`,
		`{"jsonrpc":"2.0","id":"me","result":{"a":1}}`,
	}, lines)
	mu.Lock()
	defer mu.Unlock()
	require.ElementsMatch(t, []string{"initialize ", "tools/call 2025-03-26", "ping 2025-03-26"}, versions)
}
