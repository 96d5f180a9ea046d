package tenancy

import (
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// bucketsKept bounds the memory of a Throttle; a bucket that was not used for
// bucketIdle is full again and can be forgotten.
const (
	bucketsKept = 100_000
	bucketIdle  = 2 * time.Minute
)

// Throttle holds every tenant and token to its limits with token buckets, reads
// and writes apart. It is safe for concurrent use.
type Throttle struct {
	limits  func(plan string) Limits
	now     func() time.Time
	buckets *otter.Cache[bucketKey, *rate.Limiter]

	mu      sync.Mutex
	running map[TenantID]int
}

type bucketKey struct {
	id    uuid.UUID
	write bool
	limit int // a changed plan gets a fresh bucket
}

// NewThrottle returns a Throttle with the given limits of each plan.
func NewThrottle(limits func(plan string) Limits, now func() time.Time) *Throttle {
	return &Throttle{
		limits: limits, now: now, running: map[TenantID]int{},
		buckets: otter.Must(&otter.Options[bucketKey, *rate.Limiter]{
			MaximumSize:      bucketsKept,
			ExpiryCalculator: otter.ExpiryAccessing[bucketKey, *rate.Limiter](bucketIdle),
		}),
	}
}

// Close stops the housekeeping of the buckets.
func (t *Throttle) Close() { t.buckets.StopAllGoroutines() }

// Enter counts a call as running; leave must follow. It fails with RateLimited
// when the tenant has as many calls in progress as its plan allows.
func (t *Throttle) Enter(p Principal) (leave func(), err error) {
	limit := t.limits(p.Plan).Concurrent
	t.mu.Lock()
	defer t.mu.Unlock()
	if limit > 0 && t.running[p.TenantID] >= limit {
		return nil, limited(time.Second, "%d calls of this tenant are running, as many as its plan allows.", limit)
	}
	t.running[p.TenantID]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.running[p.TenantID]--; t.running[p.TenantID] == 0 {
			delete(t.running, p.TenantID)
		}
	}, nil
}

// Admit takes one call from the buckets of the token and of its tenant, or
// fails with RateLimited and the time until the next is free. A refusal by the
// tenant's bucket costs the token nothing.
func (t *Throttle) Admit(p Principal, write bool) error {
	l := t.limits(p.Plan)
	perToken, perTenant, what := l.TokenReads, l.TenantReads, "reads"
	if write {
		perToken, perTenant, what = l.TokenWrites, l.TenantWrites, "writes"
	}
	now := t.now()
	token, wait := t.take(bucketKey{p.Caller(), write, perToken}, now)
	if wait > 0 {
		who := "token"
		if p.TokenID == uuid.Nil {
			who = "member"
		}
		return limited(wait, "%d %s a minute for this %s.", perToken, what, who)
	}
	if _, wait = t.take(bucketKey{p.TenantID, write, perTenant}, now); wait > 0 {
		if token != nil {
			token.CancelAt(now)
		}
		return limited(wait, "%d %s a minute for this tenant.", perTenant, what)
	}
	return nil
}

// take reserves one call now, or tells how long to wait for the next.
func (t *Throttle) take(key bucketKey, now time.Time) (*rate.Reservation, time.Duration) {
	if key.limit == 0 {
		return nil, 0
	}
	bucket, _ := t.buckets.ComputeIfAbsent(key, func() (*rate.Limiter, bool) {
		perSecond := rate.Limit(float64(key.limit) / time.Minute.Seconds())
		return rate.NewLimiter(perSecond, max(1, key.limit/2)), false
	})
	r := bucket.ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return nil, wait
	}
	return r, 0
}

func limited(wait time.Duration, format string, args ...any) error {
	e := Errorf(RateLimited, format, args...)
	e.Retry, e.RetryAfter = true, wait
	return e
}
