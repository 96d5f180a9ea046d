package web

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// connectionAnswer is a connection without its secrets, with what to register at the
// provider.
type connectionAnswer struct {
	sso.Connection
	Addresses sso.Addresses `json:"addresses"`
}

type ssoAnswer struct {
	Required    bool               `json:"required"`
	Connections []connectionAnswer `json:"connections"`
	Presets     []sso.Preset       `json:"presets"`
}

// showSSO tells how the tenant's people sign in.
func (s *Server) showSSO(r *http.Request, me session) (any, error) {
	var list []sso.Connection
	var required bool
	err := s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error {
		return tx.Do(r.Context(), store.SSOProviders(&list), store.SSORequired(&required))
	})
	if err != nil {
		return nil, err
	}
	answer := ssoAnswer{Required: required, Connections: []connectionAnswer{}, Presets: sso.Presets()}
	for _, c := range list {
		answer.Connections = append(answer.Connections, connectionAnswer{c, c.Addresses(me.app.Tenant())})
	}
	return answer, nil
}

// connection finds the one that a path names.
func (s *Server) connection(r *http.Request, me session) (c sso.Connection, err error) {
	err = s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error {
		return tx.Do(r.Context(), store.SSOProviderByName(r.PathValue("name"), &c))
	})
	if err == nil && c.ID == uuid.Nil {
		err = store.ErrNoProvider
	}
	return c, err
}

// ssoChange is a connection as an admin gives it. Secrets that are absent stay.
type ssoChange struct {
	Title        string       `json:"title"`
	Protocol     sso.Protocol `json:"protocol"`
	ClientSecret *string      `json:"client_secret"`
	sso.Settings
}

// saveSSO stores a connection under the name in the path.
func (s *Server) saveSSO(r *http.Request, me session) (any, error) {
	var change ssoChange
	if err := decode(r, &change); err != nil {
		return nil, err
	}
	_, err := s.connection(r, me)
	isNew := errors.Is(err, store.ErrNoProvider)
	if err != nil && !isNew {
		return nil, err
	}
	c := sso.Connection{Name: r.PathValue("name"), Title: change.Title, Protocol: change.Protocol, Settings: change.Settings}
	if c.Address == "" {
		c.Address = SignInAddress(s.PublicURL, me.app.Tenant().Slug)
	}
	var secrets *sso.Secrets
	if change.ClientSecret != nil {
		secrets = &sso.Secrets{ClientSecret: *change.ClientSecret}
	}
	if secrets, err = s.SSO.Prepare(r.Context(), &c, secrets, isNew); err != nil {
		return nil, err
	}
	c, err = s.Store.SaveSSOProvider(r.Context(), me.scope(), me.claims.Email, c, secrets)
	return connectionAnswer{c, c.Addresses(me.app.Tenant())}, err
}

type ssoCheck struct {
	Works    bool          `json:"works"`
	Findings []sso.Finding `json:"findings"`
	// Trial is where a sign-in can be tried in the browser, which changes nothing.
	Trial string `json:"trial"`
}

// checkSSO tests a connection, whether it is switched on or not.
func (s *Server) checkSSO(r *http.Request, me session) (any, error) {
	p, err := s.adminParty(r, me)
	if err != nil {
		return nil, err
	}
	findings := s.SSO.Check(r.Context(), p)
	return ssoCheck{sso.Problems(findings) == nil, findings, s.SSO.TrialURL(p)}, nil
}

// adminParty is a connection with its secrets, for a member who may manage it.
func (s *Server) adminParty(r *http.Request, me session) (sso.Party, error) {
	c, err := s.connection(r, me)
	if err != nil {
		return sso.Party{}, err
	}
	return s.Store.SSOParty(r.Context(), me.app.Tenant(), c.ID)
}

// switchSSO switches a connection on, if it works, or off.
func (s *Server) switchSSO(r *http.Request, me session) (any, error) {
	var change struct {
		Enabled *bool `json:"enabled"`
	}
	if err := decode(r, &change); err != nil {
		return nil, err
	}
	if change.Enabled == nil {
		return nil, tenancy.Errorf(tenancy.Missing, "Nothing to change was given.").WithNext("Pass enabled.")
	}
	p, err := s.adminParty(r, me)
	if err != nil {
		return nil, err
	}
	if *change.Enabled {
		if err := sso.Problems(s.SSO.Check(r.Context(), p)); err != nil {
			return nil, err
		}
	}
	c, err := s.Store.SetSSOProvider(r.Context(), me.scope(), me.claims.Email, p.Connection.ID, *change.Enabled)
	return connectionAnswer{c, c.Addresses(p.Tenant)}, err
}

func (s *Server) removeSSO(r *http.Request, me session) (any, error) {
	c, err := s.connection(r, me)
	if err != nil {
		return nil, err
	}
	return nil, s.Store.RemoveSSOProvider(r.Context(), me.scope(), me.claims.Email, c.ID)
}

// requireSSO says whether only owners may sign in without an identity provider.
func (s *Server) requireSSO(r *http.Request, me session) (any, error) {
	var change struct {
		Required *bool `json:"required"`
	}
	if err := decode(r, &change); err != nil {
		return nil, err
	}
	if change.Required == nil {
		return nil, tenancy.Errorf(tenancy.Missing, "Nothing to change was given.").WithNext("Pass required.")
	}
	return nil, s.Store.RequireSSO(r.Context(), me.scope(), me.claims.Email, *change.Required)
}

// unlinkSSO makes a provider forget who a member is there.
func (s *Server) unlinkSSO(r *http.Request, me session) (any, error) {
	c, err := s.connection(r, me)
	if err != nil {
		return nil, err
	}
	member, err := uuid.Parse(r.PathValue("member"))
	if err != nil {
		return nil, notFound("member")
	}
	return nil, s.Store.Unlink(r.Context(), me.scope(), me.claims.Email, c.ID, member)
}
