package store_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// trips keeps what a store tells of its trips.
type trips struct {
	mu   sync.Mutex
	list []store.Trip
}

func (t *trips) add(trip store.Trip) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, trip)
}

func (t *trips) take() []store.Trip {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.list
	t.list = nil
	return list
}

func TestTrips(t *testing.T) {
	t.Parallel()
	var seen trips
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Observe: seen.add})
	acme := db.Tenant(t, "acme")
	who := principal(t, db, acme.FullToken(t))
	seen.take()
	rows := func(n int) store.Query {
		return func(b *pgx.Batch, _ store.Scope) { b.Queue("select generate_series(1, $1::int)", n) }
	}
	require.NoError(t, db.Read(t.Context(), store.ForPrincipal(who).For("search_issues"), func(tx *store.Tx) error {
		return tx.Do(t.Context(), rows(20), rows(5))
	}))
	got := seen.take()
	require.Len(t, got, 1, "one trip")
	require.Equal(t, acme.ID, got[0].Tenant)
	require.Equal(t, "search_issues", got[0].For)
	require.EqualValues(t, 1+20+5, got[0].Rows, "enter() is a row, too")
	require.Positive(t, got[0].Took)
	require.False(t, got[0].Failed)

	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "call", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	require.NoError(t, db.Write(t.Context(), store.ForPrincipal(who).For("create_issue"), entry, func(tx *store.Tx) error {
		return tx.Do(t.Context(), func(b *pgx.Batch, scope store.Scope) {
			b.Queue("update tenant_settings set updated_at = now() where tenant_id = $1", scope.Tenant)
		})
	}))
	got = seen.take()
	require.Len(t, got, 2, "the change, and the commit with its audit row")
	require.EqualValues(t, 2, got[0].Rows)

	require.Error(t, db.Read(t.Context(), store.ForPrincipal(who), func(tx *store.Tx) error {
		return tx.Do(t.Context(), rows(3), func(b *pgx.Batch, _ store.Scope) { b.Queue("select 1/0") })
	}))
	got = seen.take()
	require.True(t, got[0].Failed)
}

// TestSlowQuery logs who was slow with what, and nothing that a client sent.
func TestSlowQuery(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	db := storetest.Open(t)
	slow := db.Reopen(t, storetest.Options{MaxConns: 4, Slow: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	acme := db.Tenant(t, "acme")
	who := principal(t, db, acme.FullToken(t))
	query := func(seconds float64, text string) store.Query {
		return func(b *pgx.Batch, _ store.Scope) {
			b.Queue("select pg_sleep($1),\n\t\t$2::text", seconds, text)
		}
	}
	request := tenancy.Request{ID: "0123"}.In(t.Context())
	require.NoError(t, slow.Read(request, store.ForPrincipal(who).For("search_issues"), func(tx *store.Tx) error {
		return tx.Do(request, query(0.06, "canary-secret"), one)
	}))
	require.Regexp(t, `level=WARN msg="slow query" tenant=acme for=search_issues request=0123 ms=\d+ rows=3 sql="select pg_sleep\(\$1\), \$2::text; select 1"`, log.String())
	require.NotContains(t, log.String(), "canary")
	require.NoError(t, slow.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error { return tx.Do(t.Context(), query(0.06, "x")) }))
	require.Contains(t, log.String(), "tenant="+acme.ID.String()+" for=test")
}

// TestStatementTimeout runs a statement for longer than any may take.
func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	err := db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error {
		return tx.Do(t.Context(), func(b *pgx.Batch, _ store.Scope) { b.Queue("select pg_sleep(60)") })
	})
	require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "The database took too long.")
}

func TestOpen_NeedsStatementTimeout(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	for timeout, text := range map[string]string{"0": "may take for ever", "10min": "may take 10m0s"} {
		admin(t, db, `do $$ begin execute format('alter role colaflow_app in database %I set statement_timeout = ''`+timeout+`''', current_database()); end $$`)
		_, err := store.Open(t.Context(), store.Config{DSN: db.AppDSN, Key: db.Key})
		require.ErrorContains(t, err, text)
		require.ErrorContains(t, err, "limit it with: alter role colaflow_app set statement_timeout = '5s'")
	}
}
