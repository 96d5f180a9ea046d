package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/newfile"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

const exportPage = 1_000

func (p *program) auditExportCommand() *cobra.Command {
	var f auditFlags
	var format, file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write rows into a file, oldest first",
		Long: `Write rows into a new file, oldest first. JSONL holds everything as it is. CSV is
for spreadsheets: what one would take for a formula is preceded by an apostrophe.`,
		Example: `  colaflow audit export --tenant acme --format csv --since 2026-01-01 --until 2026-02-01 -o january.csv`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case file == "":
				return usagef(cmd, "-o is missing: name the file to write")
			case format != "jsonl" && format != "csv":
				return usagef(cmd, "--format %q is not known: use jsonl or csv", format)
			}
			if err := f.period(cmd, p.clock()); err != nil {
				return err
			}
			return p.inAudit(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				n, err := exportAudit(ctx, db, t, f.filter, format, file)
				if err != nil {
					return err
				}
				return p.printf("%s written to %s.\n", plural(n, "row"), file)
			})
		},
	}
	f.addPeriod(cmd)
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl or csv")
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; it must not exist")
	return cmd
}

// exportAudit writes the rows page by page. Of an export that fails, no file stays.
func exportAudit(ctx context.Context, db *database, t tenancy.Tenant, filter store.AuditFilter, format, name string) (n int64, err error) {
	err = newfile.Write(name, false, func(file *os.File) (err error) {
		n, err = writeAudit(ctx, db, t, filter, format, file)
		return err
	})
	return n, err
}

func writeAudit(ctx context.Context, db *database, t tenancy.Tenant, filter store.AuditFilter, format string, file io.Writer) (n int64, err error) {
	write := jsonRows(file)
	if format == "csv" {
		write = csvRows(file)
	}
	filter.Oldest, filter.Limit = true, exportPage
	for {
		rows, err := auditPage(ctx, db, t, filter)
		if err == nil {
			err = write(rows)
		}
		if n += int64(len(rows)); err != nil || len(rows) < exportPage {
			return n, err
		}
		after := store.PositionOfAudit(rows[len(rows)-1])
		filter.After = &after
	}
}

func jsonRows(w io.Writer) func([]store.AuditRow) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return func(rows []store.AuditRow) error {
		for _, r := range rows {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// csvRows writes rows under a heading, which it writes first.
func csvRows(w io.Writer) func([]store.AuditRow) error {
	out := csv.NewWriter(w)
	_ = out.Write(strings.Fields(`written_at at id kind decision actor member_id token_id token_name client method tool target project_id
		rule code repeats args_digest args changes request_id client_ip duration_us bytes`)) // an error stays in the writer
	return func(rows []store.AuditRow) error {
		for _, r := range rows {
			digest := ""
			if len(r.ArgsDigest) > 0 {
				digest = r.ArgsDigest.String()
			}
			cells := []string{r.WrittenAt.Format(time.RFC3339Nano), r.At.Format(time.RFC3339Nano), r.ID.String(), r.Kind, r.Decision, r.Actor,
				idCell(r.MemberID), idCell(r.TokenID), r.TokenName, r.Client, r.Method, r.Tool, r.Target, idCell(r.ProjectID), r.Rule, r.Code,
				strconv.Itoa(r.Repeats), digest, string(r.Args), string(r.Changes), r.RequestID, r.ClientIP,
				strconv.FormatInt(r.DurationUS, 10), strconv.Itoa(r.Bytes)}
			for n := range cells {
				cells[n] = safeCell(cells[n])
			}
			_ = out.Write(cells)
		}
		out.Flush()
		return out.Error()
	}
}

func idCell(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

// safeCell is a text as a cell of one line that no spreadsheet takes for a formula.
func safeCell(text string) string {
	text = tracker.CleanLine(text)
	if text != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
