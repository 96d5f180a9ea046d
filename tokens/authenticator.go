package tokens

import (
	"context"
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

// errUnauthenticated is the one answer for every token that does not work.
var errUnauthenticated = tenancy.Errorf(tenancy.Unauthenticated, "The token is missing, unknown, expired or revoked.").
	WithNext("Ask an admin of your tenant for a new token.")

// Authenticator turns a plain token into a principal. It remembers answers for
// 5 minutes to save a round trip; a stale answer cannot reach data, because
// every transaction checks the token's epoch again (store.Scope).
type Authenticator struct {
	lookup Lookup
	known  *otter.Cache[Hash, tenancy.Principal]
}

// NewAuthenticator returns an Authenticator over the given lookup.
func NewAuthenticator(lookup Lookup) *Authenticator {
	return &Authenticator{
		lookup: lookup,
		known: otter.Must(&otter.Options[Hash, tenancy.Principal]{
			MaximumSize:      cacheSize,
			ExpiryCalculator: otter.ExpiryWriting[Hash, tenancy.Principal](cacheFor),
		}),
	}
}

// Close stops the cache's housekeeping.
func (a *Authenticator) Close() { a.known.StopAllGoroutines() }

// Authenticate returns the principal of a plain token. A malformed token is
// refused without asking the database.
func (a *Authenticator) Authenticate(ctx context.Context, plain string) (tenancy.Principal, error) {
	slug, hash, ok := Parse(plain)
	if !ok {
		return tenancy.Principal{}, errUnauthenticated
	}
	if p, ok := a.known.GetIfPresent(hash); ok {
		return p, nil
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
	p, err := a.lookup.LookupToken(ctx, slug, hash)
	if tenancy.CodeOf(err) == tenancy.Unauthenticated {
		return tenancy.Principal{}, errUnauthenticated
	}
	if err != nil {
		return tenancy.Principal{}, err
	}
	a.known.Set(hash, p)
	return p, nil
}
