package main

import (
	"context"
	"fmt"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/store/newfile"
)

func (p *program) tenantExportCommand() *cobra.Command {
	var c choice
	var file string
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "export SLUG -o FILE",
		Short: "Write all of a tenant's data into a file",
		Long: `Write all of a tenant's data into a zip of JSON lines, one file per table, with a
manifest and checksums: as of one moment, while others work. It works for suspended
tenants, and for deleted ones until their grace is over. The file appears whole or not
at all.

It holds no secrets: tokens, signing keys and sessions stay behind. colaflow tenant
import makes a new tenant of it, here or on another server.`,
		Example: `  colaflow tenant export acme -o acme.zip`,
		Args:    oneArgument("the slug, such as acme"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				return usagef(cmd, "-o is missing: name the file to write")
			}
			return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error {
				var done store.Exported
				err := newfile.Write(file, force, func(f *os.File) (err error) {
					done, err = db.ExportTenant(ctx, args[0], actor(), f, p.progress("Exporting rows"))
					return err
				})
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(done)
				}
				return p.printf("Tenant %s is in %s: %s, among them %s.\nSHA-256: %s\n", done.Tenant.Slug, file,
					plural(done.Rows(), "row"), plural(done.File("issues").Rows, "issue"), done.SHA256)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it exists already")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	onlyHere(cmd, "force")
	return cmd
}

func (p *program) tenantImportCommand() *cobra.Command {
	var c choice
	var opt store.ImportOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE --as SLUG",
		Short: "Make a new tenant of an exported one",
		Long: `Make a new tenant of a file that colaflow tenant export wrote, here or on another
server. The file is verified first; then all of it is imported, or nothing. If the
command is interrupted, give it again.

People, projects, issues and their history arrive as they were, with the same keys and
ids. Tokens arrive as names in that history and let nobody in: make new ones. The audit
log stays in the file; that of the new tenant begins with the import and the file's
SHA-256.`,
		Example: `  colaflow tenant import acme.zip --as acme --plan team`,
		Args:    oneArgument("the file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if opt.Slug == "" {
				return usagef(cmd, "--as is missing: give the slug of the new tenant, such as acme")
			}
			opened, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("open the file to import: %w", err)
			}
			defer func() { _ = opened.Close() }()
			info, err := opened.Stat()
			if err != nil {
				return fmt.Errorf("open the file to import: %w", err)
			}
			file, err := export.Open(opened, info.Size())
			if err != nil {
				return err
			}
			return p.withDatabase(cmd, c, func(ctx context.Context, db *database) error {
				opt.Actor, opt.Progress = actor(), p.progress("Importing rows")
				done, err := db.ImportTenant(ctx, file, opt)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(done)
				}
				return p.printImported(done)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&opt.Slug, "as", "", "slug of the new tenant")
	cmd.Flags().StringVar(&opt.Name, "name", "", "what people call it (default: the file's)")
	cmd.Flags().StringVar(&opt.Plan, "plan", "", "plan of the new tenant: free, team or enterprise (default: free)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) printImported(done store.Imported) error {
	if done.Again {
		return p.printf("Tenant %s was made of this very file before. Nothing was done.\n", done.Tenant.Slug)
	}
	return p.printf("Tenant %s is ready, plan %s: %s imported. Next, a token for an agent:\n"+
		"  colaflow token create --tenant %[1]s --name my-agent --owner EMAIL --preset planner\n",
		done.Tenant.Slug, done.Tenant.Plan, plural(done.Rows, "row"))
}

// progress draws a bar where a person watches; nil elsewhere.
func (p *program) progress(what string) func(done, total int64) {
	if !isTerminal(p.err) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.err), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	}
}
