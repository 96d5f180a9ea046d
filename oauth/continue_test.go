package oauth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/oauth"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// device is a connection of an agent on one of a person's machines.
type device struct{ access, refresh string }

// device connects a machine of ada's to a client, for what is asked.
func (b *bundle) device(t *testing.T, client, scope string, edit ...func(url.Values)) device {
	t.Helper()
	a := b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client, with("scope", scope)), edit...))
	require.Equal(t, http.StatusOK, a.status, a.body)
	v := a.json(t)
	return device{v["access_token"].(string), v["refresh_token"].(string)}
}

// told does what a call does that needs more: it tells the client what to ask for.
func (b *bundle) told(t *testing.T, d device, scope string) {
	t.Helper()
	p, ok := b.principal(t, d.access)
	require.True(t, ok)
	for range 2 { // again and again
		connected, err := b.db.AskMore(t.Context(), store.ForPrincipal(p), p.TokenName, oauth.ParseScope(scope))
		require.NoError(t, err)
		require.True(t, connected)
	}
}

const (
	some = "projects:read issues:read"
	more = "projects:read issues:read issues:update"
)

// TestContinue: the connection that a client gets after it was told to ask for more takes the
// place of the one it had, whatever the person chose this time.
func TestContinue(t *testing.T) {
	t.Parallel()
	for name, choice := range map[string][]string{"as asked": strings.Fields(more), "less": {"issues:read"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client := b.registerClient(t, "Agent", callback)
			old := b.device(t, client, some)
			p, _ := b.principal(t, old.access)
			b.told(t, old, more)
			code := b.allow(t, "ada@acme", b.asked(client, with("scope", more)), with("allow", choice...))
			_, ok := b.principal(t, old.access)
			require.True(t, ok, "until it has the new one")

			v := b.redeem(t, client, code).json(t)
			_, ok = b.principal(t, old.access)
			require.False(t, ok)
			requireError(t, "invalid_grant", b.renew(t, client, old.refresh))
			now, ok := b.principal(t, v["access_token"].(string))
			require.True(t, ok)
			require.Equal(t, choice, now.Permissions.Strings())
			var was store.Token
			b.acme.Read(t, store.TokenByID(p.TokenID, &was))
			require.Equal(t, store.EndedReplaced, was.EndedWhy)
			var rows []store.AuditRow
			b.acme.Read(t, store.AuditRows(store.AuditFilter{Limit: 100}, &rows, nil))
			var methods []string
			for _, r := range rows[:3] {
				methods = append(methods, r.Method)
			}
			require.Equal(t, []string{"oauth.redeem", "oauth.consent", "oauth.ask"}, methods, "told twice is one row")
			require.Contains(t, string(rows[0].Args), "replaces")
		})
	}
}

// TestContinue_Not: two connections of one person and one client may be two devices, which
// do not end each other. Only what is known to be the same one is replaced.
func TestContinue_Not(t *testing.T) {
	t.Parallel()
	everyday := oauth.FormatScope(tenancy.Everyday())
	for name, test := range map[string]struct {
		before func(t *testing.T, b *bundle, client string, old device)
		scope  string // that the second one asks for
		other  bool   // it is another client
	}{
		"never told":          {func(*testing.T, *bundle, string, device) {}, more, false},
		"told another thing":  {func(t *testing.T, b *bundle, _ string, old device) { b.told(t, old, "issues:delete") }, more, false},
		"told the first time": {func(t *testing.T, b *bundle, _ string, old device) { b.told(t, old, more) }, everyday, false},
		"everything":          {func(t *testing.T, b *bundle, _ string, old device) { b.told(t, old, more) }, oauth.FormatScope(tenancy.AllPermissions), false},
		"nothing":             {func(t *testing.T, b *bundle, _ string, old device) { b.told(t, old, more) }, "", false},
		"another client":      {func(t *testing.T, b *bundle, _ string, old device) { b.told(t, old, more) }, more, true},
		"both told": {func(t *testing.T, b *bundle, client string, old device) {
			b.told(t, old, more)
			b.told(t, b.device(t, client, some), more)
		}, more, false},
		"long ago": {func(t *testing.T, b *bundle, _ string, old device) {
			b.told(t, old, more)
			_, err := b.db.Admin(t).Exec(t.Context(), "update oauth_connections set asked_at = asked_at - interval '31 minutes'")
			require.NoError(t, err)
		}, more, false},
		"of another person": {func(t *testing.T, b *bundle, _ string, old device) {
			b.told(t, old, more)
			_, err := b.db.Admin(t).Exec(t.Context(), "update oauth_connections set member_id = $1", b.acme.Ben.ID)
			require.NoError(t, err)
		}, more, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client := b.registerClient(t, "Agent", callback)
			old := b.device(t, client, some)
			test.before(t, b, client, old)
			if test.other {
				client = b.registerClient(t, "Agent", callback)
			}
			second := b.device(t, client, test.scope)
			for _, d := range []device{old, second} {
				_, ok := b.principal(t, d.access)
				require.True(t, ok)
			}
		})
	}
}

// TestContinue_Once: a code that comes twice ends what it gave; the one before has ended too,
// and a connection that ended by itself stays as it was.
func TestContinue_Once(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	old := b.device(t, client, some)
	p, _ := b.principal(t, old.access)
	b.told(t, old, more)
	code := b.allow(t, "ada@acme", b.asked(client, with("scope", more)))
	require.NoError(t, b.db.Disconnect(t.Context(), old.refresh, client))
	v := b.redeem(t, client, code).json(t)
	var was store.Token
	b.acme.Read(t, store.TokenByID(p.TokenID, &was))
	require.Equal(t, store.EndedDisconnected, was.EndedWhy)
	requireError(t, "invalid_grant", b.redeem(t, client, code))
	_, ok := b.principal(t, v["access_token"].(string))
	require.False(t, ok)
}

// TestContinue_ToEverything: an agent that has all but one permission is told to ask for all,
// and then that is what the page starts with; not so for one that was told to ask for less.
func TestContinue_ToEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	all := oauth.FormatScope(tenancy.AllPermissions)
	d := b.device(t, client, some)
	ask := func() []string {
		return checked(b.consentPage(t, "ada@acme", b.asked(client, with("scope", all))).body)
	}
	b.told(t, d, more)
	require.Equal(t, tenancy.Everyday().Strings(), ask())
	b.told(t, d, all)
	require.Equal(t, tenancy.AllPermissions.Strings(), ask())
	require.Equal(t, []string{"projects:read", "issues:read"}, checked(b.consentPage(t, "ada@acme", b.asked(client, with("scope", some))).body))
	other := b.registerClient(t, "Agent", callback)
	require.Equal(t, tenancy.Everyday().Strings(), checked(b.consentPage(t, "ada@acme", b.asked(other, with("scope", all))).body))
	_, err := b.db.Admin(t).Exec(t.Context(), "update oauth_connections set asked_at = asked_at - interval '31 minutes'")
	require.NoError(t, err)
	require.Equal(t, tenancy.Everyday().Strings(), ask(), "a while later")
}

// TestContinue_InTurns: a client that is told now this, now that, leaves a row for each, however
// often, and may come with any of them.
func TestContinue_InTurns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	old := b.device(t, client, some)
	for range 5 {
		b.told(t, old, more)
		b.told(t, old, "issues:delete")
	}
	for _, p := range tenancy.AllPermissions.List() {
		b.told(t, old, some+" "+p.String())
	}
	var rows []store.AuditRow
	b.acme.Read(t, store.AuditRows(store.AuditFilter{Tool: "oauth.ask", Limit: 100}, &rows, nil))
	require.Equal(t, 8, len(rows))
	b.device(t, client, more)
	_, ok := b.principal(t, old.access)
	require.False(t, ok)
}

// TestContinue_FullPlan: the connection that ends makes room for the one that takes its place.
func TestContinue_FullPlan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	old := b.device(t, client, some)
	for n := range tenancy.PlanOf("free").Tokens { // the new one has ended by the test's clock
		b.acme.Token(t, fmt.Sprint("other", n), `{}`)
	}
	b.db.SetPlan(t, "acme", "free")
	b.told(t, old, more)
	b.device(t, client, more)
	_, ok := b.principal(t, old.access)
	require.False(t, ok)
}
