package sso

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Rules say whom a connection lets in, and as what.
type Rules struct {
	// Domains are those whose e-mail addresses may come in; nobody's if empty.
	Domains []string `json:"domains"`
	// AutoProvision makes a member at the first sign-in.
	AutoProvision bool `json:"auto_provision"`
	// DefaultRole is that of who is in no group of the table.
	DefaultRole tenancy.Role `json:"default_role"`
	// Roles maps groups of the provider to roles; the highest of several holds. If
	// it is not empty, it decides about roles at every sign-in.
	Roles []GroupRole `json:"roles,omitempty"`
	// LinkByEmail takes a verified address for the member who has it already.
	LinkByEmail bool `json:"link_by_email"`
	// TrustEmail takes every address that the provider sends for verified.
	TrustEmail bool `json:"trust_email"`
	// Idle is after how many days without a sign-in at the provider a member and their
	// tokens rest until the next one; 0 means never. Owners never rest.
	Idle int `json:"idle_days,omitempty"`
}

// GroupRole is a row of the table that maps groups to roles. The name is compared
// letter by letter: a group called admin is nothing by itself.
type GroupRole struct {
	Group string       `json:"group"`
	Role  tenancy.Role `json:"role"`
}

const (
	maxDomains    = 100
	maxGroupRoles = 200
	maxIdle       = 366
)

// check refuses rules that cannot be meant, and puts domains into their one form.
func (r *Rules) check() error {
	if len(r.Domains) > maxDomains || len(r.Roles) > maxGroupRoles {
		return invalid("At most %d domains and %d groups can be set.", maxDomains, maxGroupRoles)
	}
	domains := []string{}
	for _, d := range r.Domains {
		d = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(d), "@"))
		if !validDomain(d) {
			return invalid("%q is not an e-mail domain.", d).WithNext("Use the form example.com; an international domain in its xn-- form.")
		}
		domains = append(domains, d)
	}
	slices.Sort(domains)
	r.Domains = slices.Compact(domains)
	if len(r.Domains) == 0 && (r.AutoProvision || r.LinkByEmail) {
		return invalid("Auto-provisioning and linking by e-mail need the domains that they are allowed for.").WithNext("Pass the company's e-mail domains.")
	}
	if r.DefaultRole == "" {
		r.DefaultRole = tenancy.RoleMember
	}
	seen := map[string]bool{}
	for _, row := range append([]GroupRole{{Group: "default", Role: r.DefaultRole}}, r.Roles...) {
		if _, err := tenancy.ParseRole(string(row.Role)); err != nil {
			return err
		}
		if row.Group == "" || len(row.Group) > maxGroup || printable(row.Group, maxGroup) != row.Group {
			return invalid("%q is not the name of a group.", row.Group)
		}
	}
	for _, row := range r.Roles {
		if seen[row.Group] {
			return invalid("Group %q is in the table twice.", row.Group).WithNext("Give each group one role.")
		}
		seen[row.Group] = true
	}
	if r.Idle < 0 || r.Idle > maxIdle {
		return invalid("Days without a sign-in must be 0 to %d.", maxIdle)
	}
	return nil
}

// HighestRole is the highest that the rules can give.
func (r Rules) HighestRole() tenancy.Role {
	highest := r.DefaultRole
	for _, row := range r.Roles {
		if row.Role.Exceeds(highest) {
			highest = row.Role
		}
	}
	return highest
}

func validDomain(d string) bool {
	if len(d) > 253 || !strings.Contains(d, ".") {
		return false
	}
	for label := range strings.SplitSeq(d, ".") {
		ok := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' }
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, func(r rune) bool { return !ok(r) }) {
			return false
		}
	}
	return true
}

// Found is what the tenant knows about an identity.
type Found struct {
	// Owner is the member whose identity it is already.
	Owner *tenancy.Member
	// SameEmail is the member who has its e-mail address, if Owner is nil.
	SameEmail *tenancy.Member
	// Known tells that SameEmail is somebody else at this provider: the address was
	// given to another account.
	Known bool
	// Ceiling is the role of who set up the connection: nobody above it comes in by it.
	Ceiling tenancy.Role
	// LastOwner tells that Owner is the only active owner of the tenant.
	LastOwner bool
}

// Action is what a sign-in does to the tenant's members.
type Action string

// The actions: nothing but signing in, giving an existing member the identity,
// or making a member.
const (
	SignIn Action = "sign_in"
	Link   Action = "link"
	Create Action = "create"
)

// Verdict is what the rules make of an identity.
type Verdict struct {
	Action Action       `json:"action"`
	Member uuid.UUID    `json:"member,omitzero"` // whom, unless one is made
	Email  string       `json:"email"`           // in its one form
	Role   tenancy.Role `json:"role"`            // theirs from now on
}

// Judge decides whether an identity comes in, as whom, and with which role. It
// fails with a Problem, and closed: what is not allowed by a rule is refused.
func (r Rules) Judge(id Identity, found Found) (Verdict, error) {
	email, err := r.allowed(id, found.Owner == nil)
	if err != nil {
		return Verdict{}, err
	}
	if id.GroupsWithheld && len(r.Roles) > 0 {
		return Verdict{}, problem(GroupsMissing, nil, "")
	}
	v := Verdict{Action: SignIn, Email: email}
	var current *tenancy.Member
	switch {
	case found.Owner != nil:
		current = found.Owner
	case found.SameEmail != nil && (!r.LinkByEmail || found.Known):
		return Verdict{}, problem(EmailTaken, nil, "")
	case found.SameEmail != nil:
		current, v.Action = found.SameEmail, Link
	case r.AutoProvision:
		v.Action = Create
	default:
		return Verdict{}, problem(NotProvisioned, nil, "")
	}
	switch {
	case current == nil:
	case current.State == tenancy.MemberDisabled:
		return Verdict{}, problem(MemberDisabled, nil, "")
	case current.State == tenancy.MemberImported && !r.AutoProvision:
		return Verdict{}, problem(NotProvisioned, nil, "")
	}
	v.Role = r.roleOf(id, current, found.LastOwner)
	if v.Role.Exceeds(found.Ceiling) || settled(current) && current.Role.Exceeds(found.Ceiling) {
		return Verdict{}, problem(RoleAbove, nil, "")
	}
	if current != nil {
		v.Member = current.ID
	}
	return v, nil
}

// allowed checks the e-mail address against the domains, and for newcomers that
// it is known to be theirs. Who was let in before is known by issuer and subject.
func (r Rules) allowed(id Identity, newcomer bool) (string, error) {
	email, err := id.Address()
	if err != nil {
		return "", err
	}
	_, domain, _ := strings.Cut(email, "@")
	if !slices.Contains(r.Domains, domain) {
		return "", problem(DomainNotAllowed, nil, "%s", domain)
	}
	if newcomer && !id.EmailVerified && !r.TrustEmail {
		return "", problem(EmailUnverified, nil, "")
	}
	return email, nil
}

// roleOf is the role that somebody has after this sign-in. Without a table it is
// what it was. A table that names no owners leaves owners alone, and the last
// one stays in any case.
func (r Rules) roleOf(id Identity, current *tenancy.Member, last bool) tenancy.Role {
	if settled(current) && current.Role == tenancy.RoleOwner && (last || !r.makesOwners()) {
		return tenancy.RoleOwner
	}
	if settled(current) && len(r.Roles) == 0 {
		return current.Role
	}
	role, mapped := tenancy.Role(""), false
	for _, row := range r.Roles {
		if slices.Contains(id.Groups, row.Group) && (!mapped || row.Role.Exceeds(role)) {
			role, mapped = row.Role, true
		}
	}
	if !mapped {
		return r.DefaultRole
	}
	return role
}

// settled reports whether a member has their role from a person of the tenant.
// That of who came with an import is what some other system said.
func settled(m *tenancy.Member) bool { return m != nil && m.State != tenancy.MemberImported }

func (r Rules) makesOwners() bool {
	return slices.ContainsFunc(r.Roles, func(row GroupRole) bool { return row.Role == tenancy.RoleOwner })
}

func invalid(format string, args ...any) *tenancy.Error {
	return tenancy.Errorf(tenancy.InvalidValue, format, args...)
}
