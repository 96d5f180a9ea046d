package oauth

import (
	"encoding/json"
	"net/http"
	"time"
)

// registeredPrefix tells ids that we made from URLs of metadata documents.
const registeredPrefix = "cfo_"

// registrationLife is how long a registration can be used: a client that is still
// there registers again.
const registrationLife = 180 * 24 * time.Hour

// registration is a client that registered itself. It lives sealed in its own id,
// so that ten thousand of them cost us nothing.
type registration struct {
	Name         string   `json:"n"`
	RedirectURIs []string `json:"r"`
	Expires      int64    `json:"e"` // Unix seconds
}

// register answers dynamic client registration (RFC 7591), for clients that have no
// metadata document.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	if err := s.pace.take(s.ClientIP(r), costRegister); err != nil {
		s.fail(w, r, err)
		return
	}
	var m metadata
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		s.fail(w, r, &failure{"invalid_client_metadata", "The body must be a JSON object of at most 64 KiB."})
		return
	}
	c, err := m.client() // whatever authentication it asks for: the answer says that it has none
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := s.Clock()
	id, err := s.clients.seal(c, now)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, map[string]any{
		"client_id": id, "client_id_issued_at": now.Unix(), "client_name": c.Name, "redirect_uris": c.RedirectURIs,
		"token_endpoint_auth_method": "none", "grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	})
}

// seal makes the id of a registration.
func (c *clients) seal(reg client, now time.Time) (string, error) {
	data, err := json.Marshal(registration{reg.Name, reg.RedirectURIs, now.Add(registrationLife).Unix()})
	if err != nil {
		return "", err
	}
	if len(data) > 2_000 {
		return "", &failure{"invalid_client_metadata", "The redirect_uris are too long: 2,000 bytes at most."}
	}
	return registeredPrefix + c.registrations.Seal(data, nil), nil
}

// errUnregistered tells a client to register anew, and a person whose client does not.
var errUnregistered = &failure{"invalid_client", "The client is not known, or its registration has expired. Register again: remove the connection in the application, and add it anew."}

// registered opens the id of a registration.
func (c *clients) registered(id string) (client, error) {
	data, err := c.registrations.Open(id[len(registeredPrefix):], nil)
	var reg registration
	if err != nil || json.Unmarshal(data, &reg) != nil || c.now().Unix() >= reg.Expires {
		return client{}, errUnregistered
	}
	return client{ID: id, Name: reg.Name, RedirectURIs: reg.RedirectURIs}, nil
}
