package mcpserver_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tokens"
)

// TestAttack057_ThroughPgBouncer does the main job for two tenants at once over a
// PgBouncer in transaction mode whose two connections they share: nothing of one
// shows at the other, no setting outlives its transaction, and revocation is exact
// though LISTEN goes another way.
func TestAttack057_ThroughPgBouncer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pooled := b.db.Bouncer(t, 2)
	s := b.db.Reopen(t, storetest.Options{DSN: pooled, ListenDSN: b.db.AppDSN, MaxConns: 8, Log: b.logger(), Heartbeat: time.Second})
	auth := tokens.NewAuthenticator(s)
	t.Cleanup(auth.Close)
	m, h := b.serve(t, mcpserver.Config{Store: s, Tokens: auth})
	m.Follow()
	require.Eventually(t, auth.Healthy, 30*time.Second, 10*time.Millisecond, "LISTEN has its direct way")

	slugs := []string{"acme", "beta"}
	issued := map[string]string{}
	var made [2]atomic.Int64
	var all sync.WaitGroup
	failed := make(chan string, 100)
	for n, slug := range slugs {
		tn := b.db.Tenant(t, slug)
		tn.Project(t, "WEB", "Website of "+slug)
		_, plain := tn.Token(t, "agent", allGrants(t, nil))
		issued[slug] = plain
		for worker := range 4 {
			all.Go(func() {
				c := &client{t: t, url: h.URL, token: plain}
				for i := range 15 {
					for tool, arguments := range map[string]string{
						"create_issue": fmt.Sprintf(`{"project":"WEB","title":"Of %s %d %d"}`, slug, worker, i), "search_issues": `{"query":"of"}`,
						"get_issue": `{"keys":"WEB-1","include":["history"]}`, "get_project": `{"project":"WEB"}`,
					} {
						text, err := c.do(context.Background(), callBody(tool, arguments))
						if err != nil || strings.Contains(text, slugs[1-n]) || strings.Contains(text, `"isError":true`) && !strings.Contains(text, "not_found") {
							failed <- fmt.Sprint(tool, err, text)
							return
						}
						if tool == "create_issue" {
							made[n].Add(1)
						}
					}
				}
			})
		}
	}
	all.Wait()
	select {
	case what := <-failed:
		require.Fail(t, "a call through PgBouncer", what)
	default:
	}
	for n, slug := range slugs {
		c := &client{t: t, url: h.URL, token: issued[slug]}
		require.EqualValues(t, 60, made[n].Load())
		require.EqualValues(t, 60, c.ok("search_issues", args{"count_only": true})["total"])
	}

	conn, err := pgx.Connect(t.Context(), pooled+"&default_query_exec_mode=simple_protocol")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	for range 20 {
		var left string
		var rows int
		require.NoError(t, conn.QueryRow(t.Context(), `select coalesce(current_setting('app.tenant_id', true), '') ||
			coalesce(current_setting('app.only_projects', true), ''), (select count(*) from issues)`).Scan(&left, &rows))
		require.Empty(t, left)
		require.Zero(t, rows)
	}

	slug, hash, _ := tokens.Parse(issued["acme"])
	p, err := s.LookupToken(t.Context(), slug, hash)
	require.NoError(t, err)
	require.NoError(t, b.db.RevokeToken(t.Context(), store.AsSystem(p.TenantID, "test"), "test", p.TokenID))
	_, err = (&client{t: t, url: h.URL, token: issued["acme"]}).do(t.Context(), callBody("get_issue", `{"keys":"WEB-1"}`))
	require.ErrorContains(t, err, "HTTP 401")
}

// TestAttack057_ListenThroughPgBouncer: without a direct way, LISTEN is accepted and
// nothing comes. The server finds that out, says so, and trusts no cache.
func TestAttack057_ListenThroughPgBouncer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.db.Reopen(t, storetest.Options{DSN: b.db.Bouncer(t, 2) + "&default_query_exec_mode=cache_describe", MaxConns: 4, Log: b.logger(), Heartbeat: time.Second})
	lookup := &counted{Lookup: s}
	auth := tokens.NewAuthenticator(lookup)
	t.Cleanup(auth.Close)
	m, h := b.serve(t, mcpserver.Config{Store: s, Tokens: auth})
	m.Follow()
	require.Eventually(t, func() bool { return strings.Contains(b.log.String(), "--listen-dsn") }, 30*time.Second, 20*time.Millisecond)
	require.False(t, auth.Healthy())
	c := &client{t: t, url: h.URL, token: b.db.Tenant(t, "acme").FullToken(t)}
	for range 3 {
		c.ok("get_me", nil)
	}
	require.EqualValues(t, 3, lookup.asked.Load(), "every token is checked in the database")
}
