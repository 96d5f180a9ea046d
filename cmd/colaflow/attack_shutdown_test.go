package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

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

// TestAttack043_Shutdown stops a server with a hundred open streams and twenty calls
// that are held up in the middle of their writes: the streams end with their result at
// once, the calls finish, and nothing is half written.
func TestAttack043_Shutdown(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	token := acme.FullToken(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0", "--max-conns", "32", "--tenant-conns", "24")

	const streams, calls = 100, 20
	ended := make(chan string, streams)
	for range streams {
		lines := s.openStream(t.Context(), t, token, "colaflow://projects/WEB")
		for lines.Scan() && lines.Text() != "" { // the acknowledgement
		}
		go func() {
			last := ""
			for lines.Scan() {
				if lines.Text() != "" {
					last = lines.Text()
				}
			}
			ended <- last
		}()
	}

	lock, err := db.Admin(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "select from projects where id = $1 for update", web.ID)
	require.NoError(t, err)
	answers := make(chan string, calls)
	for n := range calls {
		go func() {
			status, body := s.post(t, token, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_issue","arguments":{"project":"WEB","title":"Issue %d"}}}`, n))
			answers <- fmt.Sprint(status, body)
		}()
	}
	watch := db.Admin(t)
	require.Eventually(t, func() bool {
		var waiting int
		require.NoError(t, watch.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting))
		return waiting == calls
	}, 20*time.Second, time.Millisecond)

	began := time.Now()
	s.stop()
	for range streams {
		last := <-ended
		require.Contains(t, last, `"id":7`)
		require.Contains(t, last, `"resultType":"complete"`)
	}
	require.NoError(t, lock.Rollback(t.Context()))
	for range calls {
		require.True(t, strings.HasPrefix(<-answers, "200"), "a call that was running is answered")
	}
	require.Equal(t, exitOK, s.wait(t))
	require.Less(t, time.Since(began), shutdownGrace)
	var issues, events, audited int
	require.NoError(t, watch.QueryRow(t.Context(), `select (select count(*) from issues), (select count(*) from issue_events where kind = 'created'),
		(select count(*) from audit_log where tool = 'create_issue')`).Scan(&issues, &events, &audited))
	require.Equal(t, []int{calls, calls, calls}, []int{issues, events, audited})
}
