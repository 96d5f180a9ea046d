package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// one is the cheapest query there is.
func one(b *pgx.Batch, _ store.Scope) { b.Queue("select 1") }

// hold keeps a transaction of a tenant open, with its connection, until release.
func hold(t *testing.T, s *store.Store, scope store.Scope) (release func()) {
	t.Helper()
	held, end, done := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := s.Read(t.Context(), scope, func(tx *store.Tx) error {
			tx.Pin()
			err := tx.Do(t.Context(), one)
			held <- err
			<-end
			return err
		})
		if err != nil {
			held <- err
		}
	}()
	release = sync.OnceFunc(func() { close(end); <-done })
	t.Cleanup(release) // or a test that fails would wait for the pool to empty
	require.NoError(t, <-held)
	return release
}

func read(ctx context.Context, s *store.Store, scope store.Scope) error {
	return s.Read(ctx, scope, func(tx *store.Tx) error { return tx.Do(ctx, one) })
}

// TestAttack091_ConnectionShare has a tenant that never lets go of its connections:
// another one works as if it were alone, and the first is told to slow down.
func TestAttack091_ConnectionShare(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, TenantConns: 2, Wait: 30 * time.Second})
	impatient := db.Reopen(t, storetest.Options{MaxConns: 4, TenantConns: 2, Wait: 5 * time.Second}) // enough to connect
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	for _, s := range []*store.Store{db.Store, impatient} {
		first, second := hold(t, s, acme.Scope()), hold(t, s, acme.Scope())
		defer first()
		defer second()
	}
	err := read(t.Context(), impatient, acme.Scope())
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err), "%v", err)
	var limited *tenancy.Error
	require.ErrorAs(t, err, &limited)
	require.True(t, limited.Retry)
	require.Equal(t, time.Second, limited.RetryAfter)
	require.ErrorContains(t, err, "keeps all of its 2 database connections busy. Nothing was changed; send fewer calls at once.")

	// A hundred calls of A wait; B's pass them all.
	const calls = 100
	var waited atomic.Int64
	done := make(chan error, calls)
	for range calls {
		go func() {
			err := read(t.Context(), db.Store, acme.Scope())
			waited.Add(1)
			done <- err
		}()
	}
	require.Eventually(t, func() bool { return db.Waiting(acme.ID) == calls+2 }, 30*time.Second, time.Millisecond)
	for range 50 {
		require.NoError(t, read(t.Context(), db.Store, beta.Scope()))
	}
	require.NoError(t, read(t.Context(), impatient, beta.Scope()))
	require.Zero(t, waited.Load(), "all of A's calls still wait")

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, read(gone, db.Store, acme.Scope()), context.Canceled, "who is gone waits no longer")
}

// TestShares_GiveBack lets transactions succeed, fail, panic and be cancelled: no
// connection and no place in the queue is lost.
func TestShares_GiveBack(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, TenantConns: 2, Wait: 30 * time.Second})
	acme := db.Tenant(t, "acme")
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	var most, current atomic.Int64
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			defer func() { _ = recover() }()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			body := func(tx *store.Tx) error {
				tx.Pin()
				if err := tx.Do(ctx, one); err != nil {
					return err
				}
				if now := current.Add(1); now > most.Load() {
					most.Store(now)
				}
				defer current.Add(-1)
				switch n % 5 {
				case 0:
					panic("handler")
				case 1:
					cancel()
				case 2:
					return tx.Do(ctx, func(b *pgx.Batch, _ store.Scope) { b.Queue("select 1/0") })
				}
				return tx.Do(ctx, one)
			}
			if n%2 == 0 {
				_ = db.Read(ctx, acme.Scope(), body)
			} else {
				_ = db.Write(ctx, acme.Scope(), entry, body)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, most.Load(), int64(2))
	require.Zero(t, db.Shares())
	require.Eventually(t, func() bool { return db.Pool().Stat().AcquiredConns() == 0 }, 30*time.Second, time.Millisecond)
	require.NoError(t, read(t.Context(), db.Store, acme.Scope()))
}

// TestShares_InOrder queues calls one after the other: they go in that order.
func TestShares_InOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		take, acme := store.NewShares(1), tenancy.NewID()
		release, err := take(t.Context(), acme)
		require.NoError(t, err)
		var got, want []int
		for n := range 20 {
			go func() {
				give, err := take(t.Context(), acme)
				assert.NoError(t, err)
				got = append(got, n)
				give()
			}()
			want = append(want, n)
			synctest.Wait() // it has its place in the queue
		}
		require.Empty(t, got)
		release()
		synctest.Wait()
		require.Equal(t, want, got)
	})
}

// TestAcquire_Busy has others hold every connection: the wait is bounded.
func TestAcquire_Busy(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 4})
	busy := db.Reopen(t, storetest.Options{MaxConns: 2, TenantConns: 2, Wait: 5 * time.Second}) // enough to connect
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	first, second := hold(t, busy, acme.Scope()), hold(t, busy, acme.Scope())
	err := read(t.Context(), busy, beta.Scope())
	require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "The database is busy. Nothing was changed; try again in a moment.")
	first()
	second()
	require.NoError(t, read(t.Context(), busy, beta.Scope()))
	require.Zero(t, busy.Shares())
}

// TestLookupToken_Busy asks for a token while every connection is taken: whoever connects
// does not wait for ever.
func TestLookupToken_Busy(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	impatient := db.Reopen(t, storetest.Options{MaxConns: 1, TenantConns: 1, Wait: 5 * time.Second}) // enough to connect
	hold(t, impatient, acme.Scope())
	patience, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := impatient.LookupToken(patience, "acme", tokens.Hash{})
	require.NoError(t, patience.Err())
	require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "The database is busy.")
}
