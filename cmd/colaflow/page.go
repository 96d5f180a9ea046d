package main

import (
	"context"
	"io"
	"os"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/web"
)

func (p *program) pageCommand() *cobra.Command {
	return group("page", "Look after the report pages that agents hand to people",
		`Look after the report pages that agents hand to people. A page lives for as long as
colaflow tenant configure says; a link opens it once, for one browser.`,
		p.pageListCommand(), p.pageShowCommand(), p.pagePutCommand(), p.pageLinkCommand(), p.pageDeleteCommand())
}

// inApplication runs fn with the Application of the tenant that the flags name.
func (p *program) inApplication(cmd *cobra.Command, c tenantChoice, issuer string, fn func(context.Context, *tenancy.Application) error) error {
	return p.inTenant(cmd, c, func(ctx context.Context, db *database, t tenancy.Tenant) error {
		return p.withApplication(db, t, issuer, func(app *tenancy.Application) error { return fn(ctx, app) })
	})
}

// withPage is inApplication for a command about one page that lives.
func (p *program) withPage(cmd *cobra.Command, c tenantChoice, issuer, id string, fn func(context.Context, *tenancy.Application, tenancy.Page) error) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return usagef(cmd, "that is not a page's id; colaflow page list shows the ids")
	}
	return p.inApplication(cmd, c, issuer, func(ctx context.Context, app *tenancy.Application) error {
		page, err := app.OpenPage(ctx, parsed)
		if err != nil {
			return err
		}
		return fn(ctx, app, page)
	})
}

const whichPage = "the id that page list shows"

func (p *program) pageListCommand() *cobra.Command {
	var c tenantChoice
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List a tenant's live pages, newest first",
		Example: `  colaflow page list --tenant acme`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.inApplication(cmd, c, "", func(ctx context.Context, app *tenancy.Application) error {
				pages, err := app.ListPages(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(pages)
				}
				rows := make([][]string, 0, len(pages))
				for _, page := range pages {
					rows = append(rows, []string{page.ID.String(), tracker.CleanLine(page.Title), kilobytes(page.Bytes), tracker.CleanLine(page.CreatedBy), moment(page.ExpiresAt)})
				}
				return p.printTable([]string{"id", "title", "size", "made by", "expires"}, rows)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) pageShowCommand() *cobra.Command {
	var c tenantChoice
	var asJSON, content bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a page, or print its HTML",
		Example: `  colaflow page show --tenant acme 0198c5a0-...
  colaflow page show --tenant acme 0198c5a0-... --content > report.html`,
		Args: oneArgument(whichPage),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withPage(cmd, c, "", args[0], func(_ context.Context, _ *tenancy.Application, page tenancy.Page) error {
				switch {
				case content:
					_, err := p.out.Write(page.Content)
					return err
				case asJSON:
					return p.printJSON(page)
				}
				return p.printFields("Id", page.ID.String(), "Title", tracker.CleanLine(page.Title), "Size", kilobytes(page.Bytes), "Made by", tracker.CleanLine(page.CreatedBy),
					"Made at", moment(page.CreatedAt), "Expires", moment(page.ExpiresAt))
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&content, "content", false, "print the page itself")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) pagePutCommand() *cobra.Command {
	var c tenantChoice
	var title, publicURL string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "put FILE",
		Short: "Put an HTML file where a person can open it by a link, once",
		Long: `Put an HTML file where a person can open it by a link, once. Scripts in it do not run,
and it can load nothing.`,
		Example: `  colaflow page put --tenant acme --title "Sprint 12" --public-url https://colaflow.example.com sprint12.html`,
		Args:    oneArgument("the HTML file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if title == "" {
				return usagef(cmd, "--title is missing: people see it before they open the page")
			}
			content, err := p.readPage(args[0])
			if err != nil {
				return err
			}
			return p.inApplication(cmd, c, publicURL, func(ctx context.Context, app *tenancy.Application) error {
				page, link, err := app.PutPage(ctx, title, content, actor())
				if err != nil {
					return err
				}
				return p.printLink(app, page, publicURL, link, asJSON)
			})
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&title, "title", "", "what it is called")
	addLinkFlags(cmd, &publicURL, &asJSON)
	return cmd
}

// readPage reads no more than a page may have, and a byte that makes it too large.
func (p *program) readPage(name string) ([]byte, error) {
	in := p.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, tenancy.MaxPage+1))
}

func (p *program) pageLinkCommand() *cobra.Command {
	var c tenantChoice
	var publicURL string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "link ID",
		Short:   "Make another link that opens a page once",
		Example: `  colaflow page link --tenant acme --public-url https://colaflow.example.com 0198c5a0-...`,
		Args:    oneArgument(whichPage),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withPage(cmd, c, publicURL, args[0], func(ctx context.Context, app *tenancy.Application, page tenancy.Page) error {
				link, err := app.LinkPage(ctx, page)
				if err != nil {
					return err
				}
				return p.printLink(app, page, publicURL, link, asJSON)
			})
		},
	}
	c.addFlags(cmd)
	addLinkFlags(cmd, &publicURL, &asJSON)
	return cmd
}

func addLinkFlags(cmd *cobra.Command, publicURL *string, asJSON *bool) {
	cmd.Flags().StringVar(publicURL, "public-url", defaultURL, "that of the servers, exactly as serve has it")
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON with id and link")
}

// printLink shows a link to a page. Its ticket cannot be shown again.
func (p *program) printLink(app *tenancy.Application, page tenancy.Page, publicURL, ticket string, asJSON bool) error {
	link := web.PageLink(publicURL, app.Tenant().Slug, page.ID, ticket)
	if asJSON {
		return p.printJSON(struct {
			tenancy.Page
			Link string `json:"link"`
		}{page, link})
	}
	return p.printf("%s\n\nIt opens the page once, for one browser, until %s at the latest.\n", link, moment(page.ExpiresAt))
}

func (p *program) pageDeleteCommand() *cobra.Command {
	var c tenantChoice
	cmd := &cobra.Command{
		Use:     "delete ID",
		Short:   "Delete a page; servers may show it for five seconds more",
		Example: `  colaflow page delete --tenant acme 0198c5a0-...`,
		Args:    oneArgument(whichPage),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withPage(cmd, c, "", args[0], func(ctx context.Context, app *tenancy.Application, page tenancy.Page) error {
				if err := app.DeletePage(ctx, page.ID, actor()); err != nil {
					return err
				}
				return p.printf("Page %q is deleted.\n", page.Title)
			})
		},
	}
	c.addFlags(cmd)
	return cmd
}

func kilobytes(n int) string { return strconv.Itoa((n+1023)>>10) + " KB" }
