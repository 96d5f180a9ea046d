package oauth

import (
	"errors"
	"net/http"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// failure is an error of the protocol: a code that clients act on and one sentence.
type failure struct {
	code string
	text string
}

func (f *failure) Error() string { return f.code + ": " + f.text }

// fail answers an error in JSON (RFC 6749, 5.2). What is not a failure of the
// protocol is a server_error, and its text stays in the log. A tenant that is suspended
// may be resumed: clients that heard invalid_grant would have thrown away what they hold.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := s.failureOf(r, err, "invalid_grant")
	if tenancy.CodeOf(err) == tenancy.TenantIsSuspended {
		f.code = "temporarily_unavailable"
	}
	status := http.StatusBadRequest
	switch f.code {
	case "slow_down":
		w.Header().Set("Retry-After", "60")
		status = http.StatusTooManyRequests
	case "temporarily_unavailable":
		w.Header().Set("Retry-After", "2")
		status = http.StatusServiceUnavailable
	case "server_error":
		status = http.StatusInternalServerError
	case "invalid_client":
		status = http.StatusUnauthorized
	}
	writeJSON(w, status, map[string]string{"error": f.code, "error_description": f.text})
}

// failureOf says any error as a failure of the protocol. refused is the code for what the
// tenant's or the person's state forbids: each endpoint has its own.
func (s *Server) failureOf(r *http.Request, err error, refused string) *failure {
	var known *failure
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrInvalidGrant):
		return &failure{"invalid_grant", "The code or refresh token is unknown, used, expired or revoked, or was not given to this client."}
	case errors.Is(err, store.ErrInvalidScope):
		return &failure{"invalid_scope", "The scope is more than what was allowed. Ask the person again, at the authorization endpoint."}
	case errors.Is(err, store.ErrInvalidTarget):
		return &failure{"invalid_target", "The resource is not the one that was allowed."}
	}
	switch tenancy.CodeOf(err) {
	case tenancy.Unavailable:
		return &failure{"temporarily_unavailable", "The database does not answer. Try again in a moment."}
	case tenancy.Unauthenticated:
		return &failure{refused, "The person is no active member any more, or has another role. Ask again."}
	case tenancy.TenantIsSuspended:
		return &failure{refused, "This tenant is suspended."}
	case tenancy.PlanLimit, tenancy.Forbidden, tenancy.NotFound, tenancy.InvalidValue:
		var public *tenancy.Error
		errors.As(err, &public)
		return &failure{refused, public.Sentence()}
	}
	id := tenancy.RequestOf(r.Context()).ID
	s.Log.Error("OAuth request failed", "request", id, "error", err)
	return &failure{"server_error", "Something went wrong here. Try again; tell your admin the request id if it happens again: " + id + "."}
}
