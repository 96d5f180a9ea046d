package main

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tokenCommand() *cobra.Command {
	return group("token", "Create, list and revoke the tokens that agents use",
		`Create, list and revoke the tokens that agents use. A token belongs to one tenant,
may do what it was given and never more than its owner's role, and works until it
expires or is revoked.`,
		p.tokenCreateCommand(), p.tokenListCommand(), p.tokenRevokeCommand())
}

// tenantChoice is a database and one tenant in it.
type tenantChoice struct {
	choice
	slug string
}

func (c *tenantChoice) addFlags(cmd *cobra.Command) {
	c.choice.addFlags(cmd)
	cmd.Flags().StringVar(&c.slug, "tenant", "", "slug of the tenant")
}

// inTenant opens the database and runs fn with the tenant that the flags name.
func (p *program) inTenant(cmd *cobra.Command, c tenantChoice, fn func(context.Context, *database, tenancy.Tenant) error) error {
	if c.slug == "" {
		return usagef(cmd, "--tenant is missing: give the slug of a tenant, such as acme")
	}
	db, err := p.open(cmd.Context(), c.choice)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tenant, err := db.Tenant(cmd.Context(), c.slug)
	if err != nil {
		return err
	}
	return fn(cmd.Context(), db, tenant)
}

func (p *program) tokenListCommand() *cobra.Command {
	var c tenantChoice
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List a tenant's tokens, newest first; never their secrets",
		Example: `  colaflow token list --tenant acme`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				tokens := []store.Token{}
				err := db.Read(ctx, store.AsSystem(t.ID, actor()), func(tx *store.Tx) error {
					return tx.Do(ctx, store.Tokens(&tokens))
				})
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(tokens)
				}
				return p.printTokens(tokens)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) printTokens(tokens []store.Token) error {
	rows := make([][]string, 0, len(tokens))
	for _, t := range tokens {
		owner := t.Owner
		if owner == "" {
			owner = "(service)"
		}
		expires := day(t.ExpiresAt)
		if expires == "" {
			expires = "never"
		}
		rows = append(rows, []string{t.ID.String(), t.Name, t.State, owner, string(t.Role),
			strconv.Itoa(t.Grants.Effective(t.Role).Len()), expires, day(t.LastUsedAt)})
	}
	return p.printTable([]string{"id", "name", "state", "owner", "role", "permissions", "expires", "last used"}, rows)
}

func (p *program) tokenRevokeCommand() *cobra.Command {
	var c tenantChoice
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "End a token for good, at once",
		Long:    "End a token for good. When the command returns, the token can read and change nothing any more.",
		Example: `  colaflow token revoke --tenant acme 0199b0a6-5c1e-7f00-8000-2c9f6d1e4b7a`,
		Args:    oneArgument("the id that token list shows"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return usagef(cmd, "that is not a token's id; colaflow token list shows the ids")
			}
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				if err := db.RevokeToken(ctx, store.AsSystem(t.ID, actor()), actor(), id); err != nil {
					return err
				}
				return p.printf("Token %s is revoked.\n", id)
			})
		},
	}
	c.addFlags(cmd)
	return cmd
}
