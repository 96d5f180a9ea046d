package main

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tokenShowCommand() *cobra.Command {
	var c tenantChoice
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a token; of its secret only the last four characters",
		Example: `  colaflow token show --tenant acme 0199b0a6-5c1e-7f00-8000-2c9f6d1e4b7a`,
		Args:    oneArgument(whichToken),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tokenID(cmd, args[0])
			if err != nil {
				return err
			}
			return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				var token store.Token
				err := db.Read(ctx, operator(t), func(tx *store.Tx) error { return tx.Do(ctx, store.TokenByID(id, &token)) })
				if err != nil {
					return err
				}
				if token.ID == uuid.Nil {
					return tenancy.Errorf(tenancy.NotFound, "Token %s does not exist in this tenant.", id).WithNext("See: colaflow token list")
				}
				return p.printToken(token, asJSON)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// whyEnded says why a connected agent was shut out, where no person did it.
var whyEnded = map[string]string{
	store.EndedReused:       "a secret of it was used twice: somebody else may have had it",
	store.EndedReplaced:     "its agent got more, with a newer token",
	store.EndedDisconnected: "its agent signed out",
}

// printToken shows one token, leaving out what it does not have.
func (p *program) printToken(t store.Token, asJSON bool) error {
	if asJSON {
		return p.printJSON(t)
	}
	fields := []string{"Id", t.ID.String(), "Name", t.Name, "State", t.State, "Secret", "..." + t.Hint}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name, value)
		}
	}
	add("Owner", t.Owner)
	if t.Owner == "" {
		add("Owner", "none: a service token")
	}
	add("Role", string(t.Role))
	add("May do", effective(t))
	if given := t.Grants.String(); given != effective(t) {
		add("Was given", given)
	}
	add("Networks", strings.Join(t.Networks.Strings(), ", "))
	add("Created", day(&t.CreatedAt))
	add("Created by", t.CreatedBy)
	add("Expires", expiry(t))
	add("Rotated", day(t.RotatedAt))
	if t.PreviousUntil != nil {
		add("Old secret works until", t.PreviousUntil.UTC().Format(time.RFC3339))
	}
	add("Revoked", day(t.RevokedAt))
	add("Why", whyEnded[t.EndedWhy])
	add("Last used", day(t.LastUsedAt))
	add("Last used from", t.LastIP)
	return p.printFields(fields...)
}
