package tenancy_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func limits(l tenancy.Limits) func(string) tenancy.Limits {
	return func(string) tenancy.Limits { return l }
}

func newThrottle(t *testing.T, l tenancy.Limits, now *time.Time) *tenancy.Throttle {
	t.Helper()
	th := tenancy.NewThrottle(limits(l), func() time.Time { return *now })
	t.Cleanup(th.Close)
	return th
}

func principal() tenancy.Principal {
	return tenancy.Principal{TenantID: tenancy.NewID(), TokenID: tenancy.NewID()}
}

func TestThrottle_Admit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	th := newThrottle(t, tenancy.Limits{TokenReads: 60, TokenWrites: 4, TenantWrites: 6}, &now)
	p := principal()
	for range 2 { // the burst is half a minute's worth
		require.NoError(t, th.Admit(p, true))
	}
	err := th.Admit(p, true)
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err))
	var limited *tenancy.Error
	require.ErrorAs(t, err, &limited)
	require.InDelta(t, 15, limited.RetryAfter.Seconds(), 0.1)
	require.NoError(t, th.Admit(p, false), "reads have a bucket of their own")
	now = now.Add(limited.RetryAfter)
	require.NoError(t, th.Admit(p, true))
	require.Error(t, th.Admit(p, true))

	other := p
	other.TokenID = tenancy.NewID()
	require.NoError(t, th.Admit(other, true))
	require.ErrorContains(t, th.Admit(other, true), "6 writes a minute for this tenant", "all its tokens share one bucket")
	require.NoError(t, th.Admit(principal(), true), "another tenant is not concerned")
}

func TestThrottle_PlanChangeIsInForceAtOnce(t *testing.T) {
	t.Parallel()
	th := tenancy.NewThrottle(tenancy.LimitsOf, newClock().now) // a minute's share grows with the time
	t.Cleanup(th.Close)
	p := principal()
	p.Plan = "free"
	admitted := 0
	for range 100 {
		if th.Admit(p, true) == nil {
			admitted++
		}
	}
	require.Equal(t, 60, admitted)
	p.Plan = "team"
	require.NoError(t, th.Admit(p, true))
}

func TestThrottle_Enter(t *testing.T) {
	t.Parallel()
	now := time.Now()
	th := newThrottle(t, tenancy.Limits{Concurrent: 3}, &now)
	p := principal()
	var most, current atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			leave, err := th.Enter(p)
			if err != nil {
				require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err))
				return
			}
			defer leave()
			n := current.Add(1)
			defer current.Add(-1)
			for {
				old := most.Load()
				if n <= old || most.CompareAndSwap(old, n) {
					break
				}
			}
			time.Sleep(time.Millisecond)
		})
	}
	wg.Wait()
	require.LessOrEqual(t, most.Load(), int64(3))
	leave, err := th.Enter(p)
	require.NoError(t, err, "all have left")
	leave()
}

func TestLimits_PerNode(t *testing.T) {
	t.Parallel()
	l := tenancy.Limits{TokenReads: 100, TokenWrites: 1}.PerNode(4)
	require.Equal(t, tenancy.Limits{TokenReads: 25, TokenWrites: 1}, l)
}
