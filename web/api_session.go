package web

import (
	"context"
	"net/http"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

type tenantAnswer struct {
	Slug string `json:"slug"`
	// Ways are how one can sign in; link: with a one-time link.
	Ways []string `json:"sign_in"`
	// Providers are the identity providers that one can sign in by.
	Providers []providerButton `json:"providers"`
}

// providerButton leads to an identity provider.
type providerButton struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// tenantInfo tells a sign-in page how one can sign in. A tenant that does not exist looks
// like one that has nothing but links, so that names cannot be guessed here.
func (s *Server) tenantInfo(_ http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.pace.Take(s.ClientIP(r), costLook); err != nil {
		return nil, err
	}
	slug, ok := s.base.slug(r)
	if !ok || slug == "" {
		return nil, tenancy.Errorf(tenancy.Missing, "The address names no tenant.").WithNext("Use the tenant's own address, or ?tenant=.")
	}
	providers, err := s.providers(r.Context(), slug)
	return tenantAnswer{slug, []string{store.ByLink}, providers}, err
}

// providers lists the identity providers that a tenant's people sign in by; none if there
// is no such tenant, or it is suspended.
func (s *Server) providers(ctx context.Context, slug string) ([]providerButton, error) {
	buttons := []providerButton{}
	t, err := s.Store.Tenant(ctx, slug)
	switch code := tenancy.CodeOf(err); {
	case code == tenancy.NotFound, err == nil && (t.State != tenancy.TenantActive || !tenancy.PlanOf(t.Plan).SSO):
		return buttons, nil
	case err != nil:
		return nil, err
	}
	list, err := s.Store.EnabledSSO(ctx, t.ID)
	for _, c := range list {
		buttons = append(buttons, providerButton{c.Name, c.Title, c.StartURL(t)})
	}
	return buttons, err
}

type sessionRow struct {
	store.Session
	Current bool `json:"current"`
}

func (s *Server) listSessions(r *http.Request, me session) (any, error) {
	var list []store.Session
	err := s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error { return tx.Do(r.Context(), store.OwnSessions(&list)) })
	rows := make([]sessionRow, len(list))
	for n, one := range list {
		rows[n] = sessionRow{one, one.ID == me.id}
	}
	return rows, err
}

func (s *Server) endSession(r *http.Request, me session) (any, error) {
	id, err := pathID(r, "session")
	if err != nil {
		return nil, err
	}
	return nil, s.Store.EndOwnSession(r.Context(), me.scope(), me.claims.Email, id)
}

func (s *Server) endSessions(r *http.Request, me session) (any, error) {
	return nil, s.Store.EndOwnSessions(r.Context(), me.scope(), me.claims.Email)
}
