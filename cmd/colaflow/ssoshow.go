package main

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
)

func (p *program) ssoShowCommand() *cobra.Command {
	var f ssoFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show a tenant's connections, and what to register at the providers",
		Example: `  colaflow sso show --tenant acme`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withSSO(cmd, f, func(w ssoWork) error {
				var list []sso.Connection
				var required bool
				err := w.Read(cmd.Context(), operator(w.tenant), func(tx *store.Tx) error {
					return tx.Do(cmd.Context(), store.SSOProviders(&list), store.SSORequired(&required))
				})
				switch {
				case err != nil:
					return err
				case asJSON:
					return p.printJSON(ssoShown(w, list, required))
				case len(list) == 0:
					return p.printf("No identity provider is connected. People sign in with links: colaflow member signin-link\n")
				}
				for _, c := range list {
					if err := p.printConnection(w, c); err != nil {
						return err
					}
					if err := p.printf("\n"); err != nil {
						return err
					}
				}
				if required {
					return p.printf("Only owners may sign in without an identity provider.\n")
				}
				return p.printf("Sign-in links work beside the identity provider. To end that: colaflow sso require on --tenant %s\n", w.tenant.Slug)
			})
		},
	}
	f.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

type shownConnection struct {
	sso.Connection
	Addresses sso.Addresses `json:"addresses"`
}

func ssoShown(w ssoWork, list []sso.Connection, required bool) any {
	shown := []shownConnection{}
	for _, c := range list {
		shown = append(shown, shownConnection{c, c.Addresses(w.tenant)})
	}
	return struct {
		Required    bool              `json:"required"`
		Connections []shownConnection `json:"connections"`
	}{required, shown}
}

// printConnection tells all of a connection but its secrets.
func (p *program) printConnection(w ssoWork, c sso.Connection) error {
	state := "off"
	if c.Enabled {
		state = "on"
	}
	rows := []string{"Connection", c.Name + " (" + string(c.Protocol) + "), " + state, "Button", c.Title}
	a := c.Addresses(w.tenant)
	if c.OIDC != nil {
		rows = append(rows, "Issuer", c.OIDC.Issuer, "Client ID", c.OIDC.ClientID, "Preset", c.OIDC.Preset, "Redirect URI", a.Callback)
	} else {
		rows = append(rows, "ACS URL", a.ACS, "Entity ID (audience, metadata)", a.EntityID)
	}
	rows = append(rows, "Sign-in starts at", a.Start, "Domains", cmp.Or(strings.Join(c.Rules.Domains, ", "), "none: nobody may come in"),
		"New people", map[bool]string{true: "become members as " + string(c.Rules.DefaultRole), false: "are refused"}[c.Rules.AutoProvision])
	for _, row := range c.Rules.Roles {
		rows = append(rows, "Group "+row.Group, string(row.Role))
	}
	if c.Rules.Idle > 0 {
		rows = append(rows, "Rest after", strconv.Itoa(c.Rules.Idle)+" days without a sign-in")
	}
	return p.printFields(append(rows, "Changed", c.UpdatedAt.Format(time.DateTime)+" UTC")...)
}

func (p *program) ssoTestCommand() *cobra.Command {
	var f ssoFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "Test a connection, and try a sign-in that changes nothing",
		Long: `Test a connection: asks the provider whatever can be asked without a person, says what is
wrong and what to do, and prints an address at which a sign-in can be tried in the
browser within ten minutes. That changes nothing.`,
		Example: `  colaflow sso test okta --tenant acme`,
		Args:    oneArgument("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSSO(cmd, f, func(w ssoWork) error {
				party, err := w.party(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				findings := w.service.Check(cmd.Context(), party)
				trial := w.service.TrialURL(party)
				if asJSON {
					err = p.printJSON(struct {
						Findings []sso.Finding `json:"findings"`
						Trial    string        `json:"trial"`
					}{findings, trial})
				} else {
					err = p.printFindings(findings, trial)
				}
				if err != nil {
					return err
				}
				return sso.Problems(findings)
			})
		},
	}
	f.addFlags(cmd)
	f.reachFlags.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) printFindings(findings []sso.Finding, trial string) error {
	var rows [][]string
	for _, f := range findings {
		rows = append(rows, []string{string(f.Level), f.Name, f.Text})
		if f.Remedy != "" {
			rows = append(rows, []string{"", "", "-> " + f.Remedy})
		}
	}
	if err := p.printTable([]string{"Result", "What", "Found"}, rows); err != nil {
		return err
	}
	return p.printf("\nTry a sign-in in a browser (it changes nothing, for ten minutes):\n  %s\n", trial)
}
