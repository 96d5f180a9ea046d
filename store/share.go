package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/colaflow/colaflow/tenancy"
)

// defaultWait is how long a transaction may wait for a connection.
const defaultWait = 10 * time.Second

// shares holds each tenant to its part of the connections, so that one that asks
// for much cannot keep the others waiting. Within a tenant, whoever came first is
// first. Never begin a transaction while holding another of the same tenant:
// enough callers that do so wait for each other until their time is up.
type shares struct {
	size int // connections of one tenant
	wait time.Duration

	mu sync.Mutex
	of map[tenancy.TenantID]*share
}

type share struct {
	slots chan struct{} // senders queue in the order in which they came
	users int           // that hold a slot or wait for one
}

func newShares(size int, wait time.Duration) *shares {
	return &shares{size: size, wait: wait, of: map[tenancy.TenantID]*share{}}
}

// take returns when the tenant has a slot free; give must follow. It fails with
// RateLimited when none became free until ctx ends by its deadline.
func (s *shares) take(ctx context.Context, tenant tenancy.TenantID) (give func(), err error) {
	sh := s.join(tenant)
	select {
	case sh.slots <- struct{}{}:
	case <-ctx.Done():
		s.leave(tenant, sh)
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, ctx.Err()
		}
		e := tenancy.Errorf(tenancy.RateLimited, "This tenant keeps all of its %d database connections busy.", s.size).
			WithNext("Nothing was changed; send fewer calls at once.")
		e.Retry, e.RetryAfter = true, time.Second
		return nil, e
	}
	return func() {
		<-sh.slots
		s.leave(tenant, sh)
	}, nil
}

func (s *shares) join(tenant tenancy.TenantID) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.of[tenant]
	if sh == nil {
		sh = &share{slots: make(chan struct{}, s.size)}
		s.of[tenant] = sh
	}
	sh.users++
	return sh
}

func (s *shares) leave(tenant tenancy.TenantID, sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh.users--; sh.users == 0 {
		delete(s.of, tenant)
	}
}

// poolOf is the seam for big tenants: which database a tenant's rows are in. Today
// all are in one, together with the list of tenants. Whoever uses the pool itself
// works for all tenants, and is on a reviewed list (TestPool_Callers).
func (s *Store) poolOf(tenancy.TenantID) *pgxpool.Pool { return s.pool }

// acquire takes a connection to the tenant's database, within the tenant's share,
// or fails in bounded time with an error that may be retried.
func (s *Store) acquire(ctx context.Context, tenant tenancy.TenantID) (conn *pgxpool.Conn, release func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, s.shares.wait)
	defer cancel()
	give, err := s.shares.take(waiting, tenant)
	if err == nil {
		if conn, err = s.poolOf(tenant).Acquire(waiting); err == nil {
			return conn, func() { conn.Release(); give() }, nil
		}
		give()
	}
	return nil, nil, waited(ctx, err)
}

// acquireAny takes a connection for who cannot say yet which tenant it is for, in
// the same bounded time.
func (s *Store) acquireAny(ctx context.Context) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, s.shares.wait)
	defer cancel()
	conn, err := s.pool.Acquire(waiting)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return conn, nil
}

// waited says why there is no connection: the caller gave up, or the wait was long enough.
func waited(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		err = retryable("The database is busy.", err)
	}
	return interpret(err)
}
