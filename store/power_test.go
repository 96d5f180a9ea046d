package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// acting is the scope of a signed-in member.
func acting(t *testing.T, db *storetest.DB, m tenancy.Member) store.Scope {
	t.Helper()
	var tenant tenancy.TenantID
	var epoch int64
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select tenant_id, epoch from members where id = $1`, m.ID).Scan(&tenant, &epoch))
	return store.ForMember(tenant, m.ID, epoch)
}

func grants(t *testing.T, text string) tenancy.Grants {
	t.Helper()
	g, err := tenancy.ParseGrants([]byte(text))
	require.NoError(t, err)
	return g
}

// TestAttack011_NoTokenAboveItsMaker creates, widens and rotates as people and
// tokens of less power, then takes the maker's power away.
func TestAttack011_NoTokenAboveItsMaker(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	acme.Project(t, "API", "Interface")
	ada, ben := acme.Ada.Email, acme.Ben.Email
	create := func(as store.Scope, n store.NewToken) (store.Token, string, error) {
		n.Name = "new"
		return db.CreateToken(t.Context(), as, "acme", "test", n)
	}
	forbidden := func(err error, why string) {
		t.Helper()
		require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err), why)
	}
	asBen := acting(t, db, acme.Ben)
	_, _, err := create(asBen, store.NewToken{Owner: ben, Grants: grants(t, `{"audit":["read"]}`)})
	forbidden(err, "a member has no audit:read to give, though their role would cut it down")
	_, _, err = create(asBen, store.NewToken{Owner: ada, Grants: grants(t, `{"issues":["read"]}`)})
	forbidden(err, "a token that acts for somebody else")
	_, _, err = create(asBen, store.NewToken{Role: tenancy.RoleViewer, Grants: grants(t, `{"issues":["read"]}`)})
	forbidden(err, "a service token")
	mine, plain, err := create(asBen, store.NewToken{Owner: ben, Grants: grants(t, `{"issues":["*"]}`)})
	require.NoError(t, err)

	widen := func(as store.Scope, id store.Token, text string) error {
		_, err := db.UpdateToken(t.Context(), as, "test", id.ID, func(s *store.TokenSettings, _ time.Time) error {
			s.Grants = grants(t, text)
			return nil
		})
		return err
	}
	forbidden(widen(asBen, mine, `{"issues":["*"],"members":["manage"]}`), "widening beyond oneself")
	require.NoError(t, widen(asBen, mine, `{"issues":["*"],"comments":["read"]}`))
	ofAda, _ := acme.Token(t, "ada's", `{"issues":["read"]}`)
	forbidden(widen(asBen, ofAda, `{"issues":["read"]}`), "somebody else's token")
	_, _, err = db.RotateToken(t.Context(), asBen, "test", ofAda.ID, 0)
	forbidden(err, "the secret of somebody else's token")
	forbidden(db.RevokeToken(t.Context(), asBen, "test", ofAda.ID), "ending it")

	_, limited := acme.Token(t, "held to WEB", `{"members":["manage"],"issues":["read"],"only_projects":["WEB"]}`)
	agent := store.ForPrincipal(principal(t, db, limited))
	for _, text := range []string{`{"issues":["read"]}`, `{"issues":["read"],"only_projects":["WEB","API"]}`, `{"issues":["update"],"only_projects":["WEB"]}`} {
		_, _, err = create(agent, store.NewToken{Owner: ben, Grants: grants(t, text)})
		forbidden(err, text)
	}
	_, _, err = create(agent, store.NewToken{Owner: ben, Grants: grants(t, `{"issues":["read"],"only_projects":["WEB"]}`)})
	require.NoError(t, err)
	forbidden(widen(agent, mine, `{"issues":["read"]}`), "what it cannot reach itself")

	require.True(t, principal(t, db, plain).May(tenancy.IssuesUpdate))
	remembered := principal(t, db, plain)
	_, err = db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleViewer)
	require.NoError(t, err)
	require.False(t, works(t, db, remembered))
	narrowed := principal(t, db, plain)
	require.False(t, narrowed.May(tenancy.IssuesUpdate), "a later demotion narrows the token")
	require.True(t, narrowed.May(tenancy.IssuesRead))
	_, err = db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleAdmin)
	require.NoError(t, err)
	_, _, err = create(acting(t, db, acme.Ben), store.NewToken{Owner: ada, Grants: grants(t, `{"issues":["read"]}`)})
	forbidden(err, "an admin makes no token that acts for an owner")
	_, _, err = create(acting(t, db, acme.Ben), store.NewToken{Role: tenancy.RoleOwner, Grants: grants(t, `{"issues":["read"]}`)})
	forbidden(err, "nor a service token with an owner's role")
}

func TestMembers_RolesAndOwners(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	set := func(as store.Scope, m tenancy.Member, role tenancy.Role) error {
		_, err := db.SetMemberRole(t.Context(), as, "test", m.ID, role)
		return err
	}
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(set(acme.Scope(), acme.Ada, tenancy.RoleAdmin)), "the last owner")
	_, err := db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ada.ID)
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err), "the last owner")
	require.NoError(t, set(acme.Scope(), acme.Ben, tenancy.RoleAdmin))
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(set(acting(t, db, acme.Ben), acme.Ada, tenancy.RoleViewer)), "an admin and an owner")
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(set(acting(t, db, acme.Ben), acme.Ben, tenancy.RoleOwner)), "oneself")
	require.NoError(t, set(acting(t, db, acme.Ada), acme.Ben, tenancy.RoleOwner))
	require.Contains(t, lastChanges(t, db, "member.set_role"), `"owner"`)

	done := make(chan error) // two owners demote each other: one of them stays
	for _, pair := range [][2]tenancy.Member{{acme.Ada, acme.Ben}, {acme.Ben, acme.Ada}} {
		as := acting(t, db, pair[0])
		go func() { done <- set(as, pair[1], tenancy.RoleMember) }()
	}
	require.True(t, (<-done == nil) != (<-done == nil))
	var owners int
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select count(*) from members where role = 'owner' and state = 'active'`).Scan(&owners))
	require.Equal(t, 1, owners)
}

func TestMembers_Deactivate(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	token, plain, err := db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "ben's", Owner: acme.Ben.Email, Grants: grants(t, `{"issues":["read"]}`)})
	require.NoError(t, err)
	p := principal(t, db, plain)
	_, err = db.DeactivateMember(t.Context(), acting(t, db, acme.Ada), "test", acme.Ben.ID)
	require.NoError(t, err)
	require.False(t, works(t, db, p))
	_, err = lookup(t, db, plain)
	require.Error(t, err)
	acme.Read(t, store.TokenByID(token.ID, &token))
	require.Equal(t, store.TokenDisabled, token.State)
	_, err = db.ReactivateMember(t.Context(), acting(t, db, acme.Ada), "test", acme.Ben.ID)
	require.NoError(t, err)
	require.True(t, works(t, db, principal(t, db, plain)))
}

// TestPickMember_NameOfAnother: who takes somebody's e-mail for a display name locks
// nobody out, and stands for nobody.
func TestPickMember_NameOfAnother(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	admin(t, db, `update members set name = $1 where id = $2`, acme.Ada.Email, acme.Ben.ID)
	create := func(owner string) (store.Token, error) {
		token, _, err := db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "new", Owner: owner})
		return token, err
	}
	token, err := create(acme.Ada.Email)
	require.NoError(t, err)
	require.True(t, token.OwnedBy(acme.Ada.ID))
	_, err = create("nobody")
	require.ErrorContains(t, err, `Member "nobody" does not exist`)
	admin(t, db, `update members set name = 'Sam' where id in ($1, $2)`, acme.Ada.ID, acme.Ben.ID)
	_, err = create("sam")
	require.ErrorContains(t, err, `"sam" matches 2 members`)

	token, _, err = db.CreateToken(t.Context(), acting(t, db, acme.Ada), "acme", "test", store.NewToken{Name: "by id", OwnerID: acme.Ada.ID, Owner: "ignored"})
	require.NoError(t, err)
	require.True(t, token.OwnedBy(acme.Ada.ID))
}
