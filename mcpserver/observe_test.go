package mcpserver_test

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

func TestObserve(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var mu sync.Mutex
	var seen []string
	s, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Observe: func(o mcpserver.Observation) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, strings.Join([]string{o.Method, o.Tool, o.Result}, " "))
	}})
	acme := b.db.Tenant(t, "acme")
	token := acme.FullToken(t)
	c := &client{t: t, url: h.URL, token: token}

	c.ok("get_me", nil)
	c.fails("not_found", "get_project", args{"project": "WEB"})
	_, rpcError := c.rpc("tools/call", map[string]any{"name": "drop_tables_" + token})
	require.NotEmpty(t, rpcError)
	c.rpc("tools/list", nil)
	c.rpc("no/such/method", nil)
	c.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	c.post("{")
	(&client{t: t, url: h.URL, token: token + "0"}).post("{}")
	(&client{t: t, url: h.URL}).post("{}")
	require.NoError(t, s.ServeStdio(t.Context(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), io.Discard, token, mcpserver.Narrowing{}))

	// Another server without the hook works as well.
	(&client{t: t, url: b.http.URL, token: token}).ok("get_me", nil)

	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{
		"tools/call get_me ok",
		"tools/call get_project not_found",
		"tools/call unknown protocol_error",
		"tools/list  ok",
		"other  protocol_error",
		"notification  ok",
		"other  malformed",
		"other  unauthenticated",
		"other  unauthenticated",
		"ping  ok",
	}, seen, "closed lists only: nothing that a client sends becomes a label")
}
