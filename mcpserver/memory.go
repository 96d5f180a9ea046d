package mcpserver

import (
	"context"
	"io"
	"net/http"

	"github.com/colaflow/colaflow/tenancy"
)

// answerRoom is charged before a call runs. Nearly every answer fits in it, so that
// a call which is refused for want of memory has done nothing yet.
const answerRoom = 2*maxText + 16<<10

// openCharge opens the account of what a request holds of its tenant's memory here,
// or answers why it cannot. done must be called at the end.
func (s *Server) openCharge(w http.ResponseWriter, hr *http.Request, r *request) (charge *tenancy.Charge, done func(), ok bool) {
	budget, release, err := s.budget(hr.Context(), r.principal.TenantID)
	switch code := tenancy.CodeOf(err); {
	case err == nil:
		charge = budget.Open()
		r.memory = charge
		return charge, func() { charge.Release(); release() }, true
	case code == tenancy.NotFound: // the tenant was deleted just now
		err = tenancy.Errorf(tenancy.Unauthenticated, "The token's tenant does not exist any more.")
		fallthrough
	case isRefusal(err):
		r.refused = err
		s.recordRefusal(hr.Context(), r)
		s.refuseToken(w, r, err)
	default:
		r.outcome = string(code)
		s.unavailable(w, r, err)
	}
	return nil, nil, false
}

// reserve charges a tenant's account for what comes by other ways than HTTP, until
// release is called.
func (s *Server) reserve(ctx context.Context, tenant tenancy.TenantID, bytes int) (charge *tenancy.Charge, release func(), err error) {
	budget, leave, err := s.budget(ctx, tenant)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		return nil, nil, tenancy.Errorf(tenancy.Unauthenticated, "The token's tenant does not exist any more.")
	} else if err != nil {
		return nil, nil, err
	}
	charge = budget.Open()
	if err := charge.Grow(int64(bytes)); err != nil {
		leave()
		return nil, nil, err
	}
	return charge, func() { charge.Release(); leave() }, nil
}

// unlimited is the budget where nobody keeps accounts.
func unlimited(context.Context, tenancy.TenantID) (*tenancy.Budget, func(), error) {
	return nil, func() {}, nil
}

// overBudget answers a request that is beyond what its tenant may hold or run here.
func (s *Server) overBudget(w http.ResponseWriter, hr *http.Request, r *request, err error) {
	s.recordFlood(hr.Context(), r, err)
	s.holdBack(hr.Context())
	s.tooMany(w, r, err)
}

// chargedReader charges what is read before it is handed on.
type chargedReader struct {
	from   io.Reader
	charge *tenancy.Charge
}

// Read implements io.Reader; it fails with the budget's error.
func (c chargedReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if n > 0 {
		if over := c.charge.Grow(int64(n)); over != nil {
			return 0, over
		}
	}
	return n, err
}

// errAnswerTooBig is for an answer that the budget has no room for, after the call.
var errAnswerTooBig = tenancy.Errorf(tenancy.RateLimited,
	"The answer does not fit into the memory that this tenant may use now. What was asked for was done; look at it in smaller parts.")
