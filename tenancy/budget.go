package tenancy

import "sync/atomic"

// Budget accounts for the memory that one tenant holds in this process. What is
// reserved must be released; a request beyond the limit is refused and changes
// nothing. It is safe for concurrent use.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns an empty budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Reserve charges n bytes until release is called, or fails with PlanLimit.
func (b *Budget) Reserve(n int64) (release func(), err error) {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		e := Errorf(PlanLimit, "This tenant's memory on this server is used up (%d of %d MB).", b.used.Load()>>20, b.limit>>20).
			WithNext("Close pages or streams, or try again in a moment.")
		e.Retry = true
		return nil, e
	}
	var done atomic.Bool
	return func() {
		if !done.Swap(true) {
			b.used.Add(-n)
		}
	}, nil
}

// Used returns the bytes that are reserved now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Limit returns the bytes that may be reserved.
func (b *Budget) Limit() int64 { return b.limit }
