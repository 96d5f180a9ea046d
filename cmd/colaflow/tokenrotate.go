package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tokenRotateCommand() *cobra.Command {
	var c tenantChoice
	var overlap time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give a token a new secret and show it once",
		Long: `Give a token a new secret and show it once. Name, permissions and history stay. The
old secret ends at once, or with --overlap when that time is over.`,
		Example: `  colaflow token rotate --tenant acme 0199b0a6-5c1e-7f00-8000-2c9f6d1e4b7a --overlap 24h`,
		Args:    oneArgument(whichToken),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tokenID(cmd, args[0])
			if err != nil {
				return err
			}
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				token, plain, err := db.RotateToken(ctx, operator(t), actor(), id, overlap)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printMinted(token, plain)
				}
				old := "The old secret works no more."
				if token.PreviousUntil != nil {
					old = "The old secret works until " + token.PreviousUntil.UTC().Format(time.RFC3339) + "."
				}
				return p.printf("%s\n\nThis is the only time it is shown: keep it where you keep secrets.\n%s\n", plain, old)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().DurationVar(&overlap, "overlap", 0, "how long the old secret works beside the new one, such as 24h")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON with id and token")
	return cmd
}

// printMinted prints a token with its plain form, for scripts.
func (p *program) printMinted(t store.Token, plain string) error {
	return p.printJSON(struct {
		store.Token
		Plain string `json:"token"`
	}{t, plain})
}
