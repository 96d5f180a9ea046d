package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

// ssoSetFlags are those of set-oidc and set-saml. What is not given stays as it is.
type ssoSetFlags struct {
	ssoFlags
	title, address, publicURL        string
	domains, roles                   []string
	defaultRole                      string
	provision, linkByEmail, trust    bool
	idle                             int
	email, name, groups              string
	issuer, preset, client           string
	secretStdin                      bool
	scopes, entra, hosted            []string
	metadataURL, metadataFile, label string
	idpInitiated                     bool
}

func (f *ssoSetFlags) addFlags(cmd *cobra.Command) {
	f.ssoFlags.addFlags(cmd)
	f.reachFlags.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.title, "title", "", "what the button on the sign-in page says (default: the connection's name)")
	flags.StringVar(&f.address, "address", "", "where the tenant's people sign in (default: the tenant's subdomain of --public-url)")
	flags.StringVar(&f.publicURL, "public-url", defaultURL, "how people reach the server")
	flags.StringSliceVar(&f.domains, "domain", nil, "e-mail domain whose people may come in; may be repeated")
	flags.BoolVar(&f.provision, "auto-provision", true, "make a member at the first sign-in")
	flags.StringVar(&f.defaultRole, "default-role", string(tenancy.RoleMember), "role of who is in no group of the table")
	flags.StringArrayVar(&f.roles, "group-role", nil, "a row GROUP=ROLE of the table that maps groups to roles; may be repeated")
	flags.BoolVar(&f.linkByEmail, "link-by-email", false, "take a verified address for the member who has it already")
	flags.BoolVar(&f.trust, "trust-email", false, "take every address that the provider sends for verified")
	flags.IntVar(&f.idle, "idle-days", 0, "days without a sign-in after which members and their tokens rest until the next one; 0: never")
	flags.StringVar(&f.email, "email-claim", "", "claim or attribute that holds the e-mail address")
	flags.StringVar(&f.name, "name-claim", "", "claim or attribute that holds the name")
	flags.StringVar(&f.groups, "groups-claim", "", "claim or attribute that holds the groups")
}

func (p *program) ssoSetOIDCCommand() *cobra.Command {
	var f ssoSetFlags
	cmd := &cobra.Command{
		Use:   "set-oidc NAME",
		Short: "Set a connection by OpenID Connect",
		Long: `Set a connection by OpenID Connect: a new one, or other values of one that exists; what is
not given stays. The client secret is read from standard input with --client-secret-stdin,
so that no shell remembers it. It is not switched on by that.`,
		Example: `  colaflow sso set-oidc okta --tenant acme --preset okta --issuer https://acme.okta.com \
      --client-id 0oa1b2c3 --client-secret-stdin --domain acme.com --public-url https://colaflow.example.com < secret`,
		Args: oneArgument("a name for the connection, such as okta"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.setConnection(cmd, f, args[0], sso.OIDC, func(c *sso.Connection) error {
				if c.OIDC == nil {
					c.OIDC = &sso.OIDCSettings{}
				}
				set := cmd.Flags().Changed
				o := c.OIDC
				replace(set("preset") || o.Preset == "", &o.Preset, f.preset)
				replace(set("issuer"), &o.Issuer, f.issuer)
				replace(set("client-id"), &o.ClientID, f.client)
				replace(set("scope"), &o.Scopes, f.scopes)
				replace(set("entra-tenant"), &o.EntraTenants, f.entra)
				replace(set("hosted-domain"), &o.HostedDomains, f.hosted)
				f.setNames(cmd, &o.Claims)
				return nil
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.preset, "preset", "generic", strings.Join(sso.PresetNames(), ", "))
	flags.StringVar(&f.issuer, "issuer", "", "issuer, the address before /.well-known/openid-configuration")
	flags.StringVar(&f.client, "client-id", "", "client ID that the provider gave out")
	flags.BoolVar(&f.secretStdin, "client-secret-stdin", false, "read the client secret from standard input")
	flags.StringSliceVar(&f.scopes, "scope", nil, "scope to ask for beside openid; may be repeated (default: the preset's)")
	flags.StringSliceVar(&f.entra, "entra-tenant", nil, "Entra tenant ID whose accounts may come in; may be repeated")
	flags.StringSliceVar(&f.hosted, "hosted-domain", nil, "Google Workspace domain whose accounts may come in; may be repeated")
	return cmd
}

func (p *program) ssoSetSAMLCommand() *cobra.Command {
	var f ssoSetFlags
	cmd := &cobra.Command{
		Use:   "set-saml NAME",
		Short: "Set a connection by SAML 2.0",
		Long: `Set a connection by SAML 2.0: a new one, or other values of one that exists; what is not
given stays. A new one gets a key pair that signs its requests. It is not switched on
by that.`,
		Example: `  colaflow sso set-saml adfs --tenant acme --metadata-url https://idp.acme.com/metadata \
      --domain acme.com --email-claim mail --public-url https://colaflow.example.com
  colaflow sso set-saml adfs --tenant acme --metadata-file metadata.xml --domain acme.com`,
		Args: oneArgument("a name for the connection, such as adfs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.setConnection(cmd, f, args[0], sso.SAML, func(c *sso.Connection) error {
				if c.SAML == nil {
					c.SAML = &sso.SAMLSettings{}
				}
				set := cmd.Flags().Changed
				if set("metadata-url") {
					c.SAML.MetadataURL, c.SAML.Metadata = f.metadataURL, ""
				}
				if set("metadata-file") {
					data, err := os.ReadFile(f.metadataFile)
					if err != nil {
						return usagef(cmd, "cannot read --metadata-file: %w", err)
					}
					c.SAML.Metadata = string(data)
				}
				replace(set("allow-idp-initiated"), &c.SAML.IDPInitiated, f.idpInitiated)
				replace(set("subject-claim"), &c.SAML.Attributes.Subject, f.label)
				f.setNames(cmd, &c.SAML.Attributes)
				return nil
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.metadataURL, "metadata-url", "", "address of the provider's metadata; it is read again from time to time")
	flags.StringVar(&f.metadataFile, "metadata-file", "", "file with the provider's metadata, XML")
	flags.BoolVar(&f.idpInitiated, "allow-idp-initiated", false, "let people begin at the provider; it is then asked by us, so no response is accepted that nobody asked for")
	flags.StringVar(&f.label, "subject-claim", "", "attribute to identify people by, in place of the NameID")
	return cmd
}

// replace sets a value where one was given.
func replace[T any](given bool, at *T, value T) {
	if given {
		*at = value
	}
}

func (f ssoSetFlags) setNames(cmd *cobra.Command, n *sso.Names) {
	set := cmd.Flags().Changed
	replace(set("email-claim"), &n.Email, f.email)
	replace(set("name-claim"), &n.Name, f.name)
	replace(set("groups-claim"), &n.Groups, f.groups)
}

// setConnection stores a connection and says what is next.
func (p *program) setConnection(cmd *cobra.Command, f ssoSetFlags, name string, protocol sso.Protocol, set func(*sso.Connection) error) error {
	return p.withSSO(cmd, f.ssoFlags, func(w ssoWork) error {
		ctx := cmd.Context()
		c, known, err := w.find(ctx, name)
		if err != nil {
			return err
		}
		if !known {
			c = sso.Connection{Name: name, Protocol: protocol}
		}
		if c.Protocol != protocol {
			return tenancy.Errorf(tenancy.Conflict, "Connection %q speaks %s.", name, c.Protocol).WithNext("Remove it first, or choose another name.")
		}
		if err := set(&c); err != nil {
			return err
		}
		if err := f.setRules(cmd, w.tenant, &c, known); err != nil {
			return err
		}
		secrets, err := f.readSecret(p.in)
		if err != nil {
			return err
		}
		if secrets, err = w.service.Prepare(ctx, &c, secrets, !known); err != nil {
			return err
		}
		if c, err = w.SaveSSOProvider(ctx, operator(w.tenant), actor(), c, secrets); err != nil {
			return err
		}
		if err := p.printConnection(w, c); err != nil {
			return err
		}
		return p.nextAfterSet(w, c)
	})
}

func (p *program) nextAfterSet(w ssoWork, c sso.Connection) error {
	if c.Enabled {
		return p.printf("\nIt is in force. Test it: colaflow sso test %s --tenant %s\n", c.Name, w.tenant.Slug)
	}
	return p.printf("\nRegister these addresses at the provider, then:\n  colaflow sso test %[1]s --tenant %[2]s\n  colaflow sso enable %[1]s --tenant %[2]s\n", c.Name, w.tenant.Slug)
}

// setRules applies what was given of the address and the rules.
func (f ssoSetFlags) setRules(cmd *cobra.Command, t tenancy.Tenant, c *sso.Connection, known bool) error {
	given := cmd.Flags().Changed
	set := func(flag string) bool { return !known || given(flag) }
	replace(set("title"), &c.Title, f.title)
	if !known || given("address") || given("public-url") {
		c.Address = cmp.Or(f.address, web.SignInAddress(strings.TrimSuffix(f.publicURL, "/"), t.Slug))
	}
	replace(set("domain"), &c.Rules.Domains, f.domains)
	replace(set("auto-provision"), &c.Rules.AutoProvision, f.provision)
	replace(set("default-role"), &c.Rules.DefaultRole, tenancy.Role(f.defaultRole))
	replace(set("link-by-email"), &c.Rules.LinkByEmail, f.linkByEmail)
	replace(set("trust-email"), &c.Rules.TrustEmail, f.trust)
	replace(set("idle-days"), &c.Rules.Idle, f.idle)
	if given("group-role") {
		c.Rules.Roles = nil
		for _, row := range f.roles {
			cut := strings.LastIndex(row, "=")
			if cut < 1 {
				return usagef(cmd, "--group-role %q has not the form GROUP=ROLE", row)
			}
			c.Rules.Roles = append(c.Rules.Roles, sso.GroupRole{Group: row[:cut], Role: tenancy.Role(row[cut+1:])})
		}
	}
	return nil
}

const maxSecretLine = 4 << 10

// readSecret reads the client secret from a line of standard input, if it is there.
func (f ssoSetFlags) readSecret(in io.Reader) (*sso.Secrets, error) {
	if !f.secretStdin {
		return nil, nil
	}
	line, err := bufio.NewReader(io.LimitReader(in, maxSecretLine)).ReadString('\n')
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read the client secret: %w", err)
	}
	secret := strings.TrimSpace(line)
	if secret == "" {
		return nil, tenancy.Errorf(tenancy.Missing, "Standard input holds no client secret.").WithNext("Write it there, in one line.")
	}
	return &sso.Secrets{ClientSecret: secret}, nil
}
