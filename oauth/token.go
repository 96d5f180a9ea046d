package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tokens"
)

// token exchanges a code or a refresh token for an access token (OAuth 2.1, 3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := s.pace.take(s.ClientIP(r), costToken); err != nil {
		s.fail(w, r, err)
		return
	}
	form, err := readForm(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	grants := map[string]struct {
		secret string
		serve  func(http.ResponseWriter, *http.Request, url.Values)
	}{"authorization_code": {"code", s.redeem}, "refresh_token": {"refresh_token", s.renew}}
	grant, known := grants[form.Get("grant_type")]
	switch {
	case form.Get("grant_type") == "", form.Get("client_id") == "", known && form.Get(grant.secret) == "":
		s.fail(w, r, &failure{"invalid_request", "Send a form with grant_type, client_id, and code or refresh_token."})
	case !known:
		s.fail(w, r, &failure{"unsupported_grant_type", "grant_type must be authorization_code or refresh_token."})
	case !s.clients.mayBe(form.Get("client_id")):
		s.fail(w, r, errUnregistered)
	default:
		grant.serve(w, r, form)
	}
}

// readForm reads a form in which no parameter is given twice (RFC 6749, 3.2), and
// none travels in the URL, where it would be logged.
func readForm(r *http.Request) (url.Values, error) {
	if r.URL.RawQuery != "" {
		return nil, &failure{"invalid_request", "Send the parameters in the body, not in the URL."}
	}
	if err := r.ParseForm(); err != nil {
		return nil, &failure{"invalid_request", "The body must be a form of at most 64 KiB."}
	}
	return r.PostForm, onlyOnce(r.PostForm)
}

func onlyOnce(values url.Values) error {
	for name, list := range values {
		if len(list) > 1 && name != "resource" {
			return &failure{"invalid_request", "A parameter is given twice."}
		}
	}
	return nil
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func (s *Server) redeem(w http.ResponseWriter, r *http.Request, form url.Values) {
	verifier := form.Get("code_verifier")
	if !verifierForm.MatchString(verifier) {
		s.fail(w, r, &failure{"invalid_grant", "code_verifier is missing or not of the form of RFC 7636."})
		return
	}
	resource, err := s.resourceOf(form)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	digest := sha256.Sum256([]byte(verifier))
	slug, _, _ := tokens.Code.Parse(form.Get("code"))
	access, refresh, secrets := s.firstSecrets(slug)
	c, err := s.Store.RedeemCode(r.Context(), store.Redemption{Code: form.Get("code"), ClientID: form.Get("client_id"),
		RedirectURI: form.Get("redirect_uri"), Resource: resource, Challenge: base64.RawURLEncoding.EncodeToString(digest[:]), Secrets: secrets})
	s.answer(w, r, c, access, refresh, err)
}

func (s *Server) renew(w http.ResponseWriter, r *http.Request, form url.Values) {
	resource, err := s.resourceOf(form)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	old := form.Get("refresh_token")
	of, _ := tokens.ParseRefresh(old)
	access, refresh, secrets := s.nextSecrets(of.Slug, old)
	c, err := s.Store.Renew(r.Context(), store.Renewal{Refresh: old, ClientID: form.Get("client_id"), Resource: resource,
		Scope: parseScope(form.Get("scope")), Secrets: secrets})
	s.answer(w, r, c, access, refresh, err)
}

// firstSecrets makes the secrets that a code is exchanged for.
func (s *Server) firstSecrets(slug string) (access, refresh string, _ store.Secrets) {
	access, accessHash := tokens.Access.Mint(slug)
	refresh, refreshHash := tokens.MintRefresh(slug)
	return access, refresh, store.Secrets{Access: accessHash, Hint: access[len(access)-4:], Refresh: refreshHash}
}

// nextSecrets makes the secrets that follow a refresh token: a client that asks
// again, because the answer got lost, gets the same ones.
func (s *Server) nextSecrets(slug, old string) (access, refresh string, _ store.Secrets) {
	access, accessHash := tokens.Access.Derive(slug, s.renewals, old)
	refresh, refreshHash := tokens.NextRefresh(s.renewals, old)
	return access, refresh, store.Secrets{Access: accessHash, Hint: access[len(access)-4:], Refresh: refreshHash}
}

// answer writes a token response (RFC 6749, 5.1).
func (s *Server) answer(w http.ResponseWriter, r *http.Request, c store.Connection, access, refresh string, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(c.ExpiresIn.Seconds()),
		"refresh_token": refresh, "scope": formatScope(c.Granted),
	})
}

// resourceOf returns the resource that a request names (RFC 8707): ours, or none.
func (s *Server) resourceOf(values url.Values) (string, error) {
	for _, resource := range values["resource"] {
		if !s.isResource(resource) {
			return "", store.ErrInvalidTarget
		}
	}
	if len(values["resource"]) == 0 {
		return "", nil
	}
	return s.Resource(), nil
}

// revoke ends a connection by its refresh or access token (RFC 7009). It answers 200
// whatever it found.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if err := s.pace.take(s.ClientIP(r), costToken); err != nil {
		s.fail(w, r, err)
		return
	}
	form, err := readForm(r)
	if err == nil && form.Get("token") == "" {
		err = &failure{"invalid_request", "Send a form with token and client_id."}
	}
	if err == nil {
		err = s.Store.Disconnect(r.Context(), form.Get("token"), form.Get("client_id"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}
