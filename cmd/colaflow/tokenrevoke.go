package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tokenRevokeCommand() *cobra.Command {
	var c tenantChoice
	var stdin bool
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token for good, at once",
		Long: `End a token for good. When the command returns, the token can read and change nothing
any more. With --stdin it reads a leaked token itself, which names its tenant; nothing
of it is printed.`,
		Example: `  colaflow token revoke --tenant acme 0199b0a6-5c1e-7f00-8000-2c9f6d1e4b7a
  colaflow token revoke --stdin < leaked.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if stdin {
				return noArguments(cmd, args)
			}
			return oneArgument(whichToken)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if stdin {
				return p.revokeLeaked(cmd.Context(), c.choice)
			}
			id, err := tokenID(cmd, args[0])
			if err != nil {
				return err
			}
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				if err := db.RevokeToken(ctx, operator(t), actor(), id); err != nil {
					return err
				}
				return p.printf("Token %s is revoked.\n", id)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read a leaked token from standard input, instead of an id")
	return cmd
}

// revokeLeaked ends the token that standard input holds.
func (p *program) revokeLeaked(ctx context.Context, c choice) error {
	const most = 4 << 10
	text, err := io.ReadAll(io.LimitReader(p.in, most))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	db, err := p.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tenant, token, err := db.RevokePlain(ctx, actor(), strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	return p.printf("Token %s (%s) of tenant %s is revoked.\n", token.ID, token.Name, tenant.Slug)
}

func (p *program) tokenRevokeAllCommand() *cobra.Command {
	var c tenantChoice
	var before string
	cmd := &cobra.Command{
		Use:   "revoke-all",
		Short: "End every token issued before a time, after a restore",
		Long: `End every token of a tenant whose secret was issued before a time. A restored backup
brings back tokens that were revoked since it was made: run this for every tenant, with
the time of the restore, before the server goes up again.`,
		Example: `  colaflow token revoke-all --tenant acme --issued-before 2027-01-31T12:00:00Z`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := time.Parse(time.RFC3339, before)
			if err != nil {
				return usagef(cmd, "--issued-before %q is not understood: use a time such as 2027-01-31T12:00:00Z", before)
			}
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				n, err := db.RevokeIssuedBefore(ctx, operator(t), actor(), at)
				if err != nil {
					return err
				}
				return p.printf("%d tokens of %s are revoked.\n", n, t.Slug)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&before, "issued-before", "", "time, such as 2027-01-31T12:00:00Z")
	return cmd
}
