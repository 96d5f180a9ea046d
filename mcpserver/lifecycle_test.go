package mcpserver_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tokens"
)

// TestAttack008_SuspendedInMidCall suspends on one node: calls that run on another
// are cut off, later ones get 403, and other tenants notice nothing.
func TestAttack008_SuspendedInMidCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	node2 := b.db.Reopen(t, storetest.Options{MaxConns: 4})
	auth2 := tokens.NewAuthenticator(node2)
	t.Cleanup(auth2.Close)
	s2, h := b.serve(t, mcpserver.Config{Store: node2, Tokens: auth2})
	s2.Follow()
	require.Eventually(t, auth2.Healthy, 20*time.Second, 5*time.Millisecond)
	c, other := b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))
	c.url, other.url = h.URL, h.URL
	c.ok("get_me", nil)
	other.ok("get_me", nil)

	running := make(chan struct{})
	s2.Hook("list_projects", func(ctx context.Context, _ *mcpserver.Call) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	slow := make(chan answer, 1)
	go func() { slow <- c.post(callBody("list_projects", `{}`)) }()
	<-running
	_, err := b.db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	for name, a := range map[string]answer{"next": c.post(callBody("get_me", `{}`)), "running": <-slow} {
		require.Equal(t, http.StatusForbidden, a.status, name)
		require.Contains(t, a.body, "tenant_suspended", name)
	}
	other.ok("get_me", nil)

	_, err = b.db.ResumeTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	c.ok("get_me", nil)
	_, err = b.db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // the word of the deletion may cut off the first
		return c.post(callBody("get_me", `{}`)).status == http.StatusUnauthorized
	}, 30*time.Second, time.Millisecond, "a deleted tenant is not known")
}

// withData are requests that read or write; withoutData are the others, which may lag by
// the latency of the feed, where there is one.
var withData = []string{callBody("get_me", `{}`), callBody("list_projects", `{}`), callBody("create_project", `{"name":"Sneaked in"}`),
	`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"colaflow://me"}}`, `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`,
	`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"standup","arguments":{"project":"WEB"}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"standup"},"argument":{"name":"project","value":""}}}`}

var withoutData = []string{ping, listTools, `{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`, `{"jsonrpc":"2.0","id":1,"method":"resources/templates/list"}`}

// TestAttack008_OnEveryNode disables a member, and then suspends the tenant, while three
// nodes know the tokens as good, one of which hears of nothing: on all of them whatever
// needs data is refused at once, and everything else soon; streams end, nobody else is
// concerned, and what was taken can be given back.
func TestAttack008_OnEveryNode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	acme.Project(t, "WEB", "Website")
	deaf := b.node(t, storetest.Options{})
	deaf.SetStreamTimes(20*time.Millisecond, time.Minute)
	nodes := []*node{b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t), deaf}
	ben, ada, stranger := b.tokenOf(t, acme, acme.Ben), acme.FullToken(t), beta.FullToken(t)
	at := func(n *node, token string) *client { return &client{t: t, url: n.url, token: token} }
	unknown := b.client(t, "mcp_acme_"+strings.Repeat("0", 32)).post(ping)
	for name, test := range map[string]struct {
		take, give func() error
		status     int
		body       string
		others     []string
	}{
		"disabled member": {
			func() error {
				_, err := b.db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
				return err
			},
			func() error {
				_, err := b.db.ReactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
				return err
			}, http.StatusUnauthorized, unknown.body, []string{ada, stranger}},
		"suspended tenant": {
			func() error { _, err := b.db.SuspendTenant(t.Context(), "acme", "test"); return err },
			func() error { _, err := b.db.ResumeTenant(t.Context(), "acme", "test"); return err },
			http.StatusForbidden, `{"error":"tenant_suspended","message":"This tenant is suspended."}` + "\n", []string{stranger}},
	} {
		var streams []*listener
		for _, n := range nodes {
			for _, token := range []string{ben, ada, stranger} {
				require.Equal(t, http.StatusOK, at(n, token).post(withData[0]).status, name)
				require.Equal(t, http.StatusOK, at(n, token).post(listTools).status, name)
			}
			streams = append(streams, at(n, ben).listen([]string{"colaflow://me"}))
			require.Len(t, streams[len(streams)-1].acknowledged(), 1)
		}
		require.NoError(t, test.take())
		for _, n := range nodes {
			for _, body := range withData {
				a := at(n, ben).post(body)
				require.Equal(t, test.status, a.status, "%s: %s", name, body)
				require.Equal(t, test.body, a.body, "%s: %s", name, body)
			}
			require.Equal(t, test.status, at(n, ben).listen([]string{"colaflow://me"}).status, name)
		}
		for _, n := range nodes {
			for _, body := range withoutData {
				if n == deaf {
					require.Equal(t, test.status, at(n, ben).post(body).status, "%s: %s", name, body)
				}
				require.Eventually(t, func() bool { return at(n, ben).post(body).status == test.status }, 20*time.Second, time.Millisecond, "%s: %s", name, body)
			}
			for _, token := range test.others {
				require.Equal(t, http.StatusOK, at(n, token).post(withData[0]).status, name)
			}
		}
		for _, l := range streams {
			require.NotNil(t, l.last().Error, name)
			require.Equal(t, -32001, l.last().Error.Code, name)
		}
		require.NotContains(t, b.db.Dump(t, "audit_log"), "Sneaked in")
		require.NoError(t, test.give())
		for _, n := range nodes {
			require.Eventually(t, func() bool {
				return at(n, ben).post(withData[0]).status == http.StatusOK && at(n, ben).post(listTools).status == http.StatusOK && at(n, ada).post(listTools).status == http.StatusOK
			}, 20*time.Second, time.Millisecond, name)
		}
	}
}
