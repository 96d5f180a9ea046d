package tokens

import (
	"context"
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/colaflow/colaflow/tenancy"
)

// One client address may fail failuresAtOnce times, then failuresPerSecond.
const (
	failuresAtOnce    = 100
	failuresPerSecond = 2
	addressesKept     = 100_000
	addressIdle       = 2 * time.Minute // longer than a bucket needs to fill up
	provenKept        = 100_000
	provenFor         = 24 * time.Hour
	queueLength       = 64
)

// Guard slows down addresses that try tokens which do not work, before they cost
// database look-ups. It never holds back a token that is remembered, or that has
// worked here in the last day; a new one from an address that failed too often
// queues for the one look-up that all such addresses share.
type Guard struct {
	auth      *Authenticator
	now       func() time.Time
	addresses *otter.Cache[netip.Prefix, *rate.Limiter]
	proven    *otter.Cache[Hash, struct{}]
	queue     chan struct{} // of those who wait for the lane, and the one in it
	lane      chan struct{} // held by the one look-up for exhausted addresses
}

// NewGuard returns a Guard before an Authenticator.
func NewGuard(auth *Authenticator, now func() time.Time) *Guard {
	return &Guard{
		auth: auth, now: now, queue: make(chan struct{}, queueLength), lane: make(chan struct{}, 1),
		addresses: otter.Must(&otter.Options[netip.Prefix, *rate.Limiter]{
			MaximumSize:      addressesKept,
			ExpiryCalculator: otter.ExpiryAccessing[netip.Prefix, *rate.Limiter](addressIdle),
		}),
		proven: otter.Must(&otter.Options[Hash, struct{}]{
			MaximumSize:      provenKept,
			ExpiryCalculator: otter.ExpiryAccessing[Hash, struct{}](provenFor),
		}),
	}
}

// Close stops the housekeeping of what the guard remembers.
func (g *Guard) Close() {
	g.addresses.StopAllGoroutines()
	g.proven.StopAllGoroutines()
}

// Authenticate is Authenticator.Authenticate for a client at an address. Instead
// of Unauthenticated it may fail with RateLimited and the time to wait.
func (g *Guard) Authenticate(ctx context.Context, from netip.Addr, plain string) (tenancy.Principal, error) {
	slug, hash, ok := Parse(plain)
	if !ok {
		return tenancy.Principal{}, g.failed(from)
	}
	if v, ok := g.auth.known.GetIfPresent(hash); ok {
		if v.refused {
			return tenancy.Principal{}, g.failed(from)
		}
		return v.principal, nil
	}
	if _, ok := g.proven.GetIfPresent(hash); ok {
		p, err := g.load(ctx, slug, hash)
		if refused(err) {
			err = g.failed(from)
		}
		return p, err
	}
	return g.try(ctx, from, slug, hash)
}

// try looks up a token that nobody has seen here. The failure that it may be is
// paid for first, so that a flood cannot ask faster than its bucket allows.
func (g *Guard) try(ctx context.Context, from netip.Addr, slug string, hash Hash) (tenancy.Principal, error) {
	now := g.now()
	paid, wait := g.pay(from, now)
	if wait > 0 {
		leave, ok := g.enterLane(ctx)
		if !ok {
			return tenancy.Principal{}, tooManyFailures(wait)
		}
		defer leave()
	}
	p, err := g.load(ctx, slug, hash)
	switch {
	case refused(err) && wait > 0:
		return tenancy.Principal{}, tooManyFailures(wait)
	case !refused(err) && wait == 0:
		paid.CancelAt(now)
	}
	return p, err
}

// enterLane waits for the one look-up of exhausted addresses, unless too many do.
func (g *Guard) enterLane(ctx context.Context) (leave func(), ok bool) {
	select {
	case g.queue <- struct{}{}:
	default:
		return nil, false
	}
	select {
	case g.lane <- struct{}{}:
		return func() { <-g.lane; <-g.queue }, true
	case <-ctx.Done():
		<-g.queue
		return nil, false
	}
}

// load asks the database, and remembers that a token worked.
func (g *Guard) load(ctx context.Context, slug string, hash Hash) (tenancy.Principal, error) {
	p, err := g.auth.load(ctx, slug, hash)
	switch {
	case err == nil:
		g.proven.Set(hash, struct{}{})
	case refused(err):
		g.proven.Invalidate(hash)
	}
	return p, err
}

// failed counts a failure: the uniform refusal while the address may fail.
func (g *Guard) failed(from netip.Addr) error {
	if _, wait := g.pay(from, g.now()); wait > 0 {
		return tooManyFailures(wait)
	}
	return errUnauthenticated
}

// pay takes one failure from the address's bucket, or tells how long to wait. An
// IPv6 client has a whole /64 to itself, so that is its address.
func (g *Guard) pay(from netip.Addr, now time.Time) (*rate.Reservation, time.Duration) {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	key, _ := from.Prefix(bits) // an unknown address shares the bucket of all unknown ones
	bucket, _ := g.addresses.ComputeIfAbsent(key, func() (*rate.Limiter, bool) {
		return rate.NewLimiter(failuresPerSecond, failuresAtOnce), false
	})
	r := bucket.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return r, wait
}

func refused(err error) bool { return tenancy.CodeOf(err) == tenancy.Unauthenticated }

func tooManyFailures(wait time.Duration) error {
	e := tenancy.Errorf(tenancy.RateLimited, "Too many tokens from this address did not work.")
	e.Retry, e.RetryAfter = true, wait
	return e
}
