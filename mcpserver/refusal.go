package mcpserver

import (
	"sync"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

// refusalEvery is how often the log names one of the tokens that did not work.
const refusalEvery = 10 * time.Second

// refusals counts the tokens that did not work since the last one in the log.
// They have no tenant whose audit could keep them; metrics count them all.
type refusals struct {
	mu     sync.Mutex
	logged time.Time
	silent int
}

// sample returns whether to log this refusal, and how many were left out before.
func (r *refusals) sample(now time.Time) (silent int, log bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.logged.IsZero() && now.Sub(r.logged) < refusalEvery {
		r.silent++
		return 0, false
	}
	silent, r.silent, r.logged = r.silent, 0, now
	return silent, true
}

// sampleRefusal logs some of the tokens that do not work, never their text.
func (s *Server) sampleRefusal(r *request, err error) {
	if silent, log := s.refusals.sample(s.now()); log {
		s.log.Info("token refused", "request", r.id, "client_ip", r.clientIP, "code", tenancy.CodeOf(err), "not_logged_before", silent)
	}
}
