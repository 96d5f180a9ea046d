package mcpserver

import (
	"context"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// authenticate finds the principal of the request's token, or answers: 400 for
// several tokens, 401 with the same bytes for every token that does not work.
func (s *Server) authenticate(w http.ResponseWriter, hr *http.Request, r *request) bool {
	token, given, ok := bearer(hr.Header)
	switch {
	case !given:
		r.outcome = string(tenancy.Unauthenticated)
		r.challenge(w, s.offer(r))
		refuse(w, http.StatusUnauthorized, "unauthorized", "Send a token: Authorization: Bearer mcp_...")
		return false
	case !ok:
		r.challenge(w, 0, "error", "invalid_request")
		refuse(w, http.StatusBadRequest, "invalid_request", "Send one Authorization header of the form: Bearer mcp_...")
		return false
	}
	var err error
	r.token = token
	if r.principal, err = s.guard.Authenticate(hr.Context(), r.address(), token); err == nil {
		if err = checkAddress(r); err != nil {
			r.refused = err
			s.recordRefusal(hr.Context(), r)
			s.refuseToken(w, r, err)
		}
		return err == nil
	}
	r.outcome = string(tenancy.CodeOf(err))
	switch {
	case isRefusal(err):
		s.sampleRefusal(r, err)
		s.refuseToken(w, r, err)
	case tenancy.CodeOf(err) == tenancy.RateLimited:
		s.sampleRefusal(r, err)
		s.tooMany(w, r, err)
	default:
		s.unavailable(w, r, err)
	}
	return false
}

// checkAddress refuses a token outside the networks that it may be used from.
// Calls without an address, as over stdio, are outside every network.
func checkAddress(r *request) error {
	if r.principal.Networks.Allow(r.address()) {
		return nil
	}
	return tenancy.Errorf(tenancy.AddressNotAllowed, "Token %q may not be used from this address.", r.principal.TokenName).
		WithNext("An admin can change its networks. Do not retry.")
}

// refuseToken is the uniform answer to a token that does not work.
func (s *Server) refuseToken(w http.ResponseWriter, r *request, err error) {
	switch tenancy.CodeOf(err) {
	case tenancy.TenantIsSuspended:
		refuse(w, http.StatusForbidden, "tenant_suspended", "This tenant is suspended.")
		return
	case tenancy.AddressNotAllowed:
		refuse(w, http.StatusForbidden, "ip_not_allowed", "This token may not be used from this address.")
		return
	}
	r.challenge(w, s.offer(r), "error", "invalid_token")
	refuse(w, http.StatusUnauthorized, "invalid_token", "The token is unknown, expired or revoked.")
}

// checkToken asks the database whether the token still works, for methods that
// read no data and so would not notice. Dispatch does it for the others, in the
// transaction of their data.
func (s *Server) checkToken(ctx context.Context, r *request) bool {
	switch mcp.MCPMethod(r.message.method) {
	case mcp.MethodToolsCall, mcp.MethodResourcesRead, mcp.MethodPromptsGet, mcp.MethodResourcesList, mcp.MethodCompletionComplete:
		return true
	}
	if s.tokens.Healthy() {
		return true // the feed has brought every revocation
	}
	err := s.enter(ctx, r, func(*store.Tx) error { return nil })
	if isRefusal(err) {
		r.refused = err
	} else {
		r.failed = err // closed, while nobody can say whether the token still works
	}
	return err == nil
}

// enter runs fn in a read transaction of the request's token. If the cached
// principal is stale, it is read again once.
func (s *Server) enter(ctx context.Context, r *request, fn func(*store.Tx) error) error {
	read := func() error {
		return s.store.Read(ctx, store.ForPrincipal(r.principal).For(knownMethod(r.message.method)), func(tx *store.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return tx.Ensure(ctx)
		})
	}
	err := read()
	if tenancy.CodeOf(err) == tenancy.Unauthenticated {
		if err = s.refresh(ctx, r); err == nil {
			err = read()
		}
	}
	return cutOff(ctx, err)
}
