package tenancy_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	b := tenancy.NewBudget(3 << 20)
	first := b.Open()
	require.NoError(t, first.Grow(1<<20))
	require.NoError(t, first.Grow(1<<20))
	second := b.Open()
	err := second.Grow(2 << 20)
	require.EqualError(t, err, "rate_limited: This tenant's memory on this server is used up (2 of 3 MB). Send fewer or smaller calls at once.")
	var limited *tenancy.Error
	require.ErrorAs(t, err, &limited)
	require.True(t, limited.Retry)
	require.Equal(t, time.Second, limited.RetryAfter)
	require.EqualValues(t, 2<<20, b.Used(), "a refusal charges nothing")
	require.EqualValues(t, 1, b.Refused())
	require.NoError(t, second.Grow(1<<20), "what fits is not refused")
	first.Release()
	first.Release()
	require.EqualValues(t, 1<<20, b.Used())
	require.Error(t, first.Grow(1), "whoever writes after the end holds nothing")
	second.Release()
	require.Zero(t, b.Used())

	var none *tenancy.Budget
	c := none.Open()
	require.NoError(t, c.Grow(1<<40), "no budget, no limit")
	c.Release()
}

// TestBudget_Model compares a budget with a sum.
func TestBudget_Model(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(0, 1000).Draw(t, "limit")
		b := tenancy.NewBudget(limit)
		type open struct {
			charge *tenancy.Charge
			held   int64
		}
		var charges []*open
		sum := func() (n int64) {
			for _, c := range charges {
				n += c.held
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"open": func(*rapid.T) { charges = append(charges, &open{charge: b.Open()}) },
			"grow": func(t *rapid.T) {
				if len(charges) == 0 {
					t.Skip("nothing open")
				}
				c := rapid.SampledFrom(charges).Draw(t, "charge")
				n := rapid.Int64Range(0, 400).Draw(t, "bytes")
				fits := sum()+n <= limit
				if err := c.charge.Grow(n); (err == nil) != fits {
					t.Fatalf("%d more of %d with %d held: %v", n, limit, sum(), err)
				}
				if fits {
					c.held += n
				}
			},
			"release": func(t *rapid.T) {
				if len(charges) == 0 {
					t.Skip("nothing open")
				}
				at := rapid.IntRange(0, len(charges)-1).Draw(t, "charge")
				charges[at].charge.Release()
				charges = append(charges[:at:at], charges[at+1:]...)
			},
			"": func(t *rapid.T) {
				if b.Used() != sum() {
					t.Fatalf("%d are charged and %d held", b.Used(), sum())
				}
			},
		})
	})
}

// TestBudget_AtOnce charges from many sides: never beyond the limit, and nothing stays.
func TestBudget_AtOnce(t *testing.T) {
	t.Parallel()
	b := tenancy.NewBudget(1000)
	var refused atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 200 {
				c := b.Open()
				for range 5 {
					if c.Grow(30) != nil {
						refused.Add(1)
						break
					}
				}
				if b.Used() > 1000+64*30 { // those that were about to be refused count for a moment
					t.Error("beyond the limit")
				}
				c.Release()
			}
		})
	}
	wg.Wait()
	require.Zero(t, b.Used())
	require.Equal(t, refused.Load(), b.Refused())
}
