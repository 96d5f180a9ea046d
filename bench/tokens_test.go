package bench

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// BenchmarkTokens measures what it costs to know who a token is, and how soon a
// revocation is in force on another node.
func BenchmarkTokens(b *testing.B) {
	db := open(b)
	acme := db.Tenant(b, "acme")
	plain := acme.FullToken(b)
	auth := tokens.NewAuthenticator(db.Store)
	b.Cleanup(auth.Close)
	auth.Follow(db.Store, func(tokens.Change) {})
	require.Eventually(b, auth.Healthy, 10*time.Second, 10*time.Millisecond)
	slug, hash, _ := tokens.Parse(plain)

	out := newTable("Validation of a token", "way", "one at a time, µs", "p99 µs", "a second, 16 at once")
	for _, way := range []struct {
		name string
		n    int
		ask  func() error
	}{
		{"remembered", 200_000, func() error { _, err := auth.Authenticate(b.Context(), plain); return err }},
		{"looked up in the database", 3_000, func() error { _, err := db.LookupToken(b.Context(), slug, hash); return err }},
	} {
		took := make([]time.Duration, way.n)
		for n := range took {
			start := time.Now()
			require.NoError(b, way.ask())
			took[n] = time.Since(start)
		}
		slices.Sort(took)
		var all sync.WaitGroup
		start := time.Now()
		for range 16 {
			all.Go(func() {
				for range way.n / 4 {
					if way.ask() != nil {
						b.Error("a token that works was refused")
						return
					}
				}
			})
		}
		all.Wait()
		rate := float64(16*(way.n/4)) / time.Since(start).Seconds()
		out.row(way.name, us(took[way.n/2]), us(took[way.n*99/100]), int(rate))
	}
	out.print()
	b.ReportMetric(0, "ns/op") // means nothing here
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

const revocations = 200

// BenchmarkRevocation revokes tokens on one node while they are in use on another,
// and measures until the other refuses: calls of tools, which the database checks, and
// tools/list, which waits for the word of the feed.
func BenchmarkRevocation(b *testing.B) {
	db := open(b)
	acme := db.Tenant(b, "acme")
	acme.Issues(b, acme.Project(b, "WEB", "Website"), "One")
	other := db.Reopen(b, storetest.Options{MaxConns: 8, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	auth := tokens.NewAuthenticator(other)
	b.Cleanup(auth.Close)
	s, err := mcpserver.New(mcpserver.Config{Store: other, Tokens: auth, Key: db.Key, PublicURL: publicURL, Version: "bench",
		Log: slog.New(slog.DiscardHandler), Limits: func(string) tenancy.Limits { return generous }})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	s.Follow()
	require.Eventually(b, auth.Healthy, 10*time.Second, 10*time.Millisecond)
	h := httptest.NewServer(s.Handler())
	b.Cleanup(h.Close)
	addr := h.Listener.Addr().String()

	out := newTable("From the start of a revocation on one node to the first refusal on another", "call", "p50 ms", "p99 ms", "served after the revocation returned")
	for _, call := range []struct {
		name    string
		message func(token string) []byte
	}{
		{"get_issue", func(token string) []byte { return legacy.call(token, "get_issue", `{"keys":"WEB-1"}`) }},
		{"tools/list", func(token string) []byte { return legacy.message(token, "tools/list", "", "") }},
	} {
		took, late := make([]time.Duration, revocations), 0
		for n := range took {
			token, plain := acme.Token(b, "short-lived", `{"issues":["read"]}`)
			var lateCalls int
			took[n], lateCalls = revokeInUse(b, addr, call.message(plain), func() error {
				return db.RevokeToken(context.WithoutCancel(b.Context()), acme.Scope(), "bench", token.ID)
			})
			late += lateCalls
		}
		slices.Sort(took)
		out.row(call.name, ms(took[revocations/2]), ms(took[revocations*99/100]), late)
	}
	out.print()
	b.ReportMetric(0, "ns/op") // means nothing here
}

// revokeInUse calls in a loop, revokes in the middle, and returns how long the calls
// went on, and how many that began after the revocation had returned were served.
func revokeInUse(b *testing.B, addr string, message []byte, revoke func() error) (time.Duration, int) {
	b.Helper()
	conn := newClient(b, addr)
	defer conn.close()
	require.NoError(b, conn.exchange(message))
	var started, returned time.Time
	var mu sync.Mutex
	go func() {
		begin := time.Now()
		mu.Lock()
		started = begin
		mu.Unlock()
		err := revoke()
		mu.Lock()
		defer mu.Unlock()
		returned = time.Now()
		if err != nil {
			b.Error(err)
		}
	}()
	late := 0
	for range 100_000 {
		mu.Lock()
		after := !returned.IsZero()
		mu.Unlock()
		err := conn.exchange(message)
		if err != nil {
			// After a hundred refusals the address has to wait: that is a refusal too.
			require.True(b, strings.Contains(err.Error(), "HTTP 401") || strings.Contains(err.Error(), "HTTP 429"), err)
			mu.Lock()
			defer mu.Unlock()
			return time.Since(started), late
		}
		if after {
			late++
		}
	}
	require.Fail(b, "a revoked token is never refused")
	return 0, 0
}
