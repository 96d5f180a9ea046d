package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// connection is one to an OpenID provider, for people of acme.test.
func connection(name string, change ...func(*sso.Connection)) sso.Connection {
	c := sso.Connection{ID: tenancy.NewID(), Name: name, Title: name, Protocol: sso.OIDC, Settings: sso.Settings{Address: "https://acme.example.com",
		OIDC:  &sso.OIDCSettings{Preset: "generic", Issuer: "https://idp.example.com", ClientID: "colaflow"},
		Rules: sso.Rules{Domains: []string{"acme.test"}, AutoProvision: true, DefaultRole: tenancy.RoleMember, Idle: 30}}}
	for _, fn := range change {
		fn(&c)
	}
	return c
}

// provider stores a connection and switches it on, as an operator.
func provider(t *testing.T, db *storetest.DB, of *storetest.Tenant, c sso.Connection) sso.Connection {
	t.Helper()
	c, err := db.SaveSSOProvider(t.Context(), of.Scope(), "operator", c, &sso.Secrets{ClientSecret: "client secret of " + c.Name})
	require.NoError(t, err)
	c, err = db.SetSSOProvider(t.Context(), of.Scope(), "operator", c.ID, true)
	require.NoError(t, err)
	return c
}

// identity is what a provider vouches for.
func identity(c sso.Connection, subject, email string, groups ...string) sso.Identity {
	return sso.Identity{Provider: c.ID, Issuer: "https://idp.example.com", Subject: subject, Email: email, EmailVerified: true, Name: "Person " + subject, Groups: groups}
}

// people counts the members of a tenant.
func people(t *testing.T, db *storetest.DB, of *storetest.Tenant) int {
	t.Helper()
	list := strings1(t, db.Admin(t), `select id::text from members where tenant_id = $1`, of.ID)
	return len(list)
}

func TestSignIn_Provisions(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp"))
	before := people(t, db, acme)
	first, err := db.SignIn(tenancy.Request{ClientIP: "203.0.113.7"}.In(t.Context()), acme.ID, identity(idp, "1", "Cy@ACME.test"))
	require.NoError(t, err)
	require.Equal(t, "cy@acme.test", first.Email)
	require.Equal(t, "cy", first.Handle)
	require.Equal(t, "Person 1", first.Name)
	require.Equal(t, tenancy.RoleMember, first.Role)
	require.Equal(t, tenancy.MemberActive, first.State)
	again, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", "cy@acme.test"))
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	moved, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", "cynthia@acme.test"))
	require.NoError(t, err)
	require.Equal(t, first.ID, moved.ID, "the identity is issuer and subject, not the address")
	require.Equal(t, before+1, people(t, db, acme))
	require.Equal(t, []string{"sso.sign_in allowed cy@acme.test 203.0.113.7 t"}, strings1(t, db.Admin(t),
		`select concat_ws(' ', method, decision, actor, client_ip, member_id is not null) from audit_log where method = 'sso.sign_in' and client_ip <> ''`))

	// Somebody else is ada here already: the newcomer goes by the whole address.
	idp = provider(t, db, acme, connection("other", func(c *sso.Connection) { c.Rules.Domains = []string{"beta.test"} }))
	ada, err := db.SignIn(t.Context(), acme.ID, identity(idp, "2", "ada@beta.test"))
	require.NoError(t, err)
	require.Equal(t, "ada@beta.test", ada.Handle)
}

// TestSignIn_AtOnce makes one member of many first sign-ins at the same moment.
func TestSignIn_AtOnce(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp"))
	before := people(t, db, acme)
	var group sync.WaitGroup
	ids := make(chan uuid.UUID, 16)
	for range 16 {
		group.Go(func() {
			m, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", "cy@acme.test"))
			if err == nil {
				ids <- m.ID
			}
		})
	}
	group.Wait()
	close(ids)
	all := map[uuid.UUID]int{}
	for id := range ids {
		all[id]++
	}
	require.Len(t, all, 1)
	require.Equal(t, before+1, people(t, db, acme))
}

// TestAttack082_SameEmail: an address takes nobody's place. A second provider, a second
// account, and an address that is not verified get nowhere without the rule for it.
func TestAttack082_SameEmail(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	links := func(c *sso.Connection) { c.Rules.LinkByEmail = true }
	first, second := provider(t, db, acme, connection("first", links)), provider(t, db, acme, connection("second"))
	unverified := identity(first, "x", acme.Ben.Email)
	unverified.EmailVerified = false
	refused := func(id sso.Identity, want sso.Code) {
		t.Helper()
		_, err := db.SignIn(t.Context(), acme.ID, id)
		require.Equal(t, want, sso.CodeOf(err), "%v", err)
	}
	refused(unverified, sso.EmailUnverified)
	refused(identity(second, "1", acme.Ben.Email), sso.EmailTaken)
	ben, err := db.SignIn(t.Context(), acme.ID, identity(first, "1", acme.Ben.Email))
	require.NoError(t, err, "the first provider may link")
	require.Equal(t, acme.Ben.ID, ben.ID)
	refused(identity(second, "1", acme.Ben.Email), sso.EmailTaken)
	refused(identity(first, "2", acme.Ben.Email), sso.EmailTaken)
	foreign := identity(first, "1", acme.Ben.Email)
	foreign.Issuer = "https://evil.example.com"
	refused(foreign, sso.EmailTaken)

	// Explicitly: an admin lets the second provider link, or forgets the account before.
	second = provider(t, db, acme, connection("second", links))
	ben, err = db.SignIn(t.Context(), acme.ID, identity(second, "1", acme.Ben.Email))
	require.NoError(t, err)
	require.Equal(t, acme.Ben.ID, ben.ID)
	require.NoError(t, db.Unlink(t.Context(), acme.Scope(), "operator", first.ID, acme.Ben.ID))
	ben, err = db.SignIn(t.Context(), acme.ID, identity(first, "2", acme.Ben.Email))
	require.NoError(t, err)
	require.Equal(t, acme.Ben.ID, ben.ID)
	refused(identity(first, "1", acme.Ben.Email), sso.EmailTaken)
	require.Len(t, strings1(t, db.Admin(t), `select rule from audit_log where method = 'sso.sign_in' and decision = 'denied' and kind = 'sign_in'`), 6, "each refusal has a row")
}

// TestAttack083_DomainsOfOthers: identities and domains are per tenant.
func TestAttack083_DomainsOfOthers(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	a := provider(t, db, acme, connection("idp"))
	b := provider(t, db, beta, connection("idp", func(c *sso.Connection) { c.Rules.LinkByEmail = true }))
	inA, err := db.SignIn(t.Context(), acme.ID, identity(a, "1", "cy@acme.test"))
	require.NoError(t, err)
	before := people(t, db, acme)
	inB, err := db.SignIn(t.Context(), beta.ID, identity(b, "1", "cy@acme.test"))
	require.NoError(t, err, "beta lists the domain of acme")
	require.NotEqual(t, inA.ID, inB.ID)
	require.Equal(t, before, people(t, db, acme), "no effect on acme")
	_, err = db.SignIn(t.Context(), beta.ID, identity(a, "1", "cy@acme.test"))
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err), "acme's connection is nothing in beta")
	_, err = db.SSOParty(t.Context(), beta.Tenant, a.ID)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	for _, err := range []error{db.RemoveSSOProvider(t.Context(), beta.Scope(), "x", a.ID), db.Unlink(t.Context(), beta.Scope(), "x", a.ID, inA.ID)} {
		require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	}
}

// TestAttack089_GroupsGiveRoles: the table gives roles at each sign-in, in force at once;
// the last owner stays.
func TestAttack089_GroupsGiveRoles(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp", func(c *sso.Connection) {
		c.Rules.LinkByEmail = true
		c.Rules.Roles = []sso.GroupRole{{Group: "g-admins", Role: tenancy.RoleAdmin}, {Group: "g-bosses", Role: tenancy.RoleOwner}}
	}))
	as := func(subject, email string, groups ...string) tenancy.Member {
		t.Helper()
		m, err := db.SignIn(t.Context(), acme.ID, identity(idp, subject, email, groups...))
		require.NoError(t, err)
		return m
	}
	require.Equal(t, tenancy.RoleMember, as("1", "cy@acme.test", "admin", "G-ADMINS", "owner").Role)
	cy := as("1", "cy@acme.test", "g-admins")
	require.Equal(t, tenancy.RoleAdmin, cy.Role)
	var epoch int64
	read := func() int64 {
		require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select epoch from members where id = $1`, cy.ID).Scan(&epoch))
		return epoch
	}
	was := read()
	require.Equal(t, tenancy.RoleMember, as("1", "cy@acme.test").Role, "in no group any more")
	require.Equal(t, was+1, read(), "sessions with the higher role end")
	as("1", "cy@acme.test")
	require.Equal(t, was+1, read(), "nothing changed, so nothing ends")
	require.Equal(t, tenancy.RoleOwner, as("2", acme.Ada.Email).Role, "the last owner")
	require.Equal(t, tenancy.RoleOwner, as("3", "dora@acme.test", "g-bosses").Role)
	require.Equal(t, tenancy.RoleMember, as("2", acme.Ada.Email).Role, "not the last any more")
	require.Equal(t, tenancy.RoleOwner, as("3", "dora@acme.test").Role)
}

// TestAttack088_Deactivated: who is deactivated does not come in, and what they had stops
// at once.
func TestAttack088_Deactivated(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp", func(c *sso.Connection) { c.Rules.LinkByEmail = true }))
	ben, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", acme.Ben.Email))
	require.NoError(t, err)
	plain, hash := tokens.MintSession("acme")
	_, err = db.BeginSession(t.Context(), acme.Tenant, ben.ID, store.NewSession{Provider: "idp", Refresh: hash})
	require.NoError(t, err)
	_, agent, err := db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "agent", Owner: ben.Email, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}})
	require.NoError(t, err)
	works := func() [2]bool {
		_, err := db.PersonOf(t.Context(), plain)
		slug, h, _ := tokens.Parse(agent)
		_, tokenErr := db.LookupToken(t.Context(), slug, h)
		return [2]bool{err == nil, tokenErr == nil}
	}
	require.Equal(t, [2]bool{true, true}, works())
	_, err = db.DeactivateMember(t.Context(), acme.Scope(), "operator", ben.ID)
	require.NoError(t, err)
	require.Equal(t, [2]bool{}, works())
	_, err = db.SignIn(t.Context(), acme.ID, identity(idp, "1", acme.Ben.Email))
	require.Equal(t, sso.MemberDisabled, sso.CodeOf(err))
	_, err = db.ReactivateMember(t.Context(), acme.Scope(), "operator", ben.ID)
	require.NoError(t, err)
	require.Equal(t, [2]bool{false, true}, works(), "his sessions ended with him")
	plain, hash = tokens.MintSession("acme")
	_, err = db.BeginSession(t.Context(), acme.Tenant, ben.ID, store.NewSession{Provider: "idp", Refresh: hash})
	require.NoError(t, err)

	// The provider has removed him: he signs in no more, and after the days that the
	// connection allows his session and his agents stop. An owner does not.
	_, err = db.SignIn(t.Context(), acme.ID, identity(idp, "2", acme.Ada.Email))
	require.NoError(t, err)
	admin(t, db, `update identities set last_sign_in_at = now() - interval '29 days'`)
	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, [2]bool{true, true}, works())
	admin(t, db, `update identities set last_sign_in_at = now() - interval '31 days'`)
	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, [2]bool{}, works())
	require.Equal(t, []string{"active"}, strings1(t, db.Admin(t), `select state from members where id = $1`, acme.Ada.ID))
	back, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", acme.Ben.Email))
	require.NoError(t, err, "he was on a long journey")
	require.Equal(t, tenancy.MemberActive, back.State)
	require.Equal(t, [2]bool{true, true}, works())

	// Who comes by a link while the provider is down is not idle.
	_, hash = tokens.MintSession("acme")
	_, err = db.BeginSession(t.Context(), acme.Tenant, ben.ID, store.NewSession{Provider: "link", Refresh: hash})
	require.NoError(t, err)
	admin(t, db, `update identities set last_sign_in_at = now() - interval '31 days'`)
	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, [2]bool{true, true}, works())
}

func TestSignIn_ImportedAndInvited(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp", func(c *sso.Connection) { c.Rules.LinkByEmail = true }))
	imported := tenancy.Member{ID: tenancy.NewID(), Handle: "cy", Email: "cy@acme.test", Name: "Cy", Role: tenancy.RoleAdmin, State: tenancy.MemberImported, CreatedAt: storetest.Now}
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{imported})) })
	got, err := db.SignIn(t.Context(), acme.ID, identity(idp, "1", "cy@acme.test"))
	require.NoError(t, err)
	require.Equal(t, imported.ID, got.ID, "what they wrote stays theirs")
	require.Equal(t, tenancy.RoleMember, got.Role, "the role of another system counts for nothing")
	require.Equal(t, tenancy.MemberActive, got.State)
	invited, err := db.InviteMember(t.Context(), acme.Scope(), "operator", "dora@acme.test", "Dora", tenancy.RoleAdmin)
	require.NoError(t, err)
	got, err = db.SignIn(t.Context(), acme.ID, identity(idp, "2", "dora@acme.test"))
	require.NoError(t, err)
	require.Equal(t, invited.ID, got.ID)
	require.Equal(t, tenancy.RoleAdmin, got.Role)
}

func TestSignIn_Plan(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp"))
	db.SetPlan(t, "acme", "free")
	limit := int(tenancy.PlanOf("free").Limit(tenancy.QuotaMembers))
	for n := people(t, db, acme); n < limit; n++ {
		_, err := db.SignIn(t.Context(), acme.ID, identity(idp, fmt.Sprint(n), fmt.Sprintf("p%d@acme.test", n)))
		require.NoError(t, err)
	}
	_, err := db.SignIn(t.Context(), acme.ID, identity(idp, "one more", "more@acme.test"))
	require.Equal(t, tenancy.PlanLimit, tenancy.CodeOf(err))
	require.Equal(t, limit, people(t, db, acme))
}

// TestTrySignIn tells what would happen, and leaves no trace.
func TestTrySignIn(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	idp := provider(t, db, acme, connection("idp", func(c *sso.Connection) { c.Rules.LinkByEmail = true }))
	was := db.Dump(t)
	v, err := db.TrySignIn(t.Context(), acme.ID, identity(idp, "1", "cy@acme.test"))
	require.NoError(t, err)
	require.Equal(t, sso.Verdict{Action: sso.Create, Email: "cy@acme.test", Role: tenancy.RoleMember}, v)
	v, err = db.TrySignIn(t.Context(), acme.ID, identity(idp, "1", acme.Ada.Email))
	require.NoError(t, err)
	require.Equal(t, sso.Verdict{Action: sso.Link, Member: acme.Ada.ID, Email: acme.Ada.Email, Role: tenancy.RoleOwner}, v)
	_, err = db.TrySignIn(t.Context(), acme.ID, identity(idp, "1", "cy@evil.test"))
	require.Equal(t, sso.DomainNotAllowed, sso.CodeOf(err))
	require.Equal(t, was, db.Dump(t))
}
