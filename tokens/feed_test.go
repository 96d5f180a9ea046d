package tokens_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// countingLookup is the real store that counts questions, and can be held up.
type countingLookup struct {
	*store.Store
	asked atomic.Int64
	pause func()
}

func (l *countingLookup) LookupToken(ctx context.Context, slug string, hash tokens.Hash) (tenancy.Principal, error) {
	l.asked.Add(1)
	p, err := l.Store.LookupToken(ctx, slug, hash)
	if l.pause != nil {
		l.pause()
	}
	return p, err
}

// beat is short, for tests that wait for a feed to be given up, and long enough for a busy machine
// to bring it back in time.
const beat = time.Second

// follow runs a feed into a new authenticator until the test ends.
func follow(t *testing.T, lookup tokens.Lookup, feed tokens.Feed) *tokens.Authenticator {
	t.Helper()
	auth := tokens.NewAuthenticator(lookup)
	auth.Follow(feed, func(tokens.Change) {})
	t.Cleanup(auth.Close)
	eventually(t, auth.Healthy)
	return auth
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, 5*time.Millisecond)
}

func TestAuthenticator_CachesAndEvicts(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{Heartbeat: beat})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	lookup := &countingLookup{Store: db.Store}
	auth := follow(t, lookup, db)
	for range 5 {
		_, err := auth.Authenticate(t.Context(), plain)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, lookup.asked.Load())
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	eventually(t, func() bool { _, err := auth.Authenticate(t.Context(), plain); return err != nil })
	asked := lookup.asked.Load()
	for range 5 {
		_, err := auth.Authenticate(t.Context(), plain)
		require.Error(t, err)
	}
	require.LessOrEqual(t, lookup.asked.Load(), asked+1, "a refusal is remembered too")
}

func TestAttack017_ListenerKilled(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{Heartbeat: beat})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	lookup := &countingLookup{Store: db.Store}
	auth := follow(t, lookup, db)
	_, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	_, err = db.Admin(t).Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and query like 'listen %'`)
	require.NoError(t, err)
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	eventually(t, func() bool { _, err := auth.Authenticate(t.Context(), plain); return err != nil })
	eventually(t, auth.Healthy) // it came back by itself
}

func TestAttack018_ListenSocketFrozen(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{Heartbeat: beat})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	proxy := db.Proxy(t)
	node := db.Reopen(t, storetest.Options{MaxConns: 4, Heartbeat: beat, ListenDSN: proxy.DSN})
	auth := follow(t, node, node)
	_, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	proxy.Freeze()
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	eventually(t, func() bool { _, err := auth.Authenticate(t.Context(), plain); return err != nil })
	require.False(t, auth.Healthy())
}

func TestAttack019_RevokedBetweenReadAndInsert(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{Heartbeat: beat})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	lookup := &countingLookup{Store: db.Store}
	auth := tokens.NewAuthenticator(lookup)
	seen := make(chan struct{}, 100)
	auth.Follow(db, func(c tokens.Change) {
		if c.Subject == tokens.SubjectToken {
			seen <- struct{}{}
		}
	})
	t.Cleanup(auth.Close)
	eventually(t, auth.Healthy)
	lookup.pause = func() {
		if lookup.asked.Load() == 1 { // the read is done; revoke before it is cached
			require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
			<-seen
		}
	}
	_, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err, "the read came first")
	_, err = auth.Authenticate(t.Context(), plain)
	require.Error(t, err, "but its answer was not cached")
}

func TestAttack022_RevocationRolledBack(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{Heartbeat: beat})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	lookup := &countingLookup{Store: db.Store}
	auth := follow(t, lookup, db)
	_, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	admin := db.Admin(t)
	tx, err := admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `update tokens set revoked_at = now() where id = $1`, token.ID)
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	require.EqualValues(t, 1, lookup.asked.Load())
}

func TestAttack024_NotifyFlood(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{Heartbeat: beat})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	auth := follow(t, db, db)
	admin := db.Admin(t)
	_, err := admin.Exec(t.Context(), `select pg_notify('colaflow_access', 'token ' || gen_random_uuid() || ' ' || n || ' changed')
		from generate_series(1, 10000) n`)
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), `select pg_notify('colaflow_access', $1)`, strings.Repeat("x", 7999))
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), `select pg_notify('colaflow_access', $1)`, strings.Repeat("x", 8000))
	require.Error(t, err, "PostgreSQL's own limit")
	_, err = auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	eventually(t, func() bool { _, err := auth.Authenticate(t.Context(), plain); return err != nil })
}

// TestFollow_NotDelivered listens where nothing is ever heard, as behind
// PgBouncer in transaction mode: in another database of the same server.
func TestFollow_NotDelivered(t *testing.T) {
	t.Parallel()
	db, deaf := storetest.Open(t), storetest.Open(t)
	log := &lockedBuffer{}
	node := db.Reopen(t, storetest.Options{MaxConns: 2, Heartbeat: beat, ListenDSN: deaf.AppDSN, Log: slog.New(slog.NewTextHandler(log, nil))})
	auth := tokens.NewAuthenticator(node)
	auth.Follow(node, func(tokens.Change) {})
	t.Cleanup(auth.Close)
	eventually(t, func() bool { return strings.Contains(log.String(), "--listen-dsn") })
	require.False(t, auth.Healthy())
	_, plain := db.Tenant(t, "acme").Token(t, "ci", `{"issues":["read"]}`)
	_, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err, "slower, but it works")
}

// TestAuthenticator_ForgetsAtTheEnd remembers a token that is about to expire.
func TestAuthenticator_ForgetsAtTheEnd(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 4})
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	lookup := &countingLookup{Store: db.Store}
	auth := follow(t, lookup, db)
	_, err := db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, now time.Time) error {
		at := now.Add(4 * time.Second)
		s.ExpiresAt = &at
		return nil
	})
	require.NoError(t, err)
	p, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	require.True(t, p.ExpiresSoon())
	eventually(t, func() bool { _, err := auth.Authenticate(t.Context(), plain); return err != nil })
	require.LessOrEqual(t, lookup.asked.Load(), int64(3))
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
