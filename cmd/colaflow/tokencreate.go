package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// tokenFlags are those of token create.
type tokenFlags struct {
	tenantChoice
	name, owner, role, preset, expires string
	service, json                      bool
	allow, deny, projects, networks    []string
}

func (p *program) tokenCreateCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a token and show it once",
		Long: `Create a token and show it once: only its hash is stored.

Give permissions with --preset (` + strings.Join(tenancy.PresetNames(), ", ") + `), with
--allow, or both. --deny takes away. The token may never do more than its owner's
role; a service token has no owner and the role given by --role.`,
		Example: `  colaflow token create --tenant acme --name claude --owner ada@acme.com --preset planner
  colaflow token create --tenant acme --name ci --service --role member \
      --allow issues:read,search,create --allow comments:create --only-projects WEB,API --expires 90d`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := f.newToken(cmd, p.clock())
			if err != nil {
				return err
			}
			return p.inTenant(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				token, plain, err := db.CreateToken(ctx, operator(t), t.Slug, actor(), n)
				if err != nil {
					return err
				}
				if f.json {
					return p.printMinted(token, plain)
				}
				return p.printf("%s\n\nThis is the only time it is shown: keep it where you keep secrets.\nIt may do: %s.\n"+
					"Revoke it with: colaflow token revoke --tenant %s %s\n", plain, effective(token), t.Slug, token.ID)
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "what the token is for; shown in lists and in the audit log")
	flags.StringVar(&f.owner, "owner", "", "e-mail or handle of the member it acts for")
	flags.BoolVar(&f.service, "service", false, "make a token without an owner")
	flags.StringVar(&f.role, "role", "", "role of a service token: viewer, member, admin or owner")
	flags.StringVar(&f.preset, "preset", "", "named set of permissions: "+strings.Join(tenancy.PresetNames(), ", "))
	flags.StringArrayVar(&f.allow, "allow", nil, "permissions as resource:verb,verb; may be repeated")
	flags.StringArrayVar(&f.deny, "deny", nil, "permissions to take away; may be repeated")
	flags.StringSliceVar(&f.projects, "only-projects", nil, "keys of the projects it is held to (default: all)")
	flags.StringVar(&f.expires, "expires", "90d", "days such as 90d, a date such as 2027-01-31, or never")
	flags.StringSliceVar(&f.networks, "allow-ip", nil, "networks that it may be used from, such as 203.0.113.0/24 (default: all)")
	flags.BoolVar(&f.json, "json", false, "print JSON with id and token")
	return cmd
}

// newToken reads the flags.
func (f *tokenFlags) newToken(cmd *cobra.Command, now time.Time) (store.NewToken, error) {
	n := store.NewToken{Name: strings.TrimSpace(f.name), Owner: f.owner}
	switch {
	case n.Name == "":
		return n, usagef(cmd, "--name is missing: say what the token is for")
	case f.owner == "" && !f.service:
		return n, usagef(cmd, "--owner is missing: give a member's e-mail, or --service --role ROLE for a token without an owner")
	case f.owner != "" && f.service:
		return n, usagef(cmd, "--owner and --service exclude each other")
	case f.service && f.role == "":
		return n, usagef(cmd, "--role is missing: a service token needs viewer, member, admin or owner")
	case !f.service && f.role != "":
		return n, usagef(cmd, "--role is for --service only: a member's token has the role of its owner")
	case f.preset == "" && len(f.allow) == 0:
		return n, usagef(cmd, "--preset or --allow is missing: a token without permissions can do nothing")
	}
	var err error
	if f.service {
		if n.Role, err = tenancy.ParseRole(f.role); err != nil {
			return n, err
		}
	}
	if n.Grants.Allow, err = parseAllow(f.preset, f.allow); err != nil {
		return n, err
	}
	if n.Grants.Deny, err = tenancy.ParseAllow(f.deny); err != nil {
		return n, err
	}
	if cmd.Flags().Changed("only-projects") {
		n.Grants.Limited, n.Grants.Projects = true, tenancy.ProjectKeys(f.projects)
	}
	if n.Networks, err = tenancy.ParseNetworks(f.networks); err != nil {
		return n, err
	}
	n.ExpiresAt, err = parseExpiry(cmd, f.expires, now)
	return n, err
}

// parseAllow reads a preset and single permissions together.
func parseAllow(preset string, allow []string) (tenancy.PermissionSet, error) {
	if preset == "" {
		return tenancy.ParseAllow(allow)
	}
	if _, err := tenancy.Preset(preset); err != nil {
		return 0, err
	}
	return tenancy.ParseAllow(append([]string{preset}, allow...))
}

// parseExpiry reads 90d, 2027-01-31 (its end, UTC) or never.
func parseExpiry(cmd *cobra.Command, text string, now time.Time) (*time.Time, error) {
	if text == "never" {
		return nil, nil
	}
	var at time.Time
	if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && strings.HasSuffix(text, "d") {
		at = now.AddDate(0, 0, days)
	} else if date, err := time.Parse(time.DateOnly, text); err == nil {
		at = date.AddDate(0, 0, 1)
	} else {
		return nil, usagef(cmd, "--expires %q is not understood: use 90d, 2027-01-31 or never", text)
	}
	if !at.After(now) {
		return nil, usagef(cmd, "--expires %s is not in the future", text)
	}
	at = at.UTC()
	return &at, nil
}

// effective says what the token may do under its role.
func effective(t store.Token) string {
	return tenancy.Grants{Allow: t.Grants.Effective(t.Role), Limited: t.Grants.Limited, Projects: t.Grants.Projects}.String()
}
