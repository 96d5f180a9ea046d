package mcpserver

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// gate decides by Host and Origin whether a request may come in at all: it keeps
// web pages and rebound DNS names away from a server on the person's machine.
type gate struct {
	hosts   []string // lower-case, without port; ".example.com" means any subdomain
	origins []string
}

func newGate(public *url.URL, hosts, origins []string) gate {
	g := gate{hosts: []string{strings.ToLower(public.Hostname()), "localhost", ".localhost"},
		origins: []string{strings.ToLower(public.Scheme + "://" + public.Host)}}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.TrimPrefix(h, "*")))
	}
	g.origins = append(g.origins, origins...)
	if isLoopback(public.Hostname()) { // one server, by whichever of its names a page was opened
		port := ""
		if p := public.Port(); p != "" {
			port = ":" + p
		}
		for _, name := range []string{"localhost", "127.0.0.1", "[::1]"} {
			g.origins = append(g.origins, public.Scheme+"://"+name+port)
		}
	}
	return g
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}

// admits reports whether Host and Origin are ours. A request without Origin
// does not come from a page. An address as Host cannot be a rebound name.
func (g gate) admits(r *http.Request) bool {
	if origins := r.Header.Values("Origin"); len(origins) > 1 || len(origins) == 1 && !slices.Contains(g.origins, origins[0]) {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return slices.ContainsFunc(g.hosts, func(h string) bool {
		return h == host || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h)
	})
}

// clientIP is where the request comes from, as far as the proxies are trusted.
func clientIP(r *http.Request, proxies []netip.Prefix) netip.Addr {
	return tenancy.ClientAddr(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), proxies)
}
