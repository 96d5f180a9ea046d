package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// Why the context of a call ends whose token or tenant was ended meanwhile.
var (
	errCut       = errors.New("the token was revoked while the call was running")
	errTenantCut = fmt.Errorf("%w: its tenant was stopped", errCut)
	errMovedCut  = fmt.Errorf("%w: its networks no longer include the client", errCut)
)

// running knows the calls in progress, so that those of a revoked token can be
// cut off.
type running struct {
	mu    sync.Mutex
	calls map[*request]runningCall
}

type runningCall struct {
	ctx       context.Context
	principal tenancy.Principal
	token     string
	address   netip.Addr
	cancel    context.CancelCauseFunc
}

// start returns the call's context; the caller must call stop when it is over.
func (r *running) start(ctx context.Context, req *request) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls == nil {
		r.calls = map[*request]runningCall{}
	}
	r.calls[req] = runningCall{ctx, req.principal, req.token, req.address(), cancel}
	return ctx, func() {
		r.mu.Lock()
		delete(r.calls, req)
		r.mu.Unlock()
		cancel(nil)
	}
}

// cut ends every running call of a subject that may do nothing any more.
func (r *running) cut(c tokens.Change) {
	if !c.Ended {
		return
	}
	cause := errCut
	if c.Subject == tokens.SubjectTenant {
		cause = errTenantCut
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, call := range r.calls {
		if c.Concerns(call.principal) {
			call.cancel(cause)
		}
	}
}

// concerned lists the running calls of a subject.
func (r *running) concerned(c tokens.Change) (calls []runningCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, call := range r.calls {
		if c.Concerns(call.principal) {
			calls = append(calls, call)
		}
	}
	return calls
}

// review looks again at the running calls of a subject that changed, beside the
// feed: those whose token ended, or may no longer be used from where it is, are
// cut off. Any other change is seen by the next transaction.
func (s *Server) review(c tokens.Change) {
	calls := s.running.concerned(c)
	if c.Ended || len(calls) == 0 {
		return
	}
	go func() {
		for _, call := range calls {
			p, err := s.tokens.Authenticate(call.ctx, call.token)
			switch {
			case isRefusal(err):
				call.cancel(errCut)
			case err == nil && !p.Networks.Allow(call.address):
				call.cancel(errMovedCut)
			}
		}
	}()
}

// wasCut reports whether the call was ended by a revocation.
func wasCut(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errCut) }

// cutOff is what a failed call answers: if a revocation ended it, the error that
// its cancelled context caused says less than that.
func cutOff(ctx context.Context, err error) error {
	if err == nil || !wasCut(ctx) {
		return err
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTenantCut):
		return tenancy.Errorf(tenancy.TenantIsSuspended, "The tenant was stopped while the call was running.")
	case errors.Is(cause, errMovedCut):
		return tenancy.Errorf(tenancy.AddressNotAllowed, "The token's networks changed while the call was running.")
	}
	return tenancy.Errorf(tenancy.Unauthenticated, "The token was revoked while the call was running.")
}

// Follow starts following the revocation feed, until the Authenticator closes,
// and tells the others of every change too. Without it the server is as safe but
// slower: every token is looked up, and streams hear of changes at their heartbeat.
func (s *Server) Follow(others ...func(tokens.Change)) {
	s.store.FollowWork(s.hub.look)
	s.tokens.Follow(s.store, func(c tokens.Change) {
		s.running.cut(c)
		s.review(c)
		s.hub.changed(c)
		for _, tell := range others {
			tell(c)
		}
	})
}
