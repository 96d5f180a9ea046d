package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

func (p *program) auditTailCommand() *cobra.Command {
	var f auditFlags
	var follow bool
	cmd := &cobra.Command{
		Use:     "tail",
		Short:   "Print the last rows, and with --follow those that come",
		Example: `  colaflow audit tail --tenant acme --follow`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.inAudit(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				lines := f.filter.Limit
				if follow {
					f.filter.Limit = max(lines, followPage) // what was there before is not news
				}
				rows, err := auditPage(ctx, db, t, f.filter)
				if err != nil {
					return err
				}
				slices.Reverse(rows)
				if err := p.printAudit(rows[max(0, len(rows)-lines):], f.json); err != nil || !follow {
					return err
				}
				return p.followAudit(ctx, db, t, rows, f.json)
			})
		},
	}
	f.addFlags(cmd)
	cmd.Flags().IntVarP(&f.filter.Limit, "lines", "n", 20, "how many rows to begin with")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with rows as they come")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON, a row a line")
	return cmd
}

const (
	followEvery = time.Second
	// followLate is how much older than others a row may be that comes after them:
	// its transaction took so long.
	followLate = 10 * time.Second
	followPage = 1_000
)

// followAudit prints rows as they come until ctx ends. It reads the last seconds
// again and again, because transactions do not commit in the order of their times.
func (p *program) followAudit(ctx context.Context, db *database, t tenancy.Tenant, before []store.AuditRow, asJSON bool) error {
	seen := map[uuid.UUID]time.Time{}
	from := p.clock()
	note := func(rows []store.AuditRow) {
		for _, r := range rows {
			seen[r.ID] = r.WrittenAt
			from = latest(from, r.WrittenAt)
		}
	}
	if len(before) > 0 {
		from = before[0].WrittenAt
	}
	note(before)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
		f := store.AuditFilter{Oldest: true, Since: from.Add(-followLate), Limit: followPage + len(seen)}
		rows, err := auditPage(ctx, db, t, f)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(r store.AuditRow) bool { _, known := seen[r.ID]; return known })
		if err := p.printAudit(rows, asJSON); err != nil {
			return err
		}
		note(rows)
		for id, at := range seen {
			if at.Before(from.Add(-followLate)) {
				delete(seen, id)
			}
		}
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
