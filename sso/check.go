package sso

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// clockOffset is how far a provider's clock is ahead, as its answer tells.
func clockOffset(header http.Header, now time.Time) time.Duration {
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return at.Sub(now).Round(time.Second)
}

// Check tests a connection as far as that goes without a person. What it opens is
// not remembered.
func (s *Service) Check(ctx context.Context, p Party) []Finding {
	provider, err := s.Open(ctx, p)
	if err != nil {
		return []Finding{finding("provider", Failed, err)}
	}
	return provider.Check(ctx)
}

// checkClock warns when clocks differ enough for sign-ins to fail soon.
func checkClock(offset time.Duration) Finding {
	switch off := offset.Abs(); {
	case off >= skew:
		return finding("clock", Failed, problem(ClockOff, nil, "by %v", offset))
	case off > 30*time.Second:
		return finding("clock", Warning, problem(ClockOff, nil, "by %v", offset))
	default:
		return fine("clock", "This server and the provider agree on the time.")
	}
}

// Check implements Provider.
func (p *oidcProvider) Check(ctx context.Context) []Finding {
	list := []Finding{fine("discovery", "The issuer is "+p.found.Issuer+"."), p.checkKeys(ctx), checkClock(p.offset), p.checkRequest(ctx)}
	if len(p.conn.Rules.Domains) == 0 {
		list = append(list, finding("domains", Failed, problem(DomainNotAllowed, nil, "no domain is allowed")))
	}
	return list
}

// checkKeys looks for a key that an ID token could be signed with.
func (p *oidcProvider) checkKeys(ctx context.Context) Finding {
	data, _, err := fetch(ctx, p.client, p.found.Keys)
	if err != nil {
		return finding("keys", Failed, err)
	}
	var set struct {
		Keys []struct{ Kty, Use, Alg string }
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return finding("keys", Failed, problem(KeysUnusable, err, "%s is no key set", p.found.Keys))
	}
	usable := 0
	for _, k := range set.Keys {
		if (k.Kty == "RSA" || k.Kty == "EC" || k.Kty == "OKP") && (k.Use == "" || k.Use == "sig") && (k.Alg == "" || slices.Contains(algorithms, k.Alg)) {
			usable++
		}
	}
	offered := len(p.found.Algorithms) == 0 || slices.ContainsFunc(p.found.Algorithms, func(a string) bool { return slices.Contains(algorithms, a) })
	if usable == 0 || !offered {
		return finding("keys", Failed, problem(KeysUnusable, nil, "%d of %d keys can be used; algorithms offered: %v", usable, len(set.Keys), p.found.Algorithms))
	}
	return fine("keys", fmt.Sprintf("%d of %d keys can be used.", usable, len(set.Keys)))
}

// checkRequest asks for the sign-in page as a browser would, and follows nothing. A
// provider that refuses client ID or redirect URI says so at once, most of them.
func (p *oidcProvider) checkRequest(ctx context.Context) Finding {
	address, err := p.Begin(ctx, newAttempt(p.conn.ID, p.conn.ID, "", true, p.clock()))
	if err != nil {
		return finding("request", Failed, err)
	}
	client := *p.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return finding("request", Failed, problem(AddressInvalid, err, ""))
	}
	res, err := client.Do(req)
	if err != nil {
		return finding("request", Failed, unreachable(err))
	}
	_ = res.Body.Close()
	if res.StatusCode >= 400 {
		return finding("request", Failed, problem(RequestRefused, nil, "the sign-in page answers %s to redirect URI %s", res.Status, p.conn.CallbackURL()))
	}
	if to, err := url.Parse(res.Header.Get("Location")); err == nil && to.Query().Get("error") != "" {
		return finding("request", Failed, problem(RequestRefused, nil, "%s %s", to.Query().Get("error"), to.Query().Get("error_description")))
	}
	return fine("request", "The sign-in page does not object to client ID and redirect URI.")
}

const expiryWarning = 30 * 24 * time.Hour

// Check implements Provider.
func (p *samlProvider) Check(context.Context) []Finding {
	now := p.clock()
	list := []Finding{fine("metadata", "The provider is "+p.idp.entityID+".")}
	if p.stale != nil {
		list[0] = finding("metadata", Warning, p.stale)
		list[0].Text += " The stored copy is used."
	}
	current, soon := p.idp.current(now), time.Time{}
	for _, c := range current {
		if c.NotAfter.Before(now.Add(expiryWarning)) && (soon.IsZero() || c.NotAfter.Before(soon)) {
			soon = c.NotAfter
		}
	}
	switch {
	case len(current) == 0:
		list = append(list, finding("certificates", Failed, problem(CertificateExpired, nil, "")))
	case !soon.IsZero():
		list = append(list, finding("certificates", Warning, problem(CertificateExpires, nil, "on %s", soon.Format(time.DateOnly))))
	default:
		list = append(list, fine("certificates", fmt.Sprintf("%d of %d signing certificates are valid.", len(current), len(p.idp.certificates))))
	}
	if p.conn.SAML.MetadataURL != "" {
		list = append(list, checkClock(p.offset))
	}
	if len(p.conn.Rules.Domains) == 0 {
		list = append(list, finding("domains", Failed, problem(DomainNotAllowed, nil, "no domain is allowed")))
	}
	return list
}
