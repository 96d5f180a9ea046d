package mcpserver_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
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
	res, err := cmp.Or(c.through, http.DefaultClient).Do(req)
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

// anySession is what a client may say its session is; the last is that of a client at
// standard input.
var anySession = []string{"", "mcp-session-00000000-0000-0000-0000-000000000000", "stdio"}

// inSession brings a session id, if there is one.
func inSession(id string) func(*http.Request) {
	return func(r *http.Request) {
		if id != "" {
			r.Header.Set("Mcp-Session-Id", id)
		}
	}
}

// inBothEras is a call of get_me with id 1.
var inBothEras = []string{callBody("get_me", `{}`), `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{},` + modernMeta + `}}`}

// TestAttack026_CancelOtherTenantsCall: whoever else says that a call is cancelled, in
// whichever era and session, and whoever says so for the caller itself: the call goes on.
func TestAttack026_CancelOtherTenantsCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	a := b.client(t, acme.FullToken(t))
	others := []*client{b.client(t, b.db.Tenant(t, "beta").FullToken(t)), b.client(t, acme.FullToken(t)), a}
	started, release := held(b, a.token)
	for _, body := range inBothEras {
		done := make(chan string, 1)
		go func() {
			text, err := a.do(context.Background(), body)
			done <- fmt.Sprint(text, err)
		}()
		<-started
		for _, other := range others {
			for _, params := range []string{`{"requestId":1,"reason":"x"}`, `{"requestId":"1"}`, `{"requestId":1.0}`, `{"requestId":1,` + modernMeta + `}`} {
				for _, session := range anySession {
					edit := []func(*http.Request){inSession(session)}
					if strings.Contains(params, "_meta") {
						edit = append(edit, header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", "notifications/cancelled"))
					}
					res := other.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":`+params+`}`, edit...)
					require.Equal(t, http.StatusAccepted, res.status)
					require.Empty(t, res.body)
				}
			}
		}
		select {
		case release <- struct{}{}:
		case got := <-done:
			require.Fail(t, "the call was cancelled", got)
		}
		require.Contains(t, <-done, `\"tenant\":\"acme\"`)
	}
}

func TestAttack028_OnlyPost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alone := httptest.NewServer(b.mcp.TokenHandler())
	t.Cleanup(alone.Close)
	token := b.db.Tenant(t, "acme").FullToken(t)
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodHead, http.MethodPut, http.MethodPatch, "TRACE", "LISTEN"} {
		for _, url := range []string{b.http.URL, b.http.URL + "/mcp", b.http.URL + "/mcp/readonly", b.http.URL + "/mcp/p/WEB", alone.URL + "/mcp"} {
			for _, session := range anySession {
				req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
				require.NoError(t, err)
				req.Header.Set("Authorization", "Bearer "+token)
				req.Header.Set("Accept", "text/event-stream")
				inSession(session)(req)
				res, err := http.DefaultClient.Do(req)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, res.Body) // ends: it is no stream
				require.NoError(t, err)
				_ = res.Body.Close()
				require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, method)
				require.Equal(t, []string{"POST"}, res.Header["Allow"])
				require.Equal(t, "application/json", res.Header.Get("Content-Type"))
			}
		}
	}
}

// TestAttack029_OtherTenantsSession: there are no sessions over HTTP, and the one of a
// client at standard input is out of reach.
func TestAttack029_OtherTenantsSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token := acme.FullToken(t)
	a, other := b.client(t, token), b.client(t, b.db.Tenant(t, "beta").FullToken(t))
	const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	res := a.post(hello)
	require.Equal(t, http.StatusOK, res.status, res.body)
	require.Empty(t, res.header["Mcp-Session-Id"], "the endpoint has no sessions")
	atHome := b.stdio(t.Context(), t, token)
	require.Contains(t, atHome.send(hello), `"serverInfo"`)
	require.Contains(t, atHome.send(`{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"colaflow://projects/WEB"}}`), `"result":{}`)
	for _, session := range anySession {
		for _, body := range inBothEras {
			res := other.post(body, inSession(session), func(r *http.Request) {
				if strings.Contains(body, "_meta") {
					r.Header.Set("MCP-Protocol-Version", "2026-07-28")
					r.Header.Set("Mcp-Method", "tools/call")
					r.Header.Set("Mcp-Name", "get_me")
				}
			})
			require.Equal(t, http.StatusOK, res.status, res.body)
			require.Empty(t, res.header["Mcp-Session-Id"])
			require.Contains(t, res.body, `\"tenant\":\"beta\"`)
			require.NotContains(t, res.body, "acme")
		}
		for _, method := range []string{"resources/subscribe", "resources/unsubscribe"} {
			res := other.post(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{"uri":"colaflow://projects/WEB"}}`, inSession(session))
			require.Contains(t, res.body, `"error"`, method)
		}
	}
	require.Contains(t, atHome.send(callBody("get_me", `{}`)), `\"tenant\":\"acme\"`, "nobody took it")
}

// TestAttack031_ResponseFromAClient answers the id of another's running call: nobody
// hears of it. What could be read as a request or as a response is neither.
func TestAttack031_ResponseFromAClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	a := b.client(t, acme.FullToken(t))
	others := []*client{b.client(t, b.db.Tenant(t, "beta").FullToken(t)), b.client(t, acme.FullToken(t)), a}
	started, release := held(b, a.token)
	done := make(chan string, 1)
	go func() {
		text, err := a.do(context.Background(), callBody("get_me", `{}`))
		done <- fmt.Sprint(text, err)
	}()
	<-started
	for _, other := range others {
		for body, status := range map[string]int{
			`{"jsonrpc":"2.0","id":1,"result":{}}`:                                                            http.StatusAccepted,
			`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"forged"}]}}`:                 http.StatusAccepted,
			`{"jsonrpc":"2.0","id":"1","error":{"code":1,"message":"forged"}}`:                                http.StatusAccepted,
			`{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"forged"}}`:                      http.StatusAccepted,
			`{"jsonrpc":"2.0","result":"forged"}`:                                                             http.StatusAccepted,
			`{"jsonrpc":"2.0","id":1,"result":null}`:                                                          http.StatusAccepted,
			`{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`:                                            http.StatusBadRequest,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me"},"result":{}}`:           http.StatusBadRequest,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me"},"error":{"code":1}}`:    http.StatusBadRequest,
			`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1},"result":"forged"}`: http.StatusBadRequest,
			`{"jsonrpc":"2.0","id":1,"method":"","result":{}}`:                                                http.StatusBadRequest,
		} {
			for _, session := range anySession {
				res := other.post(body, inSession(session))
				require.Equal(t, status, res.status, body)
				require.Equal(t, status == http.StatusAccepted, res.body == "", res.body)
			}
		}
	}
	release <- struct{}{}
	got := <-done
	require.Contains(t, got, `\"tenant\":\"acme\"`)
	require.NotContains(t, got, "forged")
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
		"127.0.0.1.evil.com", "example.com", "evilexample.com", "colaflow.test.", "localhost.", "127.0.0.1.", "0x7f.1", "2130706433", "colaflow.test@evil.com", "evil.com#colaflow.test", ".localhost.evil.com", "ſocalhost"} {
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
	for _, name := range []string{"colaflow.test:8443", "evil.com", ""} { // as whole address, or as none
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		target := "/mcp"
		if name != "" {
			target = "http://" + name + "/mcp"
		}
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.0\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: %d\r\n\r\n%s", target, c.token, len(ping), ping)
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[name == "colaflow.test:8443"], res.StatusCode, name)
	}
	// An answer to a preflight says nothing to an origin that is not allowed.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://evil.com")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_ = res.Body.Close()
	require.Equal(t, http.StatusForbidden, res.StatusCode)
}

// TestAttack035_HeadersOfTheModernEra: headers must say what the body says, once; what
// they say gives no right.
func TestAttack035_HeadersOfTheModernEra(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, reader := acme.Token(t, "reader", `{"projects":["read"]}`)
	c := b.client(t, reader)
	base64Of := func(text string) string { return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?=" }
	doubled := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	without := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	const params = `"name":"get_me","arguments":{}`
	for name, edit := range map[string]func(*http.Request){
		"as the body says":     func(*http.Request) {},
		"Base64 of it":         header("Mcp-Name", base64Of("get_me")),
		"Base64 and a session": func(r *http.Request) { r.Header.Set("Mcp-Name", base64Of("get_me")); inSession("stdio")(r) },
	} {
		res := c.modern("1", "tools/call", "get_me", params, edit)
		require.Equal(t, http.StatusOK, res.status, "%s: %s", name, res.body)
		require.Contains(t, res.body, `\"tenant\":\"acme\"`, name)
	}
	for name, edit := range map[string]func(*http.Request){
		"no method":             without("Mcp-Method"),
		"no name":               without("Mcp-Name"),
		"no version":            without("Mcp-Protocol-Version"),
		"empty name":            header("Mcp-Name", ""),
		"other method":          header("Mcp-Method", "tools/list"),
		"other name":            header("Mcp-Name", "list_projects"),
		"older version":         header("MCP-Protocol-Version", "2025-11-25"),
		"other version":         header("MCP-Protocol-Version", "2099-01-01"),
		"case of name":          header("Mcp-Name", "GET_ME"),
		"case of method":        header("Mcp-Method", "Tools/Call"),
		"list of names":         header("Mcp-Name", "get_me, get_me"),
		"Base64 of another":     header("Mcp-Name", base64Of("list_projects")),
		"Base64 of space":       header("Mcp-Name", base64Of(" get_me")),
		"Base64 of NUL":         header("Mcp-Name", base64Of("get_me\x00")),
		"Base64 twice":          header("Mcp-Name", base64Of(base64Of("get_me"))),
		"Base64 of garbage":     header("Mcp-Name", "=?base64?!!!?="),
		"Base64 unmarked":       header("Mcp-Name", base64.StdEncoding.EncodeToString([]byte("get_me"))),
		"Base64 without an end": header("Mcp-Name", "=?base64?Z2V0X21l"),
		"Base64 of a method":    header("Mcp-Method", base64Of("tools/list")),
		"doubled method":        doubled("Mcp-Method", "tools/call", "tools/call"),
		"doubled name":          doubled("Mcp-Name", "get_me", "create_issue"),
		"doubled name, Base64":  doubled("Mcp-Name", "get_me", base64Of("get_me")),
		"doubled version":       doubled("Mcp-Protocol-Version", "2026-07-28", "2025-06-18"),
		"doubled parameter":     doubled("Mcp-Param-Region", "eu", "us"),
		"doubled content type":  doubled("Content-Type", "application/json", "text/plain"),
	} {
		res := c.modern("1", "tools/call", "get_me", params, edit)
		require.Equal(t, http.StatusBadRequest, res.status, "%s: %s", name, res.body)
		require.Contains(t, res.body, "-32020", name)
	}
	for method, name := range map[string]string{"resources/read": "colaflow://projects", "prompts/get": "standup"} {
		param := `"name":"` + name + `"`
		if method == "resources/read" {
			param = `"uri":"colaflow://me"`
		}
		res := c.modern("1", method, name+"x", param)
		require.Equal(t, http.StatusBadRequest, res.status, res.body)
		require.Contains(t, res.body, "-32020", method)
	}
	// What a header promises gives no right: the body decides, in every era.
	const create = `"name":"create_project","arguments":{"name":"x"}`
	require.Equal(t, http.StatusBadRequest, c.modern("1", "tools/call", "get_me", create).status)
	for _, name := range []string{"create_project", base64Of("create_project")} {
		require.Contains(t, c.modern("1", "tools/call", name, create).body, "forbidden: ")
	}
	for _, edit := range [][]func(*http.Request){nil, {header("Mcp-Name", "get_me")}, {header("Mcp-Method", "ping"), header("Mcp-Name", "get_me")}} {
		require.Contains(t, c.post(callBody("create_project", `{"name":"x"}`), edit...).body, "forbidden: ")
	}
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
	for _, version := range []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"} {
		require.Contains(t, res.body, `"`+version+`"`, "the supported versions")
	}
	require.Equal(t, http.StatusBadRequest, c.post(ping, header("MCP-Protocol-Version", "2099-01-01")).status, "of a body that says none")
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
	modernPing := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{` + modernMeta + `}}`
	for _, batch := range []string{`[` + ping + `,` + ping + `]`, `[` + ping + `]`, `[]`, `[` + modernPing + `]`} {
		for _, edit := range [][]func(*http.Request){nil, {header("MCP-Protocol-Version", "2025-03-26")}, {header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", "ping")}} {
			res := c.post(batch, edit...)
			require.Equal(t, http.StatusBadRequest, res.status, "also of the revision that had them")
			require.Contains(t, res.body, "batches are not supported")
		}
	}
	for _, version := range []string{`"jsonrpc":"1.0",`, `"jsonrpc":2.0,`, `"jsonrpc":null,`, ``} {
		res := c.post(`{` + version + `"id":1,"method":"ping"}`)
		require.Equal(t, http.StatusBadRequest, res.status, version)
		require.Contains(t, res.body, `"code":-32600`)
	}
}
