package store_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// rowsOf counts the rows of a tenant in every table that has tenants, partitions
// and all, as superuser.
func rowsOf(t *testing.T, admin *pgx.Conn, tenant tenancy.TenantID) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range strings1(t, admin, `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`) {
		var n int
		require.NoError(t, admin.QueryRow(t.Context(), "select count(*) from "+table+" where tenant_id = $1", tenant).Scan(&n))
		if n > 0 {
			counts[table] = n
		}
	}
	return counts
}

func TestPurge_LeavesNothing(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a, b := fill(t, db, "acme"), fill(t, db, "beta")
	admin := db.Admin(t)
	threads(t, admin, a)
	require.GreaterOrEqual(t, len(rowsOf(t, admin, a.ID)), len(tenantTables(t, admin)), "every table has something to lose")
	before := rowsOf(t, admin, b.ID)

	for _, grace := range []time.Duration{-1, time.Hour} { // not deleted; in grace
		if grace > 0 {
			_, err := db.DeleteTenant(t.Context(), "acme", "test", grace)
			require.NoError(t, err)
		}
		done, err := db.PurgeDeleted(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, done)
		require.NotEmpty(t, rowsOf(t, admin, a.ID))
	}
	tenant, err := db.AnyTenant(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "Tenant acme", tenant.Name, "in grace an operator still sees it")

	_, err = db.DeleteTenant(t.Context(), "acme", "test", 0)
	require.NoError(t, err)
	_, err = db.ResumeTenant(t.Context(), "acme", "test")
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err), "too late")
	done, err := db.PurgeDeleted(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, done, 1)
	require.Empty(t, rowsOf(t, admin, a.ID))
	require.Equal(t, before, rowsOf(t, admin, b.ID))
	for _, secret := range []string{"Website of acme", "label-acme", a.Ada.Email} {
		require.NotContains(t, db.Dump(t), secret)
	}
	_, err = db.AnyTenant(t.Context(), "acme")
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	_, err = db.CreateTenant(t.Context(), "acme", "Another", "test")
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err), "the slug is never used again")

	// A call that ended meanwhile leaves its audit row late; the next round takes it.
	require.NoError(t, db.Record(t.Context(), store.AuditRow{TenantID: a.ID, Kind: "call", Actor: "late", Method: "test", Decision: store.Denied}))
	_, err = db.PurgeDeleted(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, rowsOf(t, admin, a.ID))
}

// threads gives the tenant what a purge must untie: chains and circles of issues,
// and replies to replies.
func threads(t *testing.T, admin *pgx.Conn, f filled) {
	t.Helper()
	issues := f.Issues(t, f.web, "Grandmother", "Mother", "Child", "Hen", "Egg")
	for child, parent := range map[int]int{2: 1, 1: 0, 3: 4, 4: 3} {
		_, err := admin.Exec(t.Context(), `update issues set parent_id = $2 where id = $1`, issues[child].ID, issues[parent].ID)
		require.NoError(t, err)
	}
	f.Write(t, func(tx *store.Tx) error {
		first, second := tracker.Comment{ID: tenancy.NewID(), Body: "First"}, tracker.Comment{ID: tenancy.NewID(), Body: "Second"}
		second.ReplyTo = first.ID
		by := store.Author{MemberID: f.Ada.ID, ChangeID: tenancy.NewID(), At: storetest.Now}
		return tx.Do(t.Context(), store.InsertComment(issues[0], first, "", by), store.InsertComment(issues[0], second, "", by))
	})
}

// TestPurge_OnlyWhatIsDeleted calls the function as an attacker in the server's
// role would: it deletes nothing of a tenant that is not deleted and past grace.
func TestPurge_OnlyWhatIsDeleted(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a := fill(t, db, "acme")
	admin, app := db.Admin(t), db.App(t)
	before := rowsOf(t, admin, a.ID)
	for _, state := range []string{"active", "suspended", "deleted"} {
		_, err := admin.Exec(t.Context(), `update tenants set state = $2, delete_after = case when $2 = 'deleted' then now() + interval '1 minute' end where id = $1`, a.ID, state)
		require.NoError(t, err)
		var removed *int64
		require.NoError(t, app.QueryRow(t.Context(), `select purge_tenant($1, 100)`, a.ID).Scan(&removed))
		require.Nil(t, removed, state)
	}
	require.Equal(t, before, rowsOf(t, admin, a.ID))

	// The setting that the owner's policy reads means nothing to the server's role.
	tx, err := app.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `select set_config('app.purge_tenant', $1, true)`, a.ID.String())
	require.NoError(t, err)
	require.Zero(t, rowsIn(t, tx, `select count(*) from issues`))
	require.Equal(t, "42501", attempt(t, tx, `delete from issue_events`))
}

const killPurge = "COLAFLOW_TEST_KILL_PURGE"

// TestPurge_Killed starts itself as another process that is killed in the middle
// of a purge; the same call then finishes.
func TestPurge_Killed(t *testing.T) {
	t.Parallel()
	if os.Getenv(killPurge) != "" {
		key, err := tenancy.ParseMasterKey(os.Getenv(killKey))
		require.NoError(t, err)
		s, err := store.Open(t.Context(), store.Config{DSN: os.Getenv(killPurge), Key: key})
		require.NoError(t, err)
		_, err = s.PurgeDeleted(t.Context(), func(p store.Purge) {
			if p.Removed > 2_000 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		})
		require.NoError(t, err)
		t.Fatal("nobody killed me")
	}
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	load(t, db, acme, manyIssues(1_000))
	_, err := db.DeleteTenant(t.Context(), "acme", "test", 0)
	require.NoError(t, err)
	killed(t, "TestPurge_Killed", killPurge+"="+db.AppDSN, killKey+"="+db.Key.Hex())
	admin := db.Admin(t)
	left := rowsOf(t, admin, acme.ID)
	require.NotEmpty(t, left)
	require.NotZero(t, left["issues"]+left["members"], "it was in the middle")
	start := time.Now()
	_, err = db.PurgeDeleted(t.Context(), nil)
	require.NoError(t, err)
	t.Logf("%v left, purged in %s", left, time.Since(start).Round(time.Millisecond))
	require.Empty(t, rowsOf(t, admin, acme.ID))
}

// killed runs one test of this binary in another process, which must end by SIGKILL.
func killed(t *testing.T, test string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", strings.TrimSpace(string(out)))
}
