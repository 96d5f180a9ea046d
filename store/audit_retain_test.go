package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

// after opens a node for which so many days have passed since the rows were written.
func (l *sealedLog) after(t *testing.T, days int) *store.Store {
	t.Helper()
	return l.db.Reopen(t, storetest.Options{Clock: func() time.Time { return time.Now().AddDate(0, 0, days) }})
}

// TestRetainAudit keeps a log as long as the tenant's plan says, and no longer.
func TestRetainAudit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		plan string
		days int
	}{{"free", 90}, {"team", 400}, {"enterprise", 7 * 365}} {
		t.Run(test.plan, func(t *testing.T) {
			t.Parallel()
			l := newSealedLog(t)
			l.db.SetPlan(t, l.Slug, test.plan)
			head, before := l.verify(t).Head, l.db.Dump(t)
			done, err := l.after(t, test.days).RetainAudit(t.Context(), l.db.OwnerDSN, "cleanup")
			require.NoError(t, err)
			require.Empty(t, done, "that day is kept whole")
			require.Equal(t, before, l.db.Dump(t), "and nothing is written about it")

			node := l.after(t, test.days+1)
			done, err = node.RetainAudit(t.Context(), l.db.OwnerDSN, "cleanup")
			require.NoError(t, err)
			require.Len(t, done, 1)
			require.Equal(t, store.AuditRetention{Slug: "acme", Days: test.days,
				AuditRemoval: store.AuditRemoval{Rows: 11, Anchor: &store.AuditAnchor{Seq: 3, Upto: l.sealedTo(t, 3).UTC()}}}, done[0])
			report := l.verify(t, head)
			require.True(t, report.OK(), report.Findings)
			require.EqualValues(t, 3, report.Anchor.Seq, "the last checkpoint stays")
			var actor, rule string
			require.NoError(t, l.admin.QueryRow(t.Context(), `select actor, rule from audit_log where method = 'audit.drop_before'`).Scan(&actor, &rule))
			require.Equal(t, "cleanup", actor)
			require.Contains(t, rule, "plan "+test.plan+" keeps audit rows for")

			after := l.db.Dump(t)
			done, err = node.RetainAudit(t.Context(), l.db.OwnerDSN, "cleanup")
			require.NoError(t, err)
			require.Empty(t, done)
			require.Equal(t, after, l.db.Dump(t), "what is gone is not removed again")
		})
	}
}

// TestRetainAudit_OneNodeAtATime holds the lock of one log, as another node would, and
// suspends or deletes the others' tenants.
func TestRetainAudit_OneNodeAtATime(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	for _, slug := range []string{"busy", "deleted", "suspended"} {
		tn := l.db.Tenant(t, slug)
		_, _, err := l.db.Seal(t.Context(), tn.ID, store.AuditHead{})
		require.NoError(t, err)
	}
	_, err := l.db.SuspendTenant(t.Context(), "suspended", "test")
	require.NoError(t, err)
	_, err = l.db.DeleteTenant(t.Context(), "deleted", "test", 1e9*time.Second)
	require.NoError(t, err)
	other, err := l.db.App(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), `select pg_advisory_xact_lock(hashtextextended('colaflow retain ' || id::text, 0)) from tenants where slug = 'busy'`)
	require.NoError(t, err)
	node := l.after(t, 8*365)
	shortened := func() (slugs []string) {
		done, err := node.RetainAudit(t.Context(), l.db.OwnerDSN, "cleanup")
		require.NoError(t, err)
		for _, one := range done {
			slugs = append(slugs, one.Slug)
		}
		return slugs
	}
	require.Equal(t, []string{"acme", "suspended"}, shortened())
	require.NoError(t, other.Rollback(t.Context()))
	require.Equal(t, []string{"busy"}, shortened())
	_, err = node.RetainAudit(t.Context(), l.db.AppDSN, "cleanup")
	require.NoError(t, err, "nothing is left that old")
}

// TestRetainAudit_ByTheServer has it done by the job that cleans up, if that was given
// the owner's DSN.
func TestRetainAudit_ByTheServer(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	node := l.after(t, 8*365)
	_, err := node.RetainAudit(t.Context(), l.db.AppDSN, "cleanup")
	require.ErrorContains(t, err, "shorten the audit log of acme", "the runtime role removes nothing")
	rows := func() (n int) {
		require.NoError(t, l.admin.QueryRow(t.Context(), `select count(*) from audit_log where target like 'WEB-%'`).Scan(&n))
		return n
	}
	require.Equal(t, 12, rows())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { node.CleanEvery(ctx, time.Hour, l.db.OwnerDSN); close(done) }()
	require.Eventually(t, func() bool { return rows() == 3 }, 20*time.Second, 20*time.Millisecond, "what is not sealed stays")
	cancel()
	<-done
	require.True(t, l.verify(t).OK())
}
