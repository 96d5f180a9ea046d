package mcpserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// TestChallenge: the main address tells where to get a token and what to ask for first,
// the other face never.
func TestChallenge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const metadata = "https://colaflow.test/.well-known/oauth-protected-resource"
	s, main := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, ResourceMetadata: metadata})
	tokens := httptest.NewServer(s.TokenHandler())
	t.Cleanup(tokens.Close)
	everyday, reads := strings.Join(tenancy.Everyday().Strings(), " "), strings.Join(tenancy.RoleViewer.Permissions().Strings(), " ")
	files := strings.Join((tenancy.Everyday() | tenancy.NewPermissionSet(tenancy.AttachmentsRead, tenancy.AttachmentsCreate)).Strings(), " ")
	unknown := "mcp_acme_" + strings.Repeat("0", 32)
	for name, test := range map[string]struct {
		url, token string
		want       string
	}{
		"none, main address":     {main.URL, "", `Bearer scope="` + everyday + `", resource_metadata="` + metadata + `/mcp"`},
		"bad, main address":      {main.URL, unknown, `Bearer error="invalid_token", scope="` + everyday + `", resource_metadata="` + metadata + `/mcp"`},
		"none, tokens' address":  {tokens.URL, "", `Bearer`},
		"bad, tokens' address":   {tokens.URL, unknown, `Bearer error="invalid_token"`},
		"none, by a narrow path": {main.URL + "/mcp/readonly", "", `Bearer scope="` + reads + `", resource_metadata="` + metadata + `/mcp/readonly"`},
		"none, with files":       {main.URL + "/mcp/x/default,attachments", "", `Bearer scope="` + files + `", resource_metadata="` + metadata + `/mcp/x/default,attachments"`},
		"none, reading files":    {main.URL + "/mcp/x/attachments,time/readonly", "", `Bearer scope="` + reads + `", resource_metadata="` + metadata + `/mcp/x/attachments,time/readonly"`},
		"none, with everything":  {main.URL + "/mcp/x/all", "", `Bearer scope="` + everyday + `", resource_metadata="` + metadata + `/mcp/x/all"`},
		"none, of a project":     {main.URL + "/mcp/p/WEB", "", `Bearer scope="` + everyday + `", resource_metadata="` + metadata + `/mcp/p/WEB"`},
		"none, with a slash":     {main.URL + "/mcp/", "", `Bearer scope="` + everyday + `", resource_metadata="` + metadata + `/mcp/"`},
		"none, with a quote":     {main.URL + "/mcp/p/%22", "", `Bearer scope="` + everyday + `", resource_metadata="` + metadata + `/mcp/p/%22"`},
	} {
		url := test.url
		if !strings.Contains(url, "/mcp") {
			url += "/mcp"
		}
		a := (&client{t: t, url: url, token: test.token}).post(ping, func(r *http.Request) {
			if test.token == "" {
				r.Header.Del("Authorization")
			}
		})
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.Equal(t, test.want, a.header.Get("WWW-Authenticate"), name)
	}
	good := b.db.Tenant(t, "acme").FullToken(t)
	require.Equal(t, http.StatusOK, (&client{t: t, url: tokens.URL + "/mcp", token: good}).post(ping).status)
}
