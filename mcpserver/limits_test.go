package mcpserver_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestLimits_PerToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	acme.Project(t, "WEB", "Website")
	globex.Project(t, "WEB", "Website")
	now := storetest.Now
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Clock: func() time.Time { return now },
		Limits: func(string) tenancy.Limits { return tenancy.Limits{TokenWrites: 4, TokenReads: 60} }})
	c := b.client(t, acme.FullToken(t))
	c.url = h.URL
	for range 2 {
		c.ok("create_issue", args{"project": "WEB", "title": "x"})
	}
	require.Contains(t, c.fails("rate_limited", "create_issue", args{"project": "WEB", "title": "x"}), "4 writes a minute for this token. Retry after 15 s.")
	require.EqualValues(t, 2, c.ok("search_issues", nil)["total"], "reads go on, and nothing was written")
	other := b.client(t, globex.FullToken(t))
	other.url = h.URL
	other.ok("create_issue", args{"project": "WEB", "title": "x"})
	now = now.Add(15 * time.Second)
	c.ok("create_issue", args{"project": "WEB", "title": "x"})
}

func TestLimits_Concurrent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	server, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth,
		Limits: func(string) tenancy.Limits { return tenancy.Limits{Concurrent: 1} }})
	c := b.client(t, acme.FullToken(t))
	c.url = h.URL
	lock, err := b.db.Admin(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "lock table audit_log in access exclusive mode") // the first call waits here
	require.NoError(t, err)
	first := make(chan answer, 1)
	go func() { first <- c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me"}}`) }()
	watch := b.db.Admin(t)
	require.Eventually(t, func() bool {
		var waiting int
		return watch.QueryRow(t.Context(), lockWaits).Scan(&waiting) == nil && waiting > 0
	}, 30*time.Second, 5*time.Millisecond)
	a := c.post(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	_, err = server.CallAs(t.Context(), person(acme.Tenant, acme.Ben), mcpserver.PersonCall{Tool: "get_me"})
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err), "people are counted too")
	require.NoError(t, lock.Rollback(t.Context()))
	require.Equal(t, http.StatusOK, (<-first).status)
	require.Eventually(t, func() bool {
		var denied int
		return watch.QueryRow(t.Context(), "select count(*) from audit_log where code = 'rate_limited'").Scan(&denied) == nil && denied == 2
	}, 30*time.Second, 5*time.Millisecond, "attack case 94: a row for each of them")
}
