package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxAnswer bounds what the bridge reads of one answer.
const maxAnswer = 64 << 20

// BridgeConfig says where the remote server is. URL and Token are required.
type BridgeConfig struct {
	// URL is the server's address; without a path, /mcp is meant.
	URL   string
	Token string
	// Insecure allows plain http to a host that is not this machine.
	Insecure bool
	Version  string
	// Narrow is passed on to the server.
	Narrow Narrowing
	// Client sends the requests; nil means one that follows no redirects.
	Client *http.Client
	// Log receives what has no request to answer; nil means slog.Default.
	Log *slog.Logger
}

// bridge carries the messages of one stdio client to a server and back.
type bridge struct {
	BridgeConfig
	lineWriter
	slots   chan struct{}
	running sync.WaitGroup
	streams sync.WaitGroup // of subscriptions/listen, which end with the client
	cancels cancels
	state   sync.Mutex
	version string // of the protocol, as agreed in initialize
}

// Bridge speaks MCP over one client's pipes and sends every message to a remote
// server, until in ends or ctx is done. Failures of the network become JSON-RPC
// errors, so that the client can show them.
func Bridge(ctx context.Context, cfg BridgeConfig, in io.Reader, out io.Writer) error {
	target, err := remoteURL(cfg.URL, cfg.Insecure)
	if err != nil {
		return err
	}
	if err := cfg.Narrow.Check(); err != nil {
		return err
	}
	cfg.URL = cfg.Narrow.endpoint(target)
	if cfg.Client == nil {
		cfg.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		defer cfg.Client.CloseIdleConnections()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &bridge{BridgeConfig: cfg, lineWriter: lineWriter{out: out}, slots: make(chan struct{}, stdioParallel)}
	err = eachLine(ctx, in, func(line []byte) { b.accept(ctx, line) })
	drain(&b.running, cancel)
	cancel()
	b.streams.Wait()
	return err
}

// remoteURL refuses to send a token in the clear over a network.
func remoteURL(text string, insecure bool) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("the server's URL must be like https://colaflow.example.com")
	}
	if u.User != nil || u.RawQuery != "" {
		return "", errors.New("the server's URL must hold no user and no query: the token comes from COLAFLOW_TOKEN")
	}
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && addr.IsLoopback()
	if u.Scheme == "http" && !local && !insecure {
		return "", fmt.Errorf("refusing to send the token to %s without encryption; use https://, or --insecure if the network is your own", host)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/mcp"
	}
	return u.String(), nil
}

// accept handles one line. Requests run beside each other, but the handshake and
// notifications keep their place.
func (b *bridge) accept(ctx context.Context, line []byte) {
	if len(line) > maxBody {
		b.writeShape(&shapeError{codeInvalidRequest, "a message may have at most 1 MiB"})
		return
	}
	m, err := parseMessage(line)
	if err != nil {
		b.writeShape(err)
		return
	}
	switch {
	case m.isResponse:
	case m.method == "notifications/cancelled":
		b.cancels.hangUp(line) // the server knows only that we hang up
	case !m.isRequest() || m.method == string(mcp.MethodInitialize):
		b.exchange(ctx, m, line)
	default:
		ctx, done := b.cancels.open(ctx, m.id)
		if m.isListen() { // it holds no slot
			b.streams.Go(func() { defer done(); b.exchange(ctx, m, line) })
			return
		}
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			done()
			return
		}
		b.running.Go(func() {
			defer func() { <-b.slots; done() }()
			b.exchange(ctx, m, line)
		})
	}
}

// exchange posts one message and writes what comes back.
func (b *bridge) exchange(ctx context.Context, m message, line []byte) {
	err := b.post(ctx, m, line)
	switch {
	case err == nil, ctx.Err() != nil: // cancelled: no answer is expected
	case m.isRequest():
		r := request{message: m, problem: asProblem(err)}
		b.write(r.problemBody())
	default:
		b.Log.Warn("a notification did not reach the server", "method", m.method, "error", err)
	}
}

func (b *bridge) post(ctx context.Context, m message, line []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL, bytes.NewReader(line))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	b.headers(req.Header, m, line)
	res, err := b.Client.Do(req)
	if err != nil {
		return unreachable(req.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	return b.relay(res, m)
}

// headers are those of the protocol, for this message: the version that the
// message itself names, or the one agreed on in initialize.
func (b *bridge) headers(h http.Header, m message, line []byte) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json, text/event-stream")
	h.Set("Authorization", "Bearer "+b.Token)
	h.Set("User-Agent", "colaflow-stdio/"+b.Version)
	b.Narrow.headers(h)
	var body struct{ Params json.RawMessage }
	var params struct {
		Meta struct {
			Version string `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	}
	_ = json.Unmarshal(line, &body) // parseMessage has read it; wrong types are answered by the server
	_ = json.Unmarshal(body.Params, &params)
	version := params.Meta.Version
	for name, value := range mcp.StandardHeaders(version, mcp.MCPMethod(m.method), body.Params) {
		h.Set(name, value)
	}
	if version == "" && m.method != string(mcp.MethodInitialize) {
		b.state.Lock()
		version = b.version
		b.state.Unlock()
	}
	if version != "" {
		h.Set(mcp.HeaderProtocolVersion, version)
	}
}
