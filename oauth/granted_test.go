package oauth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/oauth"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// TestGranted: whoever gets a token hears what it may do, at first and with every renewal,
// whatever was asked for (RFC 6749, 5.1).
func TestGranted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	first := b.redeem(t, client, b.allow(t, "ben@acme", b.asked(client), with("allow", "issues:read", "issues:search", "issues:update"))).json(t)
	require.Equal(t, "issues:read issues:search issues:update", first["scope"], "the person chose other than was asked")
	p, ok := b.principal(t, first["access_token"].(string))
	require.True(t, ok)
	refresh := first["refresh_token"].(string)
	renewed := func() any {
		t.Helper()
		a := b.renew(t, client, refresh)
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.Equal(t, a.json(t)["scope"], b.renew(t, client, refresh).json(t)["scope"], "a lost answer is given again")
		refresh = a.json(t)["refresh_token"].(string)
		now, ok := b.principal(t, a.json(t)["access_token"].(string))
		require.True(t, ok)
		require.Equal(t, a.json(t)["scope"], oauth.FormatScope(now.Permissions), "it is what the token may do")
		return a.json(t)["scope"]
	}
	settings := func(grants string) {
		_, err := b.db.UpdateToken(t.Context(), b.acme.Scope(), "test", p.TokenID, func(s *store.TokenSettings, _ time.Time) (err error) {
			s.Grants, err = tenancy.ParseGrants([]byte(grants))
			return err
		})
		require.NoError(t, err)
	}
	require.Equal(t, "issues:read issues:search issues:update", renewed())
	settings(`{"issues":["read","search","update"],"deny":{"issues":["search"]}}`)
	require.Equal(t, "issues:read issues:update", renewed(), "an admin denied one")
	_, err := b.db.SetMemberRole(t.Context(), b.acme.Scope(), "test", b.acme.Ben.ID, tenancy.RoleViewer)
	require.NoError(t, err)
	require.Equal(t, "issues:read", renewed(), "and the person may only read")
	a := b.renew(t, client, refresh, with("scope", "issues:read issues:search issues:update"))
	require.Equal(t, "issues:read", a.json(t)["scope"], "asking for what was allowed once is no error")
	refresh = a.json(t)["refresh_token"].(string)
	_, err = b.db.SetMemberRole(t.Context(), b.acme.Scope(), "test", b.acme.Ben.ID, tenancy.RoleMember)
	require.NoError(t, err)
	settings(`{"issues":["read","search","update"],"comments":["read"]}`)
	require.Equal(t, "issues:read issues:search issues:update comments:read", renewed(), "or were given back, and more")
	a = b.renew(t, client, refresh, with("scope", "issues:read comments:read"))
	require.Equal(t, http.StatusOK, a.status, a.body)
}

// TestGranted_BetweenCodeAndToken: a person who loses a role before the code is redeemed gives
// no more than what they have then.
func TestGranted_BetweenCodeAndToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	code := b.allow(t, "ben@acme", b.asked(client))
	_, err := b.db.Admin(t).Exec(t.Context(), "update members set role = 'viewer' where id = $1", b.acme.Ben.ID)
	require.NoError(t, err)
	a := b.redeem(t, client, code)
	require.Equal(t, "projects:read issues:read issues:search", a.json(t)["scope"])
}
