package main

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) ssoCommand() *cobra.Command {
	return group("sso", "Connect a tenant's identity providers", `Connect a tenant's identity providers, by OpenID Connect or SAML 2.0. Set a connection,
register what "show" prints at the provider, run "test", then "enable".`,
		p.ssoSetOIDCCommand(), p.ssoSetSAMLCommand(), p.ssoShowCommand(), p.ssoTestCommand(), p.ssoEnableCommand(), p.ssoDisableCommand(),
		p.ssoRemoveCommand(), p.ssoRequireCommand(), p.ssoUnlinkCommand())
}

// reachFlags say how far requests to identity providers may go.
type reachFlags struct {
	loopback bool
	networks []string
}

func (f *reachFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.loopback, "sso-allow-loopback", false, "let identity providers be on this machine, over http too; for development only")
	cmd.Flags().StringSliceVar(&f.networks, "sso-allow-network", nil, "private network in which identity providers may be, such as 10.1.0.0/16; may be repeated")
}

func (f reachFlags) reach(cmd *cobra.Command) (sso.Reach, error) {
	r := sso.Reach{Loopback: f.loopback}
	for _, text := range f.networks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return r, usagef(cmd, "--sso-allow-network %q is not a network: use the form 10.1.0.0/16", text)
		}
		r.Networks = append(r.Networks, prefix)
	}
	return r, nil
}

// ssoFlags are those of every command on connections.
type ssoFlags struct {
	choice
	reachFlags
	slug string
}

func (f *ssoFlags) addFlags(cmd *cobra.Command) {
	f.choice.addFlags(cmd)
	cmd.Flags().StringVar(&f.slug, "tenant", "", "slug of the tenant")
}

// ssoWork is what a command on connections works with.
type ssoWork struct {
	*database
	service *sso.Service
	tenant  tenancy.Tenant
}

// withSSO opens the database and finds the tenant.
func (p *program) withSSO(cmd *cobra.Command, f ssoFlags, work func(w ssoWork) error) error {
	reach, err := f.reach(cmd)
	if err != nil {
		return err
	}
	return p.withTenant(cmd, f.choice, f.slug, func(db *database, t tenancy.Tenant) error {
		return work(ssoWork{db, sso.NewService(sso.Config{Key: db.key, Replay: db.Store, Reach: reach, Clock: p.clock}), t})
	})
}

// find returns the connection with this name; known is false if there is none.
func (w ssoWork) find(ctx context.Context, name string) (c sso.Connection, known bool, err error) {
	err = w.Read(ctx, operator(w.tenant), func(tx *store.Tx) error { return tx.Do(ctx, store.SSOProviderByName(name, &c)) })
	return c, c.ID != uuid.Nil, err
}

// party returns the connection with this name and its secrets.
func (w ssoWork) party(ctx context.Context, name string) (sso.Party, error) {
	c, known, err := w.find(ctx, name)
	if err == nil && !known {
		err = tenancy.Errorf(tenancy.NotFound, "Tenant %s has no connection %q.", w.tenant.Slug, name).WithNext("See: colaflow sso show --tenant " + w.tenant.Slug)
	}
	if err != nil {
		return sso.Party{}, err
	}
	return w.SSOParty(ctx, w.tenant, c.ID)
}
