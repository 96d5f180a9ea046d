package main

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
)

func (p *program) dbInitCommand() *cobra.Command {
	var admin, name string
	var reset bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create the roles and the database, and print the DSNs to use",
		Long: `Create the roles and the database that ColaFlow needs, and print the DSNs to use.
Run it once, as an administrator of the server. Running it again repairs what is
missing; roles that exist keep their passwords unless --reset-passwords is given.`,
		Example: `  colaflow db init --admin-dsn postgres://postgres:...@db.example.com/postgres`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if admin == "" {
				return usagef(cmd, "--admin-dsn is missing: it creates roles, so it must be a superuser's or a role manager's")
			}
			existing, err := store.ExistingRoles(cmd.Context(), admin)
			if err != nil {
				return err
			}
			password := func(role string) string {
				if slices.Contains(existing, role) && !reset {
					return ""
				}
				return rand.Text()
			}
			cfg := store.InitConfig{AdminDSN: admin, Database: name, OwnerPassword: password(store.OwnerRole),
				AppPassword: password(store.AppRole), DumpPassword: password(store.DumpRole)}
			if err := store.Init(cmd.Context(), cfg); err != nil {
				return err
			}
			return p.printDSNs(cfg)
		},
	}
	cmd.Flags().StringVar(&admin, "admin-dsn", "", "PostgreSQL as an administrator")
	cmd.Flags().StringVar(&name, "database", databaseName, "database to create")
	cmd.Flags().BoolVar(&reset, "reset-passwords", false, "give new passwords to roles that exist")
	return cmd
}

func (p *program) printDSNs(cfg store.InitConfig) error {
	fmt.Fprintln(p.out, "The roles and the database are ready. Next:")
	for _, line := range []struct{ command, role, password string }{
		{"colaflow db migrate --owner-dsn", store.OwnerRole, cfg.OwnerPassword},
		{"colaflow serve --dsn", store.AppRole, cfg.AppPassword},
		{"colaflow backup FILE --dump-dsn", store.DumpRole, cfg.DumpPassword},
	} {
		if line.password == "" {
			line.password = "ITS-PASSWORD"
		}
		dsn, err := store.DSNFor(cfg.AdminDSN, line.role, line.password, cfg.Database)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "  %s '%s'\n", line.command, dsn)
	}
	_, err := fmt.Fprintln(p.out, "\nNew passwords are shown this once: keep them where you keep secrets.\n"+
		"serve also needs a master key in "+masterKeyVariable+"; make one with: openssl rand -hex 32")
	return err
}
