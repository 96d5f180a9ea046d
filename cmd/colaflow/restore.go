package main

import (
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store/backup"
	"github.com/colaflow/colaflow/store/embedded"
)

func (p *program) restoreCommand() *cobra.Command {
	var c choice
	var admin, name string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a database of a file that backup has written",
		Long: `Make a database of a file that colaflow backup has written, and bring it to this
release's schema. A database that holds a tenant is never replaced. The database
appears whole, or nothing changes.

It is served with the master key of the database that was backed up.`,
		Example: `  colaflow restore colaflow-2026-04-15.dump --data /srv/colaflow
  colaflow restore colaflow.dump --admin-dsn postgres://postgres:...@db.example.com/postgres`,
		Args: oneArgument("the file to read"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := p.withAdminDSN(cmd, c, admin, func(bin, dsn string) error {
				return backup.Restore(cmd.Context(), bin, dsn, name, args[0])
			})
			if err != nil {
				return err
			}
			return p.printf("The database is restored. Put the master key of the one that was backed up in its place: %s\n", keyPlace(c, admin))
		},
	}
	c.addEmbeddedFlags(cmd)
	cmd.Flags().StringVar(&admin, "admin-dsn", "", "PostgreSQL as a superuser; without it the embedded one in --data")
	cmd.Flags().StringVar(&name, "database", databaseName, "with --admin-dsn: database to make")
	return cmd
}

func (p *program) withAdminDSN(cmd *cobra.Command, c choice, dsn string, fn func(bin, dsn string) error) error {
	if dsn != "" {
		found, err := embedded.Find(embedded.Config{BinDir: c.pgBin})
		if err != nil {
			return err
		}
		return fn(found.Dir, dsn)
	}
	if cmd.Flags().Changed("database") {
		return usagef(cmd, "--database is for --admin-dsn: the embedded database has one name")
	}
	return p.withEmbedded(cmd.Context(), c, func(bin string, in *embedded.Instance) error {
		return fn(bin, in.AdminDSN("postgres"))
	})
}
