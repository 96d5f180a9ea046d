package tenancy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPermission(t *testing.T) {
	t.Parallel()
	require.Equal(t, int(permissionCount), AllPermissions.Len())
	require.Len(t, AllPermissions.List(), int(permissionCount))
	seen := map[string]bool{}
	for p := range permissionCount {
		name := p.String()
		require.Regexp(t, `^[a-z]+:[a-z]+$`, name)
		require.False(t, seen[name], name)
		seen[name] = true
		require.Equal(t, name, p.Resource()+":"+p.Verb())
		got, err := ParsePermission(name)
		require.NoError(t, err)
		require.Equal(t, p, got)
		require.True(t, NewPermissionSet(p).Has(p))
		require.Equal(t, []string{name}, NewPermissionSet(p).Strings())
		require.True(t, resourceSet(p.Resource()).Has(p))
	}
	for _, bad := range []string{"", "issues", "issues:", ":read", "issues:*", "Issues:read", "issues:read ", "unknown"} {
		_, err := ParsePermission(bad)
		require.Equal(t, InvalidValue, CodeOf(err), bad)
		require.ErrorContains(t, err, "issues:read", bad)
	}
	require.Equal(t, "unknown", permissionCount.String())
	require.False(t, AllPermissions.Has(permissionCount), "an unknown permission is in no set")
	require.False(t, PermissionSet(1<<31).Has(31))
	require.Zero(t, resourceSet("nothing"))
	require.Empty(t, PermissionSet(0).List())
}

func TestRole(t *testing.T) {
	t.Parallel()
	for _, r := range Roles() {
		got, err := ParseRole(string(r))
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
	for _, bad := range []string{"", "Owner", "root", "owner "} {
		_, err := ParseRole(bad)
		require.ErrorContains(t, err, "viewer, member, admin or owner", bad)
		require.Zero(t, Role(bad).Permissions(), "an unknown role may nothing")
	}
	for _, p := range RoleViewer.Permissions().List() {
		require.Contains(t, []string{"read", "search"}, p.Verb(), "a viewer changes nothing")
	}
	require.Equal(t, []string{"projects:delete", "audit:read", "members:manage"}, (AllPermissions &^ RoleMember.Permissions()).Strings())
	require.Equal(t, AllPermissions, RoleAdmin.Permissions())
}

func TestMember_Label(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ada@acme.test", Member{Handle: "ada", Email: "ada@acme.test"}.Label())
	require.Equal(t, "ada", Member{Handle: "ada"}.Label())
}

// TestEveryday: an agent that asked for nothing by name sees all, works on issues, and can
// neither delete, plan nor administer.
func TestEveryday(t *testing.T) {
	t.Parallel()
	reads, writes := RoleViewer.Permissions(), setOf(IssuesCreate, IssuesUpdate, CommentsCreate)
	require.Equal(t, (reads | writes).Strings(), Everyday().Strings())
	require.Zero(t, Everyday()&^RoleMember.Permissions(), "every member can give it")
}

func TestPresets(t *testing.T) {
	t.Parallel()
	var last PermissionSet
	for _, name := range []string{"reader", "triage", "planner", "full"} {
		s, err := Preset(name)
		require.NoError(t, err)
		require.Zero(t, last&^s, "%s has all that the one before has", name)
		last = s
	}
	for _, name := range PresetNames() {
		s, err := Preset(name)
		require.NoError(t, err)
		require.NotZero(t, s)
		if name != "full" {
			require.Zero(t, s&setOf(IssuesDelete, ProjectsDelete, AuditRead, MembersManage), name)
		}
	}
	_, err := Preset("admin")
	require.ErrorContains(t, err, "reader, ci-reporter, triage, planner, full")
}

func TestParseAllow(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]PermissionSet{
		"":                          0,
		"issues:read":               setOf(IssuesRead),
		"issues:read,search":        setOf(IssuesRead, IssuesSearch),
		"comments:* issues:read":    setOf(CommentsRead, CommentsCreate, IssuesRead),
		"ci-reporter issues:delete": presets["ci-reporter"] | setOf(IssuesDelete),
		"full":                      AllPermissions,
	} {
		got, err := ParseAllow(strings.Fields(in))
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, bad := range []string{"issues", "issues:", "issues:read,", "issues:read,own", "nothing:*", "*:*", "*", ":", "reader,triage"} {
		got, err := ParseAllow([]string{"issues:read", bad})
		require.Error(t, err, bad)
		require.Zero(t, got, bad)
	}
}

func TestProjectKeys(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"API", "WEB"}, ProjectKeys([]string{" web", "API", "", "Web ", "  "}))
	require.Empty(t, ProjectKeys(nil))
}

func TestCheckNewSlug(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a", "acme", "acme-labs", "0", strings.Repeat("a", 40), "a--b"} {
		require.NoError(t, CheckNewSlug(good), good)
	}
	for _, bad := range []string{"", "-a", "a-", "-", "Acme", "a_b", "a.b", "a b", "é", strings.Repeat("a", 41), "a\n", "a\x00"} {
		require.False(t, ValidSlug(bad), "%q", bad)
		require.Equal(t, InvalidValue, CodeOf(CheckNewSlug(bad)), "%q", bad)
	}
	for _, reserved := range reservedSlugs {
		require.ErrorContains(t, CheckNewSlug(reserved), "reserved")
	}
}

func TestNewID(t *testing.T) {
	t.Parallel()
	one, two := NewID(), NewID()
	require.EqualValues(t, 7, one.Version())
	require.Less(t, one.String(), two.String(), "time-ordered")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	free, team, enterprise := LimitsOf("free"), LimitsOf("team"), LimitsOf("enterprise")
	require.Equal(t, free, LimitsOf("no such plan"))
	require.Less(t, free.TokenWrites, team.TokenWrites)
	require.Less(t, team.Concurrent, enterprise.Concurrent)
	require.Equal(t, free, free.PerNode(1))
	require.Equal(t, free, free.PerNode(0))
	require.Equal(t, free.TokenWrites/4, free.PerNode(4).TokenWrites)
	require.Equal(t, 1, free.PerNode(1_000_000).Concurrent, "never nothing")
	require.Zero(t, Limits{}.PerNode(4), "no limit stays none")
}
