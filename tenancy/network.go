package tenancy

import (
	"net/netip"
	"slices"
	"strings"
)

// maxNetworks bounds the allow list of one token.
const maxNetworks = 100

// Networks is a list of networks that a token may be used from, IPv4 and IPv6.
// The empty list allows every address.
type Networks []netip.Prefix

// ParseNetworks reads addresses and networks in CIDR form. IPv4-mapped ones are
// taken as IPv4, host bits are cleared, and what is not understood is refused.
func ParseNetworks(texts []string) (Networks, error) {
	list := make(Networks, 0, len(texts))
	for _, text := range texts {
		network, ok := parseNetwork(strings.TrimSpace(text))
		if !ok {
			return nil, Errorf(InvalidValue, "%q is not an IP address or network.", text).
				WithNext("Use the form 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32.")
		}
		list = append(list, network)
	}
	slices.SortFunc(list, netip.Prefix.Compare)
	if list = slices.Compact(list); len(list) > maxNetworks {
		return nil, Errorf(TooLarge, "%d networks are too many; a token may have %d.", len(list), maxNetworks)
	}
	return list, nil
}

func parseNetwork(text string) (netip.Prefix, bool) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		network = netip.PrefixFrom(addr, addr.BitLen())
	}
	if addr, bits := network.Addr(), network.Bits(); addr.Is4In6() {
		if bits < 96 {
			return netip.Prefix{}, false // neither the mapped range nor a network of it
		}
		network = netip.PrefixFrom(addr.Unmap(), bits-96)
	}
	return network.Masked(), true
}

// Allow reports whether a client with this address may use the token. An
// unknown address is allowed by the empty list only.
func (n Networks) Allow(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return len(n) == 0 || slices.ContainsFunc(n, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// ClientAddr is the address that a request comes from: the peer (host:port), or behind
// trusted proxies the right-most address of X-Forwarded-For that is not one of them.
// The zero address if the peer is not known.
func ClientAddr(peer string, forwarded []string, proxies []netip.Prefix) netip.Addr {
	from, err := netip.ParseAddrPort(peer)
	if err != nil {
		return netip.Addr{}
	}
	addr := from.Addr().Unmap().WithZone("")
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap().WithZone("")
	}
	return addr
}

// Strings returns the networks in CIDR form.
func (n Networks) Strings() []string {
	texts := make([]string, 0, len(n))
	for _, network := range n {
		texts = append(texts, network.String())
	}
	return texts
}
