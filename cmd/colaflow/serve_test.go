package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// post sends a JSON-RPC message to the server's endpoint.
func (s *server) post(t *testing.T, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/mcp", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

// openStream opens a stream and returns what its lines are read from.
func (s *server) openStream(ctx context.Context, t *testing.T, token, uri string) *bufio.Scanner {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["` + uri + `"]},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/mcp", strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Authorization": "Bearer " + token, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	return bufio.NewScanner(res.Body)
}

const callGetMe = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{}}}`

func TestServe(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0")

	status, body := s.post(t, token, callGetMe)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "ada@acme.test")
	status, _ = s.post(t, "mcp_acme_"+strings.Repeat("0", 32), callGetMe)
	require.Equal(t, http.StatusUnauthorized, status)

	status, body = s.get(t, "/healthz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"status":"ok"}`, body)

	status, body = s.get(t, "/readyz")
	require.Equal(t, http.StatusOK, status)
	var ready readiness
	require.NoError(t, json.Unmarshal([]byte(body), &ready))
	require.Equal(t, "ready", ready.Status)
	require.Equal(t, 24, ready.AuditMonthsAhead)
	require.Empty(t, ready.Warnings)

	status, body = s.get(t, "/")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "<title>ColaFlow</title>")
	for _, path := range []string{"/nothing", "/api/v1/nothing", "/metrics", "/.well-known/openid-configuration", "/mcp/x", "/favicon.ico"} {
		status, body = s.get(t, path)
		require.Equal(t, http.StatusNotFound, status, path)
		require.True(t, json.Valid([]byte(body)), path)
	}

	s.stop()
	require.Equal(t, exitOK, s.wait(t))
	require.NotContains(t, s.log.String(), token)
}

// TestServe_OAuth: whoever comes without a token finds out by itself how to get one.
func TestServe_OAuth(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	db.Tenant(t, "acme")
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0", "--public-url", "https://colaflow.example.com")
	at := regexp.MustCompile(`"addr":"([^"]+)"`).FindStringSubmatch(s.log.String())
	require.NotNil(t, at)
	s.url = "http://" + at[1]
	res, err := http.Post(s.url+"/mcp", "application/json", strings.NewReader(callGetMe))
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	const metadata = "/.well-known/oauth-protected-resource/mcp"
	require.Equal(t, `Bearer scope="`+strings.Join(tenancy.Everyday().Strings(), " ")+`", resource_metadata="https://colaflow.example.com`+metadata+`"`, res.Header.Get("WWW-Authenticate"))
	for path, want := range map[string]string{metadata: `"resource":"https://colaflow.example.com/mcp"`, "/.well-known/oauth-protected-resource": `"resource":"https://colaflow.example.com/mcp"`,
		"/.well-known/oauth-authorization-server": `"issuer":"https://colaflow.example.com"`, "/signin?tenant=acme": "Sign in to acme"} {
		status, body := s.get(t, path)
		require.Equal(t, http.StatusOK, status, path)
		require.Contains(t, body, want, path)
	}
}

// TestAttack075_TokenAddress: at the address for tokens alone nothing tells of OAuth.
func TestAttack075_TokenAddress(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0", "--token-addr", "127.0.0.1:0")
	at := regexp.MustCompile(`"token_addr":"([^"]+)"`).FindStringSubmatch(s.log.String())
	require.NotNil(t, at, s.log.String())
	alone := &server{url: "http://" + at[1]}
	status, body := alone.post(t, token, callGetMe)
	require.Equal(t, http.StatusOK, status, body)
	for _, path := range []string{"/", "/signin", "/.well-known/", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/", "/.well-known/oauth-protected-resource/mcp",
		"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp",
		"/mcp/.well-known/openid-configuration", "/.well-known/anything", "/oauth/authorize", "/oauth/token", "/register"} {
		status, body := alone.get(t, path)
		require.Equal(t, http.StatusNotFound, status, path)
		require.True(t, json.Valid([]byte(body)), path)
	}
	res, err := http.Post(alone.url+"/mcp", "application/json", strings.NewReader(callGetMe))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "Bearer", res.Header.Get("WWW-Authenticate"))
	s.stop()
	require.Equal(t, exitOK, s.wait(t))
}

// TestServe_Metrics: what tenants do is told at an address of its own, and to nobody
// beyond this machine without a token.
func TestServe_Metrics(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0")
	status, _ := s.post(t, token, callGetMe)
	require.Equal(t, http.StatusOK, status)
	status, _ = s.post(t, "mcp_acme_"+strings.Repeat("0", 32), callGetMe)
	require.Equal(t, http.StatusUnauthorized, status)
	at := regexp.MustCompile(`"msg":"metrics","url":"(http://[^"]+)/metrics"`).FindStringSubmatch(s.log.String())
	require.NotNil(t, at, s.log.String())
	_, body := (&server{url: at[1]}).get(t, "/metrics")
	for _, line := range []string{`colaflow_messages_total{method="tools/call",result="ok",tool="get_me"} 1`, "colaflow_tokens_refused_total 1", `colaflow_build_info{`,
		`colaflow_tenant_calls_total{result="ok",tenant="acme",tool="get_me"} 1`, `colaflow_tenant_tokens_total{kind="agent-token",result="accepted",tenant="acme"} 1`,
		`colaflow_tenant_tokens_total{kind="agent-token",result="refused",tenant="acme"} 1`,
		`colaflow_tenant_database_trips_total{tenant="acme"}`, `colaflow_tenant_database_rows_total{tenant="acme"}`} {
		require.Contains(t, body, line)
	}
	require.NotContains(t, body, token[len(token)-32:])
	streams := func(enterprise int) bool {
		_, body := (&server{url: at[1]}).get(t, "/metrics")
		return strings.Contains(body, fmt.Sprintf(`colaflow_streams_open{plan="enterprise"} %d`, enterprise)) && strings.Contains(body, `colaflow_streams_open{plan="team"} 0`)
	}
	require.True(t, streams(0))
	ctx, hangUp := context.WithCancel(t.Context())
	require.True(t, s.openStream(ctx, t, token, "colaflow://me").Scan())
	require.True(t, streams(1))
	hangUp()
	require.Eventually(t, func() bool { return streams(0) }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { // forgotten when the feed of changes begins, and freed after the client has its answer
		s.post(t, token, callGetMe)
		_, body := (&server{url: at[1]}).get(t, "/metrics")
		return strings.Contains(body, `colaflow_tenant_memory_bytes{tenant="acme"} 0`)
	}, time.Minute, 10*time.Millisecond)
	s.stop()
	require.Equal(t, exitOK, s.wait(t))

	var out, log bytes.Buffer
	code := run(t.Context(), []string{"serve", "--addr", "127.0.0.1:0", "--metrics-addr", "0.0.0.0:0"}, strings.NewReader(""), &out, &log,
		func(name string) string { return testEnv(db)[name] })
	require.NotEqual(t, exitOK, code)
	require.Contains(t, log.String(), "COLAFLOW_METRICS_TOKEN")
}

func TestServe_NotReady(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0")
	admin := db.Admin(t)

	_, err := admin.Exec(t.Context(), `do $$ declare t text; begin
		for t in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
			where i.inhparent = 'audit_log'::regclass and c.relname ~ '[0-9]$' order by 1 desc limit 24
		loop execute 'drop table ' || t; end loop; end $$`)
	require.NoError(t, err)
	status, body := s.get(t, "/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "run: colaflow db migrate")

	_, err = admin.Exec(t.Context(), `revoke select on goose_db_version from colaflow_app`)
	require.NoError(t, err)
	status, body = s.get(t, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotContains(t, body, "goose", "details are for the log")
	status, _ = s.get(t, "/healthz")
	require.Equal(t, http.StatusOK, status, "the process itself is well")
}

// TestServe_Shutdown sends a signal's cancellation while a request is half sent:
// it is answered, and only then the server ends.
func TestServe_Shutdown(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0")

	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	head := "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n" +
		"Authorization: Bearer " + token + "\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 88\r\n\r\n"
	require.Len(t, callGetMe, 88)
	_, err = io.WriteString(conn, head+callGetMe[:40])
	require.NoError(t, err)
	answer := bufio.NewReader(conn)
	begun, err := answer.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, begun, "100 Continue", "the server has begun to read")
	s.stop()
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "running calls may finish") }, time.Minute, time.Millisecond)
	_, err = io.WriteString(conn, callGetMe[40:])
	require.NoError(t, err)
	rest, err := io.ReadAll(answer)
	require.NoError(t, err)
	require.Contains(t, string(rest), "ada@acme.test")
	require.Equal(t, exitOK, s.wait(t))
}

func TestServeFlags_InTheClear(t *testing.T) {
	t.Parallel()
	network, loopback := &net.TCPAddr{IP: net.IPv4zero, Port: 80}, &net.TCPAddr{IP: net.IPv6loopback, Port: 80}
	require.True(t, serveFlags{}.inTheClear(network))
	require.False(t, serveFlags{}.inTheClear(loopback))
	require.False(t, serveFlags{tlsCert: "cert.pem"}.inTheClear(network))
	require.False(t, serveFlags{proxies: []string{"10.0.0.0/8"}}.inTheClear(network))
	require.False(t, serveFlags{publicURL: "https://colaflow.example.com"}.inTheClear(network))
	require.True(t, serveFlags{publicURL: "http://colaflow.example.com"}.inTheClear(network))
}

func TestServeFlags_URL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		flags serveFlags
		addr  string
		want  string
	}{
		{serveFlags{}, "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{serveFlags{}, "[::]:8080", "http://localhost:8080"},
		{serveFlags{tlsCert: "cert.pem"}, "0.0.0.0:8443", "https://localhost:8443"},
		{serveFlags{publicURL: "https://colaflow.example.com"}, "[::]:8080", "https://colaflow.example.com"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", test.addr)
		require.NoError(t, err)
		require.Equal(t, test.want, test.flags.url(addr))
	}
}

// TestServe_Nodes: each of many nodes allows its share.
func TestServe_Nodes(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	db.SetPlan(t, "acme", "free") // 600 reads a minute
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0", "--nodes", "600")
	_, body := s.post(t, token, callGetMe)
	require.NotContains(t, body, "rate_limited")
	_, body = s.post(t, token, callGetMe)
	require.Contains(t, body, "1 reads a minute for this token")
	s.stop()
	require.Equal(t, exitOK, s.wait(t))
}
