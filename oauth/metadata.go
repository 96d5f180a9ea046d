package oauth

import (
	"encoding/json"
	"net/http"

	"github.com/colaflow/colaflow/tenancy"
)

// resourceMetadata says who gives out tokens for the MCP endpoint (RFC 9728).
func (s *Server) resourceMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"resource":                 s.Resource(),
		"resource_name":            "ColaFlow",
		"authorization_servers":    []string{s.PublicURL},
		"scopes_supported":         tenancy.Everyday().Strings(), // to begin with; challenges name more
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

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
