package mcpserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// message reads the next line as a stream's message.
func (s *stdio) message() (m streamMessage) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.next()), &m))
	return m
}

// listen opens a stream and returns what is acknowledged.
func (s *stdio) listen(id string, uris ...string) []string {
	s.t.Helper()
	_, err := io.WriteString(s.in, listenBody(id, uris...)+"\n")
	require.NoError(s.t, err)
	m := s.message()
	require.Equal(s.t, "notifications/subscriptions/acknowledged", m.Method, m)
	s.isOf(id, m)
	return m.Params.Notifications.ResourceSubscriptions
}

// hears waits for an update.
func (s *stdio) hears(id, uri string) {
	s.t.Helper()
	m := s.message()
	require.Equal(s.t, "notifications/resources/updated", m.Method, m)
	require.Equal(s.t, uri, m.Params.URI)
	s.isOf(id, m)
}

func (s *stdio) isOf(id string, m streamMessage) {
	s.t.Helper()
	require.JSONEq(s.t, id, string(m.Params.Meta["io.modelcontextprotocol/subscriptionId"]))
}

// listening are the ways by which a client of the modern era watches over stdio: the
// program itself, and the one that passes everything on.
func (b *bundle) listening(t *testing.T, plain string) map[string]*stdio {
	t.Helper()
	return map[string]*stdio{
		"stdio": b.stdio(t.Context(), t, plain),
		"bridge": piped(t, func(in io.Reader, out io.Writer) error {
			return mcpserver.Bridge(t.Context(), mcpserver.BridgeConfig{URL: b.http.URL, Token: plain}, in, out)
		}),
	}
}

func TestStdio_Listen(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	acme.Issues(t, acme.Project(t, "HR", "People"), "One")
	full := b.client(t, acme.FullToken(t))
	const one, two, secret = "colaflow://issues/WEB-1", "colaflow://issues/WEB-2", "colaflow://issues/HR-1"
	token, plain := acme.Token(t, "ci", `{"projects":["read"],"issues":["read"],"only_projects":["WEB"]}`)
	clients := b.listening(t, plain)
	for name, s := range clients {
		require.Contains(t, s.send(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{`+modernMeta+`}}`), `"subscribe":true`, name)
		require.Equal(t, []string{one}, s.listen(`"a"`, one, secret, "colaflow://issues/WEB-9"), name)
		require.Equal(t, []string{two}, s.listen("7", two), name)
		require.Empty(t, s.listen("8", secret), name)
		end := s.message()
		require.Equal(t, "8", string(end.ID))
		require.Equal(t, "complete", end.Result.ResultType, "%s: nothing would ever come", name)
	}
	full.ok("update_issue", args{"key": "HR-1", "title": "Secret"})
	full.ok("update_issue", args{"key": "WEB-1", "title": "Uno"})
	for _, s := range clients {
		s.hears(`"a"`, one)
	}
	for _, s := range clients { // one stream ends, the other goes on
		_, err := io.WriteString(s.in, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}`+"\n")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return b.mcp.Streams() == len(clients) }, 20*time.Second, time.Millisecond)
	full.ok("update_issue", args{"key": "WEB-1", "title": "One"})
	full.ok("update_issue", args{"key": "WEB-2", "title": "Due"})
	for _, s := range clients {
		s.hears("7", two)
	}
	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	for name, s := range clients {
		end := s.message()
		require.Equal(t, "7", string(end.ID), name)
		require.Equal(t, -32001, end.Error.Code, name)
		_, err := io.WriteString(s.in, listenBody("9", one)+"\n")
		require.NoError(t, err)
		require.Equal(t, -32001, s.message().Error.Code, name)
	}
	require.Equal(t, 0, b.mcp.Streams())
	var audited int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select count(*) from audit_log where method = 'subscriptions/listen' and decision = 'allowed'`).Scan(&audited))
	require.Equal(t, 3*len(clients), audited)
}

// TestStdio_ListenLimits: streams hold up no calls, however many there may be, and one
// more is refused.
func TestStdio_ListenLimits(t *testing.T) {
	t.Parallel()
	const most = 20 // more than the calls that run beside each other
	b := setup(t)
	s, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, RefusalPause: 1,
		Limits: func(string) tenancy.Limits { return tenancy.Limits{TokenStreams: most} }})
	s.Follow()
	require.Eventually(t, b.auth.Healthy, 20*time.Second, 5*time.Millisecond)
	b.mcp, b.http = s, h
	acme := b.db.Tenant(t, "acme")
	for _, way := range []string{"stdio", "bridge"} {
		client := b.listening(t, acme.FullToken(t))[way]
		for n := range most {
			require.Len(t, client.listen(fmt.Sprint(n), "colaflow://me"), 1, way)
		}
		_, err := io.WriteString(client.in, listenBody(`"more"`, "colaflow://me")+"\n")
		require.NoError(t, err)
		refused := client.message()
		require.Equal(t, `"more"`, string(refused.ID), way)
		require.NotNil(t, refused.Error, way)
		many := make([]string, 101)
		for n := range many {
			many[n] = fmt.Sprint("colaflow://issues/WEB-", n)
		}
		_, err = io.WriteString(client.in, listenBody(`"long"`, many...)+"\n")
		require.NoError(t, err)
		require.Equal(t, -32602, client.message().Error.Code, way)
		require.Contains(t, client.send(`{"jsonrpc":"2.0","id":"call","method":"tools/call","params":{"name":"get_me","arguments":{},`+modernMeta+`}}`), `"acme"`, way)
		require.NoError(t, client.in.Close())
		require.NoError(t, client.end())
		require.Eventually(t, func() bool { return s.Streams() == 0 }, 20*time.Second, time.Millisecond, way)
	}
}

// TestStdio_ListenEnds: streams end with their result when the program is to stop.
func TestStdio_ListenEnds(t *testing.T) {
	t.Parallel()
	b := followed(t)
	plain := b.db.Tenant(t, "acme").FullToken(t)
	for _, end := range []func(*stdio, context.CancelFunc){
		func(s *stdio, _ context.CancelFunc) { require.NoError(t, s.in.Close()) },
		func(_ *stdio, cancel context.CancelFunc) { cancel() },
		func(*stdio, context.CancelFunc) { b.mcp.EndStreams() }, // the last one: none begins after it
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s := b.stdio(ctx, t, plain)
		require.Len(t, s.listen("1", "colaflow://me"), 1)
		end(s, cancel)
		require.Equal(t, "complete", s.message().Result.ResultType)
		cancel()
		require.NoError(t, s.end())
		require.Equal(t, 0, b.mcp.Streams())
	}
}
