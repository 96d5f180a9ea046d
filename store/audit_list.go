package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// AuditFilter selects audit rows; zero values ask for nothing. Times are those of
// WrittenAt: the order of the log, by the database's clock.
type AuditFilter struct {
	Since    time.Time // inclusive
	Until    time.Time // exclusive
	Tool     string    // tool or method
	Token    string    // id or name
	Actor    string
	Decision string
	Target   string
	// Oldest lists the oldest row first; otherwise the newest.
	Oldest bool
	// After is the row that the page follows.
	After *AuditPosition
	Limit int
}

// AuditPosition is where a page ended.
type AuditPosition struct {
	WrittenAt time.Time
	ID        uuid.UUID
}

// PositionOfAudit returns the position of a row.
func PositionOfAudit(r AuditRow) AuditPosition { return AuditPosition{r.WrittenAt, r.ID} }

// auditCounted is up to how many rows that match are counted: a log holds every call of
// years, and to count them takes longer than a statement may.
const auditCounted = 10_000

// AuditCount is how many rows match; at least so many, if they are more than are counted.
type AuditCount struct {
	Total          int  `json:"total"`
	TotalIsMinimum bool `json:"total_is_minimum,omitempty"`
}

// auditInReach holds a token to the rows of its projects, as the policies of other
// tables do. The audit log's own policy cannot: calls of such tokens must be
// written that touch no project.
const auditInReach = `(current_setting('app.only_projects', true) = 'all' or strpos(current_setting('app.only_projects', true), l.project_id::text) > 0)`

// AuditRows lists a page of audit rows, and counts those that match unless count is
// nil. A token that is limited to projects gets no others than theirs.
func AuditRows(f AuditFilter, into *[]AuditRow, count *AuditCount) Query {
	return func(b *pgx.Batch, scope Scope) {
		w := f.where(scope)
		if count != nil {
			b.Queue(fmt.Sprintf(`select least(count(*), %d), count(*) > %[1]d from (select from audit_log l where %s limit %[1]d + 1) c`, auditCounted, w),
				w.args...).QueryRow(func(row pgx.Row) error { return tooWide(row.Scan(&count.Total, &count.TotalIsMinimum)) })
		}
		order := `desc`
		if f.Oldest {
			order = `asc`
		}
		if f.After != nil {
			compare := map[bool]string{true: `>`, false: `<`}[f.Oldest]
			w.add(`(l.written_at, l.id) `+compare+` (?, ?)`, f.After.WrittenAt, f.After.ID)
		}
		w.bind(f.Limit)
		b.Queue(`select l.tenant_id, l.id, l.at, l.written_at, l.kind, l.member_id, l.actor, l.token_id, coalesce(l.token_name, ''),
				coalesce(l.client, ''), l.method, coalesce(l.tool, ''), l.decision, coalesce(l.rule, ''), coalesce(l.target, ''), l.project_id,
				l.args_digest, l.args, l.changes, coalesce(l.request_id, ''), coalesce(l.client_ip, ''), coalesce(l.duration_us, 0),
				coalesce(l.code, ''), coalesce(l.bytes, 0), l.repeats
			from audit_log l where `+w.String()+` order by l.written_at `+order+`, l.id `+order+` limit `+w.last(), w.args...).
			Query(func(rows pgx.Rows) error { return tooWide(collect(into, scanAuditRow)(rows)) })
	}
}

// tooWide says what to do about a search for which a statement has not the time. The log
// is found by its time and by tokens' ids; whatever else is asked for, each row is looked at.
func tooWide(err error) error {
	if state(err) != stateStatementLimit {
		return err
	}
	e := tenancy.Errorf(tenancy.TooLarge, "The audit log has more rows than can be searched for this in the time that a request may take.").
		WithNext("Narrow the period, or ask for a token by its id.")
	return fmt.Errorf("%w (%w)", e, err)
}

func (f AuditFilter) where(scope Scope) *where {
	w := &where{}
	w.bind(scope.Tenant)
	w.add(`l.tenant_id = $1`)
	w.add(auditInReach)
	if !f.Since.IsZero() {
		w.add(`l.written_at >= ?`, f.Since)
	}
	if !f.Until.IsZero() {
		w.add(`l.written_at < ?`, f.Until)
	}
	if f.Tool != "" {
		w.add(`(l.tool = ? or l.method = ?)`, f.Tool, f.Tool)
	}
	if id, err := uuid.Parse(f.Token); err == nil {
		w.add(`l.token_id = ?`, id)
	} else if f.Token != "" {
		w.add(`l.token_name = ?`, f.Token)
	}
	for _, equal := range []struct{ column, value string }{{"actor", f.Actor}, {"decision", f.Decision}, {"target", f.Target}} {
		if equal.value != "" {
			w.add(`l.`+equal.column+` = ?`, equal.value)
		}
	}
	return w
}

func scanAuditRow(row pgx.Rows, r *AuditRow) error {
	var digest []byte
	err := row.Scan(&r.TenantID, &r.ID, &r.At, &r.WrittenAt, &r.Kind, &r.MemberID, &r.Actor, &r.TokenID, &r.TokenName, &r.Client,
		&r.Method, &r.Tool, &r.Decision, &r.Rule, &r.Target, &r.ProjectID, &digest, &r.Args, &r.Changes, &r.RequestID, &r.ClientIP,
		&r.DurationUS, &r.Code, &r.Bytes, &r.Repeats)
	r.ArgsDigest, r.At, r.WrittenAt = digest, r.At.UTC(), r.WrittenAt.UTC()
	return err
}
