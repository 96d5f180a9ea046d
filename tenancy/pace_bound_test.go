package tenancy

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAttack072_PaceIsBounded: more addresses than are remembered take no more room, and
// those that stay away are forgotten.
func TestAttack072_PaceIsBounded(t *testing.T) {
	t.Parallel()
	p := NewPace(func() time.Time { return time.Unix(0, 0) })
	t.Cleanup(p.Close)
	for n := range paceKept + 20_000 {
		require.NoError(t, p.Take(netip.AddrFrom4([4]byte{11, byte(n >> 16), byte(n >> 8), byte(n)}), 100))
	}
	p.buckets.CleanUp()
	require.LessOrEqual(t, p.buckets.EstimatedSize(), paceKept)
	require.Greater(t, paceIdle.Seconds()*paceRate, float64(2*paceBurst), "a bucket that is forgotten would be full")
}
