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
	return group("token", "Create, change, explain and revoke the tokens that agents use",
		`Create, change, explain and revoke the tokens that agents use. A token belongs to one
tenant, may do what it was given and never more than its owner's role, and works until
it expires or is revoked. Every change is in force when the command returns.`,
		p.tokenCreateCommand(), p.tokenListCommand(), p.tokenShowCommand(), p.tokenUpdateCommand(), p.tokenRotateCommand(),
		p.tokenRevokeCommand(), p.tokenRevokeAllCommand(), p.tokenExplainCommand())
}

// operator is the scope of a command: the whole tenant, in the name of the
// operating-system user.
func operator(t tenancy.Tenant) store.Scope { return store.AsSystem(t.ID, actor()) }

// tokenID reads the argument that names a token.
func tokenID(cmd *cobra.Command, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, usagef(cmd, "that is not a token's id; colaflow token list shows the ids")
	}
	return id, nil
}

const whichToken = "the id that token list shows"

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
				err := db.Read(ctx, operator(t), func(tx *store.Tx) error {
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
		rows = append(rows, []string{t.ID.String(), t.Name, t.State, owner, string(t.Role),
			strconv.Itoa(t.Grants.Effective(t.Role).Len()), expiry(t), "..." + t.Hint, day(t.LastUsedAt)})
	}
	return p.printTable([]string{"id", "name", "state", "owner", "role", "permissions", "expires", "secret", "last used"}, rows)
}

// expiry is the day on which a token expires; one that is near is marked.
func expiry(t store.Token) string {
	switch {
	case t.ExpiresAt == nil:
		return "never"
	case t.ExpiresSoon:
		return day(t.ExpiresAt) + " (soon)"
	default:
		return day(t.ExpiresAt)
	}
}
