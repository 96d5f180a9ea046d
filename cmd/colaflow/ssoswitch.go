package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) ssoEnableCommand() *cobra.Command {
	return p.ssoChangeCommand(&cobra.Command{
		Use:     "enable NAME",
		Short:   "Switch a connection on, if its test finds nothing wrong",
		Example: `  colaflow sso enable okta --tenant acme`,
	}, func(ctx context.Context, w ssoWork, party sso.Party) (string, error) {
		if err := sso.Problems(w.service.Check(ctx, party)); err != nil {
			return "", err
		}
		_, err := w.SetSSOProvider(ctx, operator(w.tenant), actor(), party.Connection.ID, true)
		return "is on. People sign in at " + party.Connection.StartURL(w.tenant), err
	})
}

func (p *program) ssoDisableCommand() *cobra.Command {
	return p.ssoChangeCommand(&cobra.Command{
		Use:     "disable NAME",
		Short:   "Switch a connection off; sessions that began by it go on",
		Example: `  colaflow sso disable okta --tenant acme`,
	}, func(ctx context.Context, w ssoWork, party sso.Party) (string, error) {
		_, err := w.SetSSOProvider(ctx, operator(w.tenant), actor(), party.Connection.ID, false)
		return "is off.", err
	})
}

func (p *program) ssoRemoveCommand() *cobra.Command {
	return p.ssoChangeCommand(&cobra.Command{
		Use:     "remove NAME",
		Short:   "Remove a connection, its secrets, and who is who at that provider; members stay",
		Example: `  colaflow sso remove okta --tenant acme`,
	}, func(ctx context.Context, w ssoWork, party sso.Party) (string, error) {
		return "is removed.", w.RemoveSSOProvider(ctx, operator(w.tenant), actor(), party.Connection.ID)
	})
}

// ssoChangeCommand completes a command on one connection.
func (p *program) ssoChangeCommand(cmd *cobra.Command, change func(context.Context, ssoWork, sso.Party) (string, error)) *cobra.Command {
	var f ssoFlags
	cmd.Args = oneArgument("the name of a connection")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withSSO(cmd, f, func(w ssoWork) error {
			party, err := w.party(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			done, err := change(cmd.Context(), w, party)
			if err != nil {
				return err
			}
			return p.printf("Connection %s %s\n", party.Connection.Name, done)
		})
	}
	f.addFlags(cmd)
	f.reachFlags.addFlags(cmd)
	return cmd
}

func (p *program) ssoRequireCommand() *cobra.Command {
	var f ssoFlags
	cmd := &cobra.Command{
		Use:   "require on|off",
		Short: "Let only owners sign in without an identity provider, or everybody",
		Long: `Let only owners sign in without an identity provider, or everybody. Owners keep their
links, for the day that the provider is down. Sessions that others began by a link end.`,
		Example: `  colaflow sso require on --tenant acme`,
		Args:    oneArgument("on or off"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "on" && args[0] != "off" {
				return usagef(cmd, "%q is neither on nor off", args[0])
			}
			return p.withSSO(cmd, f, func(w ssoWork) error {
				if err := w.RequireSSO(cmd.Context(), operator(w.tenant), actor(), args[0] == "on"); err != nil {
					return err
				}
				return p.printf("%s\n", map[string]string{"on": "Only owners may sign in by a link now.", "off": "Members may sign in by links."}[args[0]])
			})
		},
	}
	f.addFlags(cmd)
	return cmd
}

func (p *program) ssoUnlinkCommand() *cobra.Command {
	var f ssoFlags
	cmd := &cobra.Command{
		Use:   "unlink NAME EMAIL",
		Short: "Forget which account at a provider is a member's, so that a new one can take its place",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef(cmd, "%q takes the name of a connection and the e-mail of a member", cmd.CommandPath())
			}
			return nil
		},
		Example: `  colaflow sso unlink okta bo@acme.com --tenant acme`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSSO(cmd, f, func(w ssoWork) error {
				party, err := w.party(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return p.unlink(cmd.Context(), w, party, args[1])
			})
		},
	}
	f.addFlags(cmd)
	return cmd
}

func (p *program) unlink(ctx context.Context, w ssoWork, party sso.Party, name string) error {
	m, err := findMember(ctx, w.database, w.tenant, name)
	if err != nil {
		return err
	}
	if m.State == tenancy.MemberImported {
		return tenancy.Errorf(tenancy.Conflict, "%s has never signed in.", m.Label())
	}
	if err := w.Unlink(ctx, operator(w.tenant), actor(), party.Connection.ID, m.ID); err != nil {
		return err
	}
	return p.printf("%s has no account at %s any more. The next one with their address can take its place.\n", m.Label(), party.Connection.Name)
}
