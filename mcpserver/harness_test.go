package mcpserver_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// bundle is a server over a fresh database, reached over real HTTP.
type bundle struct {
	db   *storetest.DB
	auth *tokens.Authenticator
	mcp  *mcpserver.Server
	http *httptest.Server
	log  *logBuffer
}

func setup(t *testing.T, opts ...storetest.Options) *bundle {
	t.Helper()
	opt := storetest.Options{MaxConns: 4}
	if len(opts) > 0 {
		opt = opts[0]
	}
	b := &bundle{log: &logBuffer{}}
	opt.Log = b.logger()
	b.db = storetest.Open(t, opt)
	// Runs after every other cleanup but the database's: attack case 9.
	t.Cleanup(func() { b.requireNoTokenKept(t) })
	b.auth = tokens.NewAuthenticator(b.db)
	t.Cleanup(b.auth.Close)
	b.mcp, b.http = b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth})
	return b
}

// serve starts a server over HTTP; cfg says what differs from the usual.
func (b *bundle) serve(t *testing.T, cfg mcpserver.Config) (*mcpserver.Server, *httptest.Server) {
	t.Helper()
	cfg.Key, cfg.Version, cfg.Log = b.db.Key, "test", b.logger()
	if cfg.PublicURL == "" {
		cfg.PublicURL = "https://colaflow.test"
	}
	if cfg.Clock == nil {
		cfg.Clock = func() time.Time { return storetest.Now }
	}
	if cfg.Limits == nil {
		cfg.Limits = func(string) tenancy.Limits { return tenancy.Limits{} }
	}
	s, err := mcpserver.New(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return s, h
}

func (b *bundle) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// logBuffer keeps what was logged; it may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// requireNoTokenKept looks for every token that the test issued in everything
// that the database and the log hold now.
func (b *bundle) requireNoTokenKept(t *testing.T) {
	t.Helper()
	kept := b.db.Dump(t) + b.log.String()
	for _, token := range b.db.Issued() {
		secret := token[len(token)-32:]
		require.NotContains(t, kept, secret, "a plain token was kept")
		require.NotContains(t, kept, hex.EncodeToString([]byte(secret)), "a plain token was kept as bytes")
	}
}

// client calls tools with one token.
type client struct {
	t     testing.TB
	url   string
	token string
	// toolsets is what the client asks for; empty: nothing, and gets the default.
	toolsets string
	// through is how its requests go; nil: as everybody's.
	through *http.Client
	edits   []func(*http.Request) // of every request
}

// all is the client with every toolset.
func (c *client) all() *client {
	with := *c
	with.toolsets = "all"
	return &with
}

func (b *bundle) client(t testing.TB, token string) *client {
	return &client{t: t, url: b.http.URL, token: token}
}

// answer is an HTTP answer, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// post sends a body with the client's token; edit may change the request.
func (c *client) post(body string, edit ...func(*http.Request)) answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.toolsets != "" {
		req.Header.Set("X-MCP-Toolsets", c.toolsets)
	}
	for _, e := range append(slices.Clone(c.edits), edit...) {
		e(req)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return answer{res.StatusCode, res.Header, string(data)}
}

// rpc sends one request and returns its result and error.
func (c *client) rpc(method string, params any) (result json.RawMessage, rpcError string) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	require.NoError(c.t, err)
	a := c.post(string(body))
	var message struct {
		Result json.RawMessage
		Error  json.RawMessage
	}
	require.NoError(c.t, json.Unmarshal([]byte(a.body), &message), "HTTP %d: %s", a.status, a.body)
	return message.Result, string(message.Error)
}

// toolResult is what a tool answered.
type toolResult struct {
	text    string
	data    map[string]any
	isError bool
	images  [][]byte // PNG
}

// call runs a tool.
func (c *client) call(tool string, args any) toolResult {
	c.t.Helper()
	result, rpcError := c.rpc("tools/call", map[string]any{"name": tool, "arguments": args})
	require.Empty(c.t, rpcError)
	var r struct {
		Content []struct {
			Type, Text, MIMEType string
			Data                 []byte
		}
		Data    map[string]any `json:"structuredContent"`
		IsError bool
	}
	require.NoError(c.t, json.Unmarshal(result, &r), string(result))
	require.NotEmpty(c.t, r.Content)
	out := toolResult{text: r.Content[0].Text, data: r.Data, isError: r.IsError}
	for _, image := range r.Content[1:] {
		require.Equal(c.t, []string{"image", "image/png"}, []string{image.Type, image.MIMEType})
		out.images = append(out.images, image.Data)
	}
	return out
}

// ok is call that must succeed.
func (c *client) ok(tool string, args any) map[string]any {
	c.t.Helper()
	r := c.call(tool, args)
	require.False(c.t, r.isError, "%s: %s", tool, r.text)
	return r.data
}

// fails is call that must fail with this code; it returns the text.
func (c *client) fails(code, tool string, args any) string {
	c.t.Helper()
	r := c.call(tool, args)
	require.True(c.t, r.isError, "%s answered %s", tool, r.text)
	require.Truef(c.t, strings.HasPrefix(r.text, code+": "), "want %s, got: %s", code, r.text)
	return r.text
}

type args = map[string]any

// header sets a request header.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}
