package sso

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func member(role tenancy.Role, state tenancy.MemberState) *tenancy.Member {
	return &tenancy.Member{ID: tenancy.NewID(), Email: "ada@acme.test", Role: role, State: state}
}

func acmeRules() Rules {
	return Rules{Domains: []string{"acme.test"}, AutoProvision: true, DefaultRole: tenancy.RoleMember, LinkByEmail: true}
}

func ada() Identity {
	return Identity{Issuer: "https://idp", Subject: "1", Email: "ada@acme.test", EmailVerified: true}
}

func TestRules_Judge(t *testing.T) {
	t.Parallel()
	const viewer, plain, admin, owner = tenancy.RoleViewer, tenancy.RoleMember, tenancy.RoleAdmin, tenancy.RoleOwner
	table := []GroupRole{{"staff", viewer}, {"Admins", admin}}
	cases := []struct {
		name    string
		rules   func(*Rules)
		id      func(*Identity)
		found   Found
		action  Action
		role    tenancy.Role
		refused Code
	}{
		{name: "newcomer", action: Create, role: plain},
		{name: "newcomer with another default", rules: func(r *Rules) { r.DefaultRole = viewer }, action: Create, role: viewer},
		{name: "no provisioning", rules: func(r *Rules) { r.AutoProvision = false }, refused: NotProvisioned},
		{name: "other domain", id: func(i *Identity) { i.Email = "ada@evil.test" }, refused: DomainNotAllowed},
		{name: "domain as a suffix", id: func(i *Identity) { i.Email = "ada@notacme.test" }, refused: DomainNotAllowed},
		{name: "subdomain", id: func(i *Identity) { i.Email = "ada@x.acme.test" }, refused: DomainNotAllowed},
		{name: "domain in another case", id: func(i *Identity) { i.Email = "Ada@ACME.test" }, action: Create, role: plain},
		{name: "two domains", id: func(i *Identity) { i.Email = "ada@evil.test@acme.test" }, refused: EmailInvalid},
		{name: "quoted", id: func(i *Identity) { i.Email = `"a@acme.test"@evil.test` }, refused: EmailInvalid},
		{name: "with a name", id: func(i *Identity) { i.Email = "Ada <ada@acme.test>" }, refused: EmailInvalid},
		{name: "letter that lowers to ASCII", id: func(i *Identity) { i.Email = "\u212Aate@acme.test" }, refused: EmailInvalid},
		{name: "homoglyph", id: func(i *Identity) { i.Email = "ada@аcme.test" }, refused: EmailInvalid},
		{name: "new line", id: func(i *Identity) { i.Email = "ada@acme.test\n" }, refused: EmailInvalid},
		{name: "no address", id: func(i *Identity) { i.Email = "" }, refused: EmailMissing},
		{name: "unverified", id: func(i *Identity) { i.EmailVerified = false }, refused: EmailUnverified},
		{name: "unverified but trusted", id: func(i *Identity) { i.EmailVerified = false }, rules: func(r *Rules) { r.TrustEmail = true }, action: Create, role: plain},
		{name: "no domains", rules: func(r *Rules) { r.Domains = nil }, refused: DomainNotAllowed},

		{name: "known", found: Found{Owner: member(viewer, tenancy.MemberActive)}, action: SignIn, role: viewer},
		{name: "known, unverified by now", id: func(i *Identity) { i.EmailVerified = false }, found: Found{Owner: member(viewer, tenancy.MemberActive)}, action: SignIn, role: viewer},
		{name: "known, moved to another domain", id: func(i *Identity) { i.Email = "ada@evil.test" }, found: Found{Owner: member(viewer, tenancy.MemberActive)}, refused: DomainNotAllowed},
		{name: "known, provisioning off", rules: func(r *Rules) { r.AutoProvision, r.LinkByEmail = false, false }, found: Found{Owner: member(viewer, tenancy.MemberActive)}, action: SignIn, role: viewer},
		{name: "invited again", found: Found{Owner: member(viewer, tenancy.MemberInvited)}, action: SignIn, role: viewer},
		{name: "address of another account there", found: Found{SameEmail: member(viewer, tenancy.MemberActive), Known: true}, refused: EmailTaken},
		{name: "deactivated", found: Found{Owner: member(viewer, tenancy.MemberDisabled)}, refused: MemberDisabled},

		{name: "same address", found: Found{SameEmail: member(viewer, tenancy.MemberActive)}, action: Link, role: viewer},
		{name: "same address, invited", found: Found{SameEmail: member(admin, tenancy.MemberInvited)}, action: Link, role: admin},
		{name: "same address, imported as owner", found: Found{SameEmail: member(owner, tenancy.MemberImported)}, action: Link, role: plain},
		{name: "imported, no provisioning", rules: func(r *Rules) { r.AutoProvision = false }, found: Found{SameEmail: member(plain, tenancy.MemberImported)}, refused: NotProvisioned},
		{name: "same address, deactivated, no linking", rules: func(r *Rules) { r.LinkByEmail = false }, found: Found{SameEmail: member(viewer, tenancy.MemberDisabled)}, refused: EmailTaken},
		{name: "same address, deactivated", found: Found{SameEmail: member(viewer, tenancy.MemberDisabled)}, refused: MemberDisabled},
		{name: "same address, no linking", rules: func(r *Rules) { r.LinkByEmail = false }, found: Found{SameEmail: member(viewer, tenancy.MemberActive)}, refused: EmailTaken},
		{name: "same address, unverified", id: func(i *Identity) { i.EmailVerified = false }, found: Found{SameEmail: member(viewer, tenancy.MemberActive)}, refused: EmailUnverified},

		{name: "table", rules: func(r *Rules) { r.Roles = table }, id: func(i *Identity) { i.Groups = []string{"staff", "Admins"} }, action: Create, role: admin},
		{name: "table at each sign-in", rules: func(r *Rules) { r.Roles = table }, id: func(i *Identity) { i.Groups = []string{"staff"} }, found: Found{Owner: member(admin, tenancy.MemberActive)}, action: SignIn, role: viewer},
		{name: "in no group any more", rules: func(r *Rules) { r.Roles = table }, found: Found{Owner: member(admin, tenancy.MemberActive)}, action: SignIn, role: plain},
		{name: "groups withheld", rules: func(r *Rules) { r.Roles = table }, id: func(i *Identity) { i.GroupsWithheld = true }, found: Found{Owner: member(admin, tenancy.MemberActive)}, refused: GroupsMissing},
		{name: "groups withheld, no table", id: func(i *Identity) { i.GroupsWithheld = true }, action: Create, role: plain},
		{name: "owner, table without owners", rules: func(r *Rules) { r.Roles = table }, found: Found{Owner: member(owner, tenancy.MemberActive)}, action: SignIn, role: owner},
		{name: "owner, table of owners", rules: func(r *Rules) { r.Roles = []GroupRole{{"bosses", owner}} }, found: Found{Owner: member(owner, tenancy.MemberActive)}, action: SignIn, role: plain},
		{name: "last owner", rules: func(r *Rules) { r.Roles = []GroupRole{{"bosses", owner}} }, found: Found{Owner: member(owner, tenancy.MemberActive), LastOwner: true}, action: SignIn, role: owner},

		{name: "owner by an admin's connection", found: Found{Owner: member(owner, tenancy.MemberActive), Ceiling: admin}, refused: RoleAbove},
		{name: "owner's address by an admin's connection", found: Found{SameEmail: member(owner, tenancy.MemberActive), Ceiling: admin}, refused: RoleAbove},
		{name: "made an owner by an admin's connection", rules: func(r *Rules) { r.DefaultRole = owner }, found: Found{Ceiling: admin}, refused: RoleAbove},
		{name: "owner lowered by an admin's connection", rules: func(r *Rules) { r.Roles = []GroupRole{{"bosses", owner}} }, found: Found{Owner: member(owner, tenancy.MemberActive), Ceiling: admin}, refused: RoleAbove},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules, id := acmeRules(), ada()
			if c.rules != nil {
				c.rules(&rules)
			}
			if c.id != nil {
				c.id(&id)
			}
			if c.found.Ceiling == "" {
				c.found.Ceiling = owner
			}
			v, err := rules.Judge(id, c.found)
			require.Equal(t, c.refused, CodeOf(err), "%v", err)
			if c.refused != "" {
				require.Zero(t, v)
				return
			}
			require.Equal(t, c.action, v.Action)
			require.Equal(t, c.role, v.Role)
			require.Equal(t, "ada@acme.test", v.Email)
		})
	}
}

// TestAttack089_GroupNamesAreNothingByThemselves: only the table gives roles, by
// equality of whole strings.
func TestAttack089_GroupNamesAreNothingByThemselves(t *testing.T) {
	t.Parallel()
	names := []string{"admin", "Admin", "ADMINS", "owner", "Owners", "role:admin", "acme-admins", " acme-admins", "acme-admins ", "Acme-Admins", "acme\u2010admins", "acme-admins\x00", "*", "", "admins,acme-admins"}
	for _, table := range [][]GroupRole{nil, {{"acme-admins-really", tenancy.RoleAdmin}}, {{"Acme-admins", tenancy.RoleAdmin}}} {
		rules := acmeRules()
		rules.Roles = table
		id := ada()
		id.Groups = names
		v, err := rules.Judge(id, Found{Ceiling: tenancy.RoleOwner})
		require.NoError(t, err)
		require.Equal(t, tenancy.RoleMember, v.Role, "%v", table)
	}
}

// TestRules_Properties draws rules, people and what is found, and holds what must
// be true of every verdict.
func TestRules_Properties(t *testing.T) {
	t.Parallel()
	groups := []string{"a", "b", "c", "admin"}
	roles := rapid.SampledFrom(tenancy.Roles())
	rapid.Check(t, func(t *rapid.T) {
		rules := Rules{
			Domains:       rapid.SliceOfDistinct(rapid.SampledFrom([]string{"acme.test", "beta.test"}), rapid.ID).Draw(t, "domains"),
			AutoProvision: rapid.Bool().Draw(t, "provision"), LinkByEmail: rapid.Bool().Draw(t, "link"), TrustEmail: rapid.Bool().Draw(t, "trust"),
			DefaultRole: roles.Draw(t, "default"),
		}
		for _, g := range rapid.SliceOfDistinct(rapid.SampledFrom(groups), rapid.ID).Draw(t, "table") {
			rules.Roles = append(rules.Roles, GroupRole{g, roles.Draw(t, "role of "+g)})
		}
		id := Identity{Issuer: "i", Subject: "s", Email: rapid.SampledFrom([]string{"", "ada@acme.test", "ADA@beta.test", "ada@evil.test", "x"}).Draw(t, "email"),
			EmailVerified: rapid.Bool().Draw(t, "verified"), Groups: rapid.SliceOf(rapid.SampledFrom(groups)).Draw(t, "groups")}
		found := Found{Ceiling: rapid.SampledFrom([]tenancy.Role{tenancy.RoleAdmin, tenancy.RoleOwner}).Draw(t, "ceiling"), LastOwner: rapid.Bool().Draw(t, "last"),
			Known: rapid.Bool().Draw(t, "known")}
		state := rapid.SampledFrom([]tenancy.MemberState{tenancy.MemberActive, tenancy.MemberInvited, tenancy.MemberImported, tenancy.MemberDisabled}).Draw(t, "state")
		someone := &tenancy.Member{ID: tenancy.NewID(), Role: roles.Draw(t, "current"), State: state}
		switch rapid.IntRange(0, 2).Draw(t, "who") {
		case 0:
			found.Owner = someone
		case 1:
			found.SameEmail = someone
		}
		v, err := rules.Judge(id, found)
		if err != nil {
			if CodeOf(err) == "" || v != (Verdict{}) {
				t.Fatalf("a refusal has a code and nothing else: %v %v", v, err)
			}
			return
		}
		_, domain, _ := strings.Cut(v.Email, "@")
		switch {
		case !slices.Contains(rules.Domains, domain):
			t.Fatal("outside the domains")
		case v.Role.Exceeds(found.Ceiling):
			t.Fatal("above the ceiling")
		case v.Action != SignIn && !id.EmailVerified && !rules.TrustEmail:
			t.Fatal("a newcomer's address must be verified")
		case (v.Action == Create) != (found.Owner == nil && found.SameEmail == nil) || v.Action == Create && !rules.AutoProvision:
			t.Fatal("made without need or leave")
		case v.Action == Link && (!rules.LinkByEmail || found.Known || found.SameEmail == nil || v.Member != someone.ID):
			t.Fatal("linked without leave")
		case v.Action != Create && someone.State == tenancy.MemberDisabled:
			t.Fatal("a deactivated member came in")
		case v.Action == SignIn && settled(someone) && someone.Role == tenancy.RoleOwner && found.LastOwner && v.Role != tenancy.RoleOwner:
			t.Fatal("the last owner was lost")
		case v.Action == SignIn && settled(someone) && len(rules.Roles) == 0 && v.Role != someone.Role:
			t.Fatal("without a table roles stay")
		}
		allowed := []tenancy.Role{rules.DefaultRole}
		if v.Action != Create && someone.State != tenancy.MemberImported {
			allowed = append(allowed, someone.Role)
		}
		for _, row := range rules.Roles {
			if slices.Contains(id.Groups, row.Group) {
				allowed = append(allowed, row.Role)
			}
		}
		if !slices.Contains(allowed, v.Role) {
			t.Fatalf("role %s comes from nowhere", v.Role)
		}
	})
}

func TestRules_Check(t *testing.T) {
	t.Parallel()
	good := Rules{Domains: []string{"@ACME.test", "acme.test", " b.example "}, AutoProvision: true}
	require.NoError(t, good.check())
	require.Equal(t, []string{"acme.test", "b.example"}, good.Domains)
	require.Equal(t, tenancy.RoleMember, good.DefaultRole)
	require.Equal(t, tenancy.RoleOwner, Rules{DefaultRole: tenancy.RoleViewer, Roles: []GroupRole{{"x", tenancy.RoleOwner}, {"y", tenancy.RoleAdmin}}}.HighestRole())
	for name, bad := range map[string]Rules{
		"no domain":        {AutoProvision: true},
		"linking anybody":  {LinkByEmail: true},
		"top-level domain": {Domains: []string{"test"}},
		"wildcard":         {Domains: []string{"*.acme.test"}},
		"address":          {Domains: []string{"ada@acme.test"}},
		"international":    {Domains: []string{"zoë.test"}},
		"hyphen":           {Domains: []string{"-a.test"}},
		"role":             {DefaultRole: "root"},
		"role of a group":  {Roles: []GroupRole{{"x", "root"}}},
		"empty group":      {Roles: []GroupRole{{"", tenancy.RoleAdmin}}},
		"invisible group":  {Roles: []GroupRole{{"adm\u200bin", tenancy.RoleAdmin}}},
		"group twice":      {Roles: []GroupRole{{"x", tenancy.RoleAdmin}, {"x", tenancy.RoleViewer}}},
		"idle":             {Idle: -1},
		"too many":         {Domains: slices.Repeat([]string{"a.test"}, 101)},
	} {
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(bad.check()), name)
	}
}

func TestIdentity_Tidy(t *testing.T) {
	t.Parallel()
	id, err := Identity{Issuer: "i", Subject: "s", Name: "Ada\x00\x1b \u202eByron", Groups: []string{"a", "", strings.Repeat("x", 513)}}.tidy()
	require.NoError(t, err)
	require.Equal(t, "Ada Byron", id.Name)
	require.Equal(t, []string{"a"}, id.Groups)
	for name, bad := range map[string]Identity{"no subject": {Issuer: "i"}, "no issuer": {Subject: "s"}, "long": {Issuer: "i", Subject: strings.Repeat("x", 1025)},
		"NUL": {Issuer: "i", Subject: "a\x00b"}, "not UTF-8": {Issuer: "i", Subject: "a\xff"}} {
		_, err := bad.tidy()
		require.Equal(t, SubjectMissing, CodeOf(err), name)
	}
}
