package web

import (
	"net/http"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// maxMembers is how many people one answer holds.
const maxMembers = 1000

// members lists the people of the tenant; admins, who can let them back in, see those too
// whose access has ended.
func (s *Server) members(r *http.Request, me session) (list []tenancy.Member, err error) {
	query := store.Members
	if me.claims.Role.Permissions().Has(tenancy.MembersManage) {
		query = store.MembersAndFormer
	}
	err = s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error {
		return tx.Do(r.Context(), query(r.URL.Query().Get("prefix"), maxMembers, &list))
	})
	return list, err
}

func (s *Server) listMembers(r *http.Request, me session) (any, error) { return s.members(r, me) }

// memberChange is a new role, or an end or return of someone's access.
type memberChange struct {
	Role   tenancy.Role `json:"role"`
	Active *bool        `json:"active"`
}

func (s *Server) updateMember(r *http.Request, me session) (any, error) {
	id, err := pathID(r, "member")
	if err != nil {
		return nil, err
	}
	var change memberChange
	if err := decode(r, &change); err != nil {
		return nil, err
	}
	if change.Role == "" && change.Active == nil {
		return nil, tenancy.Errorf(tenancy.Missing, "Nothing to change was given.").WithNext("Pass role or active.")
	}
	if change.Role != "" {
		if change.Role, err = tenancy.ParseRole(string(change.Role)); err != nil {
			return nil, err
		}
	}
	return s.Store.ChangeMember(r.Context(), me.scope(), me.claims.Email, id, store.MemberChange{Role: change.Role, Active: change.Active})
}
