package main

import (
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// membersListed is how many people one list shows.
const membersListed = 10_000

func (p *program) memberListCommand() *cobra.Command {
	var c choice
	var slug string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the people of a tenant",
		Example: `  colaflow member list --tenant acme`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, c, slug, func(db *database, t tenancy.Tenant) error {
				var list []tenancy.Member
				err := db.Read(cmd.Context(), operator(t), func(tx *store.Tx) error { return tx.Do(cmd.Context(), store.Members("", membersListed, &list)) })
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(list)
				}
				rows := make([][]string, len(list))
				for n, m := range list {
					rows[n] = []string{m.Label(), m.Name, string(m.Role), string(m.State), day(&m.CreatedAt)}
				}
				return p.printTable([]string{"member", "name", "role", "state", "since"}, rows)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of the tenant")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// withTenant opens the database and runs fn on the tenant that --tenant names.
func (p *program) withTenant(cmd *cobra.Command, c choice, slug string, fn func(db *database, t tenancy.Tenant) error) error {
	if slug == "" {
		return usagef(cmd, "--tenant is missing: name the tenant by its slug")
	}
	db, err := p.open(cmd.Context(), c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	t, err := db.Tenant(cmd.Context(), slug)
	if err != nil {
		return err
	}
	return fn(db, t)
}
