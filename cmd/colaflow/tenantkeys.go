package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
)

// keyOverlap is how long sessions and links that exist go on working.
const keyOverlap = 24 * time.Hour

func (p *program) tenantRotateKeysCommand() *cobra.Command {
	var c choice
	var overlap time.Duration
	cmd := &cobra.Command{
		Use:   "rotate-keys SLUG",
		Short: "Sign a tenant's sessions and links with a new key",
		Long: `Sign a tenant's sessions and links with a new key from now on. What older keys signed
goes on working for the overlap. If a key may be known to others, use --overlap 0: what
it signed works no more, at once and on every server, links too. Browsers that are signed
in get anew what they need, because no key signed what they renew it with. Agents' tokens
have nothing to do with it.`,
		Example: `  colaflow tenant rotate-keys acme
  colaflow tenant rotate-keys acme --overlap 0`,
		Args: oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if overlap < 0 {
				return usagef(cmd, "--overlap cannot be negative")
			}
			return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error {
				t, err := db.Tenant(ctx, args[0])
				if err != nil {
					return err
				}
				err = p.withApplication(db, t, "", func(app *tenancy.Application) error { return app.RotateKeys(ctx, actor(), overlap) })
				if err != nil {
					return err
				}
				if overlap == 0 {
					return p.printf("Tenant %s signs with a new key. What older keys signed works no more.\n", t.Slug)
				}
				return p.printf("Tenant %s signs with a new key. What older keys signed works until %s.\n", t.Slug,
					p.clock().Add(overlap).UTC().Format(time.RFC3339))
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().DurationVar(&overlap, "overlap", keyOverlap, "how long sessions and links that exist go on working, such as 1h")
	return cmd
}
