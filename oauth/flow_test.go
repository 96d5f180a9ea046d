package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func TestFlow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	page := b.consentPage(t, "ada@acme", b.asked(client))
	require.Equal(t, []string{"projects:read", "issues:read", "issues:search", "issues:create"}, checked(page.body))
	require.Contains(t, page.body, "agent.example")
	require.Contains(t, page.body, "ada@acme.test")

	a := b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	v := a.json(t)
	require.Equal(t, "Bearer", v["token_type"])
	require.InDelta(t, time.Hour.Seconds(), v["expires_in"], 60)
	require.Equal(t, "projects:read issues:read issues:search issues:create", v["scope"])

	p, ok := b.principal(t, v["access_token"].(string))
	require.True(t, ok)
	require.Equal(t, b.acme.Ada.ID, p.MemberID)
	require.Equal(t, "Agent", p.TokenName)
	require.Equal(t, []string{"projects:read", "issues:read", "issues:search", "issues:create"}, p.Permissions.Strings())

	again := b.renew(t, client, v["refresh_token"].(string))
	require.Equal(t, http.StatusOK, again.status, again.body)
	renewed, ok := b.principal(t, again.json(t)["access_token"].(string))
	require.True(t, ok)
	require.Equal(t, p.TokenID, renewed.TokenID, "one agent, however often it renews")
	_, ok = b.principal(t, v["access_token"].(string))
	require.True(t, ok, "calls on their way still work")
}

// TestFlow_Everyday: who asks for nothing, or for all that there is, has not chosen, and the
// page starts with everyday work, as far as the person's role goes. Whoever asks by name is
// offered that, because a call needed it.
func TestFlow_Everyday(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	everyday, all := tenancy.Everyday().Strings(), tenancy.AllPermissions.Strings()
	for scope, want := range map[string][]string{
		"":                          everyday,
		"openid offline_access":     everyday,
		strings.Join(all, " "):      everyday,
		"issues:read issues:delete": {"issues:read", "issues:delete"},
		"members:manage":            {"members:manage"},
	} {
		page := b.consentPage(t, "ada@acme", b.asked(client, with("scope", scope)))
		require.Equal(t, want, checked(page.body), scope)
		require.Len(t, box.FindAllString(page.body, -1), len(all), "the person may tick more")
	}
	page := b.consentPage(t, "ben@acme", b.asked(client, with("scope", "issues:read members:manage")))
	require.Equal(t, []string{"issues:read"}, checked(page.body), "what a role lacks is not offered")
}

func TestFlow_Narrowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.acme.Project(t, "API", "Interface")
	client := b.registerClient(t, "Agent", callback)
	code := b.allow(t, "ben@acme", b.asked(client), with("reach", "some"), with("project", "WEB"),
		with("allow", "issues:read", "members:manage"), with("life", "1"))
	a := b.redeem(t, client, code)
	require.Equal(t, "issues:read", a.json(t)["scope"], "a member cannot give what only admins have")
	p, ok := b.principal(t, a.json(t)["access_token"].(string))
	require.True(t, ok)
	require.Equal(t, []string{"WEB"}, p.Grants.Projects)
	require.True(t, p.Grants.Limited)
}

func TestFlow_Declined(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	form := fields(b.consentPage(t, "ada@acme", b.asked(client)).body)
	form.Set("answer", "deny")
	a := b.send(t, http.MethodPost, "/oauth/consent", form, as("ada@acme"))
	back, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "access_denied", back.Query().Get("error"))
	require.Equal(t, "state/1 ü", back.Query().Get("state"))
}

// TestFlow_TenantThenSignIn: on the bare host the person names the tenant, and who
// is not signed in comes back to the same consent.
func TestFlow_TenantThenSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	next := fields(b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client).Encode(), nil).body)
	ask := b.send(t, http.MethodGet, "/oauth/consent?"+next.Encode(), nil)
	require.Equal(t, http.StatusOK, ask.status)
	require.Contains(t, ask.body, `name="tenant"`)

	next.Set("tenant", "acme")
	a := b.send(t, http.MethodGet, "/oauth/consent?"+next.Encode(), nil)
	require.Equal(t, http.StatusSeeOther, a.status)
	signIn, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "acme", signIn.Query().Get("tenant"))
	page := b.send(t, http.MethodGet, signIn.Query().Get("next"), nil, as("ada@acme"))
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "What may it do?")
}

func TestFlow_EndsWithItsToken(t *testing.T) {
	t.Parallel()
	ends := map[string]func(t *testing.T, b *bundle, token tenancy.Principal){
		"revoked": func(t *testing.T, b *bundle, p tenancy.Principal) {
			require.NoError(t, b.db.RevokeToken(t.Context(), b.acme.Scope(), "test", p.TokenID))
		},
		"member deactivated": func(t *testing.T, b *bundle, _ tenancy.Principal) {
			_, err := b.db.SetMemberRole(t.Context(), b.acme.Scope(), "test", b.acme.Ben.ID, tenancy.RoleOwner)
			require.NoError(t, err)
			_, err = b.db.DeactivateMember(t.Context(), b.acme.Scope(), "test", b.acme.Ada.ID)
			require.NoError(t, err)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client, access, refresh := b.connect(t)
			p, ok := b.principal(t, access)
			require.True(t, ok)
			end(t, b, p)
			requireError(t, "invalid_grant", b.renew(t, client, refresh))
		})
	}
}

// TestFlow_Suspended: a client loses nothing while its tenant is suspended, and goes on with
// the same secret when it is resumed.
func TestFlow_Suspended(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, _, refresh := b.connect(t)
	_, err := b.db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	a := b.renew(t, client, refresh)
	requireError(t, "temporarily_unavailable", a)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	_, err = b.db.ResumeTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.renew(t, client, refresh).status)
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"access", "refresh"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client, access, refresh := b.connect(t)
			token := map[string]string{"access": access, "refresh": refresh}[which]
			other := b.send(t, http.MethodPost, "/oauth/revoke", url.Values{"token": {token}, "client_id": {"cfo_other"}})
			require.Equal(t, http.StatusOK, other.status)
			_, ok := b.principal(t, access)
			require.True(t, ok, "another client cannot end it")
			a := b.send(t, http.MethodPost, "/oauth/revoke", url.Values{"token": {token}, "client_id": {client}})
			require.Equal(t, http.StatusOK, a.status)
			_, ok = b.principal(t, access)
			require.False(t, ok)
			requireError(t, "invalid_grant", b.renew(t, client, refresh))
		})
	}
}

// TestAudit: consent, redemption, renewal and reuse each leave one row.
func TestAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, _, refresh := b.connect(t)
	second := b.renew(t, client, refresh)
	require.Equal(t, http.StatusOK, second.status)
	require.Equal(t, http.StatusOK, b.renew(t, client, second.json(t)["refresh_token"].(string)).status)
	requireError(t, "invalid_grant", b.renew(t, client, refresh))
	var rows []store.AuditRow
	b.acme.Read(t, store.AuditRows(store.AuditFilter{Limit: 100, Oldest: true}, &rows, nil))
	var methods []string
	for _, r := range rows {
		if strings.HasPrefix(r.Method, "oauth.") {
			methods = append(methods, r.Method+" "+r.Decision)
			require.Equal(t, b.acme.Ada.ID, *r.MemberID)
			require.Equal(t, "Agent", r.Client)
			require.NotEmpty(t, r.RequestID)
		}
	}
	require.Equal(t, []string{"oauth.consent allowed", "oauth.redeem allowed", "oauth.renew allowed", "oauth.renew allowed", "oauth.renew denied"}, methods)
}
