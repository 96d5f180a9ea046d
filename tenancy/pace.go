package tenancy

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// An address's bucket holds paceBurst and gains paceRate a second.
const (
	paceBurst = 1_200
	paceRate  = 10
	paceKept  = 100_000
	paceIdle  = 10 * time.Minute // longer than a bucket needs to fill up, also out of debt
)

// Pace slows down addresses that nobody has signed in at and that ask too often, in
// bounded memory. It is safe for concurrent use.
type Pace struct {
	now     func() time.Time
	buckets *otter.Cache[netip.Prefix, *rate.Limiter]
}

// NewPace returns a Pace. Close it.
func NewPace(now func() time.Time) *Pace {
	return &Pace{now: now, buckets: otter.Must(&otter.Options[netip.Prefix, *rate.Limiter]{
		MaximumSize: paceKept, ExpiryCalculator: otter.ExpiryAccessing[netip.Prefix, *rate.Limiter](paceIdle),
	})}
}

// Close stops the housekeeping of the buckets.
func (p *Pace) Close() { p.buckets.StopAllGoroutines() }

// Take pays for a request, or fails with RateLimited and the time until it could. What
// costs nothing is refused to who is in debt.
func (p *Pace) Take(from netip.Addr, cost int) error {
	now := p.now()
	paid := p.bucket(from).ReserveN(now, cost)
	wait := paid.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	paid.CancelAt(now)
	return limited(wait, "Too many requests from this address.")
}

// Charge makes an address pay for what it got wrong, also what it does not have: it
// waits the longer for its next Take.
func (p *Pace) Charge(from netip.Addr, cost int) { p.bucket(from).ReserveN(p.now(), cost) }

// bucket is that of an address. An IPv6 client has a whole /64 to itself, so that is
// its address; unknown ones share a bucket.
func (p *Pace) bucket(from netip.Addr) *rate.Limiter {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	key, _ := from.Prefix(bits)
	bucket, _ := p.buckets.ComputeIfAbsent(key, func() (*rate.Limiter, bool) { return rate.NewLimiter(paceRate, paceBurst), false })
	return bucket
}
