package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

func (p *program) memberCommand() *cobra.Command {
	return group("member", "Look after the people of a tenant", "Look after the people of a tenant: who may sign in, and as what.",
		p.memberListCommand(), p.memberInviteCommand(), p.memberRoleCommand(), p.memberDeactivateCommand(), p.memberReactivateCommand(),
		p.memberSignInCommand())
}

// signInLinkLife is how long a sign-in link works unless a flag says otherwise.
const signInLinkLife = time.Hour

func (p *program) memberSignInCommand() *cobra.Command {
	var c choice
	var slug, publicURL string
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "signin-link EMAIL",
		Short: "Make a one-time link that signs a member in",
		Long: `Make a one-time link that signs a member in, without any identity provider: for the
first owner of a tenant, and for the day that the provider is down. Who has the link
can sign in as that member, once. The audit log says that it was made.`,
		Example: `  colaflow member signin-link --tenant acme ada@acme.com --public-url https://colaflow.example.com`,
		Args:    oneArgument("the e-mail of the member"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if life < time.Minute || life > 24*time.Hour {
				return usagef(cmd, "--expires may be 1m to 24h")
			}
			return p.withTenant(cmd, c, slug, func(db *database, t tenancy.Tenant) error {
				link, err := p.signInLink(cmd.Context(), db, t, args[0], publicURL, life)
				if err != nil {
					return err
				}
				return p.printf("%s\n", link)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of the tenant")
	cmd.Flags().StringVar(&publicURL, "public-url", defaultURL, "how people reach the server")
	cmd.Flags().DurationVar(&life, "expires", signInLinkLife, "how long the link works, if it is not used")
	return cmd
}

// signInLink signs a ticket for a member who may act, or may once they sign in.
func (p *program) signInLink(ctx context.Context, db *database, tenant tenancy.Tenant, name, publicURL string, life time.Duration) (string, error) {
	m, err := findMember(ctx, db, tenant, name)
	if err != nil {
		return "", err
	}
	if m, err = db.AllowSignInLink(ctx, operator(tenant), actor(), m.ID); err != nil {
		return "", err
	}
	var ticket string
	err = p.withApplication(db, tenant, publicURL, func(app *tenancy.Application) (err error) {
		ticket, err = app.Sign(ctx, tenancy.KindSignInLink, m.ID.String(), life, tenancy.Claims{Email: m.Label()})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("sign the link: %w", err)
	}
	return web.SignInLink(publicURL, tenant.Slug, ticket), nil
}
