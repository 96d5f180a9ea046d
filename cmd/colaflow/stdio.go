package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/sso"
)

const tokenVariable = "COLAFLOW_TOKEN"

func (p *program) stdioCommand() *cobra.Command {
	var c choice
	var remote, publicURL string
	var insecure bool
	var narrow mcpserver.Narrowing
	cmd := &cobra.Command{
		Use:   "stdio",
		Short: "Speak MCP over standard input and output, for Claude Desktop and others",
		Long: `Speak MCP over standard input and output: one JSON message a line, nothing else; the
log goes to standard error. It ends when its input does. The token comes from
COLAFLOW_TOKEN and is checked on every call.

--toolsets, --tools, --exclude-tools, --readonly and --project narrow what the client
sees and may do, never widen it.

With --url it passes every message on to a ColaFlow server, so that this machine
needs no database. Without, it opens the database itself.`,
		Example: `  COLAFLOW_TOKEN=mcp_acme_... colaflow stdio
  COLAFLOW_TOKEN=mcp_acme_... colaflow stdio --url https://colaflow.example.com`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			narrow.Project = strings.ToUpper(narrow.Project)
			token := p.getenv(tokenVariable)
			if token == "" {
				return errors.New(tokenVariable + " is not set; make a token with: colaflow token create --tenant ... --name ...")
			}
			if remote != "" {
				return mcpserver.Bridge(cmd.Context(), mcpserver.BridgeConfig{
					URL: remote, Token: token, Insecure: insecure, Narrow: narrow, Version: version(), Log: p.log}, p.in, p.out)
			}
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			s, err := p.newService(db, mcpserver.Config{PublicURL: publicURL}, "", sso.Reach{}, nil)
			if err != nil {
				return err
			}
			defer s.Close()
			return s.mcp.ServeStdio(cmd.Context(), p.in, p.out, token, narrow)
		},
	}
	c.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.listen, "listen-dsn", "", "with --dsn through a pooler such as PgBouncer: a direct way to the same database, for notifications")
	flags.StringVar(&remote, "url", "", "server to pass messages on to, such as https://colaflow.example.com")
	flags.BoolVar(&insecure, "insecure", false, "with --url: allow plain http to another machine")
	flags.StringVar(&publicURL, "public-url", defaultURL, "without --url: base of the links in answers")
	flags.StringSliceVar(&narrow.Toolsets, "toolsets", nil, "toolsets to show: "+strings.Join(mcpserver.Toolsets(), ", ")+", or all (default the default one)")
	flags.StringSliceVar(&narrow.Tools, "tools", nil, "show these tools only")
	flags.StringSliceVar(&narrow.Exclude, "exclude-tools", nil, "do not show these tools")
	flags.BoolVar(&narrow.ReadOnly, "readonly", false, "show only tools that change nothing")
	flags.StringVar(&narrow.Project, "project", "", "hold every call to the project with this key")
	return cmd
}
