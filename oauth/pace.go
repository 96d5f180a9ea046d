package oauth

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// What requests cost of an address's bucket, which holds paceBurst and gains one a second.
const (
	costToken    = 1
	costRegister = 10
	paceBurst    = 120
	paceKept     = 100_000
	paceIdle     = 3 * time.Minute // longer than a bucket needs to fill up
)

// pace slows down addresses that ask too often, in bounded memory.
type pace struct {
	now     func() time.Time
	buckets *otter.Cache[netip.Prefix, *rate.Limiter]
}

func newPace(now func() time.Time) *pace {
	return &pace{now: now, buckets: otter.Must(&otter.Options[netip.Prefix, *rate.Limiter]{
		MaximumSize: paceKept, ExpiryCalculator: otter.ExpiryAccessing[netip.Prefix, *rate.Limiter](paceIdle),
	})}
}

func (p *pace) close() { p.buckets.StopAllGoroutines() }

// take pays for a request, or refuses it with slow_down. An IPv6 client has a whole
// /64 to itself, so that is its address.
func (p *pace) take(from netip.Addr, cost int) error {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	key, _ := from.Prefix(bits) // an unknown address shares the bucket of all unknown ones
	bucket, _ := p.buckets.ComputeIfAbsent(key, func() (*rate.Limiter, bool) { return rate.NewLimiter(1, paceBurst), false })
	if bucket.AllowN(p.now(), cost) {
		return nil
	}
	return &failure{"slow_down", "Too many requests from this address. Try again in a minute."}
}
