package web

import (
	"net/http"
	"net/url"

	"github.com/colaflow/colaflow/tenancy"
)

// SignInPath is the address on this host where people sign in to a tenant before they go
// on to a path of ours, such as the consent for an agent.
func SignInPath(slug, next string) string {
	return "/signin?" + url.Values{"tenant": {slug}, "next": {next}}.Encode()
}

// ways is what the page shows.
type ways struct {
	Title     string
	Tenant    string
	Next      string
	Providers []providerButton
}

// showWays lists the ways to sign in. It works without scripts, and never sends on whoever
// comes without a session: the browser may keep a Strict cookie back because another site
// led here, and then a link of this very page brings it along.
func (s *Server) showWays(w http.ResponseWriter, r *http.Request) {
	if err := s.pace.Take(s.ClientIP(r), costLook); err != nil {
		s.slowDown(w, r, err)
		return
	}
	slug, ok := s.base.slug(r)
	if !ok || !tenancy.ValidSlug(slug) {
		s.render(w, http.StatusBadRequest, "gone.html", map[string]string{"Title": "Which company?", "Text": "This address does not name your company. Go back and give its short name."})
		return
	}
	next := home(localPath(r.URL.Query().Get("next")), slug)
	if _, err := s.Person(r, slug); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	providers, err := s.providers(r.Context(), slug)
	if err != nil {
		s.render(w, http.StatusServiceUnavailable, "gone.html", map[string]string{"Title": "You cannot sign in now", "Text": s.publicText(r, err)})
		return
	}
	for n := range providers {
		providers[n].URL += "&" + url.Values{"next": {next}}.Encode()
	}
	s.render(w, http.StatusOK, "ways.html", ways{"Sign in to " + slug, slug, next, providers})
}
