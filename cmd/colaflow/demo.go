package main

import (
	"context"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/sso"
)

// demoFlags are those of demo.
type demoFlags struct {
	choice
	addr string
	json bool
	reachFlags
}

func (p *program) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it: an embedded database, two made-up companies, tokens, a server",
		Long: `Try it: starts the embedded PostgreSQL, makes up two companies with half a year of
work, mints a token for each, and serves on --addr until Ctrl-C. It prints what to
paste into your MCP client.

The data stays: a second start has the same companies and the same tokens. The tokens
are kept in ` + demoTokensFile + ` in the data directory, readable by you alone.`,
		Example: `  colaflow demo
  colaflow demo --addr 127.0.0.1:9000 --data /tmp/try
  colaflow demo --json  # the address and the tokens as one JSON object, for scripts`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("log-level") {
				if err := p.setLog(cmd, "warn"); err != nil { // what a person copies stands alone
					return err
				}
			}
			listener, err := listen(cmd.Context(), f.addr)
			if err != nil {
				return err
			}
			defer func() { _ = listener.Close() }()
			reach, err := f.reach(cmd)
			if err != nil {
				return err
			}
			return p.demo(cmd.Context(), f, reach, listener)
		},
	}
	f.addEmbeddedFlags(cmd)
	f.reachFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:8080", "address to listen on; the port after it, if it is free, is for tokens alone")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object with url, token_url and tenants[{slug, token, sign_in}]")
	return cmd
}

// demo fills the embedded database where needed, says how to connect, and serves.
func (p *program) demo(ctx context.Context, f demoFlags, reach sso.Reach, listener net.Listener) error {
	db, err := p.openEmbedded(ctx, f.choice)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tenants, err := p.seed(ctx, db)
	if err != nil {
		return err
	}
	dir, err := f.dataDir()
	if err != nil {
		return err
	}
	if err := p.demoTokens(ctx, db, dir, tenants); err != nil {
		return err
	}
	url := serveFlags{}.url(listener.Addr())
	beside, err := listenBeside(ctx, listener.Addr())
	if err != nil {
		return err
	}
	tokenURL := serveFlags{}.url(beside.Addr())
	s, err := p.newService(db, mcpserver.Config{PublicURL: url}, tokenURL, reach, nil)
	if err != nil {
		_ = beside.Close()
		return err
	}
	defer s.Close()
	defer p.serveTokens(ctx, beside, s, "", "")()
	if err := p.demoLinks(ctx, db, url, tenants); err != nil {
		return err
	}
	if f.json {
		err = p.printJSON(demoAnswer{url, tokenURL, tenants})
	} else {
		err = p.printDemo(url, tokenURL, f.choice, tenants)
	}
	if err != nil {
		return err
	}
	return p.serveHTTP(ctx, listener, p.routes(db, s), s.mcp.EndStreams, "", "")
}

// demoLinks makes a link for each company's owner to the console.
func (p *program) demoLinks(ctx context.Context, db *database, url string, tenants []demoTenant) error {
	for n := range tenants {
		t, err := db.Tenant(ctx, tenants[n].Slug)
		if err != nil {
			return err
		}
		if tenants[n].SignIn, err = p.signInLink(ctx, db, t, tenants[n].owner, url, 24*time.Hour); err != nil {
			return err
		}
	}
	return nil
}

// demoAnswer is what demo --json prints.
type demoAnswer struct {
	URL string `json:"url"`
	// TokenURL is where nothing but tokens is asked for.
	TokenURL string       `json:"token_url"`
	Tenants  []demoTenant `json:"tenants"`
}

// demoTenant is one made-up company and a token of it.
type demoTenant struct {
	Slug     string `json:"slug"`
	Token    string `json:"token"`
	SignIn   string `json:"sign_in"` // a link to the console, once
	name     string
	owner    string
	projects []string
	issues   int
}
