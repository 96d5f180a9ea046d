package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) auditCommand() *cobra.Command {
	return group("audit", "Read, export and verify a tenant's audit log",
		`Read, export and verify a tenant's audit log: every call of an agent, allowed or denied,
every sign-in, every change that a person makes, and whatever the console refuses them.
Rows bear MACs under the master key, and servers seal them into chained checkpoints within
seconds, so that whoever changes the database without the key is found out.`,
		p.auditTailCommand(), p.auditSearchCommand(), p.auditExportCommand(), p.auditVerifyCommand(),
		p.auditDropCommand(), p.auditRetainCommand(), p.auditEraseCommand())
}

// inAudit opens the database and runs fn with the tenant that the flags name, in
// whatever state it is.
func (p *program) inAudit(cmd *cobra.Command, c tenantChoice, fn func(context.Context, *database, tenancy.Tenant) error) error {
	if c.slug == "" {
		return usagef(cmd, "--tenant is missing: give the slug of a tenant, such as acme")
	}
	return p.withDatabase(cmd, c.choice, func(ctx context.Context, db *database) error {
		tenant, err := db.AnyTenant(ctx, c.slug)
		if err != nil {
			return err
		}
		return fn(ctx, db, tenant)
	})
}

func (p *program) auditVerifyCommand() *cobra.Command {
	var c tenantChoice
	var seen string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Find rows that were changed, removed, added or moved",
		Long: `Look at every row and checkpoint of a tenant's audit log, and name what was changed,
removed, added or moved since it was written. The exit code is 1 if there is any.

Rows of the last seconds are not sealed yet: a change of one shows, its removal does
not. Nor does it show that the log's end was cut off, rows and checkpoints alike: keep
the head that is printed in another place, and give it with --seen next time.`,
		Example: `  colaflow audit verify --tenant acme
  colaflow audit verify --tenant acme --seen 1841:5f0c...`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			head, err := parseHead(cmd, seen)
			if err != nil {
				return err
			}
			return p.inAudit(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				report, err := db.VerifyAudit(ctx, store.AsKeeper(t.ID, actor()), head)
				if err != nil {
					return err
				}
				if asJSON {
					err = p.printJSON(report)
				} else {
					err = p.printReport(report)
				}
				if err == nil && !report.OK() {
					err = fmt.Errorf("the audit log of %s was tampered with: %s", t.Slug, plural(report.Problems, "problem"))
				}
				return err
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&seen, "seen", "", "head that an earlier verification printed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// parseHead reads the number and the MAC of a checkpoint; empty is none.
func parseHead(cmd *cobra.Command, text string) (store.AuditHead, error) {
	if text == "" {
		return store.AuditHead{}, nil
	}
	number, mac, _ := strings.Cut(text, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || len(mac) != 64 {
		return store.AuditHead{}, usagef(cmd, "--seen is not a head: use what audit verify printed, such as 1841:5f0c...")
	}
	return store.AuditHead{Seq: seq, MAC: mac}, nil
}

func (p *program) printReport(r store.AuditReport) error {
	for _, f := range r.Findings {
		if err := p.printf("%s\n", f); err != nil {
			return err
		}
	}
	if more := r.Problems - int64(len(r.Findings)); more > 0 {
		if err := p.printf("and %d more\n", more); err != nil {
			return err
		}
	}
	from := "from the first row"
	if r.Anchor != nil {
		from = fmt.Sprintf("from checkpoint %d on (what was written before %s was removed, and that is on record)", r.Anchor.Seq, moment(r.Anchor.Upto))
	}
	fields := []string{"As written", plural(r.Rows, "row") + " in " + plural(r.Checkpoints, "checkpoint") + ", " + from}
	if r.SealedTo != nil {
		fields = append(fields, "Sealed to", moment(*r.SealedTo), "Head", fmt.Sprintf("%d:%s", r.Head.Seq, r.Head.MAC))
	}
	unsealed := "none"
	if r.Unsealed.Oldest != nil {
		unsealed = plural(r.Unsealed.Rows, "row") + ", the oldest of " + moment(*r.Unsealed.Oldest)
	}
	return p.printFields(append(fields, "Not sealed", unsealed)...)
}

// plural counts things for people.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// moment is a time of the log for people.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000Z") }
