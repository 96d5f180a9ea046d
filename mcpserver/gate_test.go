package mcpserver_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

// A server on the person's own machine is one server by all its names, and
// still refuses pages of others.
func TestGate_Loopback(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, PublicURL: "http://127.0.0.1:8080"})
	c := &client{t: t, url: h.URL, token: acme.FullToken(t)}
	for origin, status := range map[string]int{
		"http://127.0.0.1:8080":    http.StatusOK,
		"http://localhost:8080":    http.StatusOK,
		"http://[::1]:8080":        http.StatusOK,
		"http://localhost:8081":    http.StatusForbidden,
		"https://localhost:8080":   http.StatusForbidden,
		"http://localhost":         http.StatusForbidden,
		"http://evil.example.com":  http.StatusForbidden,
		"http://evil.com:8080":     http.StatusForbidden,
		"null":                     http.StatusForbidden,
		"http://localhost.evil.me": http.StatusForbidden,
	} {
		a := c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, header("Origin", origin), func(r *http.Request) {
			r.Host = "localhost:8080"
		})
		require.Equal(t, status, a.status, "%s: %s", origin, a.body)
	}
	public, err := url.Parse(b.http.URL)
	require.NoError(t, err)
	a := b.client(t, c.token).post(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, header("Origin", "http://localhost:"+public.Port()))
	require.Equal(t, http.StatusForbidden, a.status, "loopback pages are strangers to a server that is reached elsewhere")
}
