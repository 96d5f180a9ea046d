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

// Strings returns the networks in CIDR form.
func (n Networks) Strings() []string {
	texts := make([]string, 0, len(n))
	for _, network := range n {
		texts = append(texts, network.String())
	}
	return texts
}
