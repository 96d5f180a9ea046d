package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// auditFlags are what tail, search and export share.
type auditFlags struct {
	tenantChoice
	since, until string
	filter       store.AuditFilter
	json         bool
}

func (f *auditFlags) addPeriod(cmd *cobra.Command) {
	f.addFlags(cmd)
	cmd.Flags().StringVar(&f.since, "since", "", "first moment: 24h, 7d, 2026-01-31 or 2026-01-31T15:04:05Z")
	cmd.Flags().StringVar(&f.until, "until", "", "moment to stop before, in the same forms")
}

// period reads the flags of addPeriod into the filter.
func (f *auditFlags) period(cmd *cobra.Command, now time.Time) (err error) {
	if f.filter.Since, err = parseMoment(cmd, "--since", f.since, now); err != nil {
		return err
	}
	f.filter.Until, err = parseMoment(cmd, "--until", f.until, now)
	return err
}

func parseMoment(cmd *cobra.Command, flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && strings.HasSuffix(text, "d") {
		return now.AddDate(0, 0, -days), nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef(cmd, "%s %q is not understood: use 24h, 7d, 2026-01-31 or 2026-01-31T15:04:05Z", flag, text)
}

func (p *program) auditSearchCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Find rows, newest first",
		Example: `  colaflow audit search --tenant acme --decision denied --since 7d
  colaflow audit search --tenant acme --tool update_issue --target WEB-12 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.period(cmd, p.clock()); err != nil {
				return err
			}
			return p.inAudit(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				rows, err := auditPage(ctx, db, t, f.filter)
				if err != nil {
					return err
				}
				return p.printAudit(rows, f.json)
			})
		},
	}
	f.addPeriod(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.filter.Tool, "tool", "", "tool or method, such as update_issue or token.create")
	flags.StringVar(&f.filter.Token, "token", "", "id or name of a token")
	onlyHere(cmd, "token")
	flags.StringVar(&f.filter.Actor, "actor", "", "e-mail of a person, or who an operator was, such as cli:root")
	flags.StringVar(&f.filter.Decision, "decision", "", "allowed, denied or failed")
	flags.StringVar(&f.filter.Target, "target", "", "what it was about, such as WEB-12")
	flags.IntVarP(&f.filter.Limit, "lines", "n", 100, "how many at most")
	flags.BoolVar(&f.json, "json", false, "print JSON, a row a line")
	return cmd
}

func auditPage(ctx context.Context, db *database, t tenancy.Tenant, f store.AuditFilter) (rows []store.AuditRow, err error) {
	err = db.Read(ctx, store.AsKeeper(t.ID, actor()), func(tx *store.Tx) error { return tx.Do(ctx, store.AuditRows(f, &rows, nil)) })
	return rows, err
}

// printAudit writes a row a line. Clients choose these texts: nothing of them may
// reach the terminal but visible characters.
func (p *program) printAudit(rows []store.AuditRow, asJSON bool) error {
	out := json.NewEncoder(p.out)
	out.SetEscapeHTML(false)
	for _, r := range rows {
		if asJSON {
			if err := out.Encode(r); err != nil {
				return err
			}
			continue
		}
		if err := p.printf("%s\n", auditLine(r)); err != nil {
			return err
		}
	}
	return nil
}

func auditLine(r store.AuditRow) string {
	who, what := r.Actor, r.Method
	if r.TokenName != "" && r.TokenName != r.Actor {
		who += " (" + r.TokenName + ")"
	}
	if r.Tool != "" {
		what = r.Tool
	}
	parts := []string{moment(r.WrittenAt), fmt.Sprintf("%-7s", r.Decision), who, what}
	for _, part := range []string{r.Target, r.Rule, r.Code, r.ClientIP} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if r.Repeats > 1 {
		parts = append(parts, fmt.Sprintf("%d times", r.Repeats))
	}
	for n := range parts {
		if n != 1 {
			parts[n] = tracker.CleanLine(parts[n])
		}
	}
	return strings.Join(parts, "  ")
}
