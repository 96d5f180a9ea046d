package tenancy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

// model decides from the stored JSON and the words of the documentation alone:
// who may do what, spelled out by name.
func model(role, stored, permission, project string) bool {
	var grants map[string]json.RawMessage
	_ = json.Unmarshal([]byte(stored), &grants)
	resource, verb, _ := strings.Cut(permission, ":")
	lists := func(raw json.RawMessage) bool {
		var verbs []string
		_ = json.Unmarshal(raw, &verbs)
		return slices.Contains(verbs, verb) || slices.Contains(verbs, "*")
	}
	var deny map[string]json.RawMessage
	_ = json.Unmarshal(grants["deny"], &deny)
	var only []string
	_ = json.Unmarshal(grants["only_projects"], &only)
	reads := verb == "read" && resource != "audit" || verb == "search"
	writes := !reads && resource != "audit" && resource != "members" && permission != "projects:delete"
	roleHas := role == "admin" || role == "owner" || reads || role == "member" && writes
	inReach := project == "" || grants["only_projects"] == nil || slices.Contains(only, project)
	return roleHas && lists(grants[resource]) && !lists(deny[resource]) && inReach
}

var somePermissions = rapid.Custom(func(t *rapid.T) tenancy.PermissionSet {
	return tenancy.PermissionSet(rapid.Uint32().Draw(t, "set")) & tenancy.AllPermissions
})

var someGrants = rapid.Custom(func(t *rapid.T) tenancy.Grants {
	g := tenancy.Grants{Allow: somePermissions.Draw(t, "allow"), Deny: somePermissions.Draw(t, "deny") & somePermissions.Draw(t, "less")}
	if g.Limited = rapid.Bool().Draw(t, "limited"); g.Limited {
		g.Projects = tenancy.ProjectKeys(rapid.SliceOf(rapid.SampledFrom([]string{"WEB", "API", "OPS"})).Draw(t, "projects"))
	}
	return g
})

var someAction = rapid.Custom(func(t *rapid.T) tenancy.Action {
	return tenancy.Action{Permission: rapid.SampledFrom(tenancy.AllPermissions.List()).Draw(t, "permission"),
		Project: rapid.SampledFrom([]string{"", "WEB", "API", "OPS"}).Draw(t, "project")}
})

func standing(role tenancy.Role, g tenancy.Grants) tenancy.Standing {
	return tenancy.Standing{Tenant: tenancy.TenantActive, Owner: tenancy.MemberActive, Role: role, Grants: g}
}

// TestDecide_AgreesWithModel also compares what dispatch asks, Principal.MayIn.
func TestDecide_AgreesWithModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, a, role := someGrants.Draw(t, "grants"), someAction.Draw(t, "action"), rapid.SampledFrom(tenancy.Roles()).Draw(t, "role")
		stored, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		want := model(string(role), string(stored), a.Permission.String(), a.Project)
		d := tenancy.Decide(standing(role, g), a)
		if d.Allowed != want || d.Allowed != (d.Rule == tenancy.RuleAllowed) || d.Reason == "" {
			t.Fatalf("model says %v, Decide %+v", want, d)
		}
		read, err := tenancy.ParseGrants(stored)
		if err != nil {
			t.Fatal(err)
		}
		p := tenancy.Principal{Role: role, Grants: read, Permissions: read.Effective(role)}
		if may := p.May(a.Permission) && (a.Project == "" || p.MayIn(a.Permission, a.Project)); may != want {
			t.Fatalf("model says %v, dispatch %v", want, may)
		}
	})
}

// TestDecide_OnlyNarrows takes something away from random grants: what was
// refused before is never allowed after, and what is denied is never allowed.
func TestDecide_OnlyNarrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, a, role := someGrants.Draw(t, "grants"), someAction.Draw(t, "action"), rapid.SampledFrom(tenancy.Roles()).Draw(t, "role")
		before := tenancy.Decide(standing(role, g), a).Allowed
		less := g
		switch rapid.IntRange(0, 3).Draw(t, "way") {
		case 0:
			less.Allow &^= somePermissions.Draw(t, "taken")
		case 1:
			less.Deny |= somePermissions.Draw(t, "denied")
		case 2:
			less.Limited, less.Projects = true, slices.DeleteFunc(slices.Clone(g.Projects), func(string) bool { return rapid.Bool().Draw(t, "drop") })
		case 3:
			role = rapid.SampledFrom(slices.DeleteFunc(tenancy.Roles(), func(r tenancy.Role) bool { return r.Exceeds(role) })).Draw(t, "lower role")
		}
		after := tenancy.Decide(standing(role, less), a).Allowed
		if after && !before {
			t.Fatalf("taking away from %v gave %v", g, less)
		}
		if after && less.Deny.Has(a.Permission) {
			t.Fatal("deny did not win")
		}
	})
}

func TestDecide_Rules(t *testing.T) {
	t.Parallel()
	good := standing(tenancy.RoleMember, tenancy.Grants{Allow: tenancy.AllPermissions, Deny: tenancy.NewPermissionSet(tenancy.IssuesDelete),
		Limited: true, Projects: []string{"WEB"}})
	update := tenancy.Action{Permission: tenancy.IssuesUpdate, Project: "WEB"}
	for rule, change := range map[tenancy.Rule]func(*tenancy.Standing, *tenancy.Action){
		tenancy.RuleAllowed:      func(*tenancy.Standing, *tenancy.Action) {},
		tenancy.RuleTenant:       func(s *tenancy.Standing, _ *tenancy.Action) { s.Tenant, s.Revoked = tenancy.TenantSuspended, true },
		tenancy.RuleRevoked:      func(s *tenancy.Standing, _ *tenancy.Action) { s.Revoked, s.Expired = true, true },
		tenancy.RuleExpired:      func(s *tenancy.Standing, _ *tenancy.Action) { s.Expired = true },
		tenancy.RuleOwner:        func(s *tenancy.Standing, _ *tenancy.Action) { s.Owner = tenancy.MemberDisabled },
		tenancy.RuleRole:         func(_ *tenancy.Standing, a *tenancy.Action) { a.Permission = tenancy.MembersManage },
		tenancy.RuleDeny:         func(_ *tenancy.Standing, a *tenancy.Action) { a.Permission = tenancy.IssuesDelete },
		tenancy.RuleGrants:       func(s *tenancy.Standing, _ *tenancy.Action) { s.Grants.Allow = 0 },
		tenancy.RuleProject:      func(_ *tenancy.Standing, a *tenancy.Action) { a.Project, a.Unknown = "NONE", true },
		tenancy.RuleOnlyProjects: func(_ *tenancy.Standing, a *tenancy.Action) { a.Project = "API" },
	} {
		s, a := good, update
		change(&s, &a)
		require.Equal(t, rule, tenancy.Decide(s, a).Rule)
	}
	require.False(t, tenancy.Decide(tenancy.Standing{}, update).Allowed, "the zero standing may do nothing")
}

func TestParseAction(t *testing.T) {
	t.Parallel()
	for in, want := range map[[2]string]tenancy.Action{
		{"issue:WEB-12", "update"}:  {Permission: tenancy.IssuesUpdate, Project: "WEB"},
		{"issues:web", "read"}:      {Permission: tenancy.IssuesRead, Project: "WEB"},
		{"project:WEB", "read"}:     {Permission: tenancy.ProjectsRead, Project: "WEB"},
		{"project", "create"}:       {Permission: tenancy.ProjectsCreate},
		{"comment:WEB-1", "Create"}: {Permission: tenancy.CommentsCreate, Project: "WEB"},
		{"audit", ""}:               {Permission: tenancy.AuditRead},
		{"members", ""}:             {Permission: tenancy.MembersManage},
		{"member", "manage"}:        {Permission: tenancy.MembersManage},
		{"time:WEB-3", ""}:          {Permission: tenancy.TimeWrite, Project: "WEB"},
	} {
		a, err := tenancy.ParseAction(in[0], in[1])
		require.NoError(t, err, in)
		require.Equal(t, want, a, in)
	}
	for _, bad := range [][2]string{{"issue:WEB-12", ""}, {"issue:WEB-12", "destroy"}, {"cake", "read"}, {"issue:", "read"}, {"", ""}, {"issue:WEB-x", "read"}} {
		_, err := tenancy.ParseAction(bad[0], bad[1])
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), bad)
	}
}
