package web

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

//go:embed templates/*.html
var templateFiles embed.FS

// parseTemplates compiles the surface's own pages, each within the frame.
func parseTemplates() (map[string]*template.Template, error) {
	parsed := map[string]*template.Template{}
	for _, name := range []string{"open.html", "gone.html", "signin.html", "signed_in.html", "no_signin.html", "trial.html", "ways.html"} {
		t, err := template.ParseFS(templateFiles, "templates/frame.html", "templates/"+name)
		if err != nil {
			return nil, fmt.Errorf("parse template %s: %w", name, err)
		}
		parsed[name] = t
	}
	return parsed, nil
}

// pageCSP lets a page show its own markup, styles and inline images, and
// nothing else: no script, no request to anywhere.
const pageCSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// PageLink is the address that an agent hands to a person. The ticket in it can
// be spent once; looking at the link spends nothing.
func PageLink(publicURL, slug string, id uuid.UUID, ticket string) string {
	return publicURL + "/p/" + id.String() + "?tenant=" + slug + "&ticket=" + ticket
}

// showPage shows a page to who has its cookie, and the button that opens it to
// who comes with a ticket. Everybody else learns nothing.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		s.noPage(w)
		return
	}
	if cookie, err := r.Cookie(pageCookie); err == nil {
		p, done, err := s.pageOf(r, id, tenancy.KindPageCookie, cookie.Value)
		if err == nil {
			defer done()
			secured(w, "text/html; charset=utf-8")
			_, _ = w.Write(p.Content)
			return
		}
		if tenancy.CodeOf(err) == tenancy.RateLimited {
			s.busy(w)
			return
		}
	}
	ticket := r.URL.Query().Get("ticket")
	p, done, err := s.pageOf(r, id, tenancy.KindPageLink, ticket)
	switch {
	case err == nil:
		done()
		s.render(w, http.StatusOK, "open.html", map[string]string{"Title": p.Title, "Ticket": ticket})
	case tenancy.CodeOf(err) == tenancy.RateLimited:
		s.busy(w)
	default:
		s.noPage(w)
	}
}

// pageOf returns a live page that a credential of the right kind opens. Until done
// is called it is charged to the tenant's memory; RateLimited if there is none left.
func (s *Server) pageOf(r *http.Request, id uuid.UUID, kind tenancy.Kind, raw string) (_ tenancy.Page, done func(), err error) {
	app, release, err := s.application(r, raw)
	if err != nil {
		return tenancy.Page{}, nil, err
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	claims, err := app.Verify(r.Context(), kind, raw)
	if err != nil {
		return tenancy.Page{}, nil, err
	}
	if claims.Subject != id.String() {
		return tenancy.Page{}, nil, errOtherPage
	}
	if err := s.checkTenant(r, app.Tenant()); err != nil {
		return tenancy.Page{}, nil, err
	}
	p, err := app.OpenPage(r.Context(), id)
	if err != nil {
		return tenancy.Page{}, nil, err
	}
	free, err := app.Budget().Reserve(int64(p.Bytes))
	if err != nil {
		return tenancy.Page{}, nil, err
	}
	return p, func() { free(); release() }, nil
}

// errOtherPage is for a credential that opens another page.
var errOtherPage = tenancy.Errorf(tenancy.NotFound, "This link opens another page.")

const pageCookie = "cf_page"

// openPage spends the ticket and gives the browser a cookie for this page alone,
// so that reloading and printing work.
func (s *Server) openPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	id, err := uuid.Parse(r.PathValue("id"))
	ticket := r.PostFormValue("ticket")
	if err != nil {
		s.noPage(w)
		return
	}
	app, release, err := s.application(r, ticket)
	if err != nil {
		s.noPage(w)
		return
	}
	defer release()
	if claims, err := app.Verify(r.Context(), tenancy.KindPageLink, ticket); err != nil || claims.Subject != id.String() || s.checkTenant(r, app.Tenant()) != nil {
		s.noPage(w)
		return
	}
	p, err := app.OpenPage(r.Context(), id)
	if err != nil {
		s.noPage(w)
		return
	}
	if _, err := app.Spend(r.Context(), tenancy.KindPageLink, ticket); err != nil {
		s.render(w, http.StatusGone, "gone.html", map[string]string{
			"Title": "This link was used before", "Text": "A link opens its page once. Ask the agent that sent it for a new one."})
		return
	}
	address, err := s.admit(w, r, app, p)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// admit gives the browser a cookie for a page, and returns the page's address.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, app *tenancy.Application, p tenancy.Page) (address string, err error) {
	path, life := "/p/"+p.ID.String(), p.ExpiresAt.Sub(s.Clock())
	value, err := app.Sign(r.Context(), tenancy.KindPageCookie, p.ID.String(), life, tenancy.Claims{})
	if err != nil {
		return "", err
	}
	http.SetCookie(w, &http.Cookie{Name: pageCookie, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
	return path + "?tenant=" + app.Tenant().Slug, nil
}

// openOwnPage opens a page of the tenant to a signed-in member, without a link.
func (s *Server) openOwnPage(w http.ResponseWriter, r *http.Request, me session) error {
	id, err := pathID(r, "page")
	if err == nil {
		err = s.pay(me, false)
	}
	if err == nil {
		err = s.enter(r, me)
	}
	if err != nil {
		return err
	}
	p, err := me.app.OpenPage(r.Context(), id)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		return notFound("page")
	} else if err != nil {
		return err
	}
	address, err := s.admit(w, r, me.app, p)
	if err == nil {
		s.answer(w, r, map[string]string{"url": address}, nil)
	}
	return err
}

// busy answers when the tenant's memory is used up: the link is not spent.
func (s *Server) busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	s.render(w, http.StatusTooManyRequests, "gone.html", map[string]string{
		"Title": "Too much at once", "Text": "Too many pages of your company are being opened just now. Reload in a moment."})
}

func (s *Server) noPage(w http.ResponseWriter) {
	s.render(w, http.StatusNotFound, "gone.html", map[string]string{
		"Title": "There is no page here", "Text": "It may have expired, or the link is not complete. Ask the agent that sent it for a new one."})
}

func (s *Server) render(w http.ResponseWriter, status int, name string, data any) {
	secured(w, "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := s.templates[name].Execute(w, data); err != nil {
		s.Log.Error("page was not written whole", "request", w.Header().Get(tenancy.RequestHeader), "template", name, "error", err)
	}
}

// secured sets the headers of every HTML answer. A Cross-Origin-Opener-Policy is not among
// them: an agent's client on the web may have opened a sign-in in a popup, and would lose it.
func secured(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", pageCSP)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
