package mcpserver

import (
	"context"
	"encoding/json"

	"github.com/colaflow/colaflow/tenancy"
)

// PersonCall is a call of a tool by a signed-in member, from another surface.
type PersonCall struct {
	Tool      string
	Arguments json.RawMessage // empty: none
	Client    string
}

// PersonAnswer is what a tool answers a member.
type PersonAnswer struct {
	Data json.RawMessage
	File []byte // the contents of the file that the data is about; nil: none
}

// CallAs runs a tool of the catalogue for a signed-in member, whose request ctx is of: the
// same arguments, limits, transaction, audit and errors as for an agent. Errors that are
// not tenancy errors show only the request's id.
func (s *Server) CallAs(ctx context.Context, p tenancy.Principal, call PersonCall) (PersonAnswer, error) {
	t, known := s.catalogue[call.Tool]
	if !known {
		return PersonAnswer{}, tenancy.Errorf(tenancy.NotFound, "Tool %q is not known.", shorten(call.Tool, 80))
	}
	if len(call.Arguments) > 0 {
		if err := checkJSON(call.Arguments); err != nil {
			return PersonAnswer{}, tenancy.Errorf(tenancy.InvalidValue, "The arguments are not valid: %s.", err)
		}
	}
	from := tenancy.RequestOf(ctx)
	r := &request{id: from.ID, started: s.now(), principal: p, clientIP: from.ClientIP, client: call.Client,
		message: message{method: "api/tools", name: call.Tool, arguments: call.Arguments}}
	defer s.report(r)
	leave, err := s.throttle.Enter(p)
	if err != nil {
		s.recordFlood(ctx, r, err)
		return PersonAnswer{}, err
	}
	defer leave()
	ctx, stop := s.running.start(withRequest(ctx, r), r)
	defer stop()
	data, err := s.attempt(ctx, t, r)
	if err != nil {
		r.outcome = string(tenancy.CodeOf(err))
		if isRefusal(err) {
			r.refused = err
			s.recordRefusal(ctx, r)
		}
		if tenancy.CodeOf(err) == tenancy.Internal {
			s.log.ErrorContext(ctx, "tool failed", "tool", t.Name, "request", r.id, "tenant", p.TenantSlug, "error", err)
		}
		return PersonAnswer{}, tenancy.Public(err, r.id)
	}
	answer := PersonAnswer{Data: data}
	if r.file != nil {
		answer.File = r.file.contents
	}
	return answer, nil
}
