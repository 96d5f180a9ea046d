package oauth

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// resourceMetadata says who gives out tokens for the MCP endpoint (RFC 9728). A client
// that narrows it by its path must find that very address named.
func (s *Server) resourceMetadata(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), resourceMetadata)
	if path == "" {
		path = "/mcp"
	}
	scope, ok := s.FirstScope(cmp.Or(strings.TrimPrefix(r.URL.Path, resourceMetadata), path))
	if !ok {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "error_description": "There is nothing here. MCP is served at /mcp."})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"resource":                 s.PublicURL + path,
		"resource_name":            "ColaFlow",
		"authorization_servers":    []string{s.PublicURL},
		"scopes_supported":         scope.Strings(), // to begin with; challenges name more
		"bearer_methods_supported": []string{"header"},
	})
}

// serverMetadata says what the authorization server can do (RFC 8414).
func (s *Server) serverMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         s.PublicURL,
		"authorization_endpoint":                         s.PublicURL + "/oauth/authorize",
		"token_endpoint":                                 s.PublicURL + "/oauth/token",
		"registration_endpoint":                          s.PublicURL + "/oauth/register",
		"revocation_endpoint":                            s.PublicURL + "/oauth/revoke",
		"scopes_supported":                               tenancy.AllPermissions.Strings(),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported":          []string{"none"},
		"revocation_endpoint_auth_methods_supported":     []string{"none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"client_id_metadata_document_supported":          true,
		"authorization_response_iss_parameter_supported": true,
	})
}

// isResource reports whether a resource is ours, in whatever way its URL is written: with
// capitals in scheme or host, the usual port, or a slash at the end. The site as a whole is
// taken for its endpoint, and so is the endpoint narrowed by its path: a token is for all of it.
func (s *Server) isResource(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || strings.ContainsAny(raw, "?#") || siteOf(u) != siteOf(s.site) {
		return false
	}
	if path := strings.TrimSuffix(u.Path, "/"); path != "" {
		_, ok := s.FirstScope(path)
		return ok
	}
	return true
}

// siteOf is a URL's scheme, host and port as they compare.
func siteOf(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[scheme]
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
