package web

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// ToolCall is a call of a tool by a signed-in member.
type ToolCall struct {
	Tool      string
	Arguments json.RawMessage
	Client    string
}

// ToolAnswer is what a tool answers a member: data, and the contents of the file that the
// data is about, if any.
type ToolAnswer struct {
	Data json.RawMessage
	File []byte
}

// callTool runs a tool of the MCP catalogue under the member's own permissions. The
// catalogue audits what comes of it, so its errors are answered here.
func (s *Server) callTool(w http.ResponseWriter, r *http.Request, me session) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return tenancy.Errorf(tenancy.TooLarge, "The body is longer than 1 MiB.")
	}
	p, err := s.principal(r, me)
	if err != nil {
		return err
	}
	answer, err := s.CallTool(r.Context(), p, ToolCall{r.PathValue("name"), body, consoleClient})
	s.answer(w, r, answer.Data, err)
	return nil
}

// principal is the member as callers of tools see one: everything that the role allows.
func (s *Server) principal(r *http.Request, me session) (tenancy.Principal, error) {
	var m tenancy.Member
	err := s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error { return tx.Do(r.Context(), store.MemberByID(me.member, &m)) })
	if err != nil {
		return tenancy.Principal{}, err
	}
	t := me.app.Tenant()
	return tenancy.Principal{TenantID: t.ID, TenantSlug: t.Slug, Plan: t.Plan, MemberID: m.ID, MemberName: m.Name, MemberEmail: m.Label(), Role: m.Role,
		Epoch: me.claims.MemberEpoch, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}, Permissions: m.Role.Permissions()}, nil
}
