package mcpserver

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// FirstScope is what a client asks for to begin with at a path of the endpoint, such as
// /mcp/readonly; false: nothing is served there.
func (s *Server) FirstScope(path string) (tenancy.PermissionSet, bool) {
	var n Narrowing
	if path != endpointPath && !strings.HasPrefix(path, endpointPath+"/") || !n.readPath(path) || n.check(s.toolNames) != nil {
		return 0, false
	}
	return s.firstScope(n), true
}

// firstScope is what a client asks its person for before it has a token: enough for
// everyday work and the toolsets that its address names, and no more than the address
// leaves. Calls that need more say so.
func (s *Server) firstScope(n Narrowing) tenancy.PermissionSet {
	set := tenancy.Everyday()
	for _, t := range s.optional {
		if slices.Contains(n.Toolsets, t.Toolset) {
			set |= tenancy.NewPermissionSet(*t.Permission)
		}
	}
	if n.ReadOnly {
		set &= tenancy.RoleViewer.Permissions()
	}
	return set
}

// offer is what a refused client asks for to begin with where it came.
func (s *Server) offer(r *request) tenancy.PermissionSet {
	var n Narrowing
	n.readPath(r.url.Path) // chain has checked it
	return s.firstScope(n)
}

// needy arguments may need more permissions than their tool does.
type needy interface{ alsoNeeds() tenancy.PermissionSet }

// neededBy is every permission that the call of the request needs.
func (t Tool) neededBy(r *request) (set tenancy.PermissionSet) {
	if t.Permission != nil {
		set = tenancy.NewPermissionSet(*t.Permission)
	}
	in, err := t.arguments(r.message.arguments, r.narrow.Project)
	if more, ok := in.(needy); ok && err == nil {
		set |= more.alsoNeeds()
	}
	return set
}

// askScope lets a client that got its token by OAuth ask its person for what a refused
// call lacks, if they have it to give: r.wanting makes the answer insufficient_scope. A
// pasted token stays as it was made.
func (s *Server) askScope(ctx context.Context, t Tool, r *request, refusal error) {
	p := r.principal
	needed := t.neededBy(r)
	missing := needed &^ p.Permissions
	if tenancy.CodeOf(refusal) != tenancy.Forbidden || r.metadata == "" || missing == 0 || missing&^(p.Role.Permissions()&^p.Grants.Deny) != 0 {
		return
	}
	asked := needed
	if !r.message.modern {
		asked |= p.Permissions // clients of before ask for this alone, and would lose what they have
	}
	connected, err := s.store.AskMore(ctx, store.ForPrincipal(p).For(knownMethod(r.message.method)), p.TokenName, asked)
	if err != nil {
		s.log.WarnContext(ctx, "whether a client may ask for more is not known", "request", r.id, "error", err)
		return
	}
	if connected {
		r.wanting = asked
	}
}

// refuseScope answers a call that lacks a scope which the person may give (RFC 6750, 3.1).
func (r *request) refuseScope(w http.ResponseWriter) {
	r.challenge(w, r.wanting, "error", "insufficient_scope")
	refuse(w, http.StatusForbidden, "insufficient_scope", "The call needs more than this agent was allowed. Ask the person again.")
}
