package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
)

// sealedTo is where a checkpoint of the log ends.
func (l *sealedLog) sealedTo(t *testing.T, seq int) (at time.Time) {
	t.Helper()
	require.NoError(t, l.admin.QueryRow(t.Context(), "select upto from audit_checkpoints where seq = $1", seq).Scan(&at))
	return at
}

func TestDropAuditBefore(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	head := l.verify(t).Head
	removed, err := l.db.DropAuditBefore(t.Context(), l.db.OwnerDSN, l.ID, "cli:root", time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Nil(t, removed.Anchor, "nothing is so old")
	require.EqualValues(t, 14, l.verify(t).Rows+l.verify(t).Unsealed.Rows, "and nothing was written about it")

	end := l.sealedTo(t, 2)
	removed, err = l.db.DropAuditBefore(t.Context(), l.db.OwnerDSN, l.ID, "cli:root", l.sealedTo(t, 3).Add(-time.Microsecond))
	require.NoError(t, err)
	require.Equal(t, store.AuditRemoval{Rows: 8, Anchor: &store.AuditAnchor{Seq: 2, Upto: end.UTC()}}, removed)
	report := l.verify(t, head)
	require.True(t, report.OK(), report.Findings)
	require.Equal(t, removed.Anchor, report.Anchor)
	require.EqualValues(t, 2, report.Checkpoints)
	require.EqualValues(t, 3, report.Rows)
	require.EqualValues(t, 4, report.Unsealed.Rows, "three, and the record of the removal")

	for range 2 { // again, and once more when the records are sealed
		_, err = l.db.DropAuditBefore(t.Context(), l.db.OwnerDSN, l.ID, "cli:root", end)
		require.NoError(t, err)
		require.True(t, l.verify(t).OK())
		l.seal(t)
		require.True(t, l.verify(t).OK())
	}
	removed, err = l.db.EraseAudit(t.Context(), l.db.OwnerDSN, l.ID, "cli:root")
	require.NoError(t, err)
	require.EqualValues(t, 5, removed.Anchor.Seq)
	report = l.verify(t)
	require.True(t, report.OK(), report.Findings)
	require.Zero(t, report.Rows)
	require.EqualValues(t, 1, report.Unsealed.Rows, "the record of the removal")
	l.seal(t)
	require.True(t, l.verify(t).OK())
}

// TestDropAuditBefore_Unrecorded removes rows as only the database's owner can,
// without the record that needs the master key.
func TestDropAuditBefore_Unrecorded(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	for _, sql := range []string{"select audit_erase($1)", "select audit_drop_before($1, 'infinity')"} {
		_, err := l.db.App(t).Exec(t.Context(), sql, l.ID)
		require.ErrorContains(t, err, "permission denied", "the runtime role removes nothing")
	}
	_, err := l.db.DropAuditBefore(t.Context(), l.db.OwnerDSN, l.ID, "cli:root", l.sealedTo(t, 1))
	require.NoError(t, err)
	require.True(t, l.verify(t).OK())
	l.exec(t, `insert into audit_log (tenant_id, id, at, written_at, kind, actor, method, decision, mac)
		values ($1, gen_random_uuid(), now(), '2020-01-01', 'call', 'x', 'x', 'allowed', 'x')`, l.ID)
	require.Contains(t, l.verify(t).Findings[0].What, "what is older than checkpoint 1 was removed")
	l.exec(t, `delete from audit_log where actor = 'x'`)

	for _, record := range []bool{false, true} {
		if record { // a record that the database made up
			l.exec(t, `insert into audit_log (tenant_id, id, at, kind, actor, method, decision, target, mac)
				select tenant_id, gen_random_uuid(), at, kind, actor, method, decision, 'checkpoint 2', mac from audit_log where method = 'audit.drop_before'`)
		}
		owner := l.db.Owner(t)
		_, err = owner.Exec(t.Context(), "select audit_drop_before($1, $2)", l.ID, l.sealedTo(t, 2))
		require.NoError(t, err)
		says(t, l.verify(t), uuid.Nil, "what came before it is gone: checkpoints 1 to 1")
	}
}

// TestAttack094_NobodyRewrites: the owner is bound by the policies too, and
// the runtime role holds no such privilege.
func TestAttack094_NobodyRewrites(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	before := l.db.Dump(t)
	app, owner := l.db.App(t), l.db.Owner(t)
	for _, table := range []string{"audit_log", "audit_checkpoints", "audit_log_default"} {
		for _, sql := range []string{"update " + table + " set mac = mac", "delete from " + table, "truncate " + table} {
			_, err := app.Exec(t.Context(), sql)
			require.ErrorContains(t, err, "permission denied", sql)
		}
	}
	for _, setting := range []string{"app.tenant_id", "app.purge_tenant"} {
		_, err := owner.Exec(t.Context(), "select set_config($1, $2, false)", setting, l.ID.String())
		require.NoError(t, err)
	}
	tag, err := owner.Exec(t.Context(), "update audit_log set actor = 'nobody'")
	require.NoError(t, err)
	require.Zero(t, tag.RowsAffected())
	require.Equal(t, before, l.db.Dump(t))
}
