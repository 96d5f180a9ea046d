package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// tokenBody is what a token is made of. Permissions have the stored shape.
type tokenBody struct {
	Name        string           `json:"name"`
	Permissions tenancy.Grants   `json:"permissions"`
	ExpiresAt   *time.Time       `json:"expires_at,omitempty"`
	AllowedIPs  tenancy.Networks `json:"allowed_ips,omitempty"`
	// Service makes a token without an owner, with a fixed role.
	Service bool         `json:"service,omitempty"`
	Role    tenancy.Role `json:"role,omitempty"`
}

// plainToken is a token with its plain form, which is shown once.
type plainToken struct {
	Token   store.Token `json:"token"`
	Plain   string      `json:"plain"`
	Clients []Client    `json:"clients"`
}

// Client is an MCP client, and what it needs to use a token.
type Client struct {
	Title string `json:"title"`
	Where string `json:"where"` // the text goes
	Text  string `json:"text"`
	// Link adds it with one click, if the client takes such links. It holds the token,
	// unless Asks: then the client asks for it.
	Link string `json:"link,omitempty"`
	Asks bool   `json:"asks,omitempty"`
}

// listTokens lists one's own tokens, and for admins everybody's.
func (s *Server) listTokens(r *http.Request, me session) (any, error) {
	var list []store.Token
	err := s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error { return tx.Do(r.Context(), store.Tokens(&list)) })
	list = slices.DeleteFunc(list, func(t store.Token) bool { return !me.sees(t) })
	if list == nil {
		list = []store.Token{}
	}
	return list, err
}

// sees reports whether a token is the member's own, or theirs to manage.
func (me session) sees(t store.Token) bool {
	return t.OwnedBy(me.member) || me.claims.Role.Permissions().Has(tenancy.MembersManage)
}

// token finds one of those that the member may see.
func (s *Server) token(r *http.Request, me session) (store.Token, error) {
	id, err := pathID(r, "token")
	if err != nil {
		return store.Token{}, err
	}
	var t store.Token
	err = s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error { return tx.Do(r.Context(), store.TokenByID(id, &t)) })
	if err == nil && (t.ID != id || !me.sees(t)) {
		err = notFound("token")
	}
	return t, err
}

func (s *Server) showToken(r *http.Request, me session) (any, error) { return s.token(r, me) }

func (s *Server) createToken(r *http.Request, me session) (any, error) {
	var body tokenBody
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	n := store.NewToken{Name: body.Name, Grants: body.Permissions, ExpiresAt: body.ExpiresAt, Networks: body.AllowedIPs, OwnerID: me.member}
	if body.Service {
		role, err := tenancy.ParseRole(string(body.Role))
		if err != nil {
			return nil, err
		}
		n.OwnerID, n.Role = uuid.Nil, role
	}
	t, plain, err := s.Store.CreateToken(r.Context(), me.scope(), me.app.Tenant().Slug, me.claims.Email, n)
	if err != nil {
		return nil, err
	}
	return plainToken{t, plain, s.Clients(plain)}, nil
}

// tokenChange is what of a token changes; what is absent stays.
type tokenChange struct {
	Name        *string           `json:"name"`
	Permissions *tenancy.Grants   `json:"permissions"`
	ExpiresAt   *time.Time        `json:"expires_at"`
	NeverEnds   bool              `json:"never_expires"`
	AllowedIPs  *tenancy.Networks `json:"allowed_ips"`
}

func (s *Server) updateToken(r *http.Request, me session) (any, error) {
	t, err := s.token(r, me)
	if err != nil {
		return nil, err
	}
	var change tokenChange
	if err := decode(r, &change); err != nil {
		return nil, err
	}
	return s.Store.UpdateToken(r.Context(), me.scope(), me.claims.Email, t.ID, func(settings *store.TokenSettings, _ time.Time) error {
		if change.Name != nil {
			settings.Name = *change.Name
		}
		if change.Permissions != nil {
			settings.Grants = *change.Permissions
		}
		if change.ExpiresAt != nil || change.NeverEnds {
			settings.ExpiresAt = change.ExpiresAt
		}
		if change.AllowedIPs != nil {
			settings.Networks = *change.AllowedIPs
		}
		return nil
	})
}

func (s *Server) revokeToken(r *http.Request, me session) (any, error) {
	t, err := s.token(r, me)
	if err != nil {
		return nil, err
	}
	return nil, s.Store.RevokeToken(r.Context(), me.scope(), me.claims.Email, t.ID)
}

func (s *Server) rotateToken(r *http.Request, me session) (any, error) {
	t, err := s.token(r, me)
	if err != nil {
		return nil, err
	}
	var body struct {
		OverlapSeconds int64 `json:"overlap_seconds"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	rotated, plain, err := s.Store.RotateToken(r.Context(), me.scope(), me.claims.Email, t.ID, time.Duration(body.OverlapSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return plainToken{rotated, plain, s.Clients(plain)}, nil
}

// explainToken says whether a token may do something, and by which rule.
func (s *Server) explainToken(r *http.Request, me session) (any, error) {
	t, err := s.token(r, me)
	if err != nil {
		return nil, err
	}
	var body struct {
		Target string `json:"target"`
		Verb   string `json:"verb"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	action, err := tenancy.ParseAction(body.Target, body.Verb)
	if err != nil {
		return nil, err
	}
	return s.Store.ExplainToken(r.Context(), me.scope(), t.ID, action)
}
