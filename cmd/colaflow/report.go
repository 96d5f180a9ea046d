package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/chart"
	"github.com/colaflow/colaflow/tracker/report"
)

// reportFlags are those of report.
type reportFlags struct {
	tenantChoice
	mcpserver.ReportArguments
	rows int
	json bool
	png  string
}

func (p *program) reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report TYPE",
		Short: "Compute a report: numbers, a small chart, a table",
		Long: `Compute a report as agents get it from get_report: its numbers, a small chart, a table,
and how it is defined. The types are

  ` + strings.Join(report.TypeNames(), "\n  "),
		Example: `  colaflow report velocity --tenant acme --project WEB
  colaflow report sprint_report --tenant acme --project WEB --sprint last
  colaflow report sprint_burndown --tenant acme --project WEB --png burndown.png
  colaflow report throughput --tenant acme --from 2026-01-01 --json`,
		Args: oneArgument("the type of the report, such as velocity"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Type = args[0]
			return p.inTenant(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				return p.report(ctx, db, t, f)
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.Project, "project", nil, "key of the project, such as WEB; some reports take several, or none for all")
	flags.StringVar(&f.Sprint, "sprint", "", "name of a sprint, or current, next or last")
	flags.StringVar(&f.From, "from", "", "first day, such as 2026-01-31")
	flags.StringVar(&f.To, "to", "", "last day")
	flags.StringVar(&f.Unit, "unit", "", "points, count or hours")
	flags.IntVar(&f.rows, "rows", 20, "rows of the table to print; 0: none")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	flags.StringVar(&f.png, "png", "", "file to write the chart to")
	return cmd
}

func (p *program) report(ctx context.Context, db *database, t tenancy.Tenant, f reportFlags) error {
	var r report.Report
	err := db.Read(ctx, operator(t), func(tx *store.Tx) (err error) {
		r, err = mcpserver.ReportFor(ctx, tx, f.ReportArguments, p.clock())
		return err
	})
	if err != nil {
		return err
	}
	if f.png != "" {
		if err := writeChart(r, f.png); err != nil {
			return err
		}
	}
	if f.json {
		return p.printJSON(r)
	}
	return p.showReport(r, f.rows)
}

func writeChart(r report.Report, file string) error {
	c, ok := chart.Of(r)
	if !ok {
		return tenancy.Errorf(tenancy.InvalidValue, "This %s has nothing to draw.", r.Type).WithNext("Leave out --png.")
	}
	picture, err := c.PNG()
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}
