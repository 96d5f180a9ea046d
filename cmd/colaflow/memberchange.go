package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) memberInviteCommand() *cobra.Command {
	var c choice
	var slug, name, role string
	cmd := &cobra.Command{
		Use:   "invite EMAIL",
		Short: "Let a person sign in",
		Long: `Let a person sign in, with a role: viewer, member, admin or owner. Somebody who came
with an import, under the part before the @, is invited as who they are.`,
		Example: `  colaflow member invite --tenant acme bo@acme.com --role admin`,
		Args:    oneArgument("the e-mail, such as bo@acme.com"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := tenancy.ParseRole(role)
			if err != nil {
				return err
			}
			return p.withTenant(cmd, c, slug, func(db *database, t tenancy.Tenant) error {
				m, err := db.InviteMember(cmd.Context(), operator(t), actor(), args[0], name, r)
				if err != nil {
					return err
				}
				return p.printf("%s is invited as %s. A link to sign in with, once:\n  colaflow member signin-link --tenant %s %[1]s\n", m.Email, m.Role, t.Slug)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of the tenant")
	cmd.Flags().StringVar(&name, "name", "", "name of the person (default: the part before the @)")
	cmd.Flags().StringVar(&role, "role", string(tenancy.RoleMember), "viewer, member, admin or owner")
	return cmd
}

func (p *program) memberRoleCommand() *cobra.Command {
	return p.memberChangeCommand(&cobra.Command{
		Use:   "role EMAIL ROLE",
		Short: "Change what a member may do, at once",
		Long: `Change what a member may do, and with it what every token of theirs may do, at once.
The last owner of a tenant stays one.`,
		Example: `  colaflow member role --tenant acme bo@acme.com viewer`,
	}, 2, func(ctx context.Context, db *database, t tenancy.Tenant, m tenancy.Member, args []string) (tenancy.Member, error) {
		role, err := tenancy.ParseRole(args[1])
		if err != nil {
			return m, err
		}
		return db.SetMemberRole(ctx, operator(t), actor(), m.ID, role)
	})
}

func (p *program) memberDeactivateCommand() *cobra.Command {
	return p.memberChangeCommand(&cobra.Command{
		Use:     "deactivate EMAIL",
		Short:   "End a member's access and that of their tokens, at once",
		Example: `  colaflow member deactivate --tenant acme bo@acme.com`,
	}, 1, func(ctx context.Context, db *database, t tenancy.Tenant, m tenancy.Member, _ []string) (tenancy.Member, error) {
		return db.DeactivateMember(ctx, operator(t), actor(), m.ID)
	})
}

func (p *program) memberReactivateCommand() *cobra.Command {
	return p.memberChangeCommand(&cobra.Command{
		Use:     "reactivate EMAIL",
		Short:   "Undo deactivate: tokens that have not ended work again; they sign in anew",
		Example: `  colaflow member reactivate --tenant acme bo@acme.com`,
	}, 1, func(ctx context.Context, db *database, t tenancy.Tenant, m tenancy.Member, _ []string) (tenancy.Member, error) {
		return db.ReactivateMember(ctx, operator(t), actor(), m.ID)
	})
}

// memberChangeCommand completes a command that changes one member.
func (p *program) memberChangeCommand(cmd *cobra.Command, arguments int,
	change func(context.Context, *database, tenancy.Tenant, tenancy.Member, []string) (tenancy.Member, error)) *cobra.Command {
	var c choice
	var slug string
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) != arguments {
			return usagef(cmd, "%q is used as: %s", cmd.CommandPath(), cmd.Use)
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withTenant(cmd, c, slug, func(db *database, t tenancy.Tenant) error {
			m, err := findMember(cmd.Context(), db, t, args[0])
			if err != nil {
				return err
			}
			if m, err = change(cmd.Context(), db, t, m, args); err != nil {
				return err
			}
			return p.printf("%s is %s, %s.\n", m.Label(), m.Role, m.State)
		})
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of the tenant")
	return cmd
}

// findMember finds a member by e-mail, handle or name.
func findMember(ctx context.Context, db *database, t tenancy.Tenant, name string) (tenancy.Member, error) {
	var found []tenancy.Member
	err := db.Read(ctx, operator(t), func(tx *store.Tx) error { return tx.Do(ctx, store.MembersByName([]string{name}, &found)) })
	if err != nil {
		return tenancy.Member{}, err
	}
	m, err := store.PickMember(name, found)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		err = tenancy.Errorf(tenancy.NotFound, "Member %q does not exist in %s.", name, t.Slug).WithNext("See: colaflow member list --tenant " + t.Slug)
	}
	return m, err
}
