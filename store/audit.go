package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// queueAudit appends a write's own audit row to its transaction.
func (s *Store) queueAudit(ctx context.Context, b *pgx.Batch, row AuditRow) error {
	row.complete(ctx, s.clock())
	data, err := s.encodeAudit(row)
	if err == nil {
		b.Queue("select audit_append($1)", data)
	}
	return err
}

// Record commits one audit row of a read or a refusal, together with those of
// other calls that arrive meanwhile. It returns when the row is committed; a
// denial that repeats one of the last minute is counted instead.
func (s *Store) Record(ctx context.Context, row AuditRow) error {
	row.complete(ctx, s.clock())
	if s.denials.counted(row) {
		return nil
	}
	err := s.audit.append(ctx, row)
	if err != nil {
		s.denials.forget(row)
	}
	return err
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
	return l.wait(ctx, group, place)
}

// wait returns when a row of a group is committed.
func (l *auditLog) wait(ctx context.Context, group *auditGroup, place int) error {
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
	data, err := l.store.encodeAudit(rows...)
	if err != nil {
		return err
	}
	if _, err = l.store.pool.Exec(ctx, "select audit_append($1)", data); err != nil {
		l.store.log.Error("audit rows were not written", "rows", len(rows), "error", err)
		return interpret(err)
	}
	for _, row := range rows {
		l.store.sealer.wrote(row.TenantID)
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
