package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// TestResource_Spellings: one URL is written in several ways, and a client may name the
// address that narrows the endpoint, at each step another; all of it is the one resource.
func TestResource_Spellings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	site := b.http.URL
	for _, ours := range []string{site + "/mcp", site + "/mcp/", site, site + "/", strings.Replace(site, "http", "HTTP", 1) + "/mcp", site + "/mcp/readonly", site + "/mcp/readonly/"} {
		a := b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client, with("resource", ours))), with("resource", site+"/mcp"))
		require.Equal(t, http.StatusOK, a.status, ours)
		a = b.renew(t, client, a.json(t)["refresh_token"].(string), with("resource", ours))
		require.Equal(t, http.StatusOK, a.status, ours)
	}
	for _, foreign := range []string{site + "/mcp?x", site + "/mcp#", site + "/MCP", site + "/oauth", site + "1/mcp", "https" + strings.TrimPrefix(site, "http") + "/mcp",
		strings.Replace(site, "//", "//user@", 1) + "/mcp", "/mcp", "", "x"} {
		a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("resource", foreign)).Encode(), nil)
		require.Contains(t, a.header.Get("Location"), "error=invalid_target", foreign)
	}
}

// TestRedirect_LeftOut: OAuth 2.1 has no redirect_uri in the token request, and the one of
// the authorization request may be left out where there is but one.
func TestRedirect_LeftOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	without := func(q url.Values) { q.Del("redirect_uri") }
	for name, edits := range map[string][2]func(url.Values){
		"of the token request": {func(url.Values) {}, without}, "of both": {without, without}, "of the authorization request": {without, func(url.Values) {}},
	} {
		a := b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client, edits[0])), edits[1])
		require.Equal(t, http.StatusOK, a.status, "%s: %s", name, a.body)
	}
}

// TestRegister_Authentication: a client that would authenticate is registered as one that
// does not, and told so (RFC 7591, 3.2.1).
func TestRegister_Authentication(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.postJSON(t, "/oauth/register", map[string]any{"client_name": "x", "redirect_uris": []string{callback}, "token_endpoint_auth_method": "client_secret_post"})
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, "none", a.json(t)["token_endpoint_auth_method"])
	require.NotContains(t, a.json(t), "client_secret")
}

// TestOpen: pages of any origin may ask, with the header that MCP clients send, and other
// methods are named as such.
func TestOpen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for path, method := range map[string]string{
		"/.well-known/oauth-protected-resource": "GET", "/.well-known/oauth-protected-resource/mcp": "GET", "/.well-known/oauth-protected-resource/mcp/readonly": "GET",
		"/.well-known/oauth-authorization-server": "GET", "/oauth/register": "POST", "/oauth/token": "POST", "/oauth/revoke": "POST",
	} {
		preflight := b.send(t, http.MethodOptions, path, nil, func(r *http.Request) {
			r.Header.Set("Origin", "https://app.example")
			r.Header.Set("Access-Control-Request-Method", method)
			r.Header.Set("Access-Control-Request-Headers", "mcp-protocol-version")
		})
		require.Equal(t, http.StatusNoContent, preflight.status, path)
		require.Equal(t, "*", preflight.header.Get("Access-Control-Allow-Origin"), path)
		require.Contains(t, preflight.header.Get("Access-Control-Allow-Headers"), "MCP-Protocol-Version", path)
		require.Equal(t, method, preflight.header.Get("Access-Control-Allow-Methods"), path)
		other := b.send(t, http.MethodDelete, path, nil)
		require.Equal(t, http.StatusMethodNotAllowed, other.status, path)
		require.Equal(t, method, other.header.Get("Allow"), path)
		requireError(t, "invalid_request", other)
	}
}

// TestRefused_InTheWordsOfTheEndpoint: what the tenant's or the person's state forbids is
// said in the codes that each endpoint has (RFC 6749, 4.1.2.1 and 5.2), to the client.
func TestRefused_InTheWordsOfTheEndpoint(t *testing.T) {
	t.Parallel()
	leaves := func(t *testing.T, b *bundle) {
		_, err := b.db.SetMemberRole(t.Context(), b.acme.Scope(), "test", b.acme.Ben.ID, tenancy.RoleOwner)
		require.NoError(t, err)
		_, err = b.db.DeactivateMember(t.Context(), b.acme.Scope(), "test", b.acme.Ada.ID)
		require.NoError(t, err)
	}
	suspends := func(t *testing.T, b *bundle) {
		_, err := b.db.SuspendTenant(t.Context(), "acme", "test")
		require.NoError(t, err)
	}
	for name, ends := range map[string]struct {
		happen func(*testing.T, *bundle)
		token  string // the code at the token endpoint
	}{"member leaves": {leaves, "invalid_grant"}, "tenant is suspended": {suspends, "temporarily_unavailable"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client := b.registerClient(t, "Agent", callback)
			code := b.allow(t, "ada@acme", b.asked(client))
			form := fields(b.consentPage(t, "ada@acme", b.asked(client)).body)
			ends.happen(t, b)
			form.Set("answer", "allow")
			form.Set("reach", "all")
			form.Set("allow", "issues:read")
			a := b.send(t, http.MethodPost, "/oauth/consent", form, as("ada@acme"))
			back, err := url.Parse(a.header.Get("Location"))
			require.NoError(t, err)
			require.Equal(t, "access_denied", back.Query().Get("error"), a.body)
			require.Equal(t, b.http.URL, back.Query().Get("iss"))
			requireError(t, ends.token, b.redeem(t, client, code))
		})
	}
	t.Run("no room for a token", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		client := b.registerClient(t, "Agent", callback)
		code := b.allow(t, "ada@acme", b.asked(client))
		for range tenancy.PlanOf("free").Tokens + 1 {
			b.acme.FullToken(t)
		}
		b.db.SetPlan(t, "acme", "free")
		a := b.redeem(t, client, code)
		requireError(t, "invalid_grant", a)
		require.Contains(t, a.json(t)["error_description"], "plan")
	})
}
