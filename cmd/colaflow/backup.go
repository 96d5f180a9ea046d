package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/backup"
	"github.com/colaflow/colaflow/store/embedded"
)

func (p *program) backupCommand() *cobra.Command {
	var c choice
	var dump string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole database, all tenants, into a file",
		Long: `Write the whole database, all tenants, into a new file with pg_dump, while others
work. The file holds everything but the master key: keep that too, in another safe
place, because without it a restored database cannot be served.`,
		Example: `  colaflow backup colaflow-2026-04-15.dump
  colaflow backup colaflow.dump --dump-dsn postgres://colaflow_dump:...@db.example.com/colaflow`,
		Args: oneArgument("the file to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := p.withDumpDSN(cmd.Context(), c, dump, func(bin, dsn string) error {
				return backup.Dump(cmd.Context(), bin, dsn, args[0])
			})
			if err != nil {
				return err
			}
			return p.printf("The database is in %s. Keep its master key as well: %s\n", args[0], keyPlace(c, dump))
		},
	}
	c.addEmbeddedFlags(cmd)
	cmd.Flags().StringVar(&dump, "dump-dsn", "", "PostgreSQL as role colaflow_dump; without it the embedded one in --data")
	return cmd
}

func (p *program) withDumpDSN(ctx context.Context, c choice, dsn string, fn func(bin, dsn string) error) error {
	if dsn != "" {
		found, err := embedded.Find(embedded.Config{BinDir: c.pgBin})
		if err != nil {
			return err
		}
		return fn(found.Dir, dsn)
	}
	return p.withEmbedded(ctx, c, func(bin string, in *embedded.Instance) error {
		return fn(bin, in.DSN(store.DumpRole, databaseName))
	})
}

// withEmbedded runs fn beside the embedded database, with the directory of its programs.
func (p *program) withEmbedded(ctx context.Context, c choice, fn func(bin string, in *embedded.Instance) error) error {
	in, dir, err := p.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	found, err := embedded.Find(embedded.Config{DataDir: dir, BinDir: c.pgBin})
	if err != nil {
		return err
	}
	return fn(found.Dir, in)
}

// keyPlace says where the master key of a database is.
func keyPlace(c choice, dsn string) string {
	dir, err := c.dataDir()
	if dsn != "" || err != nil {
		return "the " + masterKeyVariable + " that serve is given."
	}
	return filepath.Join(dir, masterKeyFile)
}
