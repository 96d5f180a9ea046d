package mcpserver_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// TestDispatch_AgreesWithExplain calls every tool with tokens of random grants.
// It is forbidden exactly where token explain says so.
func TestDispatch_AgreesWithExplain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	random := rand.New(rand.NewPCG(1, 2))
	some := func() tenancy.PermissionSet { return tenancy.PermissionSet(random.Uint32()) & tenancy.AllPermissions }
	var allowed, denied int
	for range 20 {
		g := tenancy.Grants{Allow: some(), Deny: some() & some()}
		role := tenancy.Roles()[random.IntN(4)]
		token, plain, err := b.db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "random", Role: role, Grants: g})
		require.NoError(t, err)
		c := b.client(t, plain).all()
		for _, tool := range mcpserver.Catalogue() {
			if tool.Permission == nil {
				continue
			}
			d, err := b.db.ExplainToken(t.Context(), acme.Scope(), token.ID, tenancy.Action{Permission: *tool.Permission})
			require.NoError(t, err)
			r := c.call(tool.Name, args{"no_such_argument": true})
			require.Equal(t, !d.Allowed, strings.HasPrefix(r.text, "forbidden: "), "%s with %s as %s: %+v, but %s", tool.Name, g, role, d, r.text)
			if d.Allowed {
				allowed++
			} else {
				denied++
			}
		}
	}
	require.Positive(t, allowed)
	require.Positive(t, denied)
}

func TestGetMe_Warnings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	require.NotContains(t, b.client(t, plain).ok("get_me", nil), "warnings")
	_, err := b.db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, now time.Time) error {
		at := now.Add(6 * 24 * time.Hour)
		s.ExpiresAt = &at
		return nil
	})
	require.NoError(t, err)
	me := b.client(t, plain).ok("get_me", nil)
	require.Contains(t, me["warnings"].([]any)[0], "expires at "+me["expires_at"].(string))
	_, fresh, err := b.db.RotateToken(t.Context(), acme.Scope(), "test", token.ID, time.Hour)
	require.NoError(t, err)
	require.Contains(t, b.client(t, plain).ok("get_me", nil)["warnings"].([]any)[0], "This secret was replaced")
	require.Contains(t, b.client(t, fresh).ok("get_me", nil)["warnings"].([]any)[0], "expires at")
}

// TestNetworks_OverStdio has no address, so that a token held to networks is
// refused there, and audited.
func TestNetworks_OverStdio(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	networks, err := tenancy.ParseNetworks([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	token, plain, err := b.db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "held", Role: tenancy.RoleViewer,
		Grants: tenancy.Grants{Allow: tenancy.AllPermissions}, Networks: networks})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.client(t, plain).post(ping).status)
	var out strings.Builder
	require.NoError(t, b.mcp.ServeStdio(t.Context(), strings.NewReader(callBody("get_me", `{}`)+"\n"), &out, plain, mcpserver.Narrowing{}))
	require.Contains(t, out.String(), "may not be used from this address")
	require.Contains(t, b.deniedRule(t, token), "may not be used from this address")
}
