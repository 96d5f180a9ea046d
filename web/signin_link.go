package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// SignInLink is the address that signs a member in once. Looking at it spends nothing.
func SignInLink(publicURL, slug, ticket string) string {
	return publicURL + "/signin/link?" + url.Values{"tenant": {slug}, "ticket": {ticket}}.Encode()
}

// showSignIn shows the button that signs in, so that a preview of the link cannot.
func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	app, release, err := s.application(r, ticket)
	if err != nil {
		s.noLink(w)
		return
	}
	defer release()
	claims, err := app.Verify(r.Context(), tenancy.KindSignInLink, ticket)
	if err != nil || s.checkTenant(r, app.Tenant()) != nil {
		s.noLink(w)
		return
	}
	s.render(w, http.StatusOK, "signin.html", map[string]string{"Title": "Sign in to ColaFlow", "Ticket": ticket, "Who": claims.Email,
		"Tenant": app.Tenant().Slug, "Next": localPath(r.URL.Query().Get("next"))})
}

// openSignIn spends the link and begins a session.
func (s *Server) openSignIn(w http.ResponseWriter, r *http.Request) {
	if err := s.pace.Take(s.ClientIP(r), costSignIn); err != nil {
		s.slowDown(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	ticket := r.PostFormValue("ticket")
	app, release, err := s.application(r, ticket)
	if err != nil {
		s.wrongLink(w, r)
		return
	}
	defer release()
	if s.checkTenant(r, app.Tenant()) != nil || !ownForm(r) {
		s.wrongLink(w, r)
		return
	}
	claims, err := app.Spend(r.Context(), tenancy.KindSignInLink, ticket)
	if err != nil {
		s.wrongLink(w, r)
		return
	}
	member, err := uuid.Parse(claims.Subject)
	if err == nil {
		err = s.beginSession(w, r, app, tenancy.Member{ID: member}, store.ByLink)
	}
	if err != nil {
		s.failed(r)
		s.render(w, http.StatusForbidden, "gone.html", map[string]string{"Title": "You cannot sign in", "Text": s.publicText(r, err)})
		return
	}
	http.Redirect(w, r, home(localPath(r.PostFormValue("next")), app.Tenant().Slug), http.StatusSeeOther)
}

// ownForm reports whether a form may be ours. Browsers say the origin null for a page that
// gives no referrer, as ours; those that say null also say by Sec-Fetch-Site whose it is.
func ownForm(r *http.Request) bool {
	switch r.Header.Get("Origin") {
	case "":
		return true
	case "null":
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	default:
		return sameSite(r)
	}
}

// home adds the tenant to a path, for hosts that do not name it.
func home(path, slug string) string {
	u, err := url.Parse(path)
	if err != nil {
		return "/?tenant=" + slug
	}
	q := u.Query()
	q.Set("tenant", slug)
	u.RawQuery = q.Encode()
	return u.String()
}

// localPath returns a path on this host to go on to, or "/": what a link says must not
// lead anywhere else.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.ContainsAny(next, "\\\x00\r\n\t") || strings.HasPrefix(next, "//") || !strings.HasPrefix(next, "/") {
		return "/"
	}
	return next
}

func (s *Server) noLink(w http.ResponseWriter) {
	s.render(w, http.StatusGone, "gone.html", map[string]string{"Title": "This link does not work any more",
		"Text": "A sign-in link works once, for a short time. Ask for a new one."})
}

// wrongLink is noLink for who tried to spend one.
func (s *Server) wrongLink(w http.ResponseWriter, r *http.Request) {
	s.failed(r)
	s.noLink(w)
}

// slowDown answers an address that tried too often.
func (s *Server) slowDown(w http.ResponseWriter, r *http.Request, err error) {
	setRetryAfter(w, err)
	s.render(w, http.StatusTooManyRequests, "gone.html", map[string]string{"Title": "Too many attempts", "Text": s.publicText(r, err) + " Try again in a minute."})
}

// publicText is public as a sentence, without its code.
func (s *Server) publicText(r *http.Request, err error) string {
	return s.public(r, err).Sentence()
}
