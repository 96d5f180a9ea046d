package mcpserver_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tokens"
)

// TestAttack008_SuspendedInMidCall suspends on one node: calls that run on another
// are cut off, later ones get 403, and other tenants notice nothing.
func TestAttack008_SuspendedInMidCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	node2 := b.db.Reopen(t, storetest.Options{MaxConns: 4, Heartbeat: 50 * time.Millisecond})
	auth2 := tokens.NewAuthenticator(node2)
	t.Cleanup(auth2.Close)
	s2, h := b.serve(t, mcpserver.Config{Store: node2, Tokens: auth2})
	s2.Follow()
	require.Eventually(t, auth2.Healthy, 20*time.Second, 5*time.Millisecond)
	c, other := b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))
	c.url, other.url = h.URL, h.URL
	c.ok("get_me", nil)
	other.ok("get_me", nil)

	running := make(chan struct{})
	s2.Hook("list_projects", func(ctx context.Context, _ *mcpserver.Call) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	slow := make(chan answer, 1)
	go func() { slow <- c.post(callBody("list_projects", `{}`)) }()
	<-running
	_, err := b.db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	for name, a := range map[string]answer{"next": c.post(callBody("get_me", `{}`)), "running": <-slow} {
		require.Equal(t, http.StatusForbidden, a.status, name)
		require.Contains(t, a.body, "tenant_suspended", name)
	}
	other.ok("get_me", nil)

	_, err = b.db.ResumeTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	c.ok("get_me", nil)
	_, err = b.db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // the word of the deletion may cut off the first
		return c.post(callBody("get_me", `{}`)).status == http.StatusUnauthorized
	}, 10*time.Second, time.Millisecond, "a deleted tenant is not known")
}
