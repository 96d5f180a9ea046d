package mcpserver_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{}}`

// modern sends one request of the stateless era. Params is the inside of an object.
func (c *client) modern(id, method, name, params string, edit ...func(*http.Request)) answer {
	c.t.Helper()
	if params != "" {
		params += ","
	}
	headers := []func(*http.Request){header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", method)}
	if name != "" {
		headers = append(headers, header("Mcp-Name", name))
	}
	return c.post(`{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":{`+params+modernMeta+`}}`, append(headers, edit...)...)
}

// do sends a request without touching the test, for use in goroutines.
func (c *client) do(ctx context.Context, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+c.token)
	if strings.Contains(body, "2026-07-28") {
		req.Header.Set("MCP-Protocol-Version", "2026-07-28")
		req.Header.Set("Mcp-Method", "tools/call")
		req.Header.Set("Mcp-Name", "get_me")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", res.StatusCode, data)
	}
	return string(data), err
}

// held makes get_me of one token wait until release is closed.
func held(b *bundle, token string) (started <-chan struct{}, release chan struct{}) {
	begun := make(chan struct{}, 100)
	release = make(chan struct{})
	b.mcp.Hook("get_me", func(ctx context.Context, c *mcpserver.Call) error {
		if !strings.HasPrefix(token, "mcp_"+c.TenantSlug+"_") {
			return nil
		}
		begun <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return begun, release
}

// TestAttack026_CancelOtherTenantsCall also covers a client that cancels by
// leaving (case 27) and one that brings A's session id (case 29).
func TestAttack026_CancelOtherTenantsCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, other := b.client(t, b.db.Tenant(t, "acme").FullToken(t)), b.client(t, b.db.Tenant(t, "beta").FullToken(t))
	started, release := held(b, a.token)
	type ended struct {
		body string
		err  error
	}
	for _, body := range []string{callBody("get_me", `{}`),
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{},` + modernMeta + `}}`} {
		done := make(chan ended, 1)
		go func() { text, err := a.do(context.Background(), body); done <- ended{text, err} }()
		<-started
		for _, params := range []string{`{"requestId":1,"reason":"x"}`, `{"requestId":"1"}`, `{"requestId":1,` + modernMeta + `}`} {
			for _, session := range []string{"", "mcp-session-00000000-0000-0000-0000-000000000000", "stdio"} {
				res := other.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":`+params+`}`, header("Mcp-Session-Id", session))
				require.Equal(t, http.StatusAccepted, res.status)
				require.Empty(t, res.body)
			}
		}
		gone, leave := context.WithCancel(t.Context())
		go func() { time.Sleep(20 * time.Millisecond); leave() }()
		_, _ = other.do(gone, callBody("get_me", `{}`)) // case 27: the same id, and away
		release <- struct{}{}
		got := <-done
		require.NoError(t, got.err)
		require.Contains(t, got.body, `\"tenant\":\"acme\"`)
	}
}

func TestAttack028_OnlyPost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.db.Tenant(t, "acme").FullToken(t)
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodHead, http.MethodPut, http.MethodPatch, "TRACE", "LISTEN"} {
		for _, session := range []string{"", "mcp-session-00000000-0000-0000-0000-000000000000"} {
			req, err := http.NewRequestWithContext(t.Context(), method, b.http.URL, nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Accept", "text/event-stream")
			req.Header.Set("Mcp-Session-Id", session)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			_ = res.Body.Close()
			require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, method)
			require.Equal(t, "POST", res.Header.Get("Allow"))
		}
	}
}

// TestAttack029_OtherTenantsSession also covers case 30: no answer streams but that of a
// long report, with its own progress alone, so no notification can reach anybody else.
func TestAttack029_OtherTenantsSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, other := b.client(t, b.db.Tenant(t, "acme").FullToken(t)), b.client(t, b.db.Tenant(t, "beta").FullToken(t))
	res := a.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	require.Equal(t, http.StatusOK, res.status, res.body)
	require.Empty(t, res.header.Get("Mcp-Session-Id"), "the endpoint has no sessions")
	res = other.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{},"_meta":{"progressToken":1}}}`,
		header("Mcp-Session-Id", "mcp-session-00000000-0000-0000-0000-000000000000"), header("Accept", "text/event-stream, application/json"))
	require.Equal(t, "application/json", res.header.Get("Content-Type"))
	require.Contains(t, res.body, "beta")
	require.NotContains(t, res.body, "acme")
	require.Equal(t, 1, strings.Count(strings.TrimSpace(res.body), `"jsonrpc"`))
}

func TestAttack031_ResponseFromAClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	for _, body := range []string{`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"no"}}`} {
		res := c.post(body)
		require.Equal(t, http.StatusAccepted, res.status)
		require.Empty(t, res.body)
	}
}

func TestAttack032_HostAndOrigin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, PublicURL: "https://ColaFlow.test:8443",
		AllowedHosts: []string{"*.Example.com"}, AllowedOrigins: []string{"https://app.example.com"}})
	c := &client{t: t, url: h.URL, token: b.db.Tenant(t, "acme").FullToken(t)}
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	for _, good := range []string{"colaflow.test", "COLAFLOW.test:8443", "localhost:1", "acme.localhost", "127.0.0.1:80", "[::1]:80", "[::1]", "10.0.0.1",
		"acme.example.com", "[::ffff:127.0.0.1]:80"} {
		require.Equal(t, http.StatusOK, c.post(ping, host(good)).status, good)
	}
	for _, bad := range []string{"evil.com", "evil.com:8443", "colaflow.test.evil.com", "xcolaflow.test", "localhost.evil.com", "evillocalhost",
		"127.0.0.1.evil.com", "example.com", "evilexample.com", "colaflow.test.", "localhost.", "127.0.0.1.", "0x7f.1", "2130706433"} {
		res := c.post(ping, host(bad))
		require.Equal(t, http.StatusForbidden, res.status, bad)
		require.Empty(t, res.header.Get("Access-Control-Allow-Origin"))
	}
	for _, good := range []string{"https://colaflow.test:8443", "https://app.example.com"} {
		res := c.post(ping, header("Origin", good))
		require.Equal(t, http.StatusOK, res.status, good)
		require.Equal(t, good, res.header.Get("Access-Control-Allow-Origin"))
	}
	for _, bad := range []string{"https://evil.com", "null", "http://colaflow.test:8443", "https://colaflow.test", "https://colaflow.test:8443.evil.com",
		"https://app.example.com.", "https://app.example.com/", "http://localhost", "http://127.0.0.1", "*", "file://"} {
		res := c.post(ping, header("Origin", bad))
		require.Equal(t, http.StatusForbidden, res.status, bad)
		require.Empty(t, res.header.Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, http.StatusForbidden, c.post(ping, func(r *http.Request) {
		r.Header["Origin"] = []string{"https://app.example.com", "https://evil.com"}
	}).status)
	// An answer to a preflight says nothing to an origin that is not allowed.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://evil.com")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_ = res.Body.Close()
	require.Equal(t, http.StatusForbidden, res.StatusCode)
}

func TestAttack033_Bodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mcp.SetBodyTimeout(300 * time.Millisecond)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	fits := ping[:len(ping)-1] + strings.Repeat(" ", 1<<20-len(ping)) + "}"
	require.Equal(t, http.StatusOK, c.post(fits).status)
	require.Equal(t, http.StatusRequestEntityTooLarge, c.post(fits+" ").status)

	for name, body := range map[string]io.Reader{"chunked": &endless{}, "5 MiB": strings.NewReader(strings.Repeat("x", 5<<20))} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.http.URL, body)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+c.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil { // the server hung up before the client had said it all
			require.NotContains(t, err.Error(), "64 MiB", name)
			require.ErrorContains(t, err, "write", name)
			continue
		}
		_ = res.Body.Close()
		require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode, name)
	}

	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write(make([]byte, 1<<20))
	_ = zip.Close()
	for _, encoding := range []string{"gzip", "deflate", "br", "identity, gzip"} {
		require.Equal(t, http.StatusUnsupportedMediaType, c.post(bomb.String(), header("Content-Encoding", encoding)).status, encoding)
	}

	// Slow-loris: headers, then a byte now and then.
	conn, err := net.Dial("tcp", b.http.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", c.token)
	require.NoError(t, err)
	go func() {
		for range 20 {
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_ = res.Body.Close()
	require.Equal(t, http.StatusRequestTimeout, res.StatusCode)
	require.Equal(t, http.StatusOK, c.post(ping).status)
}

type endless struct{ sent int }

func (e *endless) Read(p []byte) (int, error) {
	if e.sent > 64<<20 {
		return 0, errors.New("the server read 64 MiB")
	}
	e.sent += len(p)
	return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil
}

func TestAttack034_ShapesOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	for name, body := range map[string]string{
		"empty": "", "spaces": "  ", "BOM": "\ufeff" + ping, "no JSON": "<xml/>", "two": ping + ping, "trailing": ping + "x",
		"deep arrays":   `{"jsonrpc":"2.0","id":1,"method":"ping","params":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		"deep objects":  `{"jsonrpc":"2.0","id":1,"method":"ping","params":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) + `}`,
		"many keys":     `{"jsonrpc":"2.0","id":1,"method":"ping","params":{` + manyKeys(60_000) + `}}`,
		"twice":         `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`,
		"twice inside":  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","name":"create_issue"}}`,
		"twice escaped": `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","n\u0061me":"create_issue"}}`,
		"METHOD":        `{"jsonrpc":"2.0","id":1,"METHOD":"ping"}`, "both": `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`,
		"Params": `{"jsonrpc":"2.0","id":1,"method":"ping","Params":{}}`, "Name": `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"get_me"}}`,
		"long s": `{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{}}`, "kelvin": `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","argument\u017f":{}}}`,
		"UTF-8": "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":\"\xff\"}}", "surrogate": `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\ud800"}}`,
		"batch": `[` + ping + `]`, "empty batch": `[]`, "string": `"ping"`, "number": `1`, "null": `null`,
		"method null": `{"jsonrpc":"2.0","id":1,"method":null}`, "method number": `{"jsonrpc":"2.0","id":1,"method":1}`, "no method": `{"jsonrpc":"2.0","id":1}`,
		"NaN": `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}`, "comment": `{"jsonrpc":"2.0",/**/"id":1,"method":"ping"}`,
	} {
		res := c.post(body)
		require.Equal(t, http.StatusBadRequest, res.status, "%s: %s", name, res.body)
		require.Regexp(t, `^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32(700|600),`, res.body, name)
	}
	for _, arguments := range []string{`{"project":"WEB","title":"a\u0000b"}`, `{"project":"W\u0000","title":"x"}`, `{"project":"WEB","title":"x","idempotency_key":"\u0000"}`} {
		require.Contains(t, c.call("create_issue", json.RawMessage(arguments)).text, "invalid_value: ")
	}
	require.Equal(t, "Safe 👩‍👧 text", c.ok("create_issue", args{"project": "WEB", "title": "Safe\x1b \u200b👩\u200d👧\U000E0041 te\u202ext"})["title"], "case 98")
}

func manyKeys(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `"k%d":1,`, i)
	}
	return s.String() + `"z":1`
}

func TestAttack035_HeadersOfTheModernEra(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, reader := acme.Token(t, "reader", `{"projects":["read"]}`)
	c := b.client(t, reader)
	const params = `"name":"get_me","arguments":{}`
	require.Equal(t, http.StatusOK, c.modern("1", "tools/call", "get_me", params).status)
	for name, edit := range map[string]func(*http.Request){
		"no method":         func(r *http.Request) { r.Header.Del("Mcp-Method") },
		"no name":           func(r *http.Request) { r.Header.Del("Mcp-Name") },
		"other method":      header("Mcp-Method", "tools/list"),
		"other name":        header("Mcp-Name", "list_projects"),
		"case of name":      header("Mcp-Name", "GET_ME"),
		"doubled method":    func(r *http.Request) { r.Header["Mcp-Method"] = []string{"tools/call", "tools/call"} },
		"doubled name":      func(r *http.Request) { r.Header["Mcp-Name"] = []string{"get_me", "create_issue"} },
		"doubled version":   func(r *http.Request) { r.Header["Mcp-Protocol-Version"] = []string{"2026-07-28", "2025-06-18"} },
		"doubled parameter": func(r *http.Request) { r.Header["Mcp-Param-Region"] = []string{"eu", "us"} },
	} {
		res := c.modern("1", "tools/call", "get_me", params, edit)
		require.Equal(t, http.StatusBadRequest, res.status, "%s: %s", name, res.body)
		require.Contains(t, res.body, "-32020", name)
	}
	// What a header promises gives no right: the body decides.
	res := c.modern("1", "tools/call", "get_me", `"name":"create_project","arguments":{"name":"x"}`)
	require.Equal(t, http.StatusBadRequest, res.status)
	res = c.modern("1", "tools/call", "create_project", `"name":"create_project","arguments":{"name":"x"}`)
	require.Contains(t, res.body, "forbidden: ")
	require.NotContains(t, b.db.Dump(t, "audit_log"), "\nprojects:\n(")
}

func TestAttack036_VersionsMethodsBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	res := c.post(strings.ReplaceAll(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modernMeta+`}}`, "2026-07-28", "2099-01-01"),
		header("MCP-Protocol-Version", "2099-01-01"), header("Mcp-Method", "tools/list"))
	require.Equal(t, http.StatusBadRequest, res.status, res.body)
	require.Contains(t, res.body, "-32022")
	require.Contains(t, res.body, "2026-07-28", "the supported versions")
	res = c.modern("1", "tools/destroy", "", "")
	require.Equal(t, http.StatusNotFound, res.status, res.body)
	require.Contains(t, res.body, "-32601")
	_, rpcError := c.rpc("tools/destroy", args{})
	require.Contains(t, rpcError, "-32601")
	_, rpcError = c.rpc("resources/read", args{"uri": "colaflow://issues/NOPE-1"})
	require.Contains(t, rpcError, "-32002")
	require.Contains(t, c.modern("1", "resources/read", "colaflow://issues/NOPE-1", `"uri":"colaflow://issues/NOPE-1"`).body, "-32602")
	for _, method := range []string{"logging/setLevel", "sampling/createMessage", "roots/list", "elicitation/create", "tasks/list", "prompts/get",
		"resources/subscribe", "resources/unsubscribe"} {
		_, rpcError := c.rpc(method, args{"uri": "colaflow://me", "level": "debug", "name": "x"})
		require.NotEmpty(t, rpcError, method)
	}
	require.Equal(t, http.StatusBadRequest, c.post(`[`+ping+`,`+ping+`]`).status)
	require.Contains(t, c.post(`{"jsonrpc":"1.0","id":1,"method":"ping"}`).body, "error")
}

// TestAttack044_NothingInternalGetsOut breaks a handler in every way, and the
// database beneath it.
func TestAttack044_NothingInternalGetsOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	c := b.client(t, acme.FullToken(t))
	secret := "postgres://colaflow_app:hunter2@db.internal:5432/prod select * from tokens /srv/colaflow/secret.go"
	for name, broken := range map[string]func(context.Context, *mcpserver.Call) error{
		"error": func(context.Context, *mcpserver.Call) error { return errors.New(secret) },
		"panic": func(context.Context, *mcpserver.Call) error { panic(secret) },
		"nil pointer": func(context.Context, *mcpserver.Call) error {
			var p *tenancy.Principal
			return errors.New(p.TenantSlug)
		},
		"wrapped": func(context.Context, *mcpserver.Call) error {
			return fmt.Errorf("%s: %w", secret, tenancy.Errorf(tenancy.NotFound, "Plain words."))
		},
	} {
		for tool, arguments := range map[string]args{"get_me": nil, "create_issue": {"project": "WEB", "title": "Broken"}} {
			b.mcp.Hook(tool, broken)
			r := c.call(tool, arguments)
			require.True(t, r.isError)
			if name == "wrapped" {
				require.Equal(t, "not_found: Plain words.", r.text)
			} else {
				require.Regexp(t, `^internal: Internal error, request [0-9a-f]{16}\. `, r.text, name)
			}
			requireNoInternals(t, r.text)
		}
	}
	for _, tool := range []string{"get_me", "create_issue"} {
		b.mcp.Hook(tool, func(context.Context, *mcpserver.Call) error { return nil })
	}
	require.NotContains(t, b.db.Dump(t), "hunter2")
	require.Contains(t, b.log.String(), "hunter2", "the log has the detail")
	require.NotContains(t, b.db.Dump(t, "audit_log"), "Broken")

	b.exec(t, "revoke select on issues from colaflow_app")
	b.exec(t, "alter table comments drop column body cascade")
	for tool, arguments := range map[string]args{"get_issue": {"keys": "WEB-1"}, "search_issues": {}, "update_issue": {"key": "WEB-1", "title": "x"},
		"list_activity": {}} {
		r := c.call(tool, arguments)
		require.True(t, r.isError, tool)
		require.Regexp(t, `^internal: `, r.text, tool)
		requireNoInternals(t, r.text)
	}
	_, rpcError := c.read("colaflow://issues/WEB-1")
	require.Contains(t, rpcError, "Internal error, request")
	requireNoInternals(t, rpcError)
	b.exec(t, "revoke insert on audit_log from colaflow_app")
	res := c.post(callBody("list_projects", `{}`))
	requireNoInternals(t, res.body)
	require.NotContains(t, res.body, "WEB", "no answer without its audit row")
}

func requireNoInternals(t *testing.T, text string) {
	t.Helper()
	require.NotRegexp(t, `(?i)hunter2|postgres|select |insert |sqlstate|permission denied|relation|column|\.go|goroutine|runtime|/srv|/tmp|panic|pgx|colaflow_app`, text)
}

// TestAttack045_IDs decides: string ids and whole numbers within 2^53 are echoed
// exactly; others are refused with -32600, because the MCP library carries ids
// as float64 and would answer under another id.
func TestAttack045_IDs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	for _, id := range []string{`0`, `1`, `-1`, `9007199254740992`, `-9007199254740992`, `9007199254740991`, `"9007199254740993"`, `""`, `"a\"b\\c é"`, `"` + strings.Repeat("x", 300) + `"`} {
		for _, body := range []string{`{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}`, `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me"}}`,
			`{"jsonrpc":"2.0","id":` + id + `,"method":"nothing"}`, `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"nothing"}}`} {
			var m struct{ ID json.RawMessage }
			res := c.post(body)
			require.NoError(t, json.Unmarshal([]byte(res.body), &m), res.body)
			var want, got any
			require.NoError(t, json.Unmarshal([]byte(id), &want))
			require.NoError(t, json.Unmarshal(m.ID, &got))
			require.Equal(t, want, got, body)
			if id[0] != '"' {
				require.Equal(t, id, string(m.ID), body)
			}
		}
	}
	for _, id := range []string{`9007199254740993`, `-9007199254740993`, `1e3`, `1.0`, `1.5`, `null`, `true`, `[1]`, `{}`, `18446744073709551616`, `1e400`} {
		res := c.post(`{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}`)
		require.Equal(t, http.StatusBadRequest, res.status, id)
		require.Contains(t, res.body, `"code":-32600`, id)
	}
}

func TestAttack046_CacheHints(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	for _, call := range [][3]string{{"tools/list"}, {"resources/list"}, {"resources/templates/list"}, {"resources/read", "colaflow://me", `"uri":"colaflow://me"`},
		{"resources/read", "colaflow://projects/WEB", `"uri":"colaflow://projects/WEB"`}, {"server/discover"}} {
		res := c.modern("1", call[0], call[1], call[2])
		require.Equal(t, http.StatusOK, res.status, res.body)
		var m struct{ Result map[string]any }
		require.NoError(t, json.Unmarshal([]byte(res.body), &m))
		require.Equal(t, "private", m.Result["cacheScope"], call)
		require.GreaterOrEqual(t, m.Result["ttlMs"], 0.0, call)
		require.Equal(t, "no-store", res.header.Get("Cache-Control"))
		if call[0] != "server/discover" {
			params := args{}
			if call[1] != "" {
				params["uri"] = call[1]
			}
			result, rpcError := c.rpc(call[0], params)
			require.Empty(t, rpcError)
			require.NotContains(t, string(result), "cacheScope", "absent for clients that do not know it")
		}
	}
}

// TestAttack050_BothErasInterleaved shares connections between two tenants and
// both eras; every answer belongs to its asker.
func TestAttack050_BothErasInterleaved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	clients := []*client{b.client(t, b.db.Tenant(t, "acme").FullToken(t)), b.client(t, b.db.Tenant(t, "beta").FullToken(t))}
	failed := make(chan error, 100)
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			c, own := clients[n%2], []string{"acme", "beta"}[n%2]
			id := fmt.Sprintf(`"%s-%d"`, own, n)
			body := `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me","arguments":{}}}`
			if n%4 > 1 {
				body = `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me","arguments":{},` + modernMeta + `}}`
			}
			for range 3 {
				text, err := c.do(context.Background(), body)
				if err == nil && (!strings.Contains(text, id) || !strings.Contains(text, `\"tenant\":\"`+own+`\"`)) {
					err = fmt.Errorf("%s got %s", id, text)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	require.NoError(t, <-failed)
}
