package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

// request is an authorization request that was checked (OAuth 2.1, 4.1.1). It
// travels sealed through sign-in and consent, so that nothing of it can change.
type request struct {
	ClientID  string                `json:"c"`
	Redirect  string                `json:"r"`
	State     []byte                `json:"s,omitempty"` // whatever bytes they are
	Challenge string                `json:"h"`
	Scope     tenancy.PermissionSet `json:"p,omitempty"`
	Expires   int64                 `json:"e"` // Unix seconds
}

// requestLife is how long a person may take to sign in and decide.
const requestLife = 30 * time.Minute

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// authorize is the authorization endpoint. It shows nothing itself: a request that
// is in order goes on to consent, on this site, so that the session's cookie comes along.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !s.admit(w, r, costToken) {
		return
	}
	c, err := s.clientOf(r.Context(), q.Get("client_id"))
	if err != nil {
		s.refusePage(w, http.StatusBadRequest, "This application is not known", s.failureOf(r, err, "").text)
		return
	}
	redirect, ok := c.redirect(q.Get("redirect_uri"))
	if !ok || len(q["redirect_uri"]) > 1 || len(q["client_id"]) > 1 {
		s.refusePage(w, http.StatusBadRequest, "This link cannot be trusted",
			"It would send the answer to an address that the application has not registered.")
		return
	}
	req, err := s.checkRequest(q)
	if err != nil {
		var f *failure
		errors.As(err, &f)
		http.Redirect(w, r, s.callback(redirect, q.Get("state"), url.Values{"error": {f.code}, "error_description": {f.text}}), http.StatusFound)
		return
	}
	req.ClientID, req.Redirect = c.ID, redirect
	next := url.Values{"request": {s.seal(req)}}
	if slug := s.slugOf(r); slug != "" {
		next.Set("tenant", slug)
	}
	s.render(w, http.StatusOK, "start", page{Title: "Connect " + c.Name, Client: c, Redirect: describeRedirect(redirect), Next: next})
}

// checkRequest reads what a client asks for; its errors go back to the client.
func (s *Server) checkRequest(q url.Values) (request, error) {
	if err := onlyOnce(q); err != nil {
		return request{}, err
	}
	if q.Get("response_type") != "code" {
		return request{}, &failure{"unsupported_response_type", "response_type must be code."}
	}
	if q.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(q.Get("code_challenge")) {
		return request{}, &failure{"invalid_request", "PKCE is required: code_challenge with code_challenge_method S256."}
	}
	if _, err := s.resourceOf(q); err != nil {
		return request{}, &failure{"invalid_target", "resource must be " + s.Resource() + "."}
	}
	if len(q.Get("state")) > 2_000 {
		return request{}, &failure{"invalid_request", "state may have at most 2,000 bytes."}
	}
	return request{State: []byte(q.Get("state")), Challenge: q.Get("code_challenge"), Scope: parseScope(q.Get("scope")),
		Expires: s.Clock().Add(requestLife).Unix()}, nil
}

// callback is where the browser takes the answer: with state as it came, and our
// issuer, so that a client which knows several servers cannot mix them up (RFC 9207).
func (s *Server) callback(redirect, state string, answer url.Values) string {
	u, err := url.Parse(redirect)
	if err != nil { // it was parsed before
		return s.PublicURL
	}
	if state != "" {
		answer.Set("state", state)
	}
	answer.Set("iss", s.PublicURL)
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += answer.Encode()
	return u.String()
}

// seal makes the form in which a checked request travels.
func (s *Server) seal(req request) string {
	data, err := json.Marshal(req)
	if err != nil {
		panic("oauth: a request can always be written: " + err.Error())
	}
	return s.requests.Seal(data, []byte("request"))
}

// opened returns a sealed request with its client, unless it was changed or is too old.
func (s *Server) opened(r *http.Request, sealed string) (request, client, bool) {
	var req request
	data, err := s.requests.Open(sealed, []byte("request"))
	if err != nil || json.Unmarshal(data, &req) != nil || s.Clock().Unix() >= req.Expires {
		return req, client{}, false
	}
	c, err := s.clientOf(r.Context(), req.ClientID)
	return req, c, err == nil
}
