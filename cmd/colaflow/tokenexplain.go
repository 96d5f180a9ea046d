package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tokenExplainCommand() *cobra.Command {
	var c tenantChoice
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain ID TARGET [VERB]",
		Short: "Say whether a token may do something, and by which rule",
		Long: `Say whether a token may do something now, and by which rule. The target is a resource,
alone or in a project: issue:WEB-12, project:WEB, comment:WEB, audit, members. The verb
may be left out where the resource has only one.`,
		Example: `  colaflow token explain --tenant acme ID issue:WEB-12 update
  colaflow token explain --tenant acme ID project:WEB read
  colaflow token explain --tenant acme ID audit`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 {
				return usagef(cmd, "%q takes a token's id, a target such as issue:WEB-12, and a verb such as update", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tokenID(cmd, args[0])
			if err != nil {
				return err
			}
			action, err := tenancy.ParseAction(args[1], append(args, "")[2])
			if err != nil {
				return err
			}
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				d, err := db.ExplainToken(ctx, store.AsKeeper(t.ID, actor()), id, action)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(d)
				}
				verdict := "Denied"
				if d.Allowed {
					verdict = "Allowed"
				}
				return p.printf("%s by rule %s: %s\n", verdict, d.Rule, d.Reason)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
