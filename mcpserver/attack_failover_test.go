package mcpserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tokens"
)

// aloneBundle is a server over a database server of its own.
func aloneBundle(t *testing.T, a *storetest.Alone) (*bundle, *client) {
	t.Helper()
	b := &bundle{log: &logBuffer{}, db: a.DB}
	s := a.Start(t, storetest.Options{MaxConns: 8, Log: b.logger(), Heartbeat: time.Second, Clock: func() time.Time { return storetest.Now }})
	b.auth = tokens.NewAuthenticator(s)
	t.Cleanup(b.auth.Close)
	b.mcp, b.http = b.serve(t, mcpserver.Config{Store: s, Tokens: b.auth})
	b.mcp.Follow()
	acme := a.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	return b, b.client(t, acme.FullToken(t))
}

// requireWhole holds issues and audit rows against each other: every issue has its
// row, every row its issue, and what an answer said is there.
func (b *bundle) requireWhole(t *testing.T, said []string) {
	t.Helper()
	read := func(sql string) (list []string) {
		rows, err := b.db.Admin(t).Query(t.Context(), sql)
		require.NoError(t, err)
		for rows.Next() {
			var s string
			require.NoError(t, rows.Scan(&s))
			list = append(list, s)
		}
		require.NoError(t, rows.Err())
		return list
	}
	issues := read(`select 'WEB-' || number from issues`)
	require.ElementsMatch(t, issues, read(`select target from audit_log where tool = 'create_issue' and decision = 'allowed'`))
	require.ElementsMatch(t, issues, read(`select 'WEB-' || i.number from issue_events e join issues i on i.id = e.issue_id where e.kind = 'created'`))
	require.Subset(t, issues, said)
}

// TestAttack102_Failover kills the primary under writes and promotes its standby. The
// clients get errors that may be retried, nothing is half there, what was answered is
// not lost, and the server goes on by itself, its revocation feed too.
func TestAttack102_Failover(t *testing.T) {
	t.Parallel()
	a := storetest.OpenAlone(t, "")
	a.Standby(t)
	b, c := aloneBundle(t, a)
	require.Eventually(t, b.auth.Healthy, 30*time.Second, 20*time.Millisecond)

	var mu sync.Mutex
	var said, wrong []string
	failures := 0
	stop := make(chan struct{})
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				text, err := c.do(context.Background(), callBody("create_issue", fmt.Sprintf(`{"project":"WEB","title":"x","idempotency_key":"%d %d"}`, worker, n)))
				var answer struct {
					Result struct{ StructuredContent struct{ Key string } }
				}
				mu.Lock()
				switch {
				case err == nil && json.Unmarshal([]byte(text), &answer) == nil && answer.Result.StructuredContent.Key != "":
					said = append(said, answer.Result.StructuredContent.Key)
				case err != nil && strings.Contains(err.Error(), "HTTP 503"), strings.Contains(text, "unavailable: "):
					failures++
				default:
					wrong = append(wrong, fmt.Sprint(text, err))
				}
				mu.Unlock()
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(said) }
	require.Eventually(t, func() bool { return count() > 20 }, 60*time.Second, 10*time.Millisecond)
	a.Fail()
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return failures > 0 }, 60*time.Second, 10*time.Millisecond)
	a.Promote(t)
	before := count()
	require.Eventually(t, func() bool { return count() > before+20 }, 60*time.Second, 10*time.Millisecond, "the server goes on without a restart")
	close(stop)
	all.Wait()
	require.Empty(t, wrong, "each failure says that it may be retried")
	require.Eventually(t, b.auth.Healthy, 60*time.Second, 20*time.Millisecond, "the listener is back")
	b.requireWhole(t, said)

	p, err := b.auth.Authenticate(t.Context(), c.token)
	require.NoError(t, err)
	require.NoError(t, b.db.RevokeToken(t.Context(), store.AsSystem(p.TenantID, "test"), "test", p.TokenID))
	_, err = c.do(t.Context(), callBody("get_me", `{}`))
	require.ErrorContains(t, err, "HTTP 401")
	report, err := b.db.VerifyAudit(t.Context(), store.AsSystem(p.TenantID, "test"), store.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}
