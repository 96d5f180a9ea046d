package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

// hurry is a sealer that a test need not wait for.
var hurry = store.SealConfig{Interval: 10 * time.Millisecond, Lag: 100 * time.Millisecond, Sweep: 50 * time.Millisecond}

// requireSealed waits until a tenant's log is sealed to its end, and returns what
// a verification says then.
func requireSealed(t *testing.T, s *store.Store, scope store.Scope) (report store.AuditReport) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		report, err = s.VerifyAudit(t.Context(), scope, store.AuditHead{})
		require.NoError(t, err)
		require.Empty(t, report.Findings)
		return report.Unsealed.Rows == 0
	}, time.Minute, 20*time.Millisecond)
	return report
}

// TestSealAudit_TwoNodes seals one tenant from two nodes while others write: reads
// and denials in groups, changes in transactions of different length.
func TestSealAudit_TwoNodes(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	nodes := []*store.Store{db.Store, db.Reopen(t, storetest.Options{MaxConns: 8})}
	for _, node := range nodes {
		node.SealAudit(hurry)
		node.SealAudit(hurry) // once more changes nothing
	}
	var enough atomic.Bool
	var written atomic.Int64
	var load sync.WaitGroup
	for worker := range 8 {
		load.Go(func() {
			node, tn := nodes[worker%2], []*storetest.Tenant{acme, beta}[worker/2%2]
			for n := 0; !enough.Load(); n++ {
				row := fullAuditRow(tn.ID, "load")
				var err error
				if worker < 4 {
					err = node.Record(t.Context(), row)
				} else {
					err = node.Write(t.Context(), tn.Scope(), func() store.AuditRow { return row }, func(tx *store.Tx) error {
						defer time.Sleep(time.Duration(n%7) * 10 * time.Millisecond) // longer than some rounds of sealing
						return tx.Ensure(t.Context())
					})
				}
				if err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		})
	}
	watch := db.Admin(t)
	require.Eventually(t, func() bool { // each of both
		var least int
		err := watch.QueryRow(t.Context(), `select coalesce(min(count), 0) from (select count(c.seq) from tenants t left join audit_checkpoints c on c.tenant_id = t.id group by t.id) counts`).Scan(&least)
		return err == nil && least > 10 && written.Load() > 1_000
	}, time.Minute, 20*time.Millisecond, "sealed while others write")
	enough.Store(true)
	load.Wait()
	var rows int64
	for _, tn := range []*storetest.Tenant{acme, beta} {
		report := requireSealed(t, db.Store, tn.Scope())
		rows += report.Rows
	}
	require.Equal(t, written.Load()+4, rows, "and two for each tenant's making")
	t.Logf("%d rows", rows)
}

// TestSealAudit_LateCommit has a transaction that is older than what others have
// written and committed meanwhile: nothing that it spans is sealed.
func TestSealAudit_LateCommit(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	_, _, err := db.Seal(t.Context(), acme.ID, store.AuditHead{})
	require.NoError(t, err)
	err = db.Write(t.Context(), acme.Scope(), func() store.AuditRow { return fullAuditRow(acme.ID, "late") }, func(tx *store.Tx) error {
		require.NoError(t, tx.Ensure(t.Context()))
		require.NoError(t, db.Record(t.Context(), fullAuditRow(acme.ID, "early")))
		_, rows, err := db.Seal(t.Context(), acme.ID, store.AuditHead{})
		require.NoError(t, err)
		require.Zero(t, rows)
		return nil
	})
	require.NoError(t, err)
	_, rows, err := db.Seal(t.Context(), acme.ID, store.AuditHead{})
	require.NoError(t, err)
	require.Equal(t, 2, rows)
	requireSealed(t, db.Store, acme.Scope())
}

// TestSealAudit_ClockStepsBack seals up to a time that has not come yet.
func TestSealAudit_ClockStepsBack(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	_, rows, err := db.SealUpTo(t.Context(), acme.ID, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, rows)
	for range 3 {
		require.NoError(t, db.Record(t.Context(), fullAuditRow(acme.ID, "WEB-1")))
	}
	report, err := db.VerifyAudit(t.Context(), acme.Scope(), store.AuditHead{})
	require.NoError(t, err)
	require.True(t, report.OK(), report.Findings)
	require.EqualValues(t, 3, report.Unsealed.Rows)
	_, rows, err = db.SealUpTo(t.Context(), acme.ID, time.Now().Add(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 3, rows)
	requireSealed(t, db.Store, acme.Scope())
}

// TestSealAudit_ManyRows seals more than a checkpoint holds.
func TestSealAudit_ManyRows(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	var group sync.WaitGroup
	for range 60 {
		group.Go(func() {
			for range 100 {
				if err := db.Record(t.Context(), fullAuditRow(acme.ID, "WEB-1")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	db.SealAudit(hurry)
	report := requireSealed(t, db.Store, acme.Scope())
	require.EqualValues(t, 6_002, report.Rows)
	require.GreaterOrEqual(t, report.Checkpoints, int64(2))
}

// TestSealAudit_Idle counts transactions: a sealer with nothing to do asks the
// database for a page of tenants in each sweep, and for nothing else.
func TestSealAudit_Idle(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	node := db.Reopen(t, storetest.Options{MaxConns: 2})
	node.SealAudit(store.SealConfig{Interval: 5 * time.Millisecond, Lag: time.Millisecond, Sweep: time.Hour})
	requireSealed(t, db.Store, acme.Scope()) // rows that another process left, found by the sweep
	require.Eventually(t, func() bool { return node.Unsealed() == 0 }, time.Minute, 5*time.Millisecond)
	before := node.Pool().Stat().AcquireCount()
	time.Sleep(100 * time.Millisecond)
	require.Equal(t, before, node.Pool().Stat().AcquireCount())
}
