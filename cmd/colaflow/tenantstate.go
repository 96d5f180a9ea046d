package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tenantSuspendCommand() *cobra.Command {
	return p.slugCommand(&cobra.Command{
		Use:   "suspend SLUG",
		Short: "Stop all tokens and people of a tenant, at once",
		Long: `Stop all tokens and people of a tenant. When the command returns, none of them can
read or change anything any more, on any server; calls that run are cut off. The data
stays, and colaflow tenant resume takes it back.`,
		Example: `  colaflow tenant suspend acme`,
	}, func(ctx context.Context, db *database, slug string) error {
		t, err := db.SuspendTenant(ctx, slug, actor())
		if err != nil {
			return err
		}
		return p.printf("Tenant %s is suspended. Let it work again with: colaflow tenant resume %[1]s\n", t.Slug)
	})
}

func (p *program) tenantResumeCommand() *cobra.Command {
	return p.slugCommand(&cobra.Command{
		Use:     "resume SLUG",
		Short:   "Let a suspended tenant work again, or take a deletion back",
		Long:    "Let a suspended tenant work again, or take a deletion back whose grace is not over.",
		Example: `  colaflow tenant resume acme`,
	}, func(ctx context.Context, db *database, slug string) error {
		t, err := db.ResumeTenant(ctx, slug, actor())
		if err != nil {
			return err
		}
		return p.printf("Tenant %s is active.\n", t.Slug)
	})
}

func (p *program) tenantSetPlanCommand() *cobra.Command {
	var c choice
	cmd := &cobra.Command{
		Use:   "set-plan SLUG PLAN",
		Short: "Move a tenant to plan free, team or enterprise, at once",
		Long: `Move a tenant to plan free, team or enterprise, in force at once. What a tenant holds
beyond a smaller plan stays; it only cannot add more.`,
		Example: `  colaflow tenant set-plan acme team`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef(cmd, "%q takes two arguments, the slug and the plan", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := tenancy.ParsePlan(args[1])
			if err != nil {
				return err
			}
			return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error {
				if _, err := db.SetPlan(ctx, args[0], actor(), plan.Name); err != nil {
					return err
				}
				return p.printf("Tenant %s has plan %s: %s.\n", args[0], plan.Name, planText(plan))
			})
		},
	}
	c.addFlags(cmd)
	return cmd
}

// planText says what a plan allows.
func planText(plan tenancy.Plan) string {
	text := ""
	for _, q := range tenancy.Quotas() {
		text += limitText(plan.Limit(q)) + " " + string(q) + ", "
	}
	if plan.SSO {
		return text + "sign-in by the company's SSO"
	}
	return text + "no SSO"
}

// slugCommand completes a command about one tenant in whatever state.
func (p *program) slugCommand(cmd *cobra.Command, do func(ctx context.Context, db *database, slug string) error) *cobra.Command {
	var c choice
	cmd.Args = oneArgument("the slug, such as acme")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error { return do(ctx, db, args[0]) })
	}
	c.addFlags(cmd)
	return cmd
}

// withDatabase runs fn with the chosen database open.
func (p *program) withDatabase(cmd *cobra.Command, c choice, fn func(context.Context, *database) error) error {
	db, err := p.open(cmd.Context(), c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return fn(cmd.Context(), db)
}
