package web

import (
	"net/http"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// purposeRenewals names the subkey that derives refresh tokens. Never change it.
const purposeRenewals = "session-renewals"

// refreshCookie is where a browser keeps the refresh token of a tenant's session: two
// tenants on one host have two. The prefix makes browsers hold it to this host, to
// TLS (or this machine), and to the whole site.
func refreshCookie(slug string) string { return "__Host-cf_" + slug }

// beginSession signs a member in: it stores a session and gives the browser its
// refresh token. The caller answers the request.
func (s *Server) beginSession(w http.ResponseWriter, r *http.Request, app *tenancy.Application, m tenancy.Member, provider string) error {
	slug := app.Tenant().Slug
	plain, refresh := tokens.MintSession(slug)
	_, err := s.Store.BeginSession(r.Context(), app.Tenant(), m.ID, store.NewSession{
		Provider: provider, Refresh: refresh, UserAgent: clip(r.UserAgent(), 200)})
	if err != nil {
		return err
	}
	setRefresh(w, slug, plain, int(store.SessionLife.Seconds()))
	return nil
}

// setRefresh gives the browser a refresh token, or with a negative age takes it away.
func setRefresh(w http.ResponseWriter, slug, plain string, age int) {
	http.SetCookie(w, &http.Cookie{Name: refreshCookie(slug), Value: plain, Path: "/", MaxAge: age, HttpOnly: true, Secure: true,
		SameSite: http.SameSiteStrictMode})
}

// refreshToken is what the browser holds for a tenant; "" for nothing.
func refreshToken(r *http.Request, slug string) string {
	cookie, err := r.Cookie(refreshCookie(slug))
	if err != nil {
		return ""
	}
	if t, ok := tokens.ParseSession(cookie.Value); !ok || t.Slug != slug {
		return ""
	}
	return cookie.Value
}

// Person returns the member whose session a request's cookie carries for a tenant, for
// pages that need no access token, such as the consent for an agent. Whoever is of a
// suspended tenant comes with the error that says so.
func (s *Server) Person(r *http.Request, slug string) (store.Person, error) {
	plain := refreshToken(r, slug)
	if plain == "" {
		return store.Person{}, store.ErrSessionEnded
	}
	return s.Store.PersonOf(r.Context(), plain)
}

// clip bounds what a client says of itself.
func clip(text string, n int) string { return text[:min(len(text), n)] }
