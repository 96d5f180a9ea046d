package oauth

import (
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// scopesSupported are the permissions of the catalogue: a scope is one of them,
// such as issues:read. There is no offline_access: every consent can be renewed.
func scopesSupported() []string { return tenancy.AllPermissions.Strings() }

// parseScope reads a scope parameter (RFC 6749, 3.3). Scopes that are not known are
// passed over, because clients ask for what other servers have; none at all means
// that the person decides, starting from what reads.
func parseScope(text string) tenancy.PermissionSet {
	var set tenancy.PermissionSet
	for word := range strings.FieldsSeq(text) {
		if p, err := tenancy.ParsePermission(word); err == nil {
			set |= tenancy.NewPermissionSet(p)
		}
	}
	return set
}

// formatScope writes permissions as a scope.
func formatScope(set tenancy.PermissionSet) string { return strings.Join(set.Strings(), " ") }
