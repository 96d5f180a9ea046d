//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/demo"
)

// interrupt runs a command until it waits for a lock that the test has on a table,
// kills it there, and returns when its connections are gone.
func interrupt(t *testing.T, db *storetest.DB, lock string, args ...string) {
	t.Helper()
	holder, watcher := db.Admin(t), db.Admin(t)
	tx, err := holder.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "lock table "+lock)
	require.NoError(t, err)
	p := start(t, t.TempDir(), moveEnv(db), args...)
	waits := func(condition string) func() bool {
		return func() bool {
			var n int
			err := watcher.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and `+condition, store.AppRole).Scan(&n)
			return err == nil && n > 0
		}
	}
	require.Eventually(t, waits(`usename = $1 and wait_event_type = 'Lock'`), 60*time.Second, 5*time.Millisecond, "the command does not get to the lock")
	p.kill()
	require.NoError(t, tx.Rollback(t.Context()))
	gone := waits(`usename = $1 and backend_xmin is not null`)
	require.Eventually(t, func() bool { return !gone() }, 60*time.Second, 20*time.Millisecond)
}

// moveEnv is what commands on the test's database need; they wait for locks as long
// as the test does.
func moveEnv(db *storetest.DB) []string {
	return []string{"COLAFLOW_DSN=" + db.AppDSN + "&lock_timeout=60s", masterKeyVariable + "=" + db.Key.Hex()}
}

// finish runs a command to its end and returns what it printed.
func finish(t *testing.T, db *storetest.DB, args ...string) string {
	t.Helper()
	p := start(t, t.TempDir(), moveEnv(db), args...)
	out := p.rest()
	p.ends(exitOK)
	return out
}

// fromDemo makes a tenant with the data of the demo: thousands of rows.
func fromDemo(t *testing.T, db *storetest.DB) tenancy.TenantID {
	t.Helper()
	acme := db.Tenant(t, "acme")
	for _, d := range demo.Tenants(storetest.Now)[0].Datasets {
		_, err := db.LoadDataset(t.Context(), acme.Scope(), d, store.LoadOptions{})
		require.NoError(t, err)
	}
	return acme.ID
}

func rows(t *testing.T, admin *pgx.Conn, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, admin.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// TestMove_Killed kills export, import and purge in the middle, and gives the same
// command again.
func TestMove_Killed(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := fromDemo(t, db)
	admin := db.Admin(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "acme.zip")

	export := []string{"tenant", "export", "acme", "-o", file}
	interrupt(t, db, "issue_events in access exclusive mode", export...)
	require.NoFileExists(t, file)
	parts, err := filepath.Glob(file + ".part-*")
	require.NoError(t, err)
	require.Len(t, parts, 1, "it was in the middle")
	require.Contains(t, finish(t, db, export...), "Tenant acme is in "+file)
	require.FileExists(t, file)

	imp := []string{"tenant", "import", file, "--as", "copy", "--plan", "team"}
	interrupt(t, db, "issue_events in exclusive mode", imp...)
	require.Equal(t, 1, rows(t, admin, "select count(*) from tenants"), "nothing of it can be seen")
	require.Zero(t, rows(t, admin, "select count(*) from issues where tenant_id <> $1", acme))
	require.Contains(t, finish(t, db, imp...), "Tenant copy is ready, plan team")
	require.Contains(t, finish(t, db, imp...), "was made of this very file before")
	all := rows(t, admin, "select count(*) from issue_events where tenant_id = $1", acme)
	require.Greater(t, all, 2_000)
	require.Equal(t, all, rows(t, admin, "select count(*) from issue_events where tenant_id <> $1", acme))

	interrupt(t, db, "issues in share mode", "tenant", "delete", "acme", "--confirm", "acme", "--now")
	left := rows(t, admin, "select count(*) from members where tenant_id = $1", acme)
	require.NotZero(t, left)
	require.Zero(t, rows(t, admin, "select count(*) from issue_events where tenant_id = $1", acme), "it was in the middle")
	require.Contains(t, finish(t, db, "tenant", "delete", "acme", "--confirm", "acme", "--now"), "Everything of tenant acme is removed")
	require.Zero(t, rows(t, admin, "select count(*) from members where tenant_id = $1", acme))
	require.Equal(t, all, rows(t, admin, "select count(*) from issue_events"), "the copy lives on")
	for _, part := range parts {
		require.NoError(t, os.Remove(part))
	}
}
