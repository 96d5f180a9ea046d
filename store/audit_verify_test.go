package store_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// sealedLog is a tenant with a log of three checkpoints and one unsealed row.
type sealedLog struct {
	*storetest.Tenant
	db    *storetest.DB
	admin *pgx.Conn
	rows  []uuid.UUID // as they were written; the last is not sealed
}

// fullAuditRow is a row without a null column.
func fullAuditRow(tenant tenancy.TenantID, target string) store.AuditRow {
	id := tenancy.NewID()
	return store.AuditRow{TenantID: tenant, ID: tenancy.NewID(), Kind: "call", MemberID: &id, Actor: "ada@acme.test", TokenID: nil, TokenName: "ci",
		Client: "client/1", Method: "tools/call", Tool: "update_issue", Decision: store.Allowed, Rule: "rule", Target: target, ProjectID: &id,
		ArgsDigest: []byte{1, 2, 3}, Args: []byte(`{ "b":1.0, "a":"<é \u00e9>","a2":[ ] }`), Changes: []byte(`[{"field":"title"}]`),
		RequestID: "0123", ClientIP: "192.0.2.1", DurationUS: 1234, Code: "ok", Bytes: 77}
}

func newSealedLog(t *testing.T) *sealedLog {
	t.Helper()
	db := storetest.Open(t)
	l := &sealedLog{Tenant: db.Tenant(t, "acme"), db: db, admin: db.Admin(t)}
	for n := range 4 {
		for _, target := range []string{"WEB-1", "WEB-2", "WEB-3"} {
			row := fullAuditRow(l.ID, target)
			require.NoError(t, db.Record(t.Context(), row))
			l.rows = append(l.rows, row.ID)
		}
		if n < 3 {
			l.seal(t)
		}
	}
	return l
}

func (l *sealedLog) seal(t *testing.T) store.AuditHead {
	t.Helper()
	head, rows, err := l.db.Seal(t.Context(), l.ID, store.AuditHead{})
	require.NoError(t, err)
	require.NotZero(t, rows)
	return head
}

func (l *sealedLog) verify(t *testing.T, seen ...store.AuditHead) store.AuditReport {
	t.Helper()
	report, err := l.db.VerifyAudit(t.Context(), l.Scope(), append(seen, store.AuditHead{})[0])
	require.NoError(t, err)
	return report
}

func (l *sealedLog) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	tag, err := l.admin.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
	require.NotZero(t, tag.RowsAffected(), sql)
}

// says asks that one finding is about a row, or with uuid.Nil a checkpoint or the
// log, and contains the text.
func says(t *testing.T, report store.AuditReport, row uuid.UUID, text string) {
	t.Helper()
	require.False(t, report.OK())
	var all []string
	for _, f := range report.Findings {
		all = append(all, f.String())
		if (row == uuid.Nil) == (f.Row == nil) && (f.Row == nil || *f.Row == row) && strings.Contains(f.String(), text) {
			require.True(t, f.At != nil || f.Row == nil)
			return
		}
	}
	require.Fail(t, "no finding", "%s %q among:\n%s", row, text, strings.Join(all, "\n"))
}

func TestVerifyAudit_Untouched(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	report := l.verify(t)
	require.True(t, report.OK(), report.Findings)
	require.EqualValues(t, 3, report.Checkpoints)
	require.EqualValues(t, 3, report.Unsealed.Rows)
	require.EqualValues(t, 11, report.Rows, "nine, the tenant's creation, its people")
	require.EqualValues(t, 3, report.Head.Seq)
	require.Nil(t, report.Anchor)
	head := l.seal(t)
	require.True(t, l.verify(t, head).OK())
	require.Zero(t, l.verify(t, head).Unsealed.Rows)

	other, err := store.Open(t.Context(), store.Config{DSN: l.db.AppDSN, Key: tenancy.NewMasterKey()})
	require.Error(t, err, "another key cannot even open the database: %v", other)
}

// tampered changes the database as a superuser, verifies, and undoes the change.
func (l *sealedLog) tampered(t *testing.T, sql string, args ...any) store.AuditReport {
	t.Helper()
	for _, table := range []string{"audit_log", "audit_checkpoints"} {
		_, err := l.admin.Exec(t.Context(), "create temporary table if not exists "+table+"_copy as select * from public."+table)
		require.NoError(t, err)
	}
	l.exec(t, sql, args...)
	report := l.verify(t)
	for _, table := range []string{"audit_log", "audit_checkpoints"} {
		_, err := l.admin.Exec(t.Context(), "delete from public."+table)
		require.NoError(t, err)
		l.exec(t, "insert into public."+table+" select * from "+table+"_copy")
	}
	require.True(t, l.verify(t).OK(), "undone")
	return report
}

// TestVerifyAudit_Columns changes each column of a sealed and of an unsealed row.
func TestVerifyAudit_Columns(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	rows, err := l.admin.Query(t.Context(), `select attname, atttypid::regtype::text, attnotnull from pg_attribute
		where attrelid = 'audit_log'::regclass and attnum > 0 and not attisdropped`)
	require.NoError(t, err)
	type column struct {
		Name, Type string
		NotNull    bool
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	require.NoError(t, err)
	require.Greater(t, len(columns), 20)
	byType := map[string][]string{"uuid": {"gen_random_uuid()"}, "text": {"%s || ' '", "''"}, "bytea": {`%s || '\x00'`, `'\x'`},
		"integer": {"%s + 1"}, "bigint": {"%s + 1"}, "timestamp with time zone": {"%s + interval '1 microsecond'"},
		"json": {`replace(%s::text, ' ', '')::json`, `(%s::text || ' ')::json`, `'null'`}}
	for _, c := range columns {
		changes := byType[c.Type]
		if c.Name == "decision" {
			changes = []string{"'failed'"}
		}
		if !c.NotNull && c.Name != "token_id" { // which is null already
			changes = append(changes, "null")
		}
		require.NotEmpty(t, changes, "%s %s", c.Name, c.Type)
		for _, change := range changes {
			change = strings.ReplaceAll(change, "%s", c.Name)
			if c.Name == "changes" && strings.HasPrefix(change, "replace") {
				continue // holds no space
			}
			sql := "update audit_log set " + c.Name + " = " + change + " where id = $1"
			for _, row := range []uuid.UUID{l.rows[4], l.rows[11]} {
				report := l.tampered(t, sql, row)
				switch unsealed := row == l.rows[11]; {
				case c.Name == "tenant_id" || c.Name == "written_at" || c.Name == "id":
					if !unsealed {
						says(t, report, row, "it is gone, or was moved in time; checkpoint 2")
					}
				default:
					says(t, report, row, "it was changed")
					require.EqualValues(t, 1, report.Problems, sql)
				}
			}
		}
	}
}

func TestVerifyAudit_Rows(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	const columns = `kind, member_id, actor, token_id, token_name, client, method, tool, decision, rule, target, project_id, args_digest,
		args, changes, request_id, client_ip, duration_us, code, bytes, repeats, mac`
	copied := uuid.New()

	report := l.tampered(t, `delete from audit_log where id = $1`, l.rows[4])
	says(t, report, l.rows[4], "it is gone")
	require.EqualValues(t, 1, report.Problems)

	report = l.tampered(t, `insert into audit_log (tenant_id, id, at, written_at, `+columns+`)
		select tenant_id, $2, at, written_at, `+columns+` from audit_log where id = $1`, l.rows[4], copied)
	says(t, report, copied, "it was added")

	report = l.tampered(t, `insert into audit_log (tenant_id, id, at, written_at, `+columns+`)
		select tenant_id, id, at, written_at + interval '1 microsecond', `+columns+` from audit_log where id = $1`, l.rows[4])
	says(t, report, l.rows[4], "it was added")

	report = l.tampered(t, `insert into audit_log (tenant_id, id, at, `+columns+`)
		select tenant_id, $2, at, `+columns+` from audit_log where id = $1`, l.rows[4], copied)
	says(t, report, copied, "it was changed, or not written by ColaFlow") // in the unsealed tail

	for _, pair := range [][2]uuid.UUID{{l.rows[3], l.rows[4]}, {l.rows[0], l.rows[8]}} {
		report = l.tampered(t, `update audit_log a set written_at = b.written_at from audit_log b where a.id = any($1) and b.id = any($1) and a.id <> b.id`, pair[:])
		for _, row := range pair {
			says(t, report, row, "it is gone, or was moved in time")
			says(t, report, row, "it was added, or moved in time")
		}
		require.EqualValues(t, 4, report.Problems)
	}
	report = l.tampered(t, `update audit_log a set target = b.target, changes = b.changes from audit_log b
		where a.id = any($1) and b.id = any($1) and a.id <> b.id`, []uuid.UUID{l.rows[3], l.rows[4]})
	says(t, report, l.rows[3], "it was changed") // each now says what the other did
	says(t, report, l.rows[4], "it was changed")
}

func TestVerifyAudit_Checkpoints(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	head := l.verify(t).Head

	report := l.tampered(t, `delete from audit_checkpoints where seq = 2`)
	says(t, report, uuid.Nil, "checkpoints 2 to 2")
	report = l.tampered(t, `delete from audit_checkpoints where seq = 1`)
	says(t, report, uuid.Nil, "checkpoints 1 to 1")
	for column, change := range map[string]string{"from_at": "from_at + interval '1 microsecond'", "upto": "upto + interval '1 hour'",
		"row_count": "row_count + 1", "contents": "substr(contents, 25)", "digest": "sha256(digest)", "previous": "sha256(previous)",
		"sealed_at": "sealed_at + interval '1 microsecond'", "mac": "sha256(mac)", "seq": "seq + 100"} {
		for _, seq := range []int{1, 2, 3} {
			report = l.tampered(t, `update audit_checkpoints set `+column+` = `+change+` where seq = $1`, seq)
			says(t, report, uuid.Nil, "it was changed")
		}
	}
	report = l.tampered(t, `update audit_checkpoints set tenant_id = gen_random_uuid()`)
	require.EqualValues(t, 14, report.Unsealed.Rows)
	require.True(t, report.OK(), "all checkpoints gone: only one who remembers the head can tell")

	// Cutting off the end: what remains is a log that once was. An earlier report
	// gives it away, and in a serving process the sealer.
	l.exec(t, `delete from audit_checkpoints where seq = 3`)
	require.True(t, l.verify(t).OK())
	says(t, l.verify(t, head), uuid.Nil, "it was seen before")
	_, _, err := l.db.Seal(t.Context(), l.ID, head)
	require.ErrorContains(t, err, "colaflow audit verify")
	l.exec(t, `delete from audit_log`)
	l.exec(t, `delete from audit_checkpoints`)
	says(t, l.verify(t), uuid.Nil, "it is empty")
}
