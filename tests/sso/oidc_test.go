package sso

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tests/program"
)

// TestOIDCProvider: people come in by the npm package oidc-provider, two tenants with
// providers of their own at once.
func TestOIDCProvider(t *testing.T) {
	t.Parallel()
	b := setup(t, "acme", "globex")
	people := map[string]any{
		"cy":  map[string]any{"email": "cy@acme.test", "email_verified": true, "name": "Cy Young", "groups": []string{"staff"}},
		"dan": map[string]any{"email": "dan@acme.test", "email_verified": true, "groups": []string{"staff", "admins"}},
		"eve": map[string]any{"email": "eve@evil.test", "email_verified": true},
		"new": map[string]any{"email": "new@globex.test", "email_verified": true},
	}
	connect := func(slug string) connection {
		port := program.FreePort(t)
		c := b.set(t, slug, "set-oidc", "work", "--issuer", fmt.Sprintf("http://127.0.0.1:%d", port), "--client-id", "colaflow",
			"--scope", "email", "--scope", "profile", "--scope", "groups", "--group-role", "admins=admin", "--default-role", "viewer")
		node(t, "oidc_provider.mjs", map[string]any{"port": port, "client": "colaflow", "secret": clientSecret, "redirect": []string{c.Addresses.Callback}, "people": people})
		require.Contains(t, b.run(t, "sso", "test", "work", "--tenant", slug), "does not object to client ID and redirect URI")
		b.run(t, "sso", "enable", "work", "--tenant", slug)
		return c
	}
	acme, globex := connect("acme"), connect("globex")
	in := func(slug string, c connection, who string) ended {
		return b.signIn(t, slug, c.Addresses.Start+"&next=/issues", map[string]string{"login": who, "password": "any"})
	}

	first := in("acme", acme, "cy")
	require.Equal(t, 200, first.Status, first.Text)
	require.Equal(t, "cy@acme.test", first.Me.Email)
	require.Equal(t, "Cy Young", first.Me.Name)
	require.Equal(t, "viewer", first.Me.Role)
	require.Equal(t, "work", first.Me.Provider)
	require.Equal(t, b.url+"/issues?tenant=acme", first.URL)
	require.Len(t, first.Cookies, 1)
	c := first.Cookies[0]
	require.Equal(t, "__Host-cf_acme Strict true true", fmt.Sprint(c.Name, " ", c.SameSite, " ", c.HTTPOnly, " ", c.Secure))
	again := in("acme", acme, "cy")
	require.Equal(t, first.Me.ID, again.Me.ID, "the second sign-in makes nobody")
	require.Equal(t, "admin", in("acme", acme, "dan").Me.Role, "groups give roles")
	refused := in("acme", acme, "eve")
	require.Nil(t, refused.Me)
	require.Contains(t, refused.Text, "domain_not_allowed")

	// The other company's provider lets nobody into this one.
	require.Equal(t, "new@globex.test", in("globex", globex, "new").Me.Email)
	require.Contains(t, in("globex", globex, "cy").Text, "domain_not_allowed")

	// Who is deactivated stays out.
	b.run(t, "member", "deactivate", "cy@acme.test", "--tenant", "acme")
	refused = in("acme", acme, "cy")
	require.Nil(t, refused.Me)
	require.Contains(t, refused.Text, "member_disabled")
}

// TestMockServer: the npm package oauth2-mock-server signs hostile ID tokens, and none
// lets anybody in.
func TestMockServer(t *testing.T) {
	t.Parallel()
	b := setup(t, "acme")
	port, control := program.FreePort(t), program.FreePort(t)
	node(t, "mock_server.mjs", map[string]int{"port": port, "control": control})
	issuer := fmt.Sprintf("http://127.0.0.1:%d", port)
	c := b.set(t, "acme", "set-oidc", "work", "--issuer", issuer, "--client-id", "colaflow")
	b.run(t, "sso", "enable", "work", "--tenant", "acme")
	bend := func(claims map[string]any, header map[string]any) {
		res, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/bend", control), "application/json", bytes.NewReader([]byte(asJSON(t, map[string]any{"claims": claims, "header": header}))))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	honest := func(more map[string]any) map[string]any {
		claims := map[string]any{"sub": "cy", "email": "cy@acme.test", "email_verified": true, "aud": "colaflow"}
		for name, value := range more {
			claims[name] = value
		}
		return claims
	}
	hour := time.Hour
	for _, tc := range []struct {
		why    string
		claims map[string]any
		header map[string]any
		code   string
	}{
		{"meant for another application", map[string]any{"aud": "another"}, nil, "audience_wrong"},
		{"of another issuer", map[string]any{"iss": "https://accounts.google.com"}, nil, "issuer_wrong"},
		{"of another sign-in", map[string]any{"nonce": "guessed"}, nil, "nonce_wrong"},
		{"without nonce", map[string]any{"nonce": nil}, nil, "nonce_wrong"},
		{"expired", map[string]any{"exp": time.Now().Add(-hour).Unix()}, nil, "time_wrong"},
		{"without subject", map[string]any{"sub": nil}, nil, "subject_missing"},
		{"unverified address", map[string]any{"email_verified": false}, nil, "email_not_verified"},
		{"verified as text", map[string]any{"email_verified": "false"}, nil, ""},
		{"address of a stranger", map[string]any{"email": "cy@acme.test.evil.test"}, nil, "domain_not_allowed"},
		{"address with a name in it", map[string]any{"email": "cy@acme.test <cy@evil.test>"}, nil, "email_invalid"},
		{"signed by a key that is not published", nil, map[string]any{"kid": "unknown"}, "token_invalid"},
	} {
		bend(honest(tc.claims), tc.header)
		page := follow(t, c.Addresses.Start)
		require.Contains(t, page, "You are not signed in", tc.why)
		require.Contains(t, page, "For your admin: "+tc.code, tc.why)
	}
	bend(honest(nil), nil)
	require.Equal(t, "cy@acme.test", b.signIn(t, "acme", c.Addresses.Start, nil).Me.Email, "an honest one does")
}
