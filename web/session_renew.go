package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// errCrossSite refuses a request that carries a cookie and may come from another site.
var errCrossSite = tenancy.Errorf(tenancy.Forbidden, "This request must come from ColaFlow's own pages.")

// sameSite reports whether a request comes from a page of this very host. The cookie is
// Strict, so that others cannot send it; this says it once more.
func sameSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Header.Get("X-Requested-With") != "" // a header that no form can send
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// cookieTenant is the tenant of a request whose only credential is a cookie.
func (s *Server) cookieTenant(r *http.Request) (slug string, err error) {
	slug, ok := s.base.slug(r)
	switch {
	case !sameSite(r):
		return "", errCrossSite
	case !ok || slug == "":
		return "", tenancy.Errorf(tenancy.Missing, "The address names no tenant.").WithNext("Use the tenant's own address, or ?tenant=.")
	}
	return slug, nil
}

type accessAnswer struct {
	AccessToken string    `json:"access_token"`
	ExpiresIn   int       `json:"expires_in"` // seconds
	Member      meAnswer  `json:"member"`
	Now         time.Time `json:"now"`
}

// refresh exchanges the cookie for an access token, which pages keep in memory, and
// replaces the cookie. Two windows that ask at once get the same new cookie.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request) (any, error) {
	slug, err := s.cookieTenant(r)
	if err != nil {
		return nil, err
	}
	if err := s.pace.Take(s.ClientIP(r), costSignIn); err != nil {
		return nil, err
	}
	plain := refreshToken(r, slug)
	if plain == "" {
		return nil, store.ErrSessionEnded
	}
	next, refresh := tokens.NextSession(s.renewals, plain)
	p, err := s.Store.RenewSession(r.Context(), plain, refresh.Hash)
	if err != nil {
		if tenancy.CodeOf(err) == tenancy.Unauthenticated {
			s.failed(r)
			setRefresh(w, slug, "", -1)
		}
		return nil, err
	}
	app, release, err := s.Apps.Use(p.Tenant)
	if err != nil {
		return nil, err
	}
	defer release()
	access, err := app.Sign(r.Context(), tenancy.KindSession, p.ID.String(), SessionLife, tenancy.Claims{Email: p.Email, TenantPlan: p.Tenant.Plan,
		AuthProvider: p.Provider, Role: p.Role, SessionID: p.Session.String(), MemberEpoch: p.Epoch})
	if err != nil {
		return nil, err
	}
	setRefresh(w, slug, next, int(store.SessionLife.Seconds()))
	return accessAnswer{access, int(SessionLife.Seconds()), meOf(p, s.Clock().Add(SessionLife)), s.Clock().UTC()}, nil
}

// logout ends the session of the browser's cookie.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) (any, error) {
	slug, err := s.cookieTenant(r)
	if err != nil {
		return nil, err
	}
	setRefresh(w, slug, "", -1)
	if plain := refreshToken(r, slug); plain != "" {
		return nil, s.Store.EndSession(r.Context(), plain)
	}
	return nil, nil
}

// meAnswer is who is signed in.
type meAnswer struct {
	ID       uuid.UUID    `json:"id"`
	Email    string       `json:"email"`
	Name     string       `json:"name,omitempty"`
	Role     tenancy.Role `json:"role"`
	Tenant   string       `json:"tenant"`
	Plan     string       `json:"plan"`
	Provider string       `json:"auth_provider,omitempty"`
	Session  string       `json:"session,omitempty"`
	Expires  time.Time    `json:"session_expires"`
}

func meOf(p store.Person, expires time.Time) meAnswer {
	return meAnswer{p.ID, p.Email, p.Name, p.Role, p.Tenant.Slug, p.Tenant.Plan, p.Provider, p.Session.String(), expires.UTC()}
}

// me answers from the access token alone.
func (s *Server) me(_ *http.Request, me session) (any, error) {
	c := me.claims
	return meAnswer{ID: me.member, Email: c.Email, Role: c.Role, Tenant: c.TenantSlug, Plan: c.TenantPlan, Provider: c.AuthProvider,
		Session: c.SessionID, Expires: c.ExpiresAt.Time}, nil
}
