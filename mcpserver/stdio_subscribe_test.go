package mcpserver_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func subscribeLine(method, uri string) string {
	return `{"jsonrpc":"2.0","id":"s","method":"resources/` + method + `","params":{"uri":"` + uri + `"}}`
}

const initializeLine = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

func TestStdio_Subscribe(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	acme.Issues(t, acme.Project(t, "HR", "People"), "One")
	token, plain := acme.Token(t, "ci", `{"projects":["read"],"issues":["read","search"],"only_projects":["WEB"]}`)
	s := b.stdio(t.Context(), t, plain)
	require.Contains(t, s.send(initializeLine), `"resources":{"subscribe":true}`)
	const done = `{"jsonrpc":"2.0","id":"s","result":{}}`
	for _, uri := range []string{"colaflow://issues/WEB-1", "colaflow://issues/WEB-2", "colaflow://issues/WEB-1"} {
		require.JSONEq(t, done, s.send(subscribeLine("subscribe", uri)))
	}
	for _, uri := range []string{"colaflow://issues/HR-1", "colaflow://issues/NOPE-1", "colaflow://nothing", "colaflow://projects/WEB/sprints/current", ""} {
		require.JSONEq(t, `{"jsonrpc":"2.0","id":"s","error":{"code":-32002,"message":"Resource not found, or not visible to this token."`+
			map[bool]string{true: `,"data":{"uri":"` + uri + `"}`}[uri != ""]+`}}`, s.send(subscribeLine("subscribe", uri)))
	}
	full := b.client(t, acme.FullToken(t))
	full.ok("update_issue", args{"key": "HR-1", "title": "Secret"})
	full.ok("update_issue", args{"key": "WEB-1", "title": "Uno"})
	require.JSONEq(t, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"colaflow://issues/WEB-1"}}`, s.next())

	require.JSONEq(t, done, s.send(subscribeLine("unsubscribe", "colaflow://issues/WEB-1")))
	full.ok("update_issue", args{"key": "WEB-1", "title": "One"})
	full.ok("update_issue", args{"key": "WEB-2", "title": "Due"})
	require.Contains(t, s.next(), "colaflow://issues/WEB-2", "and nothing of what is not watched any more")

	var audited int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select count(*) from audit_log where method like 'resources/%subscribe'`).Scan(&audited))
	require.Equal(t, 9, audited)

	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	require.Eventually(t, func() bool { return b.mcp.Streams() == 0 }, 20*time.Second, time.Millisecond)
	require.Contains(t, s.send(subscribeLine("subscribe", "colaflow://issues/WEB-1")), "-32001")
	require.NoError(t, s.in.Close())
	require.NoError(t, s.end())
}

// TestStdio_EndsWithSubscriptions: open subscriptions do not keep the process alive.
func TestStdio_EndsWithSubscriptions(t *testing.T) {
	t.Parallel()
	b := followed(t)
	plain := b.db.Tenant(t, "acme").FullToken(t)
	for _, end := range []func(*stdio, context.CancelFunc){
		func(s *stdio, _ context.CancelFunc) { require.NoError(t, s.in.Close()) },
		func(_ *stdio, cancel context.CancelFunc) { cancel() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s := b.stdio(ctx, t, plain)
		require.Contains(t, s.send(subscribeLine("subscribe", "colaflow://me")), `"result":{}`)
		end(s, cancel)
		require.NoError(t, s.end())
		require.Eventually(t, func() bool { return b.mcp.Streams() == 0 }, 20*time.Second, time.Millisecond)
		cancel()
	}
}

// TestStdio_SubscribeOverHTTP: what HTTP does not offer is not served there.
func TestStdio_SubscribeOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	require.Contains(t, c.post(subscribeLine("subscribe", "colaflow://me")).body, "-32601")
}
