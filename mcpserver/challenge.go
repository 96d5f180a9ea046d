package mcpserver

import (
	"net/http"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// challenge says how to authenticate (RFC 6750, 3): what is wrong, by name and value, and
// where there is somebody to ask, for which scope and who that is (RFC 9728, 5.1). No value
// has a quote in it.
func (r *request) challenge(w http.ResponseWriter, scope tenancy.PermissionSet, pairs ...string) {
	if r.metadata != "" {
		if scope != 0 {
			pairs = append(pairs, "scope", strings.Join(scope.Strings(), " "))
		}
		pairs = append(pairs, "resource_metadata", r.metadata+r.url.EscapedPath())
	}
	var params []string
	for n := 0; n < len(pairs); n += 2 {
		params = append(params, pairs[n]+`="`+pairs[n+1]+`"`)
	}
	w.Header().Set("WWW-Authenticate", strings.TrimSuffix("Bearer "+strings.Join(params, ", "), " "))
}
