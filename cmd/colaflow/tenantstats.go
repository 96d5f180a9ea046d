package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func (p *program) tenantStatsCommand() *cobra.Command {
	var c choice
	var span time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats SLUG",
		Short: "Say what a tenant holds, and what it has called lately",
		Long: `Say what a tenant holds, and how often which tool was called, allowed and denied, by
its audit log. What servers hold of it now is in /metrics.`,
		Example: `  colaflow tenant stats acme
  colaflow tenant stats acme --last 168h --json`,
		Args: oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if span <= 0 {
				return usagef(cmd, "--last must be a time such as 24h")
			}
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			t, err := db.AnyTenant(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			stats, err := db.TenantStats(cmd.Context(), t.ID, p.clock().Add(-span))
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(stats)
			}
			err = p.printFields("Plan", t.Plan, "State", string(t.State), "Members", strconv.Itoa(stats.Members), "Tokens", strconv.Itoa(stats.Tokens),
				"Projects", strconv.Itoa(stats.Projects), "Issues", strconv.Itoa(stats.Issues), "Text", strconv.Itoa(stats.TextMB)+" MB",
				"Attachments", strconv.Itoa(stats.AttachmentMB)+" MB",
				"Pages", strconv.Itoa(stats.Pages), "Sessions", strconv.Itoa(stats.Sessions))
			if err != nil {
				return err
			}
			if len(stats.Calls) == 0 {
				return p.printf("\nNo calls in the last %s.\n", span)
			}
			rows := make([][]string, len(stats.Calls))
			for n, call := range stats.Calls {
				rows[n] = []string{call.Tool, strconv.FormatInt(call.Allowed, 10), strconv.FormatInt(call.Denied, 10), strconv.FormatInt(call.Failed, 10),
					call.Mean.Round(100 * time.Microsecond).String()}
			}
			if err := p.printf("\nCalls in the last %s:\n", span); err != nil {
				return err
			}
			return p.printTable([]string{"tool", "allowed", "denied", "failed", "mean"}, rows)
		},
	}
	c.addFlags(cmd)
	cmd.Flags().DurationVar(&span, "last", 24*time.Hour, "span of time to look back")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
