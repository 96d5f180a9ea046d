package sso

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Protocol is how a provider is spoken to.
type Protocol string

// The protocols.
const (
	OIDC Protocol = "oidc"
	SAML Protocol = "saml"
)

// Connection is a tenant's connection to one identity provider. Its secrets are
// never part of it.
type Connection struct {
	ID       uuid.UUID    `json:"id"`
	Name     string       `json:"name"`  // unique in the tenant, for commands
	Title    string       `json:"title"` // on the sign-in page
	Protocol Protocol     `json:"protocol"`
	Enabled  bool         `json:"enabled"`
	Ceiling  tenancy.Role `json:"ceiling"` // role of who saved it last
	Settings
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Settings are what is stored of a connection as JSON. Exactly one of OIDC and
// SAML is set.
type Settings struct {
	// Address is where the tenant's people sign in, such as
	// https://acme.colaflow.example.com. What is registered at the provider begins
	// with it.
	Address string        `json:"address"`
	OIDC    *OIDCSettings `json:"oidc,omitempty"`
	SAML    *SAMLSettings `json:"saml,omitempty"`
	Rules   Rules         `json:"rules"`
}

// OIDCSettings are those of OpenID Connect.
type OIDCSettings struct {
	Preset   string   `json:"preset"`
	Issuer   string   `json:"issuer"`
	ClientID string   `json:"client_id"`
	Scopes   []string `json:"scopes,omitempty"` // beside openid
	// EntraTenants are the tenant ids whose accounts may come in.
	EntraTenants []string `json:"entra_tenants,omitempty"`
	// HostedDomains are the Google Workspace domains whose accounts may come in.
	HostedDomains []string `json:"hosted_domains,omitempty"`
	Claims        Names    `json:"claims"`
}

// SAMLSettings are those of SAML 2.0. Metadata is the provider's own; with an
// address it is read again from time to time.
type SAMLSettings struct {
	MetadataURL string `json:"metadata_url,omitempty"`
	Metadata    string `json:"metadata"`
	Attributes  Names  `json:"attributes"`
	// IDPInitiated lets people begin at the provider. We then ask it ourselves, so
	// that no response is ever accepted that was not asked for.
	IDPInitiated bool `json:"idp_initiated,omitempty"`
}

// Names are the claims or attributes that hold what we want to know.
type Names struct {
	// Subject is a SAML attribute to take in place of the NameID. OIDC has sub.
	Subject string `json:"subject,omitempty"`
	Email   string `json:"email,omitempty"`
	Name    string `json:"name,omitempty"`
	Groups  string `json:"groups,omitempty"`
}

// Secrets of a connection. They are stored sealed, and never shown.
type Secrets struct {
	ClientSecret string `json:"client_secret,omitempty"` // OIDC
	Key          []byte `json:"key,omitempty"`           // SAML: PKCS #8
	Certificate  []byte `json:"certificate,omitempty"`   // SAML: that of the key
}

// String hides the secrets from logs and formatted errors.
func (Secrets) String() string { return "[secrets]" }

// GoString is String for %#v.
func (Secrets) GoString() string { return "[secrets]" }

var namePattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)

const maxTitle = 60

// Check refuses a connection that cannot work, as far as that can be told without
// asking the provider, and puts values into their one form.
func (c *Connection) Check(reach Reach) error {
	if !namePattern.MatchString(c.Name) || c.Name == "link" { // sessions that began with a link say so
		return invalid("Connection name %q is not valid.", c.Name).WithNext("Use 1 to 40 lower-case letters, digits and inner hyphens, such as okta.")
	}
	if c.Title = printable(c.Title, maxTitle); c.Title == "" {
		c.Title = c.Name
	}
	if err := c.checkAddress(); err != nil {
		return err
	}
	var err error
	switch {
	case c.Protocol == OIDC && c.OIDC != nil && c.SAML == nil:
		err = c.OIDC.check(reach)
	case c.Protocol == SAML && c.SAML != nil && c.OIDC == nil:
		err = c.SAML.check(reach)
	default:
		err = invalid("A connection has the settings of its protocol, oidc or saml, and no others.")
	}
	if err != nil {
		return err
	}
	return c.Rules.check()
}

// checkAddress keeps scheme and host of the address.
func (c *Connection) checkAddress() error {
	u, err := url.Parse(strings.TrimSuffix(c.Address, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return invalid("%q is not the address of a sign-in page.", c.Address).WithNext("Use the form https://acme.colaflow.example.com.")
	}
	c.Address = u.Scheme + "://" + strings.ToLower(u.Host)
	return nil
}

func (o *OIDCSettings) check(reach Reach) error {
	preset, err := FindPreset(o.Preset)
	if err != nil {
		return err
	}
	if err := preset.apply(o); err != nil {
		return err
	}
	if err := reach.CheckAddress(o.Issuer); err != nil {
		return settingsError("The issuer cannot be used", err)
	}
	if u, _ := url.Parse(o.Issuer); u.RawQuery != "" {
		return invalid("An issuer has no query.").WithNext("Copy it from the provider's configuration page.")
	}
	if o.ClientID == "" || len(o.ClientID) > 400 || printable(o.ClientID, 400) != o.ClientID {
		return invalid("The client ID is missing or has a form that no provider gives out.").WithNext("Copy it from the provider's page of this application.")
	}
	if len(o.Scopes) > 20 || slices.ContainsFunc(o.Scopes, func(s string) bool { return !scopePattern.MatchString(s) }) {
		return invalid("The scopes are not valid.").WithNext("Use names such as email, profile, groups.")
	}
	return o.Claims.check()
}

var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,200}$`) // RFC 6749, 3.3

func (s *SAMLSettings) check(reach Reach) error {
	if s.MetadataURL != "" {
		if err := reach.CheckAddress(s.MetadataURL); err != nil {
			return settingsError("The metadata address cannot be used", err)
		}
	}
	if _, err := parseMetadata([]byte(s.Metadata)); err != nil {
		return settingsError("The provider's metadata cannot be used", err)
	}
	return s.Attributes.check()
}

func (n Names) check() error {
	for _, name := range []string{n.Subject, n.Email, n.Name, n.Groups} {
		if len(name) > 256 || printable(name, 256) != name {
			return invalid("%q is not the name of a claim or attribute.", name)
		}
	}
	return nil
}

// settingsError says of a Problem that some setting has it.
func settingsError(what string, err error) error {
	p := ProblemIn(err)
	if p == nil {
		return err
	}
	return invalid("%s: %s", what, p.Error()).WithNext(p.Remedy)
}

// CallbackURL is the redirect URI of an OIDC connection. It is its own, so that
// an answer of one provider can never be taken for one of another.
func (c Connection) CallbackURL() string { return c.Address + "/auth/" + c.ID.String() + "/callback" }

// ACSURL is where a SAML provider posts its responses.
func (c Connection) ACSURL(tenant tenancy.Tenant) string {
	return c.Address + "/auth/saml/" + c.ID.String() + "/acs" + tenantQuery(tenant)
}

// EntityID is what a SAML provider knows us by: the address of our metadata.
func (c Connection) EntityID(tenant tenancy.Tenant) string {
	return c.Address + "/auth/saml/" + c.ID.String() + "/metadata" + tenantQuery(tenant)
}

// StartURL is where a sign-in begins.
func (c Connection) StartURL(tenant tenancy.Tenant) string {
	return c.Address + "/auth/" + c.ID.String() + "/start" + tenantQuery(tenant)
}

// tenantQuery names the tenant also where the host does, so that one form of an
// address serves both.
func tenantQuery(tenant tenancy.Tenant) string { return "?tenant=" + tenant.Slug }

// Stored returns the settings as they are stored.
func (s Settings) Stored() []byte {
	data, err := json.Marshal(s)
	if err != nil {
		panic("sso: settings are plain data: " + err.Error())
	}
	return data
}
