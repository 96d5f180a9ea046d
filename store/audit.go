package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// Decisions of an audit row.
const (
	Allowed = "allowed"
	Denied  = "denied"
	Failed  = "failed"
)

// AuditRow says who did what, when, from where, and how it ended. Arguments are
// redacted by the caller; plain tokens never reach it.
type AuditRow struct {
	TenantID   tenancy.TenantID `json:"tenant_id"`
	ID         uuid.UUID        `json:"id"`
	At         time.Time        `json:"at"`
	Kind       string           `json:"kind"` // call, admin, sign_in, job
	MemberID   *uuid.UUID       `json:"member_id,omitempty"`
	Actor      string           `json:"actor"`
	TokenID    *uuid.UUID       `json:"token_id,omitempty"`
	TokenName  string           `json:"token_name,omitempty"`
	Client     string           `json:"client,omitempty"`
	Method     string           `json:"method"`
	Tool       string           `json:"tool,omitempty"`
	Decision   string           `json:"decision"`
	Rule       string           `json:"rule,omitempty"`
	Target     string           `json:"target,omitempty"`
	ProjectID  *uuid.UUID       `json:"project_id,omitempty"`
	ArgsDigest HexBytes         `json:"args_digest,omitempty"`
	Args       json.RawMessage  `json:"args,omitempty"`
	Changes    json.RawMessage  `json:"changes,omitempty"`
	RequestID  string           `json:"request_id,omitempty"`
	ClientIP   string           `json:"client_ip,omitempty"`
	DurationUS int64            `json:"duration_us,omitempty"`
	Code       string           `json:"code,omitempty"`
	Bytes      int              `json:"bytes,omitempty"`
}

// HexBytes writes itself in PostgreSQL's bytea form, \x and hex digits.
type HexBytes []byte

// MarshalText writes \x and hex digits.
func (h HexBytes) MarshalText() ([]byte, error) { return fmt.Appendf(nil, `\x%x`, []byte(h)), nil }

// complete sets what the caller left out, and takes out what PostgreSQL cannot
// hold: clients choose these texts, and a row must never fail because of them.
func (r *AuditRow) complete(now time.Time) {
	for _, text := range []*string{&r.Actor, &r.TokenName, &r.Client, &r.Method, &r.Tool, &r.Rule, &r.Target, &r.RequestID, &r.ClientIP} {
		*text = strings.ReplaceAll(*text, "\x00", "")
	}
	r.Args, r.Changes = storable(r.Args), storable(r.Changes)
	if r.ID == uuid.Nil {
		r.ID = tenancy.NewID()
	}
	if r.At.IsZero() {
		r.At = now
	}
}

// unstorable finds what jsonb may refuse: NUL, and numbers beyond numeric.
var unstorable = regexp.MustCompile(`\\u0000|[0-9][eE][+-]?[0-9]{4}|[0-9]{1000}`)

// storable returns JSON that jsonb accepts, unchanged where it already does.
func storable(raw json.RawMessage) json.RawMessage {
	if !unstorable.Match(raw) {
		return raw
	}
	var v any
	if json.Unmarshal(raw, &v) != nil { // a number beyond float64
		return json.RawMessage(`"unreadable"`)
	}
	return asJSON(withoutNUL(v))
}

func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, value := range v {
			clean[strings.ReplaceAll(name, "\x00", "")] = withoutNUL(value)
		}
		return clean
	}
	return v
}

// queueAudit appends a write's own audit row to its transaction.
func (s *Store) queueAudit(b *pgx.Batch, row AuditRow) error {
	row.complete(s.clock())
	data, err := json.Marshal([]AuditRow{row})
	if err != nil {
		return fmt.Errorf("encode audit row: %w", err)
	}
	b.Queue("select audit_append($1)", data)
	return nil
}

// Record commits one audit row of a read or a refusal, together with those of
// other calls that arrive meanwhile. It returns when the row is committed.
func (s *Store) Record(ctx context.Context, row AuditRow) error {
	row.complete(s.clock())
	return s.audit.append(ctx, row)
}

// auditLog commits rows in groups: those that arrive while a flush is in flight
// go out together in the next one; an idle log flushes at once.
type auditLog struct {
	store  *Store
	mu     sync.Mutex
	closed bool
	next   *auditGroup
	wake   chan struct{}
	done   chan struct{}
}

type auditGroup struct {
	rows    []AuditRow
	errs    []error // by row, once flushed
	flushed chan struct{}
}

const maxAuditGroup = 500

func newAuditLog(s *Store) *auditLog {
	l := &auditLog{store: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *auditLog) append(ctx context.Context, row AuditRow) error {
	group, place := l.join(row)
	if group == nil {
		return retryable("The server is shutting down.", errors.New("audit log is closed"))
	}
	select {
	case <-group.flushed:
		return group.errs[place]
	case <-ctx.Done():
		return interpret(ctx.Err())
	}
}

// join adds the row to the group that goes out next, and tells its place there;
// nil when the log is closed.
func (l *auditLog) join(row AuditRow) (group *auditGroup, place int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, 0
	}
	if l.next == nil {
		l.next = &auditGroup{flushed: make(chan struct{})}
	}
	l.next.rows = append(l.next.rows, row)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return l.next, len(l.next.rows) - 1
}

func (l *auditLog) run() {
	defer close(l.done)
	for range l.wake {
		for l.flush() {
		}
	}
	for l.flush() {
	}
}

func (l *auditLog) flush() bool {
	l.mu.Lock()
	group := l.next
	l.next = nil
	l.mu.Unlock()
	if group == nil {
		return false
	}
	for rows := range slices.Chunk(group.rows, maxAuditGroup) {
		group.errs = append(group.errs, l.insertEach(rows)...)
	}
	close(group.flushed)
	return true
}

// insertEach inserts rows together. Rows share a transaction, not their fate: if
// the database refuses the data of one, each goes alone.
func (l *auditLog) insertEach(rows []AuditRow) []error {
	errs := make([]error, len(rows))
	err := l.insert(rows)
	alone := len(rows) > 1 && isDataError(err)
	for n := range rows {
		if errs[n] = err; alone {
			errs[n] = l.insert(rows[n : n+1])
		}
	}
	return errs
}

func (l *auditLog) insert(rows []AuditRow) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	data, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode audit rows: %w", err)
	}
	if _, err = l.store.pool.Exec(ctx, "select audit_append($1)", data); err != nil {
		l.store.log.Error("audit rows were not written", "rows", len(rows), "error", err)
		return interpret(err)
	}
	return nil
}

// close flushes what is waiting; later rows are refused.
func (l *auditLog) close() {
	l.mu.Lock()
	already := l.closed
	l.closed = true
	l.mu.Unlock()
	if !already {
		close(l.wake)
	}
	<-l.done
}
