package tenancy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyGrants draws grants; the reference model of what they mean is below.
func anyGrants(t *rapid.T) Grants {
	set := rapid.Map(rapid.Uint32(), func(n uint32) PermissionSet { return PermissionSet(n) & AllPermissions })
	g := Grants{Allow: set.Draw(t, "allow"), Deny: set.Draw(t, "deny")}
	if rapid.Bool().Draw(t, "limited") {
		g.Limited = true
		g.Projects = ProjectKeys(rapid.SliceOfN(rapid.SampledFrom([]string{"WEB", "API", "OPS"}), 0, 3).Draw(t, "projects"))
	}
	return g
}

// may is what the stored JSON means, read by its words.
func may(t *rapid.T, stored []byte, role Role, permission string) bool {
	var doc map[string]json.RawMessage
	if json.Unmarshal(stored, &doc) != nil {
		t.Fatal("not JSON")
	}
	resource, verb, _ := strings.Cut(permission, ":")
	lists := func(raw json.RawMessage) bool {
		var verbs []string
		_ = json.Unmarshal(raw, &verbs) // absent: none
		return slices.Contains(verbs, verb) || slices.Contains(verbs, "*")
	}
	var deny map[string]json.RawMessage
	_ = json.Unmarshal(doc["deny"], &deny) // absent: nothing
	return lists(doc[resource]) && !lists(deny[resource]) && slices.Contains(role.Permissions().Strings(), permission)
}

func TestGrants_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := anyGrants(t)
		stored, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseGrants(stored)
		if err != nil || again.Allow != g.Allow || again.Deny != g.Deny || again.Limited != g.Limited || !slices.Equal(again.Projects, g.Projects) {
			t.Fatalf("%s is read as %v (%v), was %v", stored, again, err, g)
		}
		role := rapid.SampledFrom(append(Roles(), "", "root")).Draw(t, "role")
		effective := g.Effective(role)
		if effective&g.Deny != 0 {
			t.Fatalf("deny does not win: %v", g)
		}
		for p := range permissionCount {
			if effective.Has(p) != may(t, stored, role, p.String()) {
				t.Fatalf("%s as %q: %s is %v", stored, role, p, effective.Has(p))
			}
			less := g
			less.Allow &^= 1 << p
			if less.Effective(role)&^effective != 0 {
				t.Fatalf("taking %s away adds to %v", p, g)
			}
			more := g
			more.Deny |= 1 << p
			if more.Effective(role) != effective&^(1<<p) {
				t.Fatalf("denying %s does more than that to %v", p, g)
			}
		}
		for n, r := range Roles()[1:] {
			if g.Effective(Roles()[n])&^g.Effective(r) != 0 {
				t.Fatalf("%s may what %s may not", Roles()[n], r)
			}
		}
		for _, key := range []string{"WEB", "API", "OPS", ""} {
			if g.CoversProject(key) != (!g.Limited || slices.Contains(g.Projects, key)) {
				t.Fatalf("%v covers %q", g, key)
			}
		}
	})
}

func TestGrants_String(t *testing.T) {
	t.Parallel()
	for want, g := range map[string]Grants{
		"nothing":    {},
		"everything": {Allow: AllPermissions},
		"issues:read,search except issues:search in API, WEB": {Allow: setOf(IssuesRead, IssuesSearch), Deny: setOf(IssuesSearch), Limited: true, Projects: []string{"API", "WEB"}},
		"comments:* reports:read in no project":               {Allow: setOf(CommentsRead, CommentsCreate, ReportsRead), Limited: true},
	} {
		require.Equal(t, want, g.String())
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	p := Principal{Grants: Grants{Limited: true, Projects: []string{"WEB"}}, Permissions: setOf(IssuesRead)}
	require.True(t, p.May(IssuesRead))
	require.False(t, p.May(IssuesCreate))
	require.True(t, p.MayIn(IssuesRead, "WEB"))
	require.False(t, p.MayIn(IssuesRead, "API"))
	require.False(t, p.MayIn(IssuesCreate, "WEB"))
	require.False(t, Principal{}.May(ProjectsRead), "the zero principal may nothing")
}
