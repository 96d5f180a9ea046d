package sso

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// AttemptLife is how long a person may take at the provider.
const AttemptLife = 10 * time.Minute

// Attempt is a sign-in that has begun. It travels in the browser's cookie, sealed:
// nothing is stored until somebody signs in.
type Attempt struct {
	Tenant   tenancy.TenantID `json:"t"`
	Provider uuid.UUID        `json:"p"`
	State    string           `json:"s"` // OIDC state; SAML request id
	Nonce    string           `json:"n,omitempty"`
	Verifier string           `json:"v,omitempty"` // PKCE
	Return   string           `json:"r,omitempty"` // path on our side
	Dry      bool             `json:"d,omitempty"` // a test, which creates nothing
	Expires  time.Time        `json:"e"`
}

// newAttempt begins a sign-in. Its random parts have 128 bits or more.
func newAttempt(tenant tenancy.TenantID, provider uuid.UUID, back string, dry bool, now time.Time) Attempt {
	return Attempt{Tenant: tenant, Provider: provider, State: random(), Nonce: random(), Verifier: random(), Return: localPath(back), Dry: dry,
		Expires: now.Add(AttemptLife).UTC()}
}

// random returns 256 bits as 43 characters that are safe in addresses, cookies
// and PKCE verifiers.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails (Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// CookieName is that of the attempt with this state, since several may run in one
// browser. It tells nothing of the state.
func CookieName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return "cf_login_" + hex.EncodeToString(sum[:6])
}

func (s *Service) seal(use string, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic("sso: plain data is always JSON: " + err.Error())
	}
	return s.sealer.Seal(data, []byte(use))
}

func (s *Service) unseal(use, sealed string, into any) bool {
	data, err := s.sealer.Open(sealed, []byte(use))
	return err == nil && json.Unmarshal(data, into) == nil
}

// What a sealed value is for. A value for one use is nothing for another.
const (
	useAttempt = "attempt"
	useTest    = "test"
	useResult  = "result"
	useRequest = "request"
)

// openAttempt reads the cookie of a sign-in, which must be that of this state.
func (s *Service) openAttempt(sealed, state string) (Attempt, error) {
	var a Attempt
	if sealed == "" {
		return a, problem(CookieMissing, nil, "")
	}
	if !s.unseal(useAttempt, sealed, &a) || state == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return Attempt{}, problem(AttemptInvalid, nil, "")
	}
	if !s.Clock().Before(a.Expires) {
		return Attempt{}, problem(AttemptExpired, nil, "")
	}
	return a, nil
}

// maxReturn is as long as the path back may be: long enough for the consent to an agent,
// and with what else is in the cookie within the 4,096 bytes that browsers keep.
const maxReturn = 2_000

// localPath is where a sign-in may end: a path of our own, else the start page.
func localPath(path string) string {
	if len(path) > maxReturn || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }) {
		return "/"
	}
	return path
}
