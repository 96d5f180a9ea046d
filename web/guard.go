package web

import (
	"net/http"
	"net/netip"

	"github.com/colaflow/colaflow/tenancy"
)

// What requests without a session cost of an address's bucket: to look is cheap, so that
// an office behind one address can, and to fail is not.
const (
	costLook   = 1
	costSignIn = 10
	costFailed = 100
)

// guard sets the headers that every answer of the surface has, and refuses an address
// that names two tenants: whoever stands before us may have taken the other one.
func (s *Server) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if len(r.URL.Query()["tenant"]) > 1 {
			s.fail(w, tenancy.Errorf(tenancy.InvalidValue, "The address names more than one tenant.").WithNext("Give ?tenant= once."))
			return
		}
		next(w, r)
	}
}

// failed charges an address for a sign-in or renewal that did not work.
func (s *Server) failed(r *http.Request) { s.pace.Charge(s.ClientIP(r), costFailed) }

// clientIP is a request's address as text; "" if it is not known.
func (s *Server) clientIP(r *http.Request) string {
	if addr := s.ClientIP(r); addr != (netip.Addr{}) {
		return addr.String()
	}
	return ""
}
