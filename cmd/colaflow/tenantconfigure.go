package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
)

// configureFlags are those of tenant configure; sizes are in MB.
type configureFlags struct {
	choice
	pages             int
	life, tokenLife   time.Duration
	space, memory     int64
	reset, jsonAnswer bool
}

func (p *program) tenantConfigureCommand() *cobra.Command {
	var f configureFlags
	cmd := &cobra.Command{
		Use:   "configure SLUG",
		Short: "Show or change how many pages and how much memory a tenant may have",
		Long: `Show or change how many pages and how much memory a tenant may have, within the bounds
of its plan. A change is in force at once, on every server. 0 means the default.`,
		Example: `  colaflow tenant configure acme
  colaflow tenant configure acme --page-life 8h --memory 200
  colaflow tenant configure acme --reset`,
		Args: oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withDatabase(cmd, f.choice, func(ctx context.Context, db *database) error {
				t, err := db.Tenant(ctx, args[0])
				if err != nil {
					return err
				}
				if f.changes(cmd) {
					t.Config, err = db.ConfigureTenant(ctx, operator(t), actor(), func(c *tenancy.AppConfig) { f.apply(cmd, c) })
				}
				if err != nil {
					return err
				}
				return p.printConfig(t, f.jsonAnswer)
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.pages, "max-pages", 0, "live pages")
	flags.DurationVar(&f.life, "page-life", 0, "how long a page lives, such as 8h")
	flags.DurationVar(&f.tokenLife, "page-token-life", 0, "how long the link to a page works, if the page lives as long")
	flags.Int64Var(&f.space, "page-space", 0, "MB of all live pages")
	flags.Int64Var(&f.memory, "memory", 0, "MB that the tenant may hold in one server")
	flags.BoolVar(&f.reset, "reset", false, "go back to the defaults first")
	flags.BoolVar(&f.jsonAnswer, "json", false, "print JSON")
	return cmd
}

var configureNames = []string{"max-pages", "page-life", "page-token-life", "page-space", "memory"}

func (f configureFlags) changes(cmd *cobra.Command) bool {
	for _, name := range configureNames {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return f.reset
}

// apply sets what is on the command line.
func (f configureFlags) apply(cmd *cobra.Command, c *tenancy.AppConfig) {
	if f.reset {
		*c = tenancy.AppConfig{}
	}
	for name, set := range map[string]func(){
		"max-pages": func() { c.MaxPages = f.pages }, "page-life": func() { c.PageLife = f.life },
		"page-token-life": func() { c.PageTokenLife = f.tokenLife }, "page-space": func() { c.PageSpace = f.space << 20 },
		"memory": func() { c.Memory = f.memory << 20 },
	} {
		if cmd.Flags().Changed(name) {
			set()
		}
	}
}

func (p *program) printConfig(t tenancy.Tenant, asJSON bool) error {
	plan := tenancy.PlanOf(t.Plan)
	in, most := t.Config.In(plan), plan.Bounds
	if asJSON {
		return p.printJSON(map[string]tenancy.AppConfig{"set": t.Config, "in_force": in, "most": most})
	}
	row := func(name string, set bool, in, most string) []string {
		from := "default"
		if set {
			from = "set"
		}
		return []string{name, in, from, most}
	}
	mb := func(n int64) string { return fmt.Sprintf("%d MB", n>>20) }
	return p.printTable([]string{"setting", "in force", "from", "most of plan " + plan.Name}, [][]string{
		row("max-pages", t.Config.MaxPages != 0, fmt.Sprint(in.MaxPages), fmt.Sprint(most.MaxPages)),
		row("page-life", t.Config.PageLife != 0, in.PageLife.String(), most.PageLife.String()),
		row("page-token-life", t.Config.PageTokenLife != 0, in.PageTokenLife.String(), most.PageTokenLife.String()),
		row("page-space", t.Config.PageSpace != 0, mb(in.PageSpace), mb(most.PageSpace)),
		row("memory", t.Config.Memory != 0, mb(in.Memory), mb(most.Memory)),
	})
}
