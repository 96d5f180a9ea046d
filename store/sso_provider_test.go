package store_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

func TestSSOProvider_Secrets(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp"))
	party, err := db.SSOParty(t.Context(), acme.Tenant, idp.ID)
	require.NoError(t, err)
	require.Equal(t, "client secret of idp", party.Secrets.ClientSecret)
	require.Equal(t, idp.Settings, party.Connection.Settings)
	require.NotContains(t, db.Dump(t), "client secret of idp", "sealed, in the audit log too")

	// Saved again without a secret, it stays; and the connection stays switched on.
	again, err := db.SaveSSOProvider(t.Context(), acme.Scope(), "operator", connection("idp", func(c *sso.Connection) { c.Title = "Company" }), nil)
	require.NoError(t, err)
	require.Equal(t, idp.ID, again.ID)
	require.True(t, again.Enabled)
	require.Equal(t, "Company", again.Title)
	require.True(t, again.UpdatedAt.Equal(idp.UpdatedAt) || again.UpdatedAt.After(idp.UpdatedAt))
	party, err = db.SSOParty(t.Context(), acme.Tenant, idp.ID)
	require.NoError(t, err)
	require.Equal(t, "client secret of idp", party.Secrets.ClientSecret)
	// But it is not sent to another provider.
	_, err = db.SaveSSOProvider(t.Context(), acme.Scope(), "operator", connection("idp", func(c *sso.Connection) { c.OIDC.Issuer = "https://evil.example.com" }), nil)
	require.Equal(t, tenancy.Missing, tenancy.CodeOf(err))
	_, err = db.SaveSSOProvider(t.Context(), acme.Scope(), "operator", connection("idp", func(c *sso.Connection) { c.Protocol = sso.SAML }), nil)
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))

	// Sealed for one connection, it opens for no other.
	other := provider(t, db, acme, connection("other"))
	admin(t, db, `update sso_providers set sealed = (select sealed from sso_providers where name = 'idp') where name = 'other'`)
	_, err = db.SSOParty(t.Context(), acme.Tenant, other.ID)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "client secret")
}

// TestSSOProvider_Ceiling: nobody gives a role above their own by a connection, or
// takes over one that an owner has set up.
func TestSSOProvider_Ceiling(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	ben, err := db.SetMemberRole(t.Context(), acme.Scope(), "operator", acme.Ben.ID, tenancy.RoleAdmin)
	require.NoError(t, err)
	owner, adminScope := store.ForMember(acme.ID, acme.Ada.ID, 1), store.ForMember(acme.ID, ben.ID, 2)
	save := func(scope store.Scope, c sso.Connection) (sso.Connection, error) {
		return db.SaveSSOProvider(t.Context(), scope, "someone", c, &sso.Secrets{ClientSecret: "s"})
	}
	links := func(c *sso.Connection) { c.Rules.LinkByEmail = true }
	low, err := save(adminScope, connection("low", links))
	require.NoError(t, err)
	require.Equal(t, tenancy.RoleAdmin, low.Ceiling)
	for name, change := range map[string]func(*sso.Connection){
		"default": func(c *sso.Connection) { c.Rules.DefaultRole = tenancy.RoleOwner },
		"table":   func(c *sso.Connection) { c.Rules.Roles = []sso.GroupRole{{Group: "x", Role: tenancy.RoleOwner}} },
	} {
		_, err := save(adminScope, connection("low", change))
		require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err), name)
	}
	_, err = db.SignIn(t.Context(), acme.ID, identity(low, "1", acme.Ada.Email))
	require.Equal(t, sso.RoleAbove, sso.CodeOf(err), "the owner's address does not help the admin to become one")

	high, err := save(owner, connection("high", links))
	require.NoError(t, err)
	require.Equal(t, tenancy.RoleOwner, high.Ceiling)
	_, err = save(adminScope, connection("high"))
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err))
	_, err = db.SetSSOProvider(t.Context(), adminScope, "someone", high.ID, true)
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err))
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(db.RemoveSSOProvider(t.Context(), adminScope, "someone", high.ID)))
	ada, err := db.SignIn(t.Context(), acme.ID, identity(high, "1", acme.Ada.Email))
	require.NoError(t, err)
	require.Equal(t, tenancy.RoleOwner, ada.Role)
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(db.Unlink(t.Context(), adminScope, "someone", high.ID, ada.ID)))

	// Members and agents manage nothing of it.
	cy, err := db.InviteMember(t.Context(), acme.Scope(), "operator", "cy@acme.test", "", tenancy.RoleMember)
	require.NoError(t, err)
	admin(t, db, `update members set state = 'active' where email = 'cy@acme.test'`)
	agent := store.ForPrincipal(principal(t, db, acme.FullToken(t)))
	for _, scope := range []store.Scope{store.ForMember(acme.ID, cy.ID, 1), agent} {
		_, err = save(scope, connection("mine"))
		require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err))
		require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(db.RequireSSO(t.Context(), scope, "x", false)))
	}
}

func TestSSOProvider_Remove(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp"))
	cy, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", "cy@acme.test"))
	require.NoError(t, err)
	require.NoError(t, db.RemoveSSOProvider(t.Context(), acme.Scope(), "operator", idp.ID))
	var list []sso.Connection
	acme.Read(t, store.SSOProviders(&list))
	require.Empty(t, list)
	require.Empty(t, strings1(t, db.Admin(t), `select subject from identities where tenant_id = $1`, acme.ID))
	var m tenancy.Member
	acme.Read(t, store.MemberByID(cy.ID, &m))
	require.Equal(t, tenancy.MemberActive, m.State, "members stay")
	_, err = db.SignIn(t.Context(), acme.ID, identity(idp, "1", "cy@acme.test"))
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
}

func TestRequireSSO(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(db.RequireSSO(t.Context(), acme.Scope(), "operator", true)), "nobody could sign in")
	provider(t, db, acme, connection("idp"))
	require.NoError(t, db.RequireSSO(t.Context(), acme.Scope(), "operator", true))
	var required bool
	acme.Read(t, store.SSORequired(&required))
	require.True(t, required)
	require.NoError(t, db.RequireSSO(t.Context(), acme.Scope(), "operator", false))
	acme.Read(t, store.SSORequired(&required))
	require.False(t, required)
}

// TestRequireSSO_Sessions: whoever could not begin a session any more loses it, also one
// that begins in the same moment; sessions by the provider and of owners go on.
func TestRequireSSO_Sessions(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, other := db.Tenant(t, "acme"), db.Tenant(t, "other")
	idp := provider(t, db, acme, connection("idp"))
	provider(t, db, other, connection("idp"))
	owner, _ := signIn(t, db, acme.Tenant, acme.Ada.ID)
	byLink, _ := signIn(t, db, acme.Tenant, acme.Ben.ID)
	foreign, _ := signIn(t, db, other.Tenant, other.Ben.ID)
	plain, refresh := tokens.MintSession("acme")
	_, err := db.BeginSession(t.Context(), acme.Tenant, acme.Ben.ID, store.NewSession{Provider: idp.Name, Refresh: refresh})
	require.NoError(t, err)
	bySSO := &cookies{db, "acme", []string{plain}}

	require.NoError(t, db.RequireSSO(t.Context(), acme.Scope(), "operator", true))
	require.ErrorIs(t, byLink.renew(t, byLink.last()), store.ErrSessionEnded)
	for name, c := range map[string]*cookies{"owner": owner, "by the provider": bySSO, "of another tenant": foreign} {
		require.NoError(t, c.renew(t, c.last()), name)
	}
	require.Equal(t, []string{"", "sso required", ""}, ended(t, db, acme.ID))

	for range 10 {
		require.NoError(t, db.RequireSSO(t.Context(), acme.Scope(), "operator", false))
		var both sync.WaitGroup
		for range 3 {
			both.Go(func() {
				_, refresh := tokens.MintSession("acme")
				_, err := db.BeginSession(t.Context(), acme.Tenant, acme.Ben.ID, store.NewSession{Provider: "link", Refresh: refresh})
				if err != nil {
					assert.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err), err)
				}
			})
		}
		both.Go(func() { assert.NoError(t, db.RequireSSO(t.Context(), acme.Scope(), "operator", true)) })
		both.Wait()
		require.Empty(t, strings1(t, db.Admin(t), `select id::text from sessions where tenant_id = $1 and provider = 'link' and member_id = $2 and ended_at is null`, acme.ID, acme.Ben.ID))
	}
}
