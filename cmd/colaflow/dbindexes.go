package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) dbIndexesCommand() *cobra.Command {
	var c choice
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "indexes",
		Short: "Name indexes that nobody uses, and tables that may lack one",
		Long: `Name indexes that were never used, and tables that are read from end to end, by what
PostgreSQL has counted since its statistics were reset. Look again after a week of
real work before you drop anything.`,
		Example: `  colaflow db indexes`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			list, err := db.Indexes(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(list)
			}
			if len(list) == 0 {
				return p.printf("Every index is used, and no large table is read from end to end.\n")
			}
			rows := make([][]string, len(list))
			for n, a := range list {
				rows[n] = []string{a.Table, a.Index, fmt.Sprintf("%.1f MB", float64(a.Bytes)/(1<<20)), a.Advice}
			}
			return p.printTable([]string{"table", "index", "size", "what was seen"}, rows)
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
