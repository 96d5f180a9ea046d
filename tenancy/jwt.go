package tenancy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Kind is what a JWT is for. It is in the typ header and in the audience, so
// that one kind never passes for another.
type Kind string

// The kinds. Session is for people's API calls; the tickets can be spent once;
// a page cookie opens one page until it expires.
const (
	KindSession    Kind = "cf-session"
	KindSignInLink Kind = "cf-signin-link"
	KindPageLink   Kind = "cf-page-link"
	KindPageCookie Kind = "cf-page-cookie"
)

// Claims are what our JWTs say (RFC 7519). Session claims are empty in tickets.
type Claims struct {
	jwt.RegisteredClaims
	Email        string   `json:"email,omitempty"`
	TenantID     TenantID `json:"tenant_id"`
	TenantSlug   string   `json:"tenant_slug"`
	TenantPlan   string   `json:"tenant_plan,omitempty"`
	AuthProvider string   `json:"auth_provider,omitempty"`
	Role         Role     `json:"role,omitempty"`
	SessionID    string   `json:"sid,omitempty"`
	MemberEpoch  int64    `json:"mep,omitempty"`
}

// errJWT is the one answer to every token that does not verify.
var errJWT = Errorf(Unauthenticated, "The session or link is not valid or has expired.").WithNext("Sign in again.")

// leeway is how far clocks of nodes may differ.
const leeway = 30 * time.Second

// Sign issues a JWT of a kind for a subject: HS256 under the tenant's newest
// key, with a random jti. The given claims' registered fields are overwritten.
func (a *Application) Sign(ctx context.Context, kind Kind, subject string, life time.Duration, c Claims) (string, error) {
	id, secret, err := a.keys.current(ctx)
	if err != nil {
		return "", err
	}
	now := a.now()
	c.RegisteredClaims = jwt.RegisteredClaims{
		Issuer: a.issuer, Subject: subject, Audience: jwt.ClaimStrings{string(kind)}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}
	c.TenantID, c.TenantSlug = a.tenant.ID, a.tenant.Slug
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	token.Header["typ"] = string(kind)
	token.Header["kid"] = a.tenant.ID.String() + "." + id.String()
	return token.SignedString(secret)
}

// Verify checks a JWT of this tenant and kind. Anything wrong with it is
// Unauthenticated, always in the same words.
func (a *Application) Verify(ctx context.Context, kind Kind, raw string) (Claims, error) {
	c, err := a.verify(ctx, kind, raw)
	if code := CodeOf(err); code == "" || code == Unauthenticated {
		a.meters.Token(a.tenant.ID, TokenKind{string(kind), err == nil})
	}
	return c, err
}

func (a *Application) verify(ctx context.Context, kind Kind, raw string) (Claims, error) {
	var c Claims
	if !canonicalJWT(raw) {
		return c, errJWT
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(a.issuer), jwt.WithAudience(string(kind)),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(a.now), jwt.WithStrictDecoding())
	var unavailable error
	_, err := parser.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		tenant, key, ok := splitKeyID(t.Header)
		if !ok || tenant != a.tenant.ID || t.Header["typ"] != string(kind) || len(t.Header) != 3 {
			return nil, errJWT
		}
		secret, err := a.keys.find(ctx, key)
		if unavailable = err; err != nil || secret == nil {
			return nil, errJWT
		}
		return secret, nil
	})
	switch {
	case unavailable != nil:
		return Claims{}, unavailable
	case err != nil, c.TenantID != a.tenant.ID, c.TenantSlug != a.tenant.Slug, c.Subject == "", c.ID == "":
		return Claims{}, errJWT
	}
	return c, nil
}

// Spend verifies a ticket and uses it up: of several callers, on any nodes,
// exactly one succeeds.
func (a *Application) Spend(ctx context.Context, kind Kind, raw string) (Claims, error) {
	c, err := a.Verify(ctx, kind, raw)
	if err != nil {
		return c, err
	}
	nonce, err := uuid.Parse(c.ID)
	if err != nil {
		return Claims{}, errJWT
	}
	fresh, err := a.ports.Nonces.SpendNonce(ctx, a.tenant.ID, nonce, c.ExpiresAt.Add(leeway))
	if err != nil {
		return Claims{}, err
	}
	if !fresh {
		return Claims{}, errJWT
	}
	return c, nil
}

// TenantOfJWT reads which tenant's key a JWT claims to be signed with. It
// verifies nothing: use it to find the Application that does.
func TenantOfJWT(raw string) (TenantID, error) {
	head, _, _ := strings.Cut(raw, ".")
	data, err := base64.RawURLEncoding.DecodeString(head)
	var header map[string]any
	if err != nil || json.Unmarshal(data, &header) != nil {
		return uuid.Nil, errJWT
	}
	tenant, _, ok := splitKeyID(header)
	if !ok {
		return uuid.Nil, errJWT
	}
	return tenant, nil
}

func splitKeyID(header map[string]any) (tenant TenantID, key uuid.UUID, ok bool) {
	kid, _ := header["kid"].(string)
	first, second, found := strings.Cut(kid, ".")
	if !found || len(first) != 36 || len(second) != 36 {
		return tenant, key, false
	}
	tenant, err1 := uuid.Parse(first)
	key, err2 := uuid.Parse(second)
	return tenant, key, err1 == nil && err2 == nil
}

// canonicalJWT refuses oversized tokens, names given twice in header or claims, which
// two readers might read differently, and the line ends that base64 passes over.
func canonicalJWT(raw string) bool {
	parts := strings.Split(raw, ".")
	if len(raw) > 4<<10 || len(parts) != 3 || strings.ContainsAny(raw, "\r\n") {
		return false
	}
	for _, part := range parts[:2] {
		data, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || uniqueNames(data) != nil {
			return false
		}
	}
	return true
}

// uniqueNames checks that a JSON object gives no name twice at its top level.
func uniqueNames(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	err := readObject(dec, func(string) error {
		var skipped json.RawMessage
		return dec.Decode(&skipped)
	})
	if err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}
