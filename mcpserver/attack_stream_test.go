package mcpserver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// TestAttack021_OpenStreams revokes a token whose streams are open on two nodes: they
// end, say why, and hear of nothing that happens afterwards.
func TestAttack021_OpenStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	token, plain := acme.Token(t, "ci", `{"issues":["*"],"projects":["*"]}`)
	full := acme.FullToken(t)
	var nodes []*node
	var streams []*listener
	for range 2 {
		n := b.node(t, storetest.Options{}).follow(t)
		nodes = append(nodes, n)
		for range 5 {
			streams = append(streams, (&client{t: t, url: n.url, token: plain}).listen([]string{"colaflow://issues/WEB-1", "colaflow://projects"}))
		}
	}
	other := (&client{t: t, url: nodes[0].url, token: full}).listen([]string{"colaflow://issues/WEB-1"})
	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	(&client{t: t, url: nodes[1].url, token: full}).ok("update_issue", args{"key": "WEB-1", "title": "Secret"})
	began := time.Now()
	for _, l := range streams {
		last := l.last()
		require.NotNil(t, last.Error)
		require.Equal(t, -32001, last.Error.Code)
		require.Empty(t, l.updates(), "of what happened after the revocation")
	}
	t.Logf("10 streams on two nodes ended within %s", time.Since(began))
	other.hears("colaflow://issues/WEB-1")
	require.Eventually(t, func() bool { return nodes[0].Streams() == 1 && nodes[1].Streams() == 0 }, 20*time.Second, time.Millisecond)
}

// TestAttack021_SuspendedTenant ends the streams of a tenant that is suspended.
func TestAttack021_SuspendedTenant(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	mine, theirs := b.client(t, acme.FullToken(t)).listen([]string{"colaflow://me"}), b.client(t, beta.FullToken(t)).listen([]string{"colaflow://me"})
	_, err := b.db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Equal(t, "This tenant is suspended.", mine.last().Error.Message)
	require.Empty(t, theirs.updates())
	require.Eventually(t, func() bool { return b.mcp.Streams() == 1 }, 20*time.Second, time.Millisecond)
}

// TestAttack041_ForeignSubscriptions asks, on two nodes, for one's own and for everything
// else: only one's own is acknowledged, first, and nothing foreign is ever told, on
// whichever node it happens.
func TestAttack041_ForeignSubscriptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	here, there := b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	acme.Issues(t, acme.Project(t, "HR", "People"), "One")
	beta.Issues(t, beta.Project(t, "WEB", "Website"), "One", "Two")
	beta.Issues(t, beta.Project(t, "LAB", "Secret"), "One")
	_, limited := acme.Token(t, "limited", `{"projects":["read"],"issues":["read"],"reports":["read"],"only_projects":["WEB"]}`)
	own := []string{"colaflow://issues/WEB-1", "colaflow://projects", "colaflow://projects/WEB", "colaflow://projects/WEB/reports/Velocity"}
	foreign := []string{
		"colaflow://issues/WEB-2", "colaflow://issues/LAB-1", "colaflow://projects/LAB", "colaflow://projects/LAB/issues", // another tenant's
		"colaflow://issues/HR-1", "colaflow://projects/HR", "colaflow://projects/HR/workflow", // another project's
		"colaflow://projects/WEB/issues", "colaflow://projects/WEB/sprints/current", // without the permission
		"colaflow://nothing", "colaflow://issues/*", "colaflow://issues/", "colaflow://projects/WEB/reports/nothing", "file:///etc/passwd",
	}
	var streams, everything []*listener
	beTold := beta.FullToken(t)
	for _, n := range []*node{here, there} {
		l := (&client{t: t, url: n.url, token: limited}).listen(append(append([]string{own[0]}, foreign...), own...))
		require.Equal(t, own, l.acknowledged(), "once each, in their order")
		streams = append(streams, l)
		everything = append(everything, (&client{t: t, url: n.url, token: beTold}).listen([]string{"colaflow://issues/WEB-1", "colaflow://issues/LAB-1"}))
	}
	insider, outsider := &client{t: t, url: here.url, token: acme.FullToken(t)}, &client{t: t, url: there.url, token: beTold}
	outsider.ok("update_issue", args{"key": "WEB-1", "title": "Of beta"})
	outsider.ok("update_issue", args{"key": "LAB-1", "title": "Of beta"})
	for _, l := range everything {
		l.hears("colaflow://issues/WEB-1", "colaflow://issues/LAB-1")
	}
	insider.ok("update_issue", args{"key": "HR-1", "title": "Not for everybody"})
	told := 0
	for _, l := range streams {
		told += l.updates()[own[0]] + l.updates()[own[2]]
	}
	require.Zero(t, told)
	insider.ok("update_issue", args{"key": "WEB-1", "title": "For everybody"})
	for _, l := range streams {
		l.hears(own...)
	}
	for _, l := range everything {
		require.Len(t, l.updates(), 2, "nothing of acme")
		require.Equal(t, 1, l.updates()["colaflow://issues/WEB-1"], "of its own one of the same name")
	}
}

// TestAttack042_ThousandStreams opens a thousand streams with one token, on two nodes,
// each of which has its limit.
func TestAttack042_ThousandStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	account := tenancy.NewBudget(10 << 20)
	const most = 20
	var nodes [2]*mcpserver.Server
	var urls [2]string
	for n := range nodes {
		db := b.db.Reopen(t, storetest.Options{MaxConns: 4, Log: b.logger()})
		auth := tokens.NewAuthenticator(db)
		t.Cleanup(auth.Close)
		s, h := b.serve(t, mcpserver.Config{Store: db, Tokens: auth, RefusalPause: 1, Budget: budgets{acme.ID: account}.of,
			Limits: func(string) tenancy.Limits { return tenancy.Limits{TokenStreams: most} }})
		s.Follow()
		require.Eventually(t, auth.Healthy, 20*time.Second, 5*time.Millisecond)
		nodes[n], urls[n] = s, h.URL
	}
	c := &client{t: t, url: urls[0], token: acme.FullToken(t)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var opened, refused, odd atomic.Int64
	var wg sync.WaitGroup
	for range 25 {
		wg.Go(func() {
			for n := range 40 {
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, urls[n%2], strings.NewReader(listenBody("1", "colaflow://projects/WEB")))
				for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream, application/json",
					"Authorization": "Bearer " + c.token, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"} {
					req.Header.Set(name, value)
				}
				res, err := http.DefaultClient.Do(req)
				switch {
				case err != nil:
					odd.Add(1)
				case res.StatusCode == http.StatusOK:
					opened.Add(1) // and stays open
				case res.StatusCode == http.StatusTooManyRequests:
					refused.Add(1)
					_ = res.Body.Close()
				default:
					odd.Add(1)
					_ = res.Body.Close()
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 0, odd.Load())
	require.EqualValues(t, 2*most, opened.Load())
	require.EqualValues(t, 1000-2*most, refused.Load())
	require.Equal(t, []int{most, most}, []int{nodes[0].Streams(), nodes[1].Streams()})
	require.Less(t, account.Used(), int64(2*most*64<<10), "what was refused holds nothing")
	for _, url := range urls {
		require.False(t, (&client{t: t, url: url, token: c.token}).call("get_me", args{}).isError, "calls are not streams")
	}
	over := c.listen([]string{"colaflow://projects/WEB"})
	require.Equal(t, http.StatusTooManyRequests, over.status)
	require.Contains(t, over.body, "20 streams open")
	other := &client{t: t, url: urls[0], token: acme.FullToken(t)}
	require.Len(t, other.listen([]string{"colaflow://projects/WEB"}).acknowledged(), 1, "another token has its own")
	cancel()
	require.Eventually(t, func() bool { return nodes[0].Streams() == 1 && nodes[1].Streams() == 0 }, 20*time.Second, time.Millisecond)
}

// TestAttack042_SlowReader opens a stream and reads nothing of it: the others hear of
// changes all the same, and the server lets it go.
func TestAttack042_SlowReader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	s, _ := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth})
	s.Follow()
	s.SetStreamTimes(200*time.Microsecond, 2*time.Second)
	h := httptest.NewUnstartedServer(s.Handler())
	h.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		return ctx
	}
	h.Start()
	t.Cleanup(h.Close)
	token := acme.FullToken(t)
	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	body := listenBody("1", "colaflow://issues/WEB-1")
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"+
		"Authorization: Bearer %s\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Streams() == 1 }, 20*time.Second, time.Millisecond)
	c := &client{t: t, url: h.URL, token: token}
	l := c.listen([]string{"colaflow://issues/WEB-1"})
	c.ok("update_issue", args{"key": "WEB-1", "title": "Uno"})
	l.hears("colaflow://issues/WEB-1")
	require.Eventually(t, func() bool { return s.Streams() == 1 }, 30*time.Second, time.Millisecond, "the slow one is gone")
	rest, _ := io.ReadAll(conn) // whatever the network still held
	require.Contains(t, string(rest), "acknowledged")
}

// TestAttack043_EndStreams ends every stream with its result while a call runs on.
func TestAttack043_EndStreams(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	c := b.client(t, acme.FullToken(t))
	var streams []*listener
	for range 10 {
		streams = append(streams, c.listen([]string{"colaflow://me"}))
	}
	b.mcp.EndStreams()
	for _, l := range streams {
		last := l.last()
		require.JSONEq(t, `"sub"`, string(last.ID))
		require.NotNil(t, last.Result)
		require.Equal(t, "complete", last.Result.ResultType)
		require.JSONEq(t, `"sub"`, string(last.Result.Meta["io.modelcontextprotocol/subscriptionId"]))
	}
	require.Eventually(t, func() bool { return b.mcp.Streams() == 0 }, 20*time.Second, time.Millisecond)
	require.False(t, c.call("get_me", args{}).isError)
}

// TestAttack093_OpenStreams takes a network from a token whose streams are open on two
// nodes: those from there end, and hear of nothing afterwards; the others go on.
func TestAttack093_OpenStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	token, plain := acme.Token(t, "ci", `{"issues":["*"],"projects":["*"]}`)
	const issue = "colaflow://issues/WEB-1"
	nodes := []*node{b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t)}
	var kept, lost []*listener
	for _, n := range nodes {
		c := &client{t: t, url: n.url, token: plain}
		for from, streams := range map[string]*[]*listener{"192.0.2.7": &kept, "10.1.1.1": &lost, "192.0.2.7, 10.1.1.1": &lost, "2001:db8::1": &lost} {
			*streams = append(*streams, c.listen([]string{issue}, header("X-Forwarded-For", from)))
		}
	}
	for _, networks := range []string{"192.0.2.0/24", "192.0.2.0/25"} { // the second one changes nothing for anybody
		_, err := b.db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, _ time.Time) (err error) {
			s.Networks, err = tenancy.ParseNetworks([]string{networks})
			return err
		})
		require.NoError(t, err)
	}
	b.client(t, acme.FullToken(t)).ok("update_issue", args{"key": "WEB-1", "title": "For those within"})
	for _, l := range lost {
		last := l.last()
		require.NotNil(t, last.Error)
		require.Equal(t, -32001, last.Error.Code)
		require.Equal(t, "This token may not be used from this address.", last.Error.Message)
		require.Empty(t, l.updates())
	}
	for _, l := range kept {
		l.hears(issue)
	}
	require.Eventually(t, func() bool { return nodes[0].Streams() == 1 && nodes[1].Streams() == 1 }, 20*time.Second, time.Millisecond)
}
