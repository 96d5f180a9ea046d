package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/embedded"
)

func (p *program) dbCommand() *cobra.Command {
	return group("db", "Set up and look after the database",
		`Set up and look after the database. The embedded one needs none of this: commands
without --dsn set it up by themselves.`,
		p.dbInitCommand(), p.dbMigrateCommand(), p.dbStatusCommand(), p.dbIndexesCommand(), p.dbKeepCommand())
}

func (p *program) dbMigrateCommand() *cobra.Command {
	var owner string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema to this release's version",
		Long: `Bring the schema to this release's version and make the audit log's partitions for
the next 24 months. It may run beside serving nodes; running it twice is harmless.`,
		Example: `  colaflow db migrate --owner-dsn postgres://colaflow_owner:...@db.example.com/colaflow`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if owner == "" {
				return usagef(cmd, "--owner-dsn is missing: migrations run as role colaflow_owner, which colaflow db init creates")
			}
			from, to, err := store.Migrate(cmd.Context(), owner)
			if err != nil {
				return err
			}
			if from == to {
				_, err = fmt.Fprintf(p.out, "The schema is at version %d already.\n", to)
			} else {
				_, err = fmt.Fprintf(p.out, "The schema went from version %d to %d.\n", from, to)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&owner, "owner-dsn", "", "PostgreSQL as role colaflow_owner")
	return cmd
}

func (p *program) dbStatusCommand() *cobra.Command {
	var c choice
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say which schema version the database has",
		Example: `  colaflow db status
  colaflow db status --dsn postgres://... --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dsn := c.dsn
			if dsn == "" {
				in, _, err := p.start(cmd.Context(), c)
				if err != nil {
					return err
				}
				defer func() { _ = in.Close() }()
				dsn = in.DSN(store.AppRole, databaseName)
			}
			status, err := store.Status(cmd.Context(), dsn)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(status)
			}
			return p.printFields("Server", "PostgreSQL "+status.Server, "Schema", schemaText(status))
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func schemaText(s store.SchemaStatus) string {
	switch {
	case s.Version == s.Latest:
		return fmt.Sprintf("version %d, which this release needs", s.Version)
	case s.Version < s.Latest:
		return fmt.Sprintf("version %d; this release needs %d: run colaflow db migrate", s.Version, s.Latest)
	default:
		return fmt.Sprintf("version %d, newer than this release knows (%d): upgrade colaflow", s.Version, s.Latest)
	}
}

// dbKeepCommand is the parent of the embedded PostgreSQL; other commands start it.
func (p *program) dbKeepCommand() *cobra.Command {
	var c choice
	cmd := &cobra.Command{
		Use:    "keep",
		Short:  "Keep the embedded PostgreSQL running while others use it",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := c.dataDir()
			if err != nil {
				return err
			}
			return embedded.Keep(cmd.Context(), embedded.Config{DataDir: dir, BinDir: c.pgBin, Log: p.log})
		},
	}
	c.addEmbeddedFlags(cmd)
	return cmd
}

func (p *program) printJSON(v any) error {
	enc := json.NewEncoder(p.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
