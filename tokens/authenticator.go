package tokens

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/colaflow/colaflow/tenancy"
)

// Lookup is what the Authenticator needs from the database. It returns the
// principal of an active token, or a tenancy.Error of code Unauthenticated
// (unknown, revoked, expired, disabled owner) or TenantIsSuspended.
type Lookup interface {
	LookupToken(ctx context.Context, slug string, hash Hash) (tenancy.Principal, error)
}

const (
	cacheFor  = 5 * time.Minute
	cacheSize = 100_000
)

// verdict is what is remembered of a token: its principal, or that it was refused.
type verdict struct {
	principal tenancy.Principal
	refused   bool
}

// keepFor is how long the verdict may be remembered: never beyond the token's
// end, which the database measured, so that no node's own clock matters.
func (v verdict) keepFor() time.Duration {
	if left := v.principal.ExpiresIn; left > 0 {
		return min(left, cacheFor)
	}
	return cacheFor
}

// errUnauthenticated is the one answer for every token that does not work.
var errUnauthenticated = tenancy.Errorf(tenancy.Unauthenticated, "The token is missing, unknown, expired or revoked.").
	WithNext("Ask an admin of your tenant for a new token.")

// Authenticator turns a plain token into a principal. While its feed is healthy
// it remembers answers, refusals too, for 5 minutes to save a round trip. A
// stale answer cannot reach data, because every transaction checks the token's
// epoch again (store.Scope).
type Authenticator struct {
	lookup     Lookup
	known      *otter.Cache[Hash, verdict]
	healthy    atomic.Bool
	generation atomic.Uint64 // raised by every change, before the cache forgets
	stop       func()        // ends following the feed
}

// NewAuthenticator returns an Authenticator over the given lookup. It caches
// nothing until Follow has a healthy feed.
func NewAuthenticator(lookup Lookup) *Authenticator {
	return &Authenticator{
		lookup: lookup,
		stop:   func() {},
		known: otter.Must(&otter.Options[Hash, verdict]{
			MaximumSize:      cacheSize,
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[Hash, verdict]) time.Duration { return e.Value.keepFor() }),
		}),
	}
}

// Close stops following the feed, and the cache's housekeeping.
func (a *Authenticator) Close() {
	a.stop()
	a.known.StopAllGoroutines()
}

// Authenticate returns the principal of a plain token. A malformed token is
// refused without asking the database.
func (a *Authenticator) Authenticate(ctx context.Context, plain string) (tenancy.Principal, error) {
	slug, hash, ok := Parse(plain)
	if !ok {
		return tenancy.Principal{}, errUnauthenticated
	}
	if v, ok := a.known.GetIfPresent(hash); ok {
		if v.refused {
			return tenancy.Principal{}, errUnauthenticated
		}
		return v.principal, nil
	}
	return a.load(ctx, slug, hash)
}

// Refresh forgets what is remembered of a token and asks the database. Dispatch
// calls it when a transaction reports that the remembered epoch has passed.
func (a *Authenticator) Refresh(ctx context.Context, plain string) (tenancy.Principal, error) {
	slug, hash, ok := Parse(plain)
	if !ok {
		return tenancy.Principal{}, errUnauthenticated
	}
	a.known.Invalidate(hash)
	return a.load(ctx, slug, hash)
}

func (a *Authenticator) load(ctx context.Context, slug string, hash Hash) (tenancy.Principal, error) {
	before := a.generation.Load()
	p, err := a.lookup.LookupToken(ctx, slug, hash)
	refused := tenancy.CodeOf(err) == tenancy.Unauthenticated
	if err != nil && !refused {
		return tenancy.Principal{}, err
	}
	a.remember(hash, verdict{p, refused}, before)
	if refused {
		return tenancy.Principal{}, errUnauthenticated
	}
	return p, nil
}

// remember caches an answer unless something changed since it was read.
func (a *Authenticator) remember(hash Hash, v verdict, before uint64) {
	if !a.healthy.Load() || a.generation.Load() != before {
		return
	}
	a.known.Set(hash, v)
	if a.generation.Load() != before { // a change came between the look and the set
		a.known.Invalidate(hash)
	}
}
