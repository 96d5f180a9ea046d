package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// hostBase is the host that tenants are subdomains of, such as example.com.
type hostBase string

// slug returns the tenant that a request names: by subdomain of the base or of
// localhost, or by ?tenant= on the bare host. ok is false for a foreign host or
// for two names.
func (b hostBase) slug(r *http.Request) (slug string, ok bool) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	all := r.URL.Query()["tenant"]
	if len(all) > 1 {
		return "", false
	}
	asked := strings.Join(all, "")
	if _, err := netip.ParseAddr(host); err == nil || host == string(b) || host == "localhost" {
		return asked, asked == "" || tenancy.ValidSlug(asked)
	}
	for _, base := range []string{string(b), "localhost"} {
		if sub, found := strings.CutSuffix(host, "."+base); found {
			return sub, tenancy.ValidSlug(sub) && (asked == "" || asked == sub)
		}
	}
	return "", false
}

// errOtherTenant answers an explicit request across tenants.
var errOtherTenant = tenancy.Errorf(tenancy.Forbidden, "This address belongs to another tenant.").WithNext("Use your own tenant's address.")

// checkTenant refuses a credential of one tenant at an address that names another.
func (s *Server) checkTenant(r *http.Request, own tenancy.Tenant) error {
	slug, ok := s.base.slug(r)
	if !ok || slug != "" && slug != own.Slug {
		return errOtherTenant
	}
	return nil
}

// isAddress reports whether a host is an IP address, which has no subdomains.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
