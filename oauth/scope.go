package oauth

import (
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// parseScope reads a scope parameter (RFC 6749, 3.3): a scope is a permission of the
// vocabulary, such as issues:read. Those that are not known are passed over, because
// clients ask for what other servers have. There is no offline_access: every consent
// can be renewed.
func parseScope(text string) tenancy.PermissionSet {
	var set tenancy.PermissionSet
	for word := range strings.FieldsSeq(text) {
		if p, err := tenancy.ParsePermission(word); err == nil {
			set |= tenancy.NewPermissionSet(p)
		}
	}
	return set
}

// beyondFirst is what a client asks for after a call of its needed more; nothing, where
// it may as well be one that has just begun: any of those asks for what the first 401
// names at the plain address, for all there is, or for nothing.
func beyondFirst(asked tenancy.PermissionSet) tenancy.PermissionSet {
	switch asked {
	case tenancy.Everyday(), tenancy.Everyday() & tenancy.RoleViewer.Permissions(), tenancy.AllPermissions:
		return 0
	}
	return asked
}

// formatScope writes permissions as a scope.
func formatScope(set tenancy.PermissionSet) string { return strings.Join(set.Strings(), " ") }
