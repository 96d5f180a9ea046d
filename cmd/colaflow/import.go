package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/dataset/github"
	"github.com/colaflow/colaflow/tracker/dataset/jira"
)

// importFlags are those of import.
type importFlags struct {
	tenantChoice
	project, name, format   string
	withPulls, dryRun, json bool
}

func (p *program) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import issues from GitHub or Jira into a project",
		Long: `Import issues with their comments, labels, people and dates into a project, which is
created if it is not there. All of the file is imported, or nothing. Importing a file
again adds only what is new in it; what is there already stays as it is.

Formats:
  github-archive  the archive_repo JSON of the IETF's i-d-template
  github-cli      gh issue list --state all --limit 100000 --json \
                    ` + github.ListFields + `
  jira-csv        Jira's "Export CSV (all fields)"

People become members who cannot sign in until they are invited. A new project keeps
the source's numbers (#12 becomes WEB-12); in one with issues of its own they are
numbered anew. FILE may be - for standard input.`,
		Example: `  colaflow import --tenant acme --project WEB --format github-archive web.archive.json --dry-run
  gh issue list --state all --limit 100000 --json ` + github.ListFields + ` |
    colaflow import --tenant acme --project WEB --format github-cli -`,
		Args: oneArgument("the file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := f.read(cmd, p.in, args[0])
			if err != nil {
				return err
			}
			return p.inTenant(cmd, f.tenantChoice, func(ctx context.Context, db *database, t tenancy.Tenant) error {
				report, err := db.LoadDataset(ctx, store.AsSystem(t.ID, actor()), d, store.LoadOptions{DryRun: f.dryRun, Progress: p.progress("Importing issues")})
				if err != nil {
					return err
				}
				if f.json {
					return p.printJSON(report)
				}
				_, err = report.WriteTo(p.out)
				return err
			})
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.project, "project", "", "key of the project, such as WEB")
	flags.StringVar(&f.name, "project-name", "", "name of the project if it is created (default: the source's)")
	flags.StringVar(&f.format, "format", "", "format of the file: "+strings.Join(formatNames(), ", "))
	flags.BoolVar(&f.withPulls, "with-pulls", false, "import pull requests too (github-archive)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would happen, and change nothing")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// formats are the readers by name.
func (f *importFlags) formats() map[string]func(io.Reader) (*dataset.Dataset, error) {
	return map[string]func(io.Reader) (*dataset.Dataset, error){
		"github-archive": func(r io.Reader) (*dataset.Dataset, error) { return github.ReadArchive(r, f.withPulls) },
		"github-cli":     github.ReadList,
		"jira-csv":       jira.ReadCSV,
	}
}

func formatNames() []string { return slices.Sorted(maps.Keys((&importFlags{}).formats())) }

// read checks the flags and reads the file, before any database is opened.
func (f *importFlags) read(cmd *cobra.Command, in io.Reader, file string) (*dataset.Dataset, error) {
	read := f.formats()[f.format]
	switch {
	case f.slug == "":
		return nil, usagef(cmd, "--tenant is missing: give the slug of a tenant, such as acme")
	case f.project == "":
		return nil, usagef(cmd, "--project is missing: give the key of a project, such as WEB")
	case f.format == "":
		return nil, usagef(cmd, "--format is missing: use %s", strings.Join(formatNames(), ", "))
	case read == nil:
		return nil, usagef(cmd, "--format %q is not known: use %s", f.format, strings.Join(formatNames(), ", "))
	case f.withPulls && f.format != "github-archive":
		return nil, usagef(cmd, "--with-pulls is for --format github-archive only")
	}
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("open the file to import: %w", err)
		}
		defer func() { _ = opened.Close() }()
		in = opened
	}
	d, err := read(in)
	if err != nil {
		return nil, err
	}
	d.Project.Key = strings.ToUpper(f.project)
	d.Project.Name = cmp.Or(f.name, d.Project.Name)
	return d, d.Check()
}
