package sso

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Preset is what we know about a kind of OpenID provider.
type Preset struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Issuer string   `json:"issuer"` // form of the issuer, for people
	Claims Names    `json:"claims"`
	Scopes []string `json:"scopes"`
	// tighten checks what is special about the provider's settings.
	tighten func(*OIDCSettings) error
}

// Presets lists every preset; generic is the one without assumptions.
func Presets() []Preset {
	plain := Names{Email: "email", Name: "name", Groups: "groups"}
	scopes := []string{"email", "profile"}
	return []Preset{
		{"entra", "Microsoft Entra ID", "https://login.microsoftonline.com/<tenant id>/v2.0", plain, scopes, tightenEntra},
		{"google", "Google Workspace", googleIssuer, plain, scopes, tightenGoogle},
		{"okta", "Okta", "https://<company>.okta.com", plain, scopes, nil},
		{"auth0", "Auth0", "https://<company>.auth0.com/", plain, scopes, nil},
		{"generic", "OpenID Connect", "https://login.example.com", plain, scopes, nil},
	}
}

// PresetNames lists the names of the presets.
func PresetNames() []string {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return names
}

// FindPreset returns the preset with this name; "" is generic.
func FindPreset(name string) (Preset, error) {
	for _, p := range Presets() {
		if p.Name == cmp.Or(name, "generic") {
			return p, nil
		}
	}
	return Preset{}, invalid("Preset %q is not known.", name).WithNext("Use " + strings.Join(PresetNames(), ", ") + ".")
}

// apply fills in what is not set, and checks the rest.
func (p Preset) apply(o *OIDCSettings) error {
	o.Preset = p.Name
	o.Claims = Names{Email: cmp.Or(o.Claims.Email, p.Claims.Email), Name: cmp.Or(o.Claims.Name, p.Claims.Name), Groups: cmp.Or(o.Claims.Groups, p.Claims.Groups)}
	if o.Scopes == nil {
		o.Scopes = slices.Clone(p.Scopes)
	}
	o.Scopes = slices.DeleteFunc(o.Scopes, func(s string) bool { return s == "openid" })
	if p.Name != "entra" && len(o.EntraTenants) > 0 || p.Name != "google" && len(o.HostedDomains) > 0 {
		return invalid("Entra tenants belong to preset entra, hosted domains to preset google.")
	}
	if p.tighten == nil {
		return nil
	}
	return p.tighten(o)
}

const googleIssuer = "https://accounts.google.com"

// tightenGoogle needs to know which domains: Google signs in everybody who has an
// account at all.
func tightenGoogle(o *OIDCSettings) error {
	o.Issuer = cmp.Or(o.Issuer, googleIssuer)
	if len(o.HostedDomains) == 0 {
		return tenancy.Errorf(tenancy.Missing, "Google needs the Workspace domains that may come in.").WithNext("Pass the company's domain as hosted domain.")
	}
	for n, d := range o.HostedDomains {
		if o.HostedDomains[n] = strings.ToLower(d); !validDomain(o.HostedDomains[n]) {
			return invalid("%q is not a domain.", d)
		}
	}
	return nil
}

// tightenEntra needs the tenant ids where the issuer serves every company.
func tightenEntra(o *OIDCSettings) error {
	for _, id := range o.EntraTenants {
		if _, err := uuid.Parse(id); err != nil {
			return invalid("%q is not an Entra tenant ID.", id).WithNext("Copy the Directory (tenant) ID from the app's overview page.")
		}
	}
	if sharedEntra(o.Issuer) && len(o.EntraTenants) == 0 {
		return tenancy.Errorf(tenancy.Missing, "This Entra issuer signs in people of every company.").
			WithNext("Pass the tenant IDs that may come in, or use the issuer of one tenant.")
	}
	return nil
}

// sharedEntra reports whether an issuer is one of Entra's endpoints for accounts
// of more than one tenant.
func sharedEntra(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return first == "common" || first == "organizations" || first == "consumers"
}
