//go:build unix

package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// stoppable is the program, serving as others start it, with a hundred open streams and
// twenty calls that are held up in the middle of their writes.
type stoppable struct {
	t       *testing.T
	watch   *pgx.Conn
	lock    pgx.Tx // what the calls wait for
	program *process
	ended   chan string // the last line of each stream
	answers chan string // status and body of each call; empty: the connection broke
}

const heldStreams, heldCalls = 100, 20

func startStoppable(t *testing.T) *stoppable {
	t.Helper()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	token := acme.FullToken(t)
	for _, limit := range []string{"lock_timeout", "statement_timeout"} { // which would end the calls first
		_, err := db.Admin(t).Exec(t.Context(), `do $$ begin execute format('alter role colaflow_app in database %I set `+limit+` = ''25s''', current_database()); end $$`)
		require.NoError(t, err)
	}
	p := start(t, t.TempDir(), []string{"COLAFLOW_DSN=" + db.AppDSN, "COLAFLOW_MASTER_KEY=" + db.Key.Hex()},
		"serve", "--addr", "127.0.0.1:0", "--max-conns", "32", "--tenant-conns", "24")
	s := &stoppable{t: t, watch: db.Admin(t), program: p, ended: make(chan string, heldStreams), answers: make(chan string, heldCalls)}
	at := &server{url: p.served()}
	for range heldStreams {
		lines := at.openStream(t.Context(), t, token, "colaflow://projects/WEB")
		for lines.Scan() && lines.Text() != "" { // the acknowledgement
		}
		go func() {
			last := ""
			for lines.Scan() {
				if lines.Text() != "" {
					last = lines.Text()
				}
			}
			s.ended <- last
		}()
	}
	var err error
	s.lock, err = db.Admin(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = s.lock.Exec(t.Context(), "select from projects where id = $1 for update", web.ID)
	require.NoError(t, err)
	for n := range heldCalls {
		go func() {
			body, _ := post(at.url, token, "create_issue", fmt.Sprintf(`{"project":"WEB","title":"Issue %d"}`, n))
			s.answers <- body
		}()
	}
	require.Eventually(t, func() bool {
		return s.count(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == heldCalls
	}, 20*time.Second, time.Millisecond)
	return s
}

// stop sends the signal and waits for the streams to end with their result.
func (s *stoppable) stop() {
	s.t.Helper()
	require.NoError(s.t, s.program.cmd.Process.Signal(syscall.SIGTERM))
	for range heldStreams {
		last := <-s.ended
		require.Contains(s.t, last, `"id":7`)
		require.Contains(s.t, last, `"resultType":"complete"`)
	}
}

func (s *stoppable) count(query string) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.watch.QueryRow(s.t.Context(), query).Scan(&n))
	return n
}

// requireWritten asks for so many whole writes, and no half ones.
func (s *stoppable) requireWritten(n int) {
	s.t.Helper()
	for _, query := range []string{"select count(*) from issues", "select count(*) from issue_events where kind = 'created'", "select next_number - 1 from projects",
		"select count(*) from audit_log where tool = 'create_issue' and decision = 'allowed'"} {
		require.Equal(s.t, n, s.count(query), query)
	}
}

// TestAttack043_Shutdown stops the program while calls are held up: the streams end with
// their result at once, the calls finish, and nothing is half written.
func TestAttack043_Shutdown(t *testing.T) {
	t.Parallel()
	s := startStoppable(t)
	s.stop()
	require.NoError(t, s.lock.Rollback(t.Context()))
	for range heldCalls {
		require.Contains(t, <-s.answers, `"key\":\"WEB-`, "a call that was running is answered")
	}
	s.program.ends(exitOK)
	require.NotContains(t, s.program.log.String(), "calls were cut off", "within the grace")
	s.requireWritten(heldCalls)
}

// TestAttack043_CutOff: calls that do not end within the grace are cut off, and leave
// nothing behind.
func TestAttack043_CutOff(t *testing.T) {
	t.Parallel()
	s := startStoppable(t)
	s.stop()
	for range heldCalls {
		require.NotContains(t, <-s.answers, "WEB-")
	}
	s.program.ends(exitOK)
	require.Contains(t, s.program.log.String(), "calls were cut off")
	require.NoError(t, s.lock.Rollback(t.Context()))
	require.Eventually(t, func() bool {
		return s.count(`select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
			and pid <> pg_backend_pid() and state <> 'idle'`) == 0
	}, 20*time.Second, time.Millisecond)
	s.requireWritten(0)
}
