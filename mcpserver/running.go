package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// Why the context of a call ends whose token or tenant was ended meanwhile.
var (
	errCut       = errors.New("the token was revoked while the call was running")
	errTenantCut = fmt.Errorf("%w: its tenant was stopped", errCut)
)

// running knows the calls in progress, so that those of a revoked token can be
// cut off.
type running struct {
	mu    sync.Mutex
	calls map[*request]runningCall
}

type runningCall struct {
	principal tenancy.Principal
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
	r.calls[req] = runningCall{req.principal, cancel}
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

// wasCut reports whether the call was ended by a revocation.
func wasCut(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errCut) }

// cutOff is what a failed call answers: if a revocation ended it, the error that
// its cancelled context caused says less than that.
func cutOff(ctx context.Context, err error) error {
	if err == nil || !wasCut(ctx) {
		return err
	}
	if errors.Is(context.Cause(ctx), errTenantCut) {
		return tenancy.Errorf(tenancy.TenantIsSuspended, "The tenant was stopped while the call was running.")
	}
	return tenancy.Errorf(tenancy.Unauthenticated, "The token was revoked while the call was running.")
}

// Follow starts following the revocation feed, until the Authenticator closes,
// and tells the others of every change too. Without it the server is as safe but
// slower: every token is looked up.
func (s *Server) Follow(others ...func(tokens.Change)) {
	s.tokens.Follow(s.store, func(c tokens.Change) {
		s.running.cut(c)
		for _, tell := range others {
			tell(c)
		}
	})
}
