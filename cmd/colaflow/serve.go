package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// serveFlags are those of serve.
type serveFlags struct {
	choice
	addr, publicURL, tlsCert, tlsKey string
	metricsAddr, tokenAddr, tokenURL string
	reachFlags
	nodes                   int
	metrics                 *metrics
	proxies, hosts, origins []string
}

func (p *program) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve MCP over HTTP",
		Long: `Serve MCP over streamable HTTP at /mcp, health at /healthz and /readyz, Prometheus
metrics at --metrics-addr. With --dsn it needs the master key in COLAFLOW_MASTER_KEY.`,
		Example: `  colaflow serve
  colaflow serve --dsn postgres://colaflow_app:...@db.example.com/colaflow \
      --addr :8443 --public-url https://colaflow.example.com --tls-cert cert.pem --tls-key key.pem
  colaflow serve --dsn ... --public-url https://colaflow.example.com --trusted-proxy 10.0.0.0/8`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if f.tokenAddr == "" && !cmd.Flags().Changed("addr") {
				f.tokenAddr = defaultTokenAddr
			}
			f.metrics = newMetrics()
			f.observe = f.metrics.tenants.trip
			db, err := p.open(cmd.Context(), f.choice)
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			return p.serve(cmd.Context(), db, f)
		},
	}
	f.choice.addFlags(cmd)
	f.reachFlags.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "address to listen on")
	flags.StringVar(&f.tokenAddr, "token-addr", "", "address to serve MCP on for tokens alone, for clients that would ask for OAuth wherever it is offered (default "+defaultTokenAddr+" where --addr is not given)")
	flags.StringVar(&f.tokenURL, "token-url", "", "how clients reach --token-addr (default http://<token-addr> where --public-url is not given)")
	flags.StringVar(&f.metricsAddr, "metrics-addr", "", "address to serve /metrics on for Prometheus, such as 127.0.0.1:9464; beyond this machine it needs a token in "+metricsTokenVariable)
	flags.StringVar(&f.listen, "listen-dsn", "", "with --dsn through a pooler such as PgBouncer: a direct way to the same database, for notifications")
	flags.Int32Var(&f.conns, "max-conns", 16, "connections to the database")
	flags.Int32Var(&f.tenantConns, "tenant-conns", 0, "how many of them one tenant may use at once (default: half)")
	flags.DurationVar(&f.slow, "slow-query", 100*time.Millisecond, "log round trips to the database that take longer; 0: none")
	flags.IntVar(&f.nodes, "nodes", 1, "how many nodes share the work: each allows its share of the calls and streams of a plan")
	flags.StringVar(&f.publicURL, "public-url", "", "how clients reach the server (default http://<addr>)")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "certificate file, PEM")
	flags.StringVar(&f.tlsKey, "tls-key", "", "private key file, PEM")
	flags.StringSliceVar(&f.proxies, "trusted-proxy", nil, "network of a proxy that may say whom it speaks for, such as 10.0.0.0/8; may be repeated")
	flags.StringSliceVar(&f.hosts, "allowed-host", nil, "Host to accept beside the public URL's and localhost; may be repeated")
	flags.StringSliceVar(&f.origins, "allowed-origin", nil, "Origin to accept beside the public URL's; may be repeated")
	return cmd
}

// check refuses flags that do not fit together, before anything starts.
func (f serveFlags) check(cmd *cobra.Command) error {
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return usagef(cmd, "--tls-cert and --tls-key go together")
	}
	if f.tlsCert != "" {
		if _, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey); err != nil {
			return fmt.Errorf("cannot use the certificate: %w; --tls-cert and --tls-key name PEM files", err)
		}
	}
	if f.nodes < 1 {
		return usagef(cmd, "--nodes must be 1 or more")
	}
	if _, err := f.reach(cmd); err != nil {
		return err
	}
	_, err := f.networks(cmd)
	return err
}

func (f serveFlags) networks(cmd *cobra.Command) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range f.proxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, usagef(cmd, "--trusted-proxy %q is not a network: use the form 10.0.0.0/8", text)
		}
		list = append(list, prefix)
	}
	return list, nil
}

// url is how clients reach the server that listens on addr.
func (f serveFlags) url(addr net.Addr) string {
	scheme := "http"
	if f.tlsCert != "" {
		scheme = "https"
	}
	host := addr.String()
	if a, err := netip.ParseAddrPort(host); err == nil && a.Addr().IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", a.Port())
	}
	return cmp.Or(f.publicURL, scheme+"://"+host)
}

// inTheClear reports whether tokens reach the server unencrypted over a network.
func (f serveFlags) inTheClear(addr net.Addr) bool {
	a, err := netip.ParseAddrPort(addr.String())
	return err == nil && !a.Addr().IsLoopback() && f.tlsCert == "" && len(f.proxies) == 0 && !strings.HasPrefix(f.publicURL, "https://")
}

// listenTokens opens the address for tokens alone; nil if there is none.
func (f serveFlags) listenTokens(ctx context.Context) (net.Listener, error) {
	if f.tokenAddr == "" {
		return nil, nil
	}
	beside, err := listen(ctx, f.tokenAddr)
	if err != nil {
		return nil, fmt.Errorf("--token-addr: %w", err)
	}
	return beside, nil
}

// tokensURL is how clients reach the address for tokens alone; empty if there is none, or
// if only a proxy knows.
func (f serveFlags) tokensURL(beside net.Listener) string {
	if beside == nil || f.tokenURL == "" && f.publicURL != "" {
		return ""
	}
	f.publicURL = f.tokenURL
	return f.url(beside.Addr())
}

// serve listens and serves until ctx ends; running calls may finish.
func (p *program) serve(ctx context.Context, db *database, f serveFlags) error {
	listener, err := listen(ctx, f.addr)
	if err != nil {
		return err
	}
	networks, _ := f.networks(nil) // check has read them
	reach, _ := f.reach(nil)
	url := f.url(listener.Addr())
	beside, err := f.listenTokens(ctx)
	if err != nil {
		_ = listener.Close()
		return err
	}
	s, err := p.newService(db, mcpserver.Config{PublicURL: url, AllowedHosts: f.hosts, AllowedOrigins: f.origins, TrustedProxies: networks,
		Limits: func(plan string) tenancy.Limits { return tenancy.LimitsOf(plan).PerNode(f.nodes) }}, f.tokensURL(beside), reach, f.metrics)
	if err != nil {
		_ = listener.Close()
		if beside != nil {
			_ = beside.Close()
		}
		return err
	}
	defer s.Close()
	defer p.startCleanup(ctx, db)()
	defer s.sweepEvery(time.Minute)()
	if f.metricsAddr != "" {
		beside, err := p.listenMetrics(ctx, f.metricsAddr)
		if err != nil {
			_ = listener.Close()
			return err
		}
		defer p.serveMetrics(beside, f.metrics)()
	}
	if beside != nil {
		defer p.serveTokens(ctx, beside, s, f.tlsCert, f.tlsKey)()
	}
	if f.inTheClear(listener.Addr()) {
		p.log.Warn("tokens can be read on the network: use --tls-cert and --tls-key, or --trusted-proxy and an https --public-url", "addr", listener.Addr().String())
	}
	p.log.Info("serving", "url", url, "addr", listener.Addr().String(), "version", version())
	return p.serveHTTP(ctx, listener, p.routes(db, s), s.mcp.EndStreams, f.tlsCert, f.tlsKey)
}
