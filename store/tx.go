package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/colaflow/colaflow/tenancy"
)

// Scope is whom a transaction works for: one subject of one tenant.
type Scope struct {
	Tenant  tenancy.TenantID
	kind    string
	Subject uuid.UUID
	epoch   int64
	project string // key of the one project that the transaction is held to; empty: none
	job     string // what it is for
	slug    string // of the tenant, where it is known, for the log
	closed  bool   // the tenant may be suspended, or deleted and not yet purged
	changes *bool  // set by queries that change work; nil: nobody asks
}

// The kinds of subject that enter() knows.
const (
	kindToken    = "token"
	kindPrevious = "previous" // a token, by the secret that a rotation replaced
	kindMember   = "member"
	kindSystem   = "system"
)

// ForPrincipal returns the scope of a call by a token, or by a signed-in member.
func ForPrincipal(p tenancy.Principal) Scope {
	if p.TokenID == uuid.Nil { // a signed-in person
		return Scope{Tenant: p.TenantID, kind: kindMember, Subject: p.MemberID, epoch: p.Epoch, project: p.Pinned, slug: p.TenantSlug}
	}
	s := Scope{Tenant: p.TenantID, kind: kindToken, Subject: p.TokenID, epoch: p.Epoch, project: p.Pinned, slug: p.TenantSlug}
	if p.Replaced {
		s.kind = kindPrevious
	}
	return s
}

// ForMember returns the scope of a signed-in person at an epoch of theirs.
func ForMember(tenant tenancy.TenantID, member uuid.UUID, epoch int64) Scope {
	return Scope{Tenant: tenant, kind: kindMember, Subject: member, epoch: epoch}
}

// AsSystem returns the scope of a job or an operator's command, which reaches
// the whole tenant. Its callers are a reviewed list; job names the audit actor.
func AsSystem(tenant tenancy.TenantID, job string) Scope {
	return Scope{Tenant: tenant, kind: kindSystem, job: job}
}

// AsKeeper is AsSystem for looking at a tenant in any state: for commands of an
// operator that read, such as export. A write still fails unless it is active.
func AsKeeper(tenant tenancy.TenantID, job string) Scope {
	return Scope{Tenant: tenant, kind: kindSystem, job: job, closed: true}
}

// changesWork notes that the transaction changes issues, projects or sprints.
func (s Scope) changesWork() {
	if s.changes != nil {
		*s.changes = true
	}
}

// For says what a transaction is for, such as a tool, in the log and the metrics.
func (s Scope) For(what string) Scope { s.job = what; return s }

// Query is one statement of a batch and where its rows go. Functions that
// return a Query fill what they point to when Tx.Do returns without error.
type Query func(b *pgx.Batch, scope Scope)

// Tx is a transaction of one scope. A read takes one round trip per Do, check
// and data in one snapshot; Pin keeps the transaction for a second Do. A write
// is pinned from its first Do and commits with its audit row.
type Tx struct {
	store   *Store
	scope   Scope
	conn    *pgxpool.Conn
	free    func() // gives the connection back
	waited  time.Duration
	pinned  bool
	begin   string
	dryRun  bool
	later   []Query
	first   Query // runs before enter()
	entered bool  // enter() has run without complaint
}

const (
	beginRead  = "begin isolation level repeatable read read only"
	beginWrite = "begin isolation level read committed"
)

// Pin keeps a read's snapshot open over several Do.
func (tx *Tx) Pin() { tx.pinned = true }

// Unpin lets the next Do of a read end the transaction in its own trip.
func (tx *Tx) Unpin() { tx.pinned = tx.begin == beginWrite }

// DryRun makes a write roll back where it would commit: everything is checked
// and computed, nothing is changed.
func (tx *Tx) DryRun() { tx.dryRun = true }

// Later keeps queries, whose rows nobody waits for, until the next trip: the next
// Do, or that of the commit. They save a trip and shorten the time of locks.
func (tx *Tx) Later(queries ...Query) { tx.later = append(tx.later, queries...) }

// Scope returns whom the transaction works for.
func (tx *Tx) Scope() Scope { return tx.scope }

// Do sends the queries in one round trip. The first trip of a transaction also
// begins it and checks its subject; an unpinned read commits in the same trip.
func (tx *Tx) Do(ctx context.Context, queries ...Query) error {
	b := &pgx.Batch{}
	if tx.conn == nil {
		started := time.Now()
		var err error
		if tx.conn, tx.free, err = tx.store.acquire(ctx, tx.scope.Tenant); err != nil {
			return err
		}
		tx.waited = time.Since(started)
		b.Queue(tx.begin)
		if tx.first != nil {
			tx.first(b, tx.scope)
		}
		if tx.scope.closed {
			b.Queue("select enter_closed($1)", tx.scope.Tenant)
		} else {
			b.Queue("select enter($1, $2, $3, $4)", tx.scope.Tenant, tx.scope.kind, tx.scope.Subject, tx.scope.epoch)
		}
		if tx.scope.project != "" {
			b.Queue("select narrow($1, $2)", tx.scope.Tenant, tx.scope.project)
		}
	}
	tx.queueLater(b)
	for _, q := range queries {
		q(b, tx.scope)
	}
	if !tx.pinned {
		defer tx.release(ctx)
		queueCommit(b)
	}
	if err := tx.send(ctx, b); err != nil {
		return interpret(err)
	}
	tx.entered = true
	return nil
}

func (tx *Tx) queueLater(b *pgx.Batch) {
	for _, q := range tx.later {
		q(b, tx.scope)
	}
	tx.later = nil
}

// queueCommit ends a batch. PostgreSQL answers COMMIT of a failed transaction
// with the tag ROLLBACK and no error, so the tag is checked.
func queueCommit(b *pgx.Batch) {
	b.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errors.New("transaction was rolled back")
		}
		return nil
	})
}

func (tx *Tx) release(ctx context.Context) {
	if tx.conn != nil {
		rollback(ctx, tx.conn)
		tx.free()
		tx.conn = nil
	}
}

// Read runs fn in a read-only transaction of the scope.
func (s *Store) Read(ctx context.Context, scope Scope, fn func(*Tx) error) error {
	tx := &Tx{store: s, scope: scope, begin: beginRead}
	defer tx.release(ctx)
	return fn(tx)
}

// Write runs fn and commits its changes together with the audit row that entry
// returns, or nothing. The subject is checked again, under a lock, in the same
// trip as the commit. A deadlock or serialization failure runs fn once more.
func (s *Store) Write(ctx context.Context, scope Scope, entry func() AuditRow, fn func(*Tx) error) error {
	return s.writeAfter(ctx, scope, nil, entry, fn)
}

// writeAfter is Write with a query that runs before the tenant is entered.
func (s *Store) writeAfter(ctx context.Context, scope Scope, first Query, entry func() AuditRow, fn func(*Tx) error) error {
	err := s.writeOnce(ctx, scope, first, entry, fn)
	if st := state(err); st == stateDeadlock || st == stateSerialization {
		err = s.writeOnce(ctx, scope, first, entry, fn)
	}
	return err
}

func (s *Store) writeOnce(ctx context.Context, scope Scope, first Query, entry func() AuditRow, fn func(*Tx) error) error {
	scope.changes = new(bool)
	tx := &Tx{store: s, scope: scope, begin: beginWrite, pinned: true, first: first}
	defer tx.release(ctx)
	if err := fn(tx); err != nil {
		return err
	}
	if len(tx.later) > 0 && (tx.conn == nil || tx.dryRun) {
		if err := tx.Do(ctx); err != nil {
			return err
		}
	}
	if tx.conn == nil || tx.dryRun {
		tx.release(ctx) // the audit row needs a connection of its own
		return s.Record(ctx, entry())
	}
	b := &pgx.Batch{}
	tx.queueLater(b)
	if err := s.queueAudit(ctx, b, entry()); err != nil {
		return err
	}
	b.Queue("select hold($1), recheck($1, $2, $3, $4)", scope.Tenant, scope.kind, scope.Subject, scope.epoch)
	queueCommit(b)
	if err := tx.send(ctx, b); err != nil {
		return interpretCommit(fmt.Errorf("commit: %w", err))
	}
	s.sealer.wrote(scope.Tenant)
	if *scope.changes {
		s.announcer.committed(scope.Tenant)
	}
	return nil
}

// Ensure makes sure that the subject was checked, even if nothing was read.
func (tx *Tx) Ensure(ctx context.Context) error {
	if tx.entered {
		return nil
	}
	return tx.Do(ctx)
}
