package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
)

func (p *program) auditRetainCommand() *cobra.Command {
	var c choice
	var owner string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "retain",
		Short: "Remove rows that are older than the tenants' plans keep them",
		Long: `Remove rows that are older than the tenants' plans keep them: 90 days on free, 400 on
team, 7 years on enterprise. Servers with the embedded database do it by themselves;
otherwise run it once a day.

` + ownerNote,
		Example: `  colaflow audit retain --dsn ... --owner-dsn postgres://colaflow_owner:...@db.example.com/colaflow`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.dsn != "" && owner == "" {
				return usagef(cmd, "--owner-dsn is missing: the role of --dsn can remove nothing")
			}
			return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error {
				if owner == "" {
					owner = db.instance.DSN(store.OwnerRole, databaseName)
				}
				done, err := db.RetainAudit(ctx, owner, actor())
				if printErr := p.printRetained(done, asJSON); err == nil {
					err = printErr
				}
				return err
			})
		},
	}
	c.addFlags(cmd)
	addOwnerFlag(cmd, &owner)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) printRetained(done []store.AuditRetention, asJSON bool) error {
	if asJSON {
		return p.printJSON(done)
	}
	for _, r := range done {
		if err := p.printf("%s: %s removed, all that was written before %s; the plan keeps %s. Checkpoint %d stays as the anchor.\n",
			r.Slug, plural(r.Rows, "row"), r.Anchor.Upto.Format(time.RFC3339), plural(int64(r.Days), "day"), r.Anchor.Seq); err != nil {
			return err
		}
	}
	if len(done) == 0 {
		return p.printf("Nothing is older than the plans keep it; nothing was removed.\n")
	}
	return nil
}
