// Package ssotest plays identity providers that tests can bend: honest ones that
// check what they are asked, and such as an attacker would run.
package ssotest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Client is what every provider knows us by.
const (
	ClientID     = "colaflow"
	ClientSecret = "a secret: with +/%&= signs"
)

// Person is who signs in at a provider, with whatever claims.
type Person map[string]any

// Ada is an ordinary person.
func Ada() Person {
	return Person{"sub": "ada-1", "email": "ada@acme.test", "email_verified": true, "name": "Ada Byron"}
}

// Bends are the ways in which a provider can be dishonest or broken. Nil ones are
// not used.
type Bends struct {
	Discovery func(map[string]any)      // changes the configuration
	Claims    func(map[string]any)      // changes the ID token
	Header    func(map[string]any)      // changes its header
	Sign      func(input []byte) []byte // signs it instead of the published key
	Answer    func(url.Values)          // changes what the browser brings back
	UserInfo  func(map[string]any)      // changes what the userinfo endpoint says
	Token     http.HandlerFunc          // is the token endpoint
	Keys      http.HandlerFunc          // is the key set
}

// OIDC is an OpenID provider. It checks client, redirect URI and PKCE as a good
// one does.
type OIDC struct {
	URL    string
	Client *http.Client

	mu     sync.Mutex
	key    *rsa.PrivateKey
	bends  Bends
	person Person
	hidden []string // claims that only the userinfo endpoint tells
	codes  map[string]url.Values
	visits map[string]int
}

// NewOIDC starts a provider on loopback.
func NewOIDC(t testing.TB) *OIDC {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := &OIDC{key: key, person: Ada(), codes: map[string]url.Values{}, visits: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", p.discovery) // as Entra has it
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.visits[r.URL.Path]++
		p.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	p.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}
	return p
}

// Bend makes the provider behave like this from now on.
func (p *OIDC) Bend(b Bends) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bends = b
}

// SignsIn says who signs in next, and which claims only the userinfo endpoint tells.
func (p *OIDC) SignsIn(person Person, hidden ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person, p.hidden = person, hidden
}

// Visits counts the requests to a path.
func (p *OIDC) Visits(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.visits[path]
}

// Authorize does what the browser does at the provider: it follows the address of
// a sign-in and returns what comes back to the redirect URI.
func (p *OIDC) Authorize(t testing.TB, address string) url.Values {
	t.Helper()
	res, err := p.Client.Get(address)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusFound, res.StatusCode)
	back, err := url.Parse(res.Header.Get("Location"))
	require.NoError(t, err)
	return back.Query()
}

func (p *OIDC) current() (Bends, Person, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	person := Person{}
	for name, value := range p.person {
		person[name] = value
	}
	return p.bends, person, p.hidden
}

func (p *OIDC) discovery(w http.ResponseWriter, r *http.Request) {
	issuer := p.URL
	if tenant := r.PathValue("tenant"); tenant != "" {
		issuer = p.URL + "/" + tenant + "/v2.0"
	}
	doc := map[string]any{"issuer": issuer, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}}
	if b, _, _ := p.current(); b.Discovery != nil {
		b.Discovery(doc)
	}
	answer(w, http.StatusOK, doc)
}

func (p *OIDC) keys(w http.ResponseWriter, r *http.Request) {
	if b, _, _ := p.current(); b.Keys != nil {
		b.Keys(w, r)
		return
	}
	answer(w, http.StatusOK, map[string]any{"keys": []any{p.Public("published")}})
}

// Public is the provider's key as it publishes it.
func (p *OIDC) Public(kid string) map[string]any {
	return map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes())}
}

func (p *OIDC) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "this is no request of a good client", http.StatusBadRequest)
		return
	}
	code := randomHex()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	if b, _, _ := p.current(); b.Answer != nil {
		b.Answer(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *OIDC) token(w http.ResponseWriter, r *http.Request) {
	b, person, hidden := p.current()
	if b.Token != nil {
		b.Token(w, r)
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = url.QueryEscape(r.PostFormValue("client_id")), url.QueryEscape(r.PostFormValue("client_secret"))
	}
	if id != ClientID || secret != url.QueryEscape(ClientSecret) {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	p.mu.Lock()
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("redirect_uri") != r.PostFormValue("redirect_uri") {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "code, verifier and redirect URI do not match"})
		return
	}
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": asked.Get("nonce")}
	for name, value := range person {
		claims[name] = value
	}
	for _, name := range hidden {
		delete(claims, name)
	}
	if b.Claims != nil {
		b.Claims(claims)
	}
	answer(w, http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": p.sign(b, claims)})
}

// sign makes a JWT: RS256 with the published key, unless bent.
func (p *OIDC) sign(b Bends, claims map[string]any) string {
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": "published"}
	if b.Header != nil {
		b.Header(header)
	}
	input := encode(header) + "." + encode(claims)
	if b.Sign != nil {
		return input + "." + base64.RawURLEncoding.EncodeToString(b.Sign([]byte(input)))
	}
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key and the digest are right
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (p *OIDC) userinfo(w http.ResponseWriter, r *http.Request) {
	b, person, _ := p.current()
	if r.Header.Get("Authorization") != "Bearer access" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if b.UserInfo != nil {
		b.UserInfo(person)
	}
	answer(w, http.StatusOK, person)
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of plain values
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails (Go 1.24)
	return hex.EncodeToString(b[:])
}
