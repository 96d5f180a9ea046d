package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// shutdownGrace is how long running calls may finish after a signal.
const shutdownGrace = 10 * time.Second

// listen opens the address, or says in one sentence why it cannot.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken by another program; stop it, or choose another address with --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this account may not listen on %s; choose a port above 1023 with --addr", addr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %q: use the form host:port with --addr: %w", addr, err)
	}
	return listener, nil
}

// serveHTTP serves until ctx ends, then calls stopping, which ends what would never end
// by itself, and lets running calls finish.
func (p *program) serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler, stopping func(), cert, key string) error {
	server := &http.Server{
		Handler:           boundBodies(handler, bodyTime),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), // broken handshakes and the like
	}
	server.RegisterOnShutdown(stopping)
	done := make(chan error, 1)
	go func() {
		if cert != "" {
			done <- server.ServeTLS(listener, cert, key)
		} else {
			done <- server.Serve(listener)
		}
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	p.log.Info("stopping: running calls may finish", "within", shutdownGrace.String())
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		p.log.Warn("calls were cut off", "error", err)
		return server.Close()
	}
	return nil
}

// routes says what is served where. Whatever is not listed is a real 404 in
// JSON: clients probe /.well-known/ and must not find a page there.
func (p *program) routes(db *database, s *service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/mcp", s.mcp.Handler())
	mux.Handle("/mcp/", s.mcp.Handler())
	s.web.Register(mux)
	s.oauth.Register(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, `{"status":"ok"}`) })
	mux.HandleFunc("GET /readyz", p.ready(db))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, `{"error":"not_found","message":"There is nothing here. MCP is served at /mcp."}`)
	})
	return mux
}

// serveTokens serves the face for tokens alone: nothing there tells of OAuth, for clients
// that would then leave the token aside which they were given. stop waits for its calls.
func (p *program) serveTokens(ctx context.Context, listener net.Listener, s *service, cert, key string) (stop func()) {
	mux := http.NewServeMux()
	mux.Handle("/mcp", s.mcp.TokenHandler())
	mux.Handle("/mcp/", s.mcp.TokenHandler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, `{"status":"ok"}`) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, `{"error":"not_found","message":"There is nothing here. MCP is served at /mcp, for tokens alone."}`)
	})
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.serveHTTP(ctx, listener, mux, s.mcp.EndStreams, cert, key); err != nil {
			p.log.Error("the address for tokens is not served any more", "error", err)
		}
	}()
	p.log.Info("serving tokens alone", "token_addr", listener.Addr().String())
	return func() { cancel(); <-done }
}

// listenBeside opens the port after another listener's or, if that is taken, any.
func listenBeside(ctx context.Context, main net.Addr) (net.Listener, error) {
	at, err := netip.ParseAddrPort(main.String())
	if err != nil {
		return nil, fmt.Errorf("find the port after %s: %w", main, err)
	}
	if next, err := listen(ctx, netip.AddrPortFrom(at.Addr(), at.Port()+1).String()); err == nil {
		return next, nil
	}
	return listen(ctx, netip.AddrPortFrom(at.Addr(), 0).String())
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, body)
}
