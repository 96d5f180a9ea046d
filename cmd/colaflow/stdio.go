package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/mcpserver"
)

func (p *program) stdioCommand() *cobra.Command {
	var c choice
	var publicURL string
	cmd := &cobra.Command{
		Use:   "stdio",
		Short: "Speak MCP over standard input and output, for Claude Desktop and others",
		Long: `Speak MCP over standard input and output: one JSON message a line, nothing else.
The token comes from COLAFLOW_TOKEN.`,
		Example: `  COLAFLOW_TOKEN=mcp_acme_... colaflow stdio`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			token := p.getenv("COLAFLOW_TOKEN")
			if token == "" {
				return errors.New("COLAFLOW_TOKEN is not set; make a token with: colaflow token create --tenant ... --name ...")
			}
			db, err := p.open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			server, auth, err := p.newMCP(db, mcpserver.Config{PublicURL: publicURL})
			if err != nil {
				return err
			}
			defer auth.Close()
			defer server.Close()
			return server.ServeStdio(cmd.Context(), p.in, p.out, token)
		},
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&publicURL, "public-url", "http://localhost:8080", "base of the links in answers")
	return cmd
}
