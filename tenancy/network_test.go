package tenancy_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func TestParseNetworks(t *testing.T) {
	t.Parallel()
	list, err := tenancy.ParseNetworks([]string{" 10.1.2.3/8", "203.0.113.7", "2001:db8::1/32", "::ffff:192.0.2.0/120", "10.0.0.0/8"})
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.0/8", "192.0.2.0/24", "203.0.113.7/32", "2001:db8::/32"}, list.Strings())
	for _, bad := range []string{"", "10.0.0.0/33", "10.0.0", "example.com", "::1%eth0", "::ffff:0:0/90", "*", "10.0.0.1-10.0.0.9"} {
		_, err := tenancy.ParseNetworks([]string{bad})
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), bad)
	}
}

func TestNetworks_Allow(t *testing.T) {
	t.Parallel()
	list, err := tenancy.ParseNetworks([]string{"10.0.0.0/8", "2001:db8::/32"})
	require.NoError(t, err)
	for text, want := range map[string]bool{
		"10.9.9.9": true, "::ffff:10.9.9.9": true, "11.0.0.1": false, "::ffff:11.0.0.1": false,
		"2001:db8::5": true, "2001:db9::5": false, "::10.0.0.1": false,
	} {
		require.Equal(t, want, list.Allow(netip.MustParseAddr(text)), text)
	}
	require.True(t, list.Allow(netip.MustParseAddr("2001:db8::5%eth0")), "a zone names our side of the link, not the client")
	require.False(t, list.Allow(netip.Addr{}), "an unknown address is not on a list")
	require.True(t, tenancy.Networks{}.Allow(netip.Addr{}), "without a list every address may")
}

// TestNetworks_MappedIsIPv4 compares the two ways to write one IPv4 address.
func TestNetworks_MappedIsIPv4(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		four := func(name string) netip.Addr {
			return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)))
		}
		network := netip.PrefixFrom(four("network"), rapid.IntRange(0, 32).Draw(t, "bits"))
		mapped := netip.PrefixFrom(netip.AddrFrom16(network.Addr().As16()), network.Bits()+96)
		addr := four("address")
		for _, text := range []string{network.String(), mapped.String()} {
			list, err := tenancy.ParseNetworks([]string{text})
			if err != nil {
				t.Fatal(err)
			}
			for _, from := range []netip.Addr{addr, netip.AddrFrom16(addr.As16())} {
				if list.Allow(from) != network.Masked().Contains(addr) {
					t.Fatalf("%s from %s", text, from)
				}
			}
		}
	})
}

// FuzzClientAddr: a client cannot choose its address: no trusted proxy is taken for one,
// unless all are, and from a stranger the header says nothing.
func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1:80", "203.0.113.7, 10.0.0.2")
	f.Add("192.0.2.1:80", "203.0.113.7")
	f.Add("[::ffff:10.0.0.1]:1", "::1%eth0,, x")
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		addr := tenancy.ClientAddr(peer, []string{forwarded}, proxies)
		from, err := netip.ParseAddrPort(peer)
		switch {
		case err != nil:
			require.False(t, addr.IsValid())
		case !proxies[0].Contains(from.Addr().Unmap()):
			require.Equal(t, from.Addr().Unmap().WithZone(""), addr)
		default:
			require.True(t, addr.IsValid())
			require.False(t, addr.Is4In6())
			require.Empty(t, addr.Zone())
		}
	})
}

func FuzzParseNetworks(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "::ffff:10.0.0.0/104", "2001:db8::1", "::1%eth0", "1.2.3.4/0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := tenancy.ParseNetworks([]string{text})
		if err != nil {
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			return
		}
		again, err := tenancy.ParseNetworks(list.Strings())
		require.NoError(t, err)
		require.Equal(t, list, again, "what is written is read back")
		require.True(t, list.Allow(list[0].Addr()))
	})
}
