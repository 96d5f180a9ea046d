package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/tenancy"
)

// SignInAddress is where a tenant's people sign in unless an admin says otherwise:
// its subdomain, or the host itself where that can have none.
func SignInAddress(publicURL, slug string) string {
	u, err := url.Parse(publicURL)
	if err != nil || !strings.Contains(u.Hostname(), ".") || isAddress(u.Hostname()) {
		return publicURL
	}
	return u.Scheme + "://" + slug + "." + u.Host
}

// maxSAMLForm bounds what an identity provider may post.
const maxSAMLForm = 1 << 20

// registerSSO adds the addresses of sign-in by an identity provider.
func (s *Server) registerSSO(handle func(string, http.HandlerFunc)) {
	handle("GET /auth/{id}/start", s.startSSO)
	handle("GET /auth/{id}/callback", s.finishOIDC)
	handle("POST /auth/saml/{id}/acs", s.receiveSAML)
	handle("GET /auth/saml/{id}/done", s.finishSAML)
	handle("GET /auth/saml/{id}/metadata", s.describeSAML)
}

// errNoConnection is the one answer to a tenant or a connection that is not there.
var errNoConnection = tenancy.Errorf(tenancy.NotFound, "There is no such way to sign in.").WithNext("Begin at your company's sign-in page.")

// party finds the connection that an address names, in the tenant that it names, or
// else in one that is known otherwise. release must be called.
func (s *Server) party(r *http.Request, otherwise func() (tenancy.TenantID, error)) (p sso.Party, app *tenancy.Application, release func(), err error) {
	if err := s.pace.Take(s.ClientIP(r), costSignIn); err != nil {
		return p, nil, nil, err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return p, nil, nil, errNoConnection
	}
	app, release, err = s.namedTenant(r, otherwise)
	if err != nil {
		return p, nil, nil, err
	}
	p, err = s.Store.SSOParty(r.Context(), app.Tenant(), id)
	if err == nil && !tenancy.PlanOf(app.Tenant().Plan).SSO {
		err = tenancy.Errorf(tenancy.PlanLimit, "Your company's plan has no single sign-on any more.").WithNext("Ask an admin for a sign-in link.")
	}
	if err != nil {
		release()
		if tenancy.CodeOf(err) == tenancy.NotFound {
			err = errNoConnection
		}
		return p, nil, nil, err
	}
	return p, app, release, nil
}

func (s *Server) namedTenant(r *http.Request, otherwise func() (tenancy.TenantID, error)) (*tenancy.Application, func(), error) {
	slug, ok := s.base.slug(r)
	if !ok {
		return nil, nil, errNoConnection
	}
	var id tenancy.TenantID
	if slug != "" {
		t, err := s.Store.Tenant(r.Context(), slug)
		if err != nil {
			return nil, nil, notThere(err)
		}
		id = t.ID
	} else {
		var err error
		if id, err = otherwise(); err != nil {
			return nil, nil, err
		}
	}
	app, release, err := s.Apps.UseID(r.Context(), id)
	return app, release, notThere(err)
}

func notThere(err error) error {
	if tenancy.CodeOf(err) == tenancy.NotFound {
		return errNoConnection
	}
	return err
}

// nobodySays is for addresses that always name their tenant.
func nobodySays() (tenancy.TenantID, error) { return tenancy.TenantID{}, errNoConnection }

// startSSO sends the browser to the identity provider. It begins at the address that the
// provider answers to, or the cookie would not be there.
func (s *Server) startSSO(w http.ResponseWriter, r *http.Request) {
	p, _, release, err := s.party(r, nobodySays)
	if err != nil {
		s.noSignIn(w, r, sso.Party{}, err)
		return
	}
	defer release()
	q := r.URL.Query()
	if home, err := url.Parse(p.Connection.Address); err == nil && !strings.EqualFold(home.Host, r.Host) && q.Get("moved") == "" {
		http.Redirect(w, r, p.Connection.StartURL(p.Tenant)+"&"+url.Values{"next": {localPath(q.Get("next"))}, "test": {q.Get("test")}, "moved": {"1"}}.Encode(), http.StatusSeeOther)
		return
	}
	start, err := s.SSO.Start(r.Context(), p, q.Get("next"), q.Get("test"))
	if err != nil {
		s.noSignIn(w, r, p, err)
		return
	}
	s.setAttempt(w, start.Cookie, start.Sealed, int(sso.AttemptLife.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, start.Address, http.StatusSeeOther)
}

// setAttempt keeps a sign-in in the browser while it is at the provider; with a negative
// age it is over. It comes back with the provider's redirect, so it is Lax.
func (s *Server) setAttempt(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/auth/", MaxAge: age, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// finishOIDC takes what an OpenID provider answers.
func (s *Server) finishOIDC(w http.ResponseWriter, r *http.Request) {
	state := r.URL.Query().Get("state")
	name := sso.CookieName(state)
	cookie := cookieValue(r, name)
	p, app, release, err := s.party(r, func() (tenancy.TenantID, error) {
		tenant, _, err := s.SSO.AttemptOf(cookie, state)
		return tenant, err
	})
	if err != nil {
		s.noSignIn(w, r, sso.Party{}, err)
		return
	}
	defer release()
	s.setAttempt(w, name, "", -1)
	out, err := s.SSO.Callback(r.Context(), p, cookie, r.URL.Query())
	s.finish(w, r, p, app, out, err)
}

// receiveSAML takes a response that another site posts, which brings no cookie, and
// sends the browser on to fetch the result with it.
func (s *Server) receiveSAML(w http.ResponseWriter, r *http.Request) {
	p, _, release, err := s.party(r, nobodySays)
	if err != nil {
		s.noSignIn(w, r, sso.Party{}, err)
		return
	}
	defer release()
	r.Body = http.MaxBytesReader(w, r.Body, maxSAMLForm)
	if err := r.ParseForm(); err != nil {
		s.noSignIn(w, r, p, tenancy.Errorf(tenancy.TooLarge, "The answer of the identity provider is no form, or too long."))
		return
	}
	got, err := s.SSO.Receive(r.Context(), p, r.PostForm)
	switch {
	case err != nil:
		s.noSignIn(w, r, p, err)
	case got.Begin:
		http.Redirect(w, r, p.Connection.StartURL(p.Tenant), http.StatusSeeOther)
	default:
		http.Redirect(w, r, p.Connection.Address+"/auth/saml/"+p.Connection.ID.String()+"/done?"+
			url.Values{"tenant": {p.Tenant.Slug}, "handle": {got.Handle}}.Encode(), http.StatusSeeOther)
	}
}

// finishSAML gives the result of a response to the browser that began.
func (s *Server) finishSAML(w http.ResponseWriter, r *http.Request) {
	p, app, release, err := s.party(r, nobodySays)
	if err != nil {
		s.noSignIn(w, r, sso.Party{}, err)
		return
	}
	defer release()
	out, err := s.SSO.Fetch(r.Context(), p, r.URL.Query().Get("handle"), func(name string) string {
		s.setAttempt(w, name, "", -1)
		return cookieValue(r, name)
	})
	s.finish(w, r, p, app, out, err)
}

// describeSAML is our metadata, for the identity provider to read.
func (s *Server) describeSAML(w http.ResponseWriter, r *http.Request) {
	p, _, release, err := s.party(r, nobodySays)
	if err == nil {
		defer release()
		var data []byte
		if data, err = s.SSO.Metadata(p); err == nil {
			w.Header().Set("Content-Type", "application/samlmetadata+xml")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(data)
			return
		}
	}
	s.noSignIn(w, r, p, err)
}

// finish signs in whom the provider vouches for, or says why not. A test changes nothing.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, p sso.Party, app *tenancy.Application, out sso.Outcome, err error) {
	switch {
	case out.Dry:
		s.showTrial(w, r, p, out, err)
	case err != nil:
		s.noSignIn(w, r, p, err)
	default:
		err := s.signIn(r.Context(), w, r, p, app, out.Identity)
		if err != nil {
			s.noSignIn(w, r, p, err)
			return
		}
		// The browser comes from another site, so its next request would bring no Strict
		// cookie: a page of our own leads on.
		s.render(w, http.StatusOK, "signed_in.html", map[string]string{"Title": "You are signed in", "Next": home(localPath(out.Return), p.Tenant.Slug)})
	}
}

func (s *Server) signIn(ctx context.Context, w http.ResponseWriter, r *http.Request, p sso.Party, app *tenancy.Application, id sso.Identity) error {
	member, err := s.Store.SignIn(ctx, p.Tenant.ID, id)
	if err != nil {
		return err
	}
	return s.beginSession(w, r, app, member, p.Connection.Name)
}

// noSignIn says why somebody is not signed in, and how to go on. What only the admin
// needs is in the log.
func (s *Server) noSignIn(w http.ResponseWriter, r *http.Request, p sso.Party, err error) {
	s.failed(r)
	page := map[string]string{"Title": "You are not signed in"}
	if p.Connection.ID != uuid.Nil {
		page["Again"] = p.Connection.StartURL(p.Tenant)
	}
	status := http.StatusForbidden
	if problem := sso.ProblemIn(err); problem != nil {
		page["Text"], page["Remedy"], page["Code"] = problem.What, problem.Remedy, string(problem.Code)
		s.Log.Warn("sign-in failed", "request", requestID(r), "tenant", p.Tenant.Slug, "connection", p.Connection.Name, "code", problem.Code, "detail", problem.Detail, "client_ip", tenancy.RequestOf(r.Context()).ClientIP)
	} else {
		page["Text"] = s.publicText(r, fmt.Errorf("sign in to %q by %q: %w", p.Tenant.Slug, p.Connection.Name, err))
		status = statusOf(tenancy.CodeOf(err))
	}
	s.render(w, status, "no_signin.html", page)
}

// showTrial tells an admin what a sign-in would have done.
func (s *Server) showTrial(w http.ResponseWriter, r *http.Request, p sso.Party, out sso.Outcome, err error) {
	t := trial{Title: "Test of " + p.Connection.Title, Identity: out.Identity}
	if err == nil {
		t.Verdict, err = s.Store.TrySignIn(r.Context(), p.Tenant.ID, out.Identity)
	}
	if t.Problem = sso.ProblemIn(err); t.Problem == nil && err != nil {
		s.noSignIn(w, r, p, err)
		return
	}
	s.render(w, http.StatusOK, "trial.html", t)
}

// trial is what the page of a test shows.
type trial struct {
	Title    string
	Identity sso.Identity
	Verdict  sso.Verdict
	Problem  *sso.Problem
}

// Does is what the sign-in would do.
func (t trial) Does() string {
	return cmp.Or(map[sso.Action]string{sso.Create: "make a new member", sso.Link: "link this account to the member with its address"}[t.Verdict.Action],
		"sign in the member whose account it is")
}

func cookieValue(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}
