package tenancy

import (
	"sync"
	"sync/atomic"
	"time"
)

// Budget accounts for the memory that one tenant holds in this process. What is
// charged must be released; a charge beyond the limit is refused and changes
// nothing. It is safe for concurrent use; a nil Budget has no limit.
type Budget struct {
	limit   atomic.Int64
	used    atomic.Int64
	refused atomic.Int64
}

// NewBudget returns an empty budget of limit bytes.
func NewBudget(limit int64) *Budget {
	b := &Budget{}
	b.limit.Store(limit)
	return b
}

// Charge is what one request or one cached page holds of a Budget. It may grow
// until it is released.
type Charge struct {
	budget *Budget
	mu     sync.Mutex
	held   int64
	closed bool
}

// Open returns a charge of nothing.
func (b *Budget) Open() *Charge { return &Charge{budget: b} }

// Grow charges n bytes more, or fails with RateLimited and charges nothing. After
// Release it charges nothing and fails.
func (c *Charge) Grow(n int64) error {
	if c == nil || c.budget == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return Errorf(RateLimited, "The request is over.")
	}
	if err := c.budget.take(n); err != nil {
		return err
	}
	c.held += n
	return nil
}

// Release gives everything back. Twice is once.
func (c *Charge) Release() {
	if c.budget == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.budget.used.Add(-c.held)
	}
}

// Reserve charges n bytes until release is called, or fails as Grow does.
func (b *Budget) Reserve(n int64) (release func(), err error) {
	c := b.Open()
	if err := c.Grow(n); err != nil {
		return nil, err
	}
	return c.Release, nil
}

func (b *Budget) take(n int64) error {
	limit := b.limit.Load()
	if used := b.used.Add(n); used > limit {
		b.used.Add(-n)
		b.refused.Add(1)
		e := Errorf(RateLimited, "This tenant's memory on this server is used up (%d of %d MB).", (used-n)>>20, limit>>20).
			WithNext("Send fewer or smaller calls at once.")
		e.Retry, e.RetryAfter = true, time.Second
		return e
	}
	return nil
}

// Used returns the bytes that are charged now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Limit returns the bytes that may be charged.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// Refused returns how often a charge was refused.
func (b *Budget) Refused() int64 { return b.refused.Load() }
