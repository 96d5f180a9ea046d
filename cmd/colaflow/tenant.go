package main

import (
	"cmp"
	"fmt"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) tenantCommand() *cobra.Command {
	return group("tenant", "Create, look after and delete tenants",
		"Create, look after and delete tenants. A tenant is one company: its people, tokens, projects and audit log.",
		p.tenantCreateCommand(), p.tenantListCommand(), p.tenantShowCommand(), p.tenantStatsCommand(), p.tenantSetPlanCommand(), p.tenantConfigureCommand(), p.tenantRotateKeysCommand(),
		p.tenantSuspendCommand(), p.tenantResumeCommand(), p.tenantDeleteCommand(), p.tenantPurgeCommand(),
		p.tenantExportCommand(), p.tenantImportCommand())
}

func (p *program) tenantCreateCommand() *cobra.Command {
	var c choice
	var name, owner, ownerName string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create SLUG",
		Short: "Create a tenant and its first owner",
		Long: `Create a tenant and its first owner. The slug is part of every token and address:
1 to 40 lower-case letters, digits and inner hyphens. It never changes and is never
used again.`,
		Example: `  colaflow tenant create acme --name "Acme Corp" --owner ada@acme.com`,
		Args:    oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if owner == "" {
				return usagef(cmd, "--owner is missing: give the e-mail of the person who owns the tenant")
			}
			if err := tenancy.CheckNewSlug(args[0]); err != nil {
				return err
			}
			member, err := tenancy.NewMember(owner, ownerName, tenancy.RoleOwner, p.clock())
			if err != nil {
				return err
			}
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			t, err := db.CreateTenant(cmd.Context(), args[0], cmp.Or(name, args[0]), actor(), member)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(t)
			}
			_, err = fmt.Fprintf(p.out, "Tenant %s is ready; its owner is %s. Next, a token for an agent:\n"+
				"  colaflow token create --tenant %[1]s --name my-agent --owner %[2]s --preset planner\n", t.Slug, member.Email)
			return err
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&name, "name", "", "what people call it (default: the slug)")
	cmd.Flags().StringVar(&owner, "owner", "", "e-mail of its first owner")
	cmd.Flags().StringVar(&ownerName, "owner-name", "", "what people call the owner (default: from the e-mail)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) tenantListCommand() *cobra.Command {
	var c choice
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tenants",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			tenants, err := db.Tenants(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(tenants)
			}
			rows := make([][]string, 0, len(tenants))
			for _, t := range tenants {
				rows = append(rows, []string{t.Slug, string(t.State), t.Plan, day(&t.CreatedAt), day(t.DeleteAfter), t.ID.String()})
			}
			return p.printTable([]string{"slug", "state", "plan", "created", "removed after", "id"}, rows)
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) tenantShowCommand() *cobra.Command {
	var c choice
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show SLUG",
		Short: "Show a tenant and how much it holds",
		Args:  oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			var shown struct {
				tenancy.Tenant
				store.TenantSize
			}
			if shown.Tenant, err = db.AnyTenant(cmd.Context(), args[0]); err != nil {
				return err
			}
			if shown.TenantSize, err = db.TenantSize(cmd.Context(), shown.Tenant.ID); err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(shown)
			}
			t := shown.Tenant
			return p.printFields("Slug", t.Slug, "Name", t.Name, "State", string(t.State), "Plan", t.Plan,
				"Created", day(&t.CreatedAt), "Removed after", cmp.Or(day(t.DeleteAfter), "-"), "Id", t.ID.String(),
				"Members", ofLimit(shown.Members, t.Plan, tenancy.QuotaMembers), "Tokens", ofLimit(shown.Tokens, t.Plan, tenancy.QuotaTokens),
				"Projects", ofLimit(shown.Projects, t.Plan, tenancy.QuotaProjects), "Text", ofLimit(shown.TextMB, t.Plan, tenancy.QuotaText)+" MB",
				"Attachments", ofLimit(shown.AttachmentMB, t.Plan, tenancy.QuotaAttachments)+" MB", "Issues", strconv.Itoa(shown.Issues))
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// ofLimit is a number beside what the plan allows.
func ofLimit(n int, plan string, q tenancy.Quota) string {
	return strconv.Itoa(n) + " of " + limitText(tenancy.PlanOf(plan).Limit(q))
}

func limitText(limit int64) string {
	if limit == 0 {
		return "any number"
	}
	return strconv.FormatInt(limit, 10)
}

// actor names the operating-system user in the audit log.
func actor() string {
	u, err := user.Current()
	if err != nil {
		return "cli:unknown"
	}
	return "cli:" + u.Username
}
