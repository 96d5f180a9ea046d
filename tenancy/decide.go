package tenancy

import "fmt"

// Standing is everything of a token that decides what it may do, as the database
// has it now.
type Standing struct {
	Tenant  TenantState
	Revoked bool
	Expired bool
	Owner   MemberState // empty: a service token
	Role    Role        // live role of the owner, or the service token's own
	Grants  Grants
}

// Action is what a token may want to do: a permission, in a project or nowhere
// in particular (empty Project).
type Action struct {
	Permission Permission
	Project    string
	Unknown    bool // there is no such project
}

// Rule names what decided.
type Rule string

// The rules in the order in which they are asked; the first that refuses decides.
const (
	RuleTenant       Rule = "tenant"
	RuleRevoked      Rule = "revoked"
	RuleExpired      Rule = "expired"
	RuleOwner        Rule = "owner"
	RuleRole         Rule = "role"
	RuleDeny         Rule = "deny"
	RuleGrants       Rule = "grants"
	RuleProject      Rule = "project_not_found"
	RuleOnlyProjects Rule = "only_projects"
	RuleAllowed      Rule = "granted"
)

// Decision says whether an action is allowed, by which rule, and in a sentence why.
type Decision struct {
	Allowed bool   `json:"allowed"`
	Rule    Rule   `json:"rule"`
	Reason  string `json:"reason"`
}

// Decide says what dispatch and the database together would say to an action,
// and why. It asks the rules one by one; it grants nothing by itself.
func Decide(s Standing, a Action) Decision {
	refuse := func(rule Rule, format string, args ...any) Decision {
		return Decision{Rule: rule, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case s.Tenant != TenantActive:
		return refuse(RuleTenant, "The tenant is %s.", s.Tenant)
	case s.Revoked:
		return refuse(RuleRevoked, "The token is revoked.")
	case s.Expired:
		return refuse(RuleExpired, "The token has expired.")
	case s.Owner != "" && s.Owner != MemberActive:
		return refuse(RuleOwner, "The token's owner is %s.", s.Owner)
	case !s.Role.Permissions().Has(a.Permission):
		return refuse(RuleRole, "Role %s does not include %s.", s.Role, a.Permission)
	case s.Grants.Deny.Has(a.Permission):
		return refuse(RuleDeny, "The token's deny list names %s.", a.Permission)
	case !s.Grants.Allow.Has(a.Permission):
		return refuse(RuleGrants, "The token was not given %s.", a.Permission)
	case a.Project != "" && a.Unknown:
		return refuse(RuleProject, "Project %s does not exist.", a.Project)
	case a.Project != "" && !s.Grants.CoversProject(a.Project):
		return refuse(RuleOnlyProjects, "The token is held to other projects: %s is not in only_projects.", a.Project)
	case a.Project == "" && s.Grants.Limited:
		return Decision{true, RuleAllowed, fmt.Sprintf("The token was given %s, in its own projects only.", a.Permission)}
	default:
		return Decision{true, RuleAllowed, fmt.Sprintf("The token was given %s, and role %s includes it.", a.Permission, s.Role)}
	}
}
