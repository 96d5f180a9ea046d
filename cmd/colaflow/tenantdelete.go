package main

import (
	"context"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
)

func (p *program) tenantDeleteCommand() *cobra.Command {
	var c choice
	var confirm string
	var grace time.Duration
	var now bool
	cmd := &cobra.Command{
		Use:   "delete SLUG --confirm SLUG",
		Short: "Stop a tenant and remove all its data after a grace period",
		Long: `Stop a tenant at once, as suspend does, and remove all its data when the grace period
is over: servers do that by themselves, and colaflow tenant purge does. Until then
colaflow tenant resume takes the deletion back, and export still works. The slug is
never used again.`,
		Example: `  colaflow tenant export acme -o acme.zip
  colaflow tenant delete acme --confirm acme`,
		Args: oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case confirm != args[0]:
				return usagef(cmd, "this removes everything of the tenant; if you mean it, add --confirm %s", args[0])
			case now && cmd.Flags().Changed("grace"):
				return usagef(cmd, "--grace and --now exclude each other")
			case grace < 0:
				return usagef(cmd, "--grace cannot be negative")
			case now:
				grace = 0
			}
			return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error {
				t, err := db.DeleteTenant(ctx, args[0], actor(), grace)
				if err != nil {
					return err
				}
				if now {
					return p.purge(ctx, db)
				}
				return p.printf("Tenant %s is deleted. Its data is removed after %s; until then: colaflow tenant resume %[1]s\n",
					t.Slug, t.DeleteAfter.UTC().Format(time.RFC3339))
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&confirm, "confirm", "", "the slug once more")
	cmd.Flags().DurationVar(&grace, "grace", store.DeletionGrace, "how long the deletion can be taken back, such as 720h")
	cmd.Flags().BoolVar(&now, "now", false, "remove the data at once; nothing brings it back")
	onlyHere(cmd, "confirm", "now")
	return cmd
}

func (p *program) tenantPurgeCommand() *cobra.Command {
	var c choice
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Remove the data of deleted tenants whose grace is over",
		Long: `Remove all data of deleted tenants whose grace is over, in every table. Servers do it
by themselves every few minutes. A purge that was interrupted goes on where it was.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.withDatabase(cmd, c, p.purge) },
	}
	c.addFlags(cmd)
	return cmd
}

func (p *program) purge(ctx context.Context, db *database) error {
	var progress func(store.Purge)
	if isTerminal(p.err) {
		bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.err), progressbar.OptionShowCount(),
			progressbar.OptionSetDescription("Removing rows"), progressbar.OptionClearOnFinish())
		defer func() { _ = bar.Finish() }()
		progress = func(r store.Purge) { _ = bar.Set64(r.Removed) } // a bar that cannot be drawn is no reason to stop
	}
	done, err := db.PurgeDeleted(ctx, progress)
	for _, r := range done {
		if err := p.printf("Everything of tenant %s is removed: %d rows.\n", r.Slug, r.Removed); err != nil {
			return err
		}
	}
	if err == nil && len(done) == 0 {
		return p.printf("There is nothing to remove.\n")
	}
	return err
}
