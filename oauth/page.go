package oauth

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

//go:embed templates/*.html
var templateFiles embed.FS

func parseTemplates() (*template.Template, error) {
	t, err := template.ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	return t, nil
}

// page is what the templates show. Client names come from strangers: they are
// text, never markup.
type page struct {
	Title    string
	Text     string
	Client   client
	Redirect destination
	Person   Person
	Choices  []choice
	Projects []store.ProjectName
	Lives    []life
	Next     url.Values // goes on with the next request
}

// destination is where the answer goes, in words.
type destination struct {
	Text  string
	Local bool // a program on the person's own machine
}

func describeRedirect(uri string) destination {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return destination{Text: "an unknown place"}
	case u.Scheme == "http":
		return destination{"a program on this computer (" + u.Host + ")", true}
	case u.Scheme != "https":
		return destination{"the application " + u.Scheme + " on this computer", true}
	}
	return destination{Text: u.Host}
}

// choice is one resource of the vocabulary with the verbs that may be allowed.
type choice struct {
	Resource string
	Verbs    []verb
}

type verb struct {
	Permission string
	Name       string
	Asked      bool
}

// choicesOf lists what a role can give, with what was asked for. A client that asks for
// nothing, or for all there is, has not chosen: the page starts with everyday work, unless
// the client was told to ask for all.
func choicesOf(asked tenancy.PermissionSet, role tenancy.Role, told bool) []choice {
	if asked == 0 || asked == tenancy.AllPermissions && !told {
		asked = tenancy.Everyday()
	}
	var list []choice
	for _, p := range role.Permissions().List() {
		if len(list) == 0 || list[len(list)-1].Resource != p.Resource() {
			list = append(list, choice{Resource: p.Resource()})
		}
		last := &list[len(list)-1]
		last.Verbs = append(last.Verbs, verb{p.String(), p.Verb(), asked.Has(p)})
	}
	return list
}

// render writes a page. None has a Cross-Origin-Opener-Policy: clients on the web open
// them in a popup, and would lose it.
func (s *Server) render(w http.ResponseWriter, status int, name string, p page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", csp+p.formPolicy())
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if err := s.templates.ExecuteTemplate(w, name+".html", p); err != nil {
		s.Log.Error("page was not written whole", "request", w.Header().Get(tenancy.RequestHeader), "template", name, "error", err)
	}
}

const csp = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

// formPolicy holds forms to this site, but for the one whose answer goes to a client:
// Chromium holds every redirect after it to the policy too, and a client's callback may
// lead on to anywhere, such as to an application on the person's computer.
func (p page) formPolicy() string {
	if p.Choices != nil {
		return ""
	}
	return "; form-action 'self'"
}

func (s *Server) refusePage(w http.ResponseWriter, status int, title, text string) {
	s.render(w, status, "refused", page{Title: title, Text: text})
}
