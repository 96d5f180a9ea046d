package web

import (
	"net/http"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

// invitation names a person who may sign in from now on.
type invitation struct {
	Email string       `json:"email"`
	Name  string       `json:"name"`
	Role  tenancy.Role `json:"role"`
}

// inviteMember lets a person sign in, with a role that is not above one's own.
func (s *Server) inviteMember(r *http.Request, me session) (any, error) {
	var who invitation
	if err := decode(r, &who); err != nil {
		return nil, err
	}
	role, err := tenancy.ParseRole(string(who.Role))
	if err != nil {
		return nil, err
	}
	return s.Store.InviteMember(r.Context(), me.scope(), me.claims.Email, who.Email, who.Name, role)
}

// linkLife is how long a sign-in link works, if it is not used.
const linkLife = time.Hour

type linkAnswer struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// makeSignInLink makes a link that signs a member in once.
func (s *Server) makeSignInLink(r *http.Request, me session) (any, error) {
	id, err := pathID(r, "member")
	if err != nil {
		return nil, err
	}
	m, err := s.Store.AllowSignInLink(r.Context(), me.scope(), me.claims.Email, id)
	if err != nil {
		return nil, err
	}
	ticket, err := me.app.Sign(r.Context(), tenancy.KindSignInLink, m.ID.String(), linkLife, tenancy.Claims{Email: m.Label()})
	return linkAnswer{SignInLink(s.PublicURL, me.app.Tenant().Slug, ticket), s.Clock().Add(linkLife).UTC()}, err
}
