package tenancy

import (
	"regexp"
	"strings"
)

var actionTarget = regexp.MustCompile(`^([A-Za-z]+)(?::([A-Za-z][A-Za-z0-9]*)(?:-[0-9]+)?)?$`)

// ParseAction reads what a person asks about, such as issue:WEB-12 and update,
// project:WEB and read, or audit. A resource may be singular or plural; the verb
// may be left out where the resource has only one.
func ParseAction(target, verb string) (Action, error) {
	parts := actionTarget.FindStringSubmatch(strings.TrimSpace(target))
	if parts == nil {
		return Action{}, Errorf(InvalidValue, "%q is not understood.", target).
			WithNext("Use the form issue:WEB-12, project:WEB, comment:WEB, audit or members.")
	}
	resource := strings.ToLower(parts[1])
	if resourceSet(resource) == 0 {
		resource += "s"
	}
	set := resourceSet(resource)
	if set == 0 {
		return Action{}, Errorf(InvalidValue, "Resource %q is not known.", parts[1]).
			WithNext("Use project, issue, comment, sprint, report, attachment, time, audit or members.")
	}
	a := Action{Project: strings.ToUpper(parts[2])}
	if verb == "" && set.Len() == 1 {
		a.Permission = set.List()[0]
		return a, nil
	}
	for _, p := range set.List() {
		if p.Verb() == strings.ToLower(verb) {
			a.Permission = p
			return a, nil
		}
	}
	return Action{}, Errorf(InvalidValue, "%s has no verb %q.", resource, verb).
		WithNext("Use one of " + strings.Join(set.Strings(), ", ") + ".")
}
