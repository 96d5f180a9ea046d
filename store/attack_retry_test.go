package store_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// raise fails a transaction with a SQLSTATE.
func raise(state string) store.Query {
	return raw(`do $$ begin raise exception 'made up' using errcode = '` + state + `'; end $$`)
}

// TestAttack061_OneBoundedRetry makes writes fail in each way that PostgreSQL has of
// saying "others were in the way": those that rolled back cleanly are run once more,
// nothing is done twice, and what remains is a clean error that may be retried.
func TestAttack061_OneBoundedRetry(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "retried", Decision: store.Allowed}
	}
	insert := func(handle string) store.Query {
		return store.InsertMembers([]tenancy.Member{{ID: tenancy.NewID(), Handle: handle, Name: handle, Role: tenancy.RoleViewer,
			State: tenancy.MemberActive, CreatedAt: storetest.Now}})
	}
	for _, c := range []struct {
		state string
		runs  int // of a write that fails the first time
		ok    bool
	}{{"40001", 2, true}, {"40P01", 2, true}, {"55P03", 1, false}, {"57014", 1, false}} {
		runs := 0
		handle := "once-" + c.state
		err := db.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error {
			runs++
			if runs == 1 {
				return tx.Do(t.Context(), insert(handle), raise(c.state))
			}
			return tx.Do(t.Context(), insert(handle))
		})
		require.Equal(t, c.runs, runs, c.state)
		require.Equal(t, c.ok, err == nil, "%s: %v", c.state, err)

		runs = 0
		err = db.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error {
			runs++
			return tx.Do(t.Context(), insert("never-"+c.state), raise(c.state))
		})
		require.Equal(t, c.runs, runs, "%s: the retry is bounded", c.state)
		var public *tenancy.Error
		require.ErrorAs(t, err, &public, c.state)
		require.Equal(t, tenancy.Unavailable, public.Code)
		require.True(t, public.Retry)
		require.NotContains(t, public.Error(), "made up")
	}
	dump := db.Dump(t)
	require.NotContains(t, dump, "never-")
	require.Contains(t, dump, "once-40001")
	require.Equal(t, []string{"2"}, strings1(t, db.Admin(t), "select count(*)::text from audit_log where method = 'retried'"), "a row for each write that was made")
}

// TestAttack061_RealDeadlock lets two writes take two rows in opposite order.
func TestAttack061_RealDeadlock(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	issues := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	admin(t, db, "alter system set deadlock_timeout = '20ms'")
	admin(t, db, "select pg_reload_conf()")
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "crossing", Decision: store.Allowed}
	}
	var runs atomic.Int64
	var met, done sync.WaitGroup
	met.Add(2)
	errs := make([]error, 2)
	for n := range 2 {
		first, second := issues[n].ID, issues[1-n].ID
		done.Go(func() {
			wait := sync.OnceFunc(func() { met.Done(); met.Wait() })
			touch := func(id uuid.UUID) store.Query {
				return raw("update issues set points = coalesce(points, 0) + 1 where tenant_id = $1 and id = $2", acme.ID, id)
			}
			errs[n] = db.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error {
				runs.Add(1)
				if err := tx.Do(t.Context(), touch(first)); err != nil {
					return err
				}
				wait()
				return tx.Do(t.Context(), touch(second))
			})
		})
	}
	done.Wait()
	// The one that was undone runs again; it may meet the other once more, and then says
	// that it may be tried again.
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err))
	}
	require.Positive(t, won)
	require.Greater(t, runs.Load(), int64(2), "one of them ran twice")
	require.LessOrEqual(t, runs.Load(), int64(4), "and none a third time")
	points := strconv.Itoa(won)
	require.Equal(t, []string{points, points}, strings1(t, db.Admin(t), "select points::text from issues order by id"), "nothing was added twice, or by halves")
	require.Equal(t, []string{points}, strings1(t, db.Admin(t), "select count(*)::text from audit_log where method = 'crossing'"))
}

// TestAttack061_Timeouts: a lock that is not given and a statement that takes too long
// end with an error that says nothing was changed, and the connection is clean after it.
func TestAttack061_Timeouts(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 1})
	acme := db.Tenant(t, "acme")
	issue := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")[0]
	holder, err := db.Admin(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = holder.Exec(t.Context(), "select from issues where id = $1 for update", issue.ID)
	require.NoError(t, err)
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "timeout", Decision: store.Allowed}
	}
	for name, queries := range map[string][]store.Query{
		"lock":      {raw("set local lock_timeout = '30ms'"), raw("update issues set title = 'changed' where id = $1", issue.ID)},
		"statement": {raw("set local statement_timeout = '30ms'"), raw("select pg_sleep(20)")},
	} {
		err := db.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error { return tx.Do(t.Context(), queries...) })
		require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err), name)
		require.ErrorContains(t, err, "Nothing was changed", name)
		require.NoError(t, db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error { return tx.Ensure(t.Context()) }), name)
	}
	require.NoError(t, holder.Rollback(t.Context()))
	require.NotContains(t, db.Dump(t), "changed'")
	require.Equal(t, []string{"0"}, strings1(t, db.Admin(t), "select count(*)::text from audit_log where method = 'timeout'"))
	require.Equal(t, []string{"5s"}, strings1(t, db.App(t), "show statement_timeout"), "the runtime role has a limit by itself")
}
