package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// tokenChange are the flags of token update.
type tokenChange struct {
	tenantChoice
	name, preset, expires           string
	allow, deny, projects, networks []string
	noDeny, allProjects, anyIP      bool
	json                            bool
}

func (p *program) tokenUpdateCommand() *cobra.Command {
	var f tokenChange
	cmd := &cobra.Command{
		Use:   "update ID",
		Short: "Change a token's name, permissions, expiry or networks, in force at once",
		Long: `Change a token's name, permissions, expiry or networks. What is not given stays. The
change is in force when the command returns; no new secret is needed. --preset and
--allow together replace the permissions, --deny the exceptions.`,
		Example: `  colaflow token update --tenant acme ID --allow issues:read,search --only-projects WEB
  colaflow token update --tenant acme ID --expires 30d --allow-ip 203.0.113.0/24,2001:db8::/32
  colaflow token update --tenant acme ID --expires now`,
		Args: oneArgument(whichToken),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tokenID(cmd, args[0])
			if err != nil {
				return err
			}
			if err := f.check(cmd); err != nil {
				return err
			}
			return p.inTenant(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				token, err := db.UpdateToken(ctx, operator(t), actor(), id, func(s *store.TokenSettings, now time.Time) error {
					return f.apply(cmd, s, now)
				})
				if err != nil {
					return err
				}
				return p.printToken(token, f.json)
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "what the token is for")
	flags.StringVar(&f.preset, "preset", "", "named set of permissions: "+strings.Join(tenancy.PresetNames(), ", "))
	flags.StringArrayVar(&f.allow, "allow", nil, "permissions as resource:verb,verb; may be repeated")
	flags.StringArrayVar(&f.deny, "deny", nil, "permissions to take away; may be repeated")
	flags.BoolVar(&f.noDeny, "no-deny", false, "take no permissions away")
	flags.StringSliceVar(&f.projects, "only-projects", nil, "keys of the projects it is held to")
	flags.BoolVar(&f.allProjects, "all-projects", false, "hold it to no projects")
	flags.StringVar(&f.expires, "expires", "", "days such as 90d, a date such as 2027-01-31, never, or now")
	flags.StringSliceVar(&f.networks, "allow-ip", nil, "networks that it may be used from, such as 203.0.113.0/24; may be repeated")
	flags.BoolVar(&f.anyIP, "any-ip", false, "allow every network")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// check refuses flags that exclude each other.
func (f *tokenChange) check(cmd *cobra.Command) error {
	for _, pair := range [][2]string{{"deny", "no-deny"}, {"only-projects", "all-projects"}, {"allow-ip", "any-ip"}} {
		if cmd.Flags().Changed(pair[0]) && cmd.Flags().Changed(pair[1]) {
			return usagef(cmd, "--%s and --%s exclude each other", pair[0], pair[1])
		}
	}
	return nil
}

// apply makes the changes that were asked for.
func (f *tokenChange) apply(cmd *cobra.Command, s *store.TokenSettings, now time.Time) (err error) {
	given := cmd.Flags().Changed
	if given("name") {
		s.Name = f.name
	}
	if given("allow") || given("preset") {
		if s.Grants.Allow, err = parseAllow(f.preset, f.allow); err != nil {
			return err
		}
	}
	if given("deny") || f.noDeny {
		if s.Grants.Deny, err = tenancy.ParseAllow(f.deny); err != nil {
			return err
		}
	}
	if given("only-projects") || f.allProjects {
		s.Grants.Limited, s.Grants.Projects = !f.allProjects, tenancy.ProjectKeys(f.projects)
	}
	if given("allow-ip") || f.anyIP {
		if s.Networks, err = tenancy.ParseNetworks(f.networks); err != nil {
			return err
		}
	}
	switch {
	case f.expires == "now":
		s.ExpiresAt = &now
	case given("expires"):
		s.ExpiresAt, err = parseExpiry(cmd, f.expires, now)
	}
	return err
}
