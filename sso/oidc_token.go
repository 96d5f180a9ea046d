package sso

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// skew is how far the clocks of a provider and of this server may differ.
const skew = 3 * time.Minute

// claims are those of a token or of the userinfo endpoint, by their exact names.
type claims map[string]json.RawMessage

// text returns a claim that is a string, else "".
func (c claims) text(name string) string {
	var s string
	if json.Unmarshal(c[name], &s) != nil {
		return ""
	}
	return s
}

// number returns a claim that is a number, else 0.
func (c claims) number(name string) float64 {
	var n float64
	if json.Unmarshal(c[name], &n) != nil {
		return 0
	}
	return n
}

// list returns a claim that is a string or a list of strings. What else is in a
// list, such as an object that has a name, is no group.
func (c claims) list(name string) []string {
	var one string
	if json.Unmarshal(c[name], &one) == nil && one != "" {
		return []string{one}
	}
	var raw []json.RawMessage
	if json.Unmarshal(c[name], &raw) != nil {
		return nil
	}
	var list []string
	for _, r := range raw {
		var entry *string // null leaves it nil
		if json.Unmarshal(r, &entry) == nil && entry != nil {
			list = append(list, *entry)
		}
	}
	return list
}

// says reports whether a claim is true, also where it is written as text or 1.
func (c claims) says(name string) bool {
	switch string(c[name]) {
	case `true`, `"true"`, `1`, `"1"`:
		return true
	default:
		return false
	}
}

// identify checks the ID token and makes an identity of it.
func (p *oidcProvider) identify(ctx context.Context, a Attempt, token *oauth2.Token) (Identity, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return Identity{}, problem(TokenInvalid, nil, "the answer holds no ID token; scope openid may be missing")
	}
	config := &oidc.Config{ClientID: p.conn.OIDC.ClientID, SupportedSigningAlgs: algorithms, SkipIssuerCheck: true, SkipClientIDCheck: true, SkipExpiryCheck: true}
	keys := &watchedKeys{KeySet: p.keys}
	verified, err := oidc.NewVerifier(p.found.Issuer, keys, config).Verify(ctx, raw)
	if err != nil {
		return Identity{}, keys.explain(err)
	}
	c := claims{}
	if err := verified.Claims(&c); err != nil {
		return Identity{}, problem(TokenInvalid, err, "its claims are no JSON object")
	}
	if err := p.checkToken(a, c, verified, token.AccessToken); err != nil {
		return Identity{}, err
	}
	if c, err = p.complete(ctx, c, token); err != nil {
		return Identity{}, err
	}
	names := p.conn.OIDC.Claims
	id := Identity{Provider: p.conn.ID, Issuer: c.text("iss"), Subject: c.text("sub"), Email: c.text(names.Email), Name: c.text(names.Name), Groups: c.list(names.Groups)}
	id.EmailVerified = c.says("email_verified") && names.Email == "email" || p.conn.OIDC.Preset == "entra" && c.says("xms_edov")
	var elsewhere map[string]string
	_ = json.Unmarshal(c["_claim_names"], &elsewhere) // absent: none
	_, id.GroupsWithheld = elsewhere[names.Groups]
	id.GroupsWithheld = id.GroupsWithheld || c.says("hasgroups")
	return id.tidy()
}

// checkToken holds an ID token to OpenID Connect Core 3.1.3.7, by the exact names
// of its claims: go-oidc has checked the signature.
func (p *oidcProvider) checkToken(a Attempt, c claims, verified *oidc.IDToken, access string) error {
	if c.text("iss") != verified.Issuer || c.text("sub") != verified.Subject || c.text("nonce") != verified.Nonce {
		return problem(TokenInvalid, nil, "it names a claim twice")
	}
	if err := p.checkTenant(c); err != nil {
		return err
	}
	client, audience := p.conn.OIDC.ClientID, c.list("aud")
	if !slices.Contains(audience, client) {
		return problem(AudienceWrong, nil, "the token is for %s", strings.Join(audience, ", "))
	}
	if azp := c.text("azp"); azp != "" && azp != client || azp == "" && len(audience) > 1 {
		return problem(AudienceWrong, nil, "the token was given to %q", azp)
	}
	if subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(a.Nonce)) != 1 {
		return problem(NonceWrong, nil, "")
	}
	if verified.AccessTokenHash != "" && verified.VerifyAccessToken(access) != nil {
		return problem(TokenInvalid, nil, "its at_hash is not that of the access token")
	}
	return p.checkTimes(c)
}

// checkTimes accepts a token that was made during this sign-in and has not
// expired, give or take the skew.
func (p *oidcProvider) checkTimes(c claims) error {
	now := p.clock()
	at := func(name string) time.Time { return time.Unix(int64(c.number(name)), 0) }
	switch {
	case c.number("exp") == 0 || c.number("iat") == 0:
		return problem(TokenInvalid, nil, "exp or iat is missing")
	case !now.Before(at("exp").Add(skew)):
		return problem(TimeWrong, nil, "it expired %v ago", now.Sub(at("exp")).Round(time.Second))
	case at("iat").After(now.Add(skew)) || at("nbf").After(now.Add(skew)):
		return problem(TimeWrong, nil, "it is from the future: the clocks differ by %v", max(at("iat").Sub(now), at("nbf").Sub(now)).Round(time.Second))
	case at("iat").Before(now.Add(-AttemptLife - skew)):
		return problem(TimeWrong, nil, "it was made %v ago", now.Sub(at("iat")).Round(time.Second))
	}
	return nil
}

// checkTenant holds the issuer, and what Entra and Google say of the company.
func (p *oidcProvider) checkTenant(c claims) error {
	o, issuer := p.conn.OIDC, c.text("iss")
	if p.shared() {
		if tid := p.entraTenantOf(issuer); tid == "" || tid != c.text("tid") {
			return problem(IssuerWrong, nil, "the token is from %q", issuer)
		}
	} else if issuer != p.found.Issuer && !(o.Issuer == googleIssuer && "https://"+issuer == googleIssuer) {
		return problem(IssuerWrong, nil, "the token is from %q", issuer)
	}
	same := func(s string) func(string) bool { return func(t string) bool { return strings.EqualFold(s, t) } }
	if tid := c.text("tid"); len(o.EntraTenants) > 0 && !slices.ContainsFunc(o.EntraTenants, same(tid)) {
		return problem(TenantNotAllowed, nil, "tenant %q", tid)
	}
	if hd := c.text("hd"); o.Preset == "google" && !slices.ContainsFunc(o.HostedDomains, same(hd)) {
		return problem(HostedDomainWrong, nil, "hosted domain %q", hd)
	}
	return nil
}

// complete asks the userinfo endpoint for what the token does not say. It speaks
// of the same subject, or not at all.
func (p *oidcProvider) complete(ctx context.Context, c claims, token *oauth2.Token) (claims, error) {
	names := p.conn.OIDC.Claims
	missing := func(name string) bool { return name != "" && c[name] == nil }
	if p.found.UserInfo == "" || !missing(names.Email) && !(missing(names.Groups) && len(p.conn.Rules.Roles) > 0) {
		return c, nil
	}
	info, err := p.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	var request *url.Error
	switch {
	case errors.As(err, &request):
		return c, unreachable(err)
	case err != nil:
		return c, problem(ProviderError, err, "userinfo: %s", strings.TrimPrefix(err.Error(), "oidc: "))
	}
	more := claims{}
	if err := info.Claims(&more); err != nil || more.text("sub") != c.text("sub") {
		return c, problem(TokenInvalid, err, "the userinfo endpoint speaks of another subject")
	}
	for name, value := range more {
		if c[name] == nil && name != "iss" {
			c[name] = value
		}
	}
	return c, nil
}

// watchedKeys remembers why the keys could not be had: go-oidc keeps only the text.
type watchedKeys struct {
	oidc.KeySet
	err error
}

// VerifySignature implements oidc.KeySet. An unknown key id costs one request.
func (k *watchedKeys) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, raw)
	k.err = err
	return payload, err
}

// explain gives a token that was refused its reason.
func (k *watchedKeys) explain(err error) error {
	var request *url.Error
	if errors.As(k.err, &request) || errors.Is(k.err, context.DeadlineExceeded) {
		return unreachable(k.err)
	}
	return problem(TokenInvalid, err, "%s", strings.TrimPrefix(err.Error(), "oidc: "))
}
