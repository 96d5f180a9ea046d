package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// ownerNote says what the removing commands need.
const ownerNote = `The server's role can remove nothing, so this needs the owner's DSN (--owner-dsn), or the
embedded database. The removal has a row of its own in the log; audit verify accepts
what that row names, and takes any other gap for tampering.`

func (p *program) auditDropCommand() *cobra.Command {
	var c tenantChoice
	var owner, before string
	cmd := &cobra.Command{
		Use:     "drop-before",
		Short:   "Remove rows that were sealed before a time",
		Long:    "Remove rows that were sealed before a time, for good.\n\n" + ownerNote,
		Example: `  colaflow audit drop-before --tenant acme --before 365d --owner-dsn postgres://colaflow_owner:...@db.example.com/colaflow`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := parseMoment(cmd, "--before", before, p.clock())
			if err != nil {
				return err
			}
			if at.IsZero() {
				return usagef(cmd, "--before is missing: give a time such as 365d or 2026-01-31")
			}
			return p.removeAudit(cmd, c, owner, func(ctx context.Context, db *database, t tenancy.Tenant, dsn string) (store.AuditRemoval, error) {
				return db.DropAuditBefore(ctx, dsn, t.ID, actor(), at)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&before, "before", "", "age or time: 365d, 2026-01-31 or 2026-01-31T15:04:05Z")
	addOwnerFlag(cmd, &owner)
	return cmd
}

func (p *program) auditEraseCommand() *cobra.Command {
	var c tenantChoice
	var owner, confirm string
	cmd := &cobra.Command{
		Use:     "erase",
		Short:   "Remove all rows that are sealed",
		Long:    "Remove all rows but those of the last seconds, for good.\n\n" + ownerNote,
		Example: `  colaflow audit erase --tenant acme --confirm acme --owner-dsn postgres://colaflow_owner:...@db.example.com/colaflow`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.slug != "" && confirm != c.slug {
				return usagef(cmd, "this removes the tenant's audit log; if you mean it, add --confirm %s", c.slug)
			}
			return p.removeAudit(cmd, c, owner, func(ctx context.Context, db *database, t tenancy.Tenant, dsn string) (store.AuditRemoval, error) {
				return db.EraseAudit(ctx, dsn, t.ID, actor())
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&confirm, "confirm", "", "the slug once more")
	onlyHere(cmd, "confirm")
	addOwnerFlag(cmd, &owner)
	return cmd
}

func addOwnerFlag(cmd *cobra.Command, owner *string) {
	cmd.Flags().StringVar(owner, "owner-dsn", "", "PostgreSQL as role colaflow_owner; the embedded database needs none")
}

func (p *program) removeAudit(cmd *cobra.Command, c tenantChoice, owner string,
	remove func(context.Context, *database, tenancy.Tenant, string) (store.AuditRemoval, error)) error {
	if c.dsn != "" && owner == "" {
		return usagef(cmd, "--owner-dsn is missing: the role of --dsn can remove nothing")
	}
	return p.inAudit(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
		if owner == "" {
			owner = db.instance.DSN(store.OwnerRole, databaseName)
		}
		removed, err := remove(ctx, db, t, owner)
		if err != nil {
			return err
		}
		if removed.Anchor == nil {
			return p.printf("Nothing that old is sealed; nothing was removed.\n")
		}
		return p.printf("%s removed, all that was written before %s. Checkpoint %d stays as the anchor.\n",
			plural(removed.Rows, "row"), removed.Anchor.Upto.Format(time.RFC3339), removed.Anchor.Seq)
	})
}
