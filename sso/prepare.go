package sso

import (
	"context"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Prepare makes a connection fit to be stored: it checks the settings, reads SAML
// metadata from its address where none was given, and makes the signing key of a new
// SAML connection. secrets are those that were given, nil for none; what it returns is
// what to store, nil to keep what is stored. fresh tells that nothing is.
func (s *Service) Prepare(ctx context.Context, c *Connection, secrets *Secrets, fresh bool) (*Secrets, error) {
	if c.ID == uuid.Nil {
		c.ID = tenancy.NewID()
	}
	if c.Protocol == SAML && c.SAML != nil && c.SAML.Metadata == "" && c.SAML.MetadataURL != "" {
		if err := s.Reach.CheckAddress(c.SAML.MetadataURL); err != nil {
			return nil, settingsError("The metadata address cannot be used", err)
		}
		data, _, err := fetch(ctx, s.Reach.client(), c.SAML.MetadataURL)
		if err != nil {
			return nil, settingsError("The metadata cannot be read", err)
		}
		c.SAML.Metadata = string(data)
	}
	if err := c.Check(s.Reach); err != nil {
		return nil, err
	}
	if c.Protocol == SAML && fresh {
		key, err := NewSigningKey(c.Name, s.Clock())
		return &key, err
	}
	return secrets, nil
}

// Problems returns the findings that keep people from signing in as one error, nil if
// there are none.
func Problems(findings []Finding) error {
	for _, f := range findings {
		if f.Level == Failed {
			return tenancy.Errorf(tenancy.Conflict, "The connection does not work yet: %s: %s", f.Name, f.Text).WithNext(f.Remedy)
		}
	}
	return nil
}

// Addresses are what is registered at the provider.
type Addresses struct {
	Start    string `json:"start"`
	Callback string `json:"callback,omitempty"`  // OIDC: redirect URI
	ACS      string `json:"acs,omitempty"`       // SAML: assertion consumer service, also recipient and destination
	EntityID string `json:"entity_id,omitempty"` // SAML: audience; the metadata is there too
}

// Addresses returns the connection's addresses on our side.
func (c Connection) Addresses(tenant tenancy.Tenant) Addresses {
	a := Addresses{Start: c.StartURL(tenant)}
	if c.Protocol == SAML {
		a.ACS, a.EntityID = c.ACSURL(tenant), c.EntityID(tenant)
	} else {
		a.Callback = c.CallbackURL()
	}
	return a
}
