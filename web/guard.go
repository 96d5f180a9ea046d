package web

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/colaflow/colaflow/tenancy"
)

// What requests without a session cost of an address's bucket: to look is cheap, so that
// an office behind one address can, and to fail is not.
const (
	costLook   = 1
	costSignIn = 10
	costFailed = 100
)

// guard names the request, sets the headers that every answer of the surface has, and
// refuses an address that names two tenants: whoever stands before us may have taken the
// other one.
func (s *Server) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := tenancy.NewRequest(s.ClientIP(r))
		r = r.WithContext(from.In(r.Context()))
		defer s.recover(w, r)
		h := w.Header()
		h.Set(tenancy.RequestHeader, from.ID)
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if len(r.URL.Query()["tenant"]) > 1 {
			s.fail(w, r, tenancy.Errorf(tenancy.InvalidValue, "The address names more than one tenant.").WithNext("Give ?tenant= once."))
			return
		}
		next(w, r)
	}
}

// recover answers for a handler that broke, unless it broke its answer off on purpose.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
}

// failed charges an address for a sign-in or renewal that did not work.
func (s *Server) failed(r *http.Request) { s.pace.Charge(s.ClientIP(r), costFailed) }
