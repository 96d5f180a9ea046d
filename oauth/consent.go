package oauth

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// lives are how long a person may allow a client to renew, the usual one first.
var lives = []life{{"30", "30 days"}, {"1", "1 day"}, {"7", "7 days"}, {"90", "90 days"}}

type life struct{ Days, Text string }

// consent asks the signed-in person what the client may do. Whoever is not signed
// in names the tenant first, and signs in there.
func (s *Server) consent(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r, costPage) {
		return
	}
	req, c, ok := s.opened(r, r.URL.Query().Get("request"))
	if !ok {
		s.stale(w)
		return
	}
	slug := s.slugOf(r)
	if !tenancy.ValidSlug(slug) {
		s.render(w, http.StatusOK, "tenant", page{Title: "Connect " + c.Name, Client: c, Redirect: describeRedirect(req.Redirect),
			Next: url.Values{"request": {r.URL.Query().Get("request")}}})
		return
	}
	person, err := s.SignedIn(r, slug)
	if signedOut(err) {
		http.Redirect(w, r, s.SignInURL(slug, r.URL.Path+"?"+r.URL.RawQuery), http.StatusSeeOther)
		return
	}
	var projects []store.ProjectName
	var told bool
	if err == nil {
		projects, told, err = s.known(r, person, req)
	}
	if err != nil {
		s.refuse(w, r, question{person, c, req}, err)
		return
	}
	sealed := r.URL.Query().Get("request")
	s.render(w, http.StatusOK, "consent", page{Title: "Connect " + c.Name, Client: c, Redirect: describeRedirect(req.Redirect), Person: person,
		Choices: choicesOf(req.Scope, person.Member.Role, told), Projects: projects, Lives: lives,
		Next: url.Values{"request": {sealed}, "tenant": {slug}, "token": {s.formToken(person, sealed)}}})
}

// signedOut reports whether SignedIn found nobody. Who is of a suspended tenant is known.
func signedOut(err error) bool { return err != nil && tenancy.CodeOf(err) != tenancy.TenantIsSuspended }

// decide takes the person's answer back to the client.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r, costPage) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.ParseForm() != nil {
		s.stale(w)
		return
	}
	form := r.PostForm
	req, c, ok := s.opened(r, form.Get("request"))
	if !ok {
		s.stale(w)
		return
	}
	person, err := s.SignedIn(r, form.Get("tenant"))
	if signedOut(err) {
		s.refusePage(w, http.StatusForbidden, "You are not signed in any more", "Connect again from your application.")
		return
	}
	q, grants, days := question{person, c, req}, tenancy.Grants{}, time.Duration(0)
	switch {
	case err != nil:
	case !s.validFormToken(person, form.Get("request"), form.Get("token")):
		err = errOtherForm
	case form.Get("answer") != "allow":
		s.decline(w, r, q)
		return
	default:
		grants, days, err = grantsOf(form, person.Member.Role)
	}
	if err != nil {
		s.refuse(w, r, q, err)
		return
	}
	if grants.Effective(person.Member.Role) == 0 || grants.Limited && len(grants.Projects) == 0 {
		s.refusePage(w, http.StatusBadRequest, "Nothing was chosen", "Go back and choose what the application may do, and in which projects, or decline.")
		return
	}
	scope := store.ForMember(person.Tenant.ID, person.Member.ID, person.Epoch)
	code, err := s.Store.Connect(r.Context(), scope, person.Tenant.Slug, person.Member.Label(), store.Consent{
		ClientID: c.ID, ClientName: c.Name, RedirectURI: req.Redirect, Challenge: req.Challenge, Resource: s.Resource(), Grants: grants, Life: days,
		Asked: beyondFirst(req.Scope)})
	answer := url.Values{"code": {code}}
	if err != nil {
		if err := s.deny(r, q, err); err != nil {
			s.broken(w, r, err)
			return
		}
		f := s.failureOf(r, err, "access_denied")
		answer = url.Values{"error": {f.code}, "error_description": {f.text}}
	}
	http.Redirect(w, r, s.callback(req.Redirect, string(req.State), answer), http.StatusSeeOther)
}

// grantsOf reads the consent form: never more than the person's own role. A choice of
// which the role has nothing is an error.
func grantsOf(form url.Values, role tenancy.Role) (g tenancy.Grants, lasts time.Duration, err error) {
	for _, name := range form["allow"] {
		if p, err := tenancy.ParsePermission(name); err == nil {
			g.Allow |= tenancy.NewPermissionSet(p)
		}
	}
	if beyond := g.Allow &^ role.Permissions(); beyond != 0 && beyond == g.Allow {
		return g, 0, tenancy.Errorf(tenancy.Forbidden, "Your role, %s, lacks %s.", role, beyond.List()[0]).WithNext("Ask an admin of your tenant.")
	}
	g.Allow &= role.Permissions()
	if form.Get("reach") != "all" {
		g.Limited, g.Projects = true, tenancy.ProjectKeys(form["project"])
	}
	days := slices.IndexFunc(lives, func(l life) bool { return l.Days == form.Get("life") })
	n, _ := time.ParseDuration(lives[max(days, 0)].Days + "h")
	return g, 24 * n, nil
}

// formToken binds a consent form to the session and the request that it was shown
// for, beside the session's cookie, which other sites cannot send.
func (s *Server) formToken(p Person, sealed string) string {
	return s.requests.Seal(nil, formContext(p, sealed))
}

func (s *Server) validFormToken(p Person, sealed, token string) bool {
	_, err := s.requests.Open(token, formContext(p, sealed))
	return err == nil
}

func formContext(p Person, sealed string) []byte {
	digest := sha256.Sum256([]byte(sealed))
	return append([]byte("form "+p.Session.String()+" "+p.Member.ID.String()+" "), digest[:]...)
}

// known reads the projects that the person may choose from, and whether the client asks for
// what a refused call of its told it to.
func (s *Server) known(r *http.Request, p Person, req request) (projects []store.ProjectName, told bool, err error) {
	err = s.Store.Read(r.Context(), store.ForMember(p.Tenant.ID, p.Member.ID, p.Epoch), func(tx *store.Tx) error {
		return tx.Do(r.Context(), store.RecentProjects(maxProjects, &projects), store.WasTold(req.ClientID, s.Resource(), req.Scope, &told))
	})
	return projects, told, err
}

const maxProjects = 200

// slugOf is the tenant that a request names, by parameter or subdomain; or "".
func (s *Server) slugOf(r *http.Request) string {
	if slug := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("tenant"))); slug != "" {
		return slug
	}
	base, _ := url.Parse(s.PublicURL)
	host, _, _ := strings.Cut(strings.ToLower(r.Host), ":")
	for _, suffix := range []string{"." + base.Hostname(), ".localhost"} {
		if slug, ok := strings.CutSuffix(host, suffix); ok && tenancy.ValidSlug(slug) {
			return slug
		}
	}
	return ""
}

func (s *Server) stale(w http.ResponseWriter) {
	s.refusePage(w, http.StatusBadRequest, "This link has expired", "Connect again from your application.")
}
