package tokens_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// guarded is a guard over a real database, with a clock of its own.
func guarded(t *testing.T) (db *storetest.DB, lookup *countingLookup, g *tokens.Guard, clock *time.Time) {
	t.Helper()
	db = storetest.Open(t)
	lookup = &countingLookup{Store: db.Store}
	auth := tokens.NewAuthenticator(lookup) // without a feed it remembers nothing
	t.Cleanup(auth.Close)
	now := storetest.Now
	g = tokens.NewGuard(auth, func() time.Time { return now })
	t.Cleanup(g.Close)
	return db, lookup, g, &now
}

// exhaust fails from an address until it may fail no more.
func exhaust(t *testing.T, g *tokens.Guard, from netip.Addr) (failures int) {
	t.Helper()
	for range 1000 {
		if _, err := g.Authenticate(t.Context(), from, "rubbish"); tenancy.CodeOf(err) == tenancy.RateLimited {
			return failures
		}
		failures++
	}
	t.Fatal("an address may fail for ever")
	return 0
}

func TestGuard_OnlyFailuresCount(t *testing.T) {
	t.Parallel()
	db, lookup, g, now := guarded(t)
	acme := db.Tenant(t, "acme")
	good, late := acme.FullToken(t), acme.FullToken(t)
	attacker, other := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	for range 300 {
		_, err := g.Authenticate(t.Context(), attacker, good)
		require.NoError(t, err)
	}
	require.Equal(t, 100, exhaust(t, g, attacker), "what worked cost nothing")
	asked := lookup.asked.Load()
	require.EqualValues(t, 300, asked, "malformed tokens cost no look-up")

	_, err := g.Authenticate(t.Context(), attacker, good)
	require.NoError(t, err, "a token that worked goes on working from there")
	_, err = g.Authenticate(t.Context(), attacker, late)
	require.NoError(t, err, "so does a new one")
	_, err = g.Authenticate(t.Context(), netip.MustParseAddr("::ffff:203.0.113.7"), "rubbish")
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err), "the same address, mapped")
	_, err = g.Authenticate(t.Context(), other, "rubbish")
	require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err), "its neighbour is not held back")

	var limited *tenancy.Error
	_, err = g.Authenticate(t.Context(), attacker, "rubbish")
	require.ErrorAs(t, err, &limited)
	require.Positive(t, limited.RetryAfter)
	*now = now.Add(limited.RetryAfter)
	_, err = g.Authenticate(t.Context(), attacker, "rubbish")
	require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err), "after the time it names")
}

func TestGuard_RevokedIsNoLongerProven(t *testing.T) {
	t.Parallel()
	db, _, g, _ := guarded(t)
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	from := netip.MustParseAddr("203.0.113.7")
	_, err := g.Authenticate(t.Context(), from, plain)
	require.NoError(t, err)
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	exhaust(t, g, from)
	for range 3 {
		_, err = g.Authenticate(t.Context(), from, plain)
		require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err))
	}
}

func TestGuard_OneIPv6ClientIsANetwork(t *testing.T) {
	t.Parallel()
	_, _, g, _ := guarded(t)
	exhaust(t, g, netip.MustParseAddr("2001:db8:1:2::1"))
	_, err := g.Authenticate(t.Context(), netip.MustParseAddr("2001:db8:1:2:ffff::9"), "rubbish")
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err))
	_, err = g.Authenticate(t.Context(), netip.MustParseAddr("2001:db8:1:3::1"), "rubbish")
	require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err))
	exhaust(t, g, netip.Addr{})
}

// TestGuard_LookupsOfAFloodAreBounded tries well-formed tokens from one address,
// many at once. The database is asked for what the bucket holds, then by one at a
// time for a short queue; the rest is answered at once.
func TestGuard_LookupsOfAFloodAreBounded(t *testing.T) {
	t.Parallel()
	_, lookup, g, _ := guarded(t)
	hold := make(chan struct{})
	lookup.pause = func() { <-hold }
	from := netip.MustParseAddr("203.0.113.7")
	done := make(chan error)
	for range 1000 {
		go func() {
			plain, _ := tokens.Mint("acme")
			_, err := g.Authenticate(t.Context(), from, plain)
			done <- err
		}()
	}
	for range 1000 - 164 {
		require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(<-done), "answered while the database is still being asked")
	}
	require.LessOrEqual(t, lookup.asked.Load(), int64(101))
	close(hold)
	for range 164 {
		require.Error(t, <-done)
	}
	require.EqualValues(t, 164, lookup.asked.Load())
}
