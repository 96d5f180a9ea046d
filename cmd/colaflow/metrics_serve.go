package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// metricsTokenVariable holds what Prometheus must send. There is no flag: others
// could read it in ps.
const metricsTokenVariable = "COLAFLOW_METRICS_TOKEN"

// listenMetrics opens the address of the metrics. They name tenants and tell what
// they do, so they are never served where clients connect; and beyond this machine
// only to who knows the token.
func (p *program) listenMetrics(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	local, err := netip.ParseAddrPort(listener.Addr().String())
	if (err != nil || !local.Addr().Unmap().IsLoopback()) && p.getenv(metricsTokenVariable) == "" {
		_ = listener.Close()
		return nil, errors.New("--metrics-addr is not a loopback address, and the metrics name tenants: set " + metricsTokenVariable +
			" to a secret that Prometheus sends as its bearer token, or use --metrics-addr 127.0.0.1:9464")
	}
	return listener, nil
}

// serveMetrics serves /metrics beside the server; stop ends it.
func (p *program) serveMetrics(listener net.Listener, m *metrics) (stop func()) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", guarded(p.getenv(metricsTokenVariable), m.handler()))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("metrics are not served any more", "error", err)
		}
	}()
	p.log.Info("metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	return func() { _ = server.Close(); <-done }
}

// guarded asks for a bearer token, if there is one.
func guarded(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if token != "" && (!strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeJSON(w, http.StatusUnauthorized, `{"error":"unauthorized","message":"Send the token of `+metricsTokenVariable+`."}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}
