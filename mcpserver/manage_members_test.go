package mcpserver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// tokenOf makes a token of a member that may do everything which they may.
func (b *bundle) tokenOf(t *testing.T, acme *storetest.Tenant, m tenancy.Member) string {
	t.Helper()
	_, plain, err := b.db.CreateToken(t.Context(), acme.Scope(), acme.Slug, "test",
		store.NewToken{Name: "of " + m.Handle, Owner: m.Email, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}})
	require.NoError(t, err)
	return plain
}

// only is the one member that a change answers with.
func only(t *testing.T, answer map[string]any) map[string]any {
	t.Helper()
	items := answer["items"].([]any)
	require.Len(t, items, 1)
	return items[0].(map[string]any)
}

func TestManageMembers(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	c := b.client(t, acme.FullToken(t)).all()
	ben := b.client(t, b.tokenOf(t, acme, acme.Ben)).all()
	manage := func(action string, more ...any) args {
		a := args{"action": action}
		for n := 0; n < len(more); n += 2 {
			a[more[n].(string)] = more[n+1]
		}
		return a
	}

	invite := manage("invite", "email", "Cy@acme.test", "name", "Cy\u202e Twombly", "role", "member")
	require.Contains(t, c.fails("confirmation_required", "manage_members", invite), "Invite cy@acme.test (Cy Twombly) as member.")
	require.Equal(t, "invited", only(t, c.agree("manage_members", invite))["state"])
	require.Contains(t, c.fails("conflict", "manage_members", invite), "a member already")

	require.EqualValues(t, 3, c.ok("manage_members", manage("list"))["total"])
	page := c.ok("manage_members", manage("list", "limit", 2))
	require.Len(t, page["items"], 2)
	rest := c.ok("manage_members", manage("list", "limit", 2, "cursor", page["next_cursor"]))
	require.Equal(t, "Cy Twombly", only(t, rest)["name"])
	require.NotContains(t, rest, "next_cursor")
	require.Equal(t, "ben@acme.test", only(t, c.ok("manage_members", manage("list", "query", "BEN o")))["email"])
	c.fails("invalid_value", "manage_members", manage("list", "query", "b", "cursor", page["next_cursor"]))

	ben.fails("forbidden", "manage_members", manage("list"))
	role := manage("set_role", "member", "Ben Okri", "role", "admin")
	require.Contains(t, c.fails("confirmation_required", "manage_members", role), "Make ben@acme.test (Ben Okri), who is member, admin of the whole tenant.")
	require.Equal(t, true, c.ok("manage_members", manage("set_role", "member", "ben", "role", "admin", "dry_run", true))["dry_run"])
	ben.fails("forbidden", "manage_members", manage("list"))
	require.Equal(t, "admin", only(t, c.agree("manage_members", role))["role"])
	require.Eventually(t, func() bool { return !ben.call("manage_members", manage("list")).isError }, 20*time.Second, 10*time.Millisecond, "the word has come")

	stop := manage("deactivate", "member", "ben@acme.test")
	require.Equal(t, "disabled", only(t, c.agree("manage_members", stop))["state"])
	soon := func(status int, why string) {
		require.Eventually(t, func() bool { return ben.post(ping).status == status }, 20*time.Second, 10*time.Millisecond, why)
	}
	soon(http.StatusUnauthorized, "their tokens stop")
	require.Equal(t, http.StatusOK, b.client(t, b.tokenOf(t, beta, beta.Ben)).post(ping).status, "their namesake's do not")
	require.Equal(t, "active", only(t, c.agree("manage_members", manage("reactivate", "member", "ben")))["state"])
	soon(http.StatusOK, "they work again")
	require.Contains(t, c.fails("conflict", "manage_members", manage("reactivate", "member", "cy")), "invited, not disabled")

	for name, a := range map[string]args{"role": manage("set_role", "member", "ben"), "member": manage("deactivate"), "email": manage("invite", "role", "viewer")} {
		require.Contains(t, c.fails("missing", "manage_members", a), "needs "+name)
	}
	c.fails("invalid_value", "manage_members", manage("invite", "email", strings.Repeat("x", 300)+"@acme.test", "role", "viewer"))
	c.fails("invalid_value", "manage_members", manage("invite", "email", "dee@acme.test", "name", strings.Repeat("é", 300), "role", "viewer"))

	rows := c.ok("search_audit_log", args{"tool": "manage_members", "target": "ben@acme.test", "decision": "allowed", "details": true})["items"].([]any)
	require.Len(t, rows, 4, "three changes and a dry run")
	changes := rows[1].(map[string]any)["details"].(map[string]any)["changes"].([]any)
	require.Equal(t, args{"field": "state", "before": "active", "after": "disabled"}, changes[0])
}

// TestManageMembers_NeverAboveTheOwner: what an agent gives is bounded by whom it acts
// for, at the moment when it is given.
func TestManageMembers_NeverAboveTheOwner(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	_, err := b.db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleAdmin)
	require.NoError(t, err)
	for email, role := range map[string]tenancy.Role{"cy@acme.test": tenancy.RoleViewer, "olga@acme.test": tenancy.RoleOwner} {
		_, err := b.db.InviteMember(t.Context(), acme.Scope(), "test", email, "", role)
		require.NoError(t, err)
	}
	owners, admins := b.client(t, acme.FullToken(t)).all(), b.client(t, b.tokenOf(t, acme, acme.Ben)).all()
	_, plain := acme.Token(t, "held", allGrants(t, []string{}))
	before := b.db.Dump(t, "audit_log", "token_usage")
	for _, agent := range []*client{owners, admins} {
		agent.fails("invalid_value", "manage_members", args{"action": "set_role", "member": "cy", "role": "owner"})
		agent.fails("invalid_value", "manage_members", args{"action": "invite", "email": "x@acme.test", "role": "owner"})
		for _, owner := range []string{"ada", "olga"} {
			require.Contains(t, agent.fails("forbidden", "manage_members", args{"action": "set_role", "member": owner, "role": "viewer"}), "who owns the tenant")
			agent.fails("forbidden", "manage_members", args{"action": "deactivate", "member": owner})
		}
		agent.fails("forbidden", "manage_members", args{"action": "set_role", "member": "me", "role": "viewer"})
	}
	require.Contains(t, admins.fails("forbidden", "manage_members", args{"action": "deactivate", "member": "ben"}), "acts for")
	held := b.client(t, plain).all()
	require.EqualValues(t, 4, held.ok("manage_members", args{"action": "list"})["total"])
	require.Contains(t, held.fails("forbidden", "manage_members", args{"action": "invite", "email": "x@acme.test", "role": "viewer"}), "held to some projects")
	require.Equal(t, before, b.db.Dump(t, "audit_log", "token_usage"), "nothing changed")

	// An admin's agent asks, the admin is demoted, the agent comes with the confirmation.
	raise := args{"action": "set_role", "member": "cy", "role": "admin"}
	raise["confirm_token"] = tokenInText.FindStringSubmatch(admins.fails("confirmation_required", "manage_members", raise))[1]
	_, err = b.db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleMember)
	require.NoError(t, err)
	admins.fails("forbidden", "manage_members", raise)

	// And what was agreed to holds for the member as they were.
	stop := args{"action": "deactivate", "member": "cy"}
	stop["confirm_token"] = tokenInText.FindStringSubmatch(owners.fails("confirmation_required", "manage_members", stop))[1]
	_, err = b.db.SetMemberRole(t.Context(), acme.Scope(), "test", memberID(t, acme, "cy"), tenancy.RoleMember)
	require.NoError(t, err)
	owners.fails("confirmation_invalid", "manage_members", stop)
}

func memberID(t *testing.T, acme *storetest.Tenant, handle string) (id [16]byte) {
	t.Helper()
	var found []tenancy.Member
	acme.Read(t, store.MembersByName([]string{handle}, &found))
	require.Len(t, found, 1)
	return found[0].ID
}
