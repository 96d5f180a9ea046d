package oauth

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"

	"github.com/colaflow/colaflow/tenancy"
)

// client is who asks for a token. Nothing but its redirect URIs is proven: the
// name is what it calls itself.
type client struct {
	ID           string
	Name         string
	Host         string // that vouches for it by its metadata document; empty if it registered itself
	RedirectURIs []string
}

// redirect returns the redirect URI that a request may use.
func (c client) redirect(given string) (string, bool) {
	if given == "" && len(c.RedirectURIs) == 1 {
		return c.RedirectURIs[0], true
	}
	return given, slices.ContainsFunc(c.RedirectURIs, func(known string) bool { return matchesRedirect(known, given) })
}

// clients finds clients by their id: the URL of a metadata document, or a sealed
// registration. Neither needs a table.
type clients struct {
	registrations tenancy.Sealer
	fetch         *http.Client
	now           func() time.Time
	documents     *otter.Cache[string, client]
}

const (
	documentsKept = 1_000
	documentLife  = 10 * time.Minute
)

func newClients(registrations tenancy.Sealer, fetch *http.Client, now func() time.Time) *clients {
	return &clients{registrations: registrations, fetch: fetch, now: now, documents: otter.Must(&otter.Options[string, client]{
		MaximumSize: documentsKept, ExpiryCalculator: otter.ExpiryCreating[string, client](documentLife),
	})}
}

func (c *clients) close() { c.documents.StopAllGoroutines() }

// find returns the client, or invalid_client.
func (c *clients) find(ctx context.Context, id string) (client, error) {
	if strings.HasPrefix(id, registeredPrefix) {
		return c.registered(id)
	}
	if known, ok := c.documents.GetIfPresent(id); ok {
		return known, nil
	}
	found, err := c.document(ctx, id)
	if err == nil {
		c.documents.Set(id, found)
	}
	return found, err
}

// mayBe reports whether an id is that of a client, as far as nobody else has to be asked.
func (c *clients) mayBe(id string) bool {
	if strings.HasPrefix(id, registeredPrefix) {
		_, err := c.registered(id)
		return err == nil
	}
	return strings.HasPrefix(id, "https://")
}

// metadata is what a client says about itself (RFC 7591, 2).
type metadata struct {
	ClientID      string   `json:"client_id,omitempty"`
	Name          string   `json:"client_name"`
	RedirectURIs  []string `json:"redirect_uris"`
	AuthMethod    string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
}

const maxRedirects = 10

// client checks what a client says and returns it, still without an id.
func (m metadata) client() (client, error) {
	if len(m.RedirectURIs) == 0 || len(m.RedirectURIs) > maxRedirects {
		return client{}, &failure{"invalid_redirect_uri", "Give 1 to 10 redirect_uris."}
	}
	for _, uri := range m.RedirectURIs {
		if err := checkRedirect(uri); err != nil {
			return client{}, err
		}
	}
	return client{Name: cleanName(m.Name), RedirectURIs: m.RedirectURIs}, nil
}

// cleanName makes what a client calls itself safe to show: one short line without
// control, format or direction characters, or letters that look like others, which could
// make it read as another.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	words := strings.Fields(name)
	for n, word := range words {
		words[n] = spell(word)
	}
	name = strings.Join(words, " ")
	if utf8.RuneCountInString(name) > 60 {
		name = string([]rune(name)[:60]) + "…"
	}
	if name == "" {
		return "An application without a name"
	}
	return name
}

// spell writes out the letters of a word that look like Latin ones and are not, where they
// stand among Latin ones or are but another style of them.
func spell(word string) string {
	latin := strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Latin, r) })
	var b strings.Builder
	for _, r := range word {
		twin := unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu)
		if styled := r >= 0x1D400 && r <= 0x1D7FF; styled || latin && twin {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shorten bounds what a client sent before it goes into the log.
func shorten(s string) string { return strings.ToValidUTF8(s[:min(len(s), 120)], "") }
