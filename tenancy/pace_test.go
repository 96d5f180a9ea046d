package tenancy_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func TestPace(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := tenancy.NewPace(c.now)
	t.Cleanup(p.Close)
	me, neighbour := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:0:ffff::1")
	require.NoError(t, p.Take(me, 1_190))
	require.NoError(t, p.Take(neighbour, 10), "one /64 is one client")
	var limited *tenancy.Error
	require.ErrorAs(t, p.Take(me, 100), &limited)
	require.Equal(t, tenancy.RateLimited, limited.Code)
	require.Equal(t, 10*time.Second, limited.RetryAfter)
	require.ErrorAs(t, p.Take(me, 100), &limited)
	require.Equal(t, 10*time.Second, limited.RetryAfter, "a refusal costs nothing")
	for _, other := range []string{"2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.2"} {
		require.NoError(t, p.Take(netip.MustParseAddr(other), 1_200), other)
	}
	require.Error(t, p.Take(netip.MustParseAddr("::ffff:192.0.2.1"), 10), "a mapped address is the same client")
	c.advance(10 * time.Second)
	require.NoError(t, p.Take(me, 100))

	p.Charge(me, 600)
	require.Error(t, p.Take(me, 0))
	require.NoError(t, p.Take(netip.MustParseAddr("192.0.2.2"), 0), "it has nothing, but owes nothing")
	require.ErrorAs(t, p.Take(me, 10), &limited)
	require.Equal(t, 61*time.Second, limited.RetryAfter, "debts are paid first")
	c.advance(61 * time.Second)
	require.NoError(t, p.Take(me, 10))
	require.NoError(t, p.Take(netip.Addr{}, 1_200))
	require.Error(t, p.Take(netip.Addr{}, 10), "the unknown share a bucket")
}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, test := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		{"10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		require.Equal(t, test.want, tenancy.ClientAddr(test.peer, test.forwarded, proxies).String(), test)
	}
}
