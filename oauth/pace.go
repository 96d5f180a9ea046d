package oauth

import (
	"net/http"
	"net/netip"

	"github.com/colaflow/colaflow/tenancy"
)

// What requests cost of an address's bucket.
const (
	costPage     = 1
	costToken    = 10
	costRegister = 100
)

// pace slows down addresses that ask too often.
type pace struct{ *tenancy.Pace }

// take pays for a request, or refuses it with slow_down.
func (p pace) take(from netip.Addr, cost int) error {
	if p.Take(from, cost) == nil {
		return nil
	}
	return &failure{"slow_down", "Too many requests from this address. Try again in a minute."}
}

// admit reports whether a person's address has paid for a page; if not, it is told.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, cost int) bool {
	if s.pace.take(s.ClientIP(r), cost) == nil {
		return true
	}
	w.Header().Set("Retry-After", "60")
	s.refusePage(w, http.StatusTooManyRequests, "Too many requests", "Wait a minute, then connect again.")
	return false
}
