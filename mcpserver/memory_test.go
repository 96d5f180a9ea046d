package mcpserver_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// budgets gives every tenant an account of its own.
type budgets map[tenancy.TenantID]*tenancy.Budget

func (b budgets) of(_ context.Context, id tenancy.TenantID) (*tenancy.Budget, func(), error) {
	if b[id] == nil {
		return nil, nil, tenancy.Errorf(tenancy.NotFound, "The tenant does not exist.")
	}
	return b[id], func() {}, nil
}

// TestMemory_OverBudget: a request that its tenant has no room for is told to come back,
// and another tenant does not notice. What was charged is given back.
func TestMemory_OverBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	accounts := budgets{acme.ID: tenancy.NewBudget(200 << 10), beta.ID: tenancy.NewBudget(100 << 20)}
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Budget: accounts.of, RefusalPause: 1})
	small, large := b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))
	small.url, large.url = h.URL, h.URL
	for _, c := range []*client{small, large} {
		c.ok("create_project", args{"name": "Website", "key": "WEB"})
	}
	long := callBody("create_issue", `{"project":"WEB","title":"x","description":"`+strings.Repeat("word ", 60_000)+`"}`) // 300 KB
	a := small.post(long)
	require.Equal(t, http.StatusTooManyRequests, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Contains(t, a.body, "memory")
	require.NotEqual(t, http.StatusTooManyRequests, large.post(long).status, "the other tenant has room")
	require.EqualValues(t, 0, small.ok("search_issues", nil)["total"], "what fits goes on, and nothing was written")
	require.Zero(t, accounts[acme.ID].Used(), "everything was given back")
	require.Zero(t, accounts[beta.ID].Used())
	require.Positive(t, accounts[acme.ID].Refused())
}

// TestMemory_Stdio: what comes over pipes is charged too, and what is subscribed to for as
// long as the client stays.
func TestMemory_Stdio(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	acme.Project(t, "WEB", "Website")
	accounts := budgets{acme.ID: tenancy.NewBudget(400 << 10), beta.ID: tenancy.NewBudget(100 << 10)}
	server, _ := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Budget: accounts.of, RefusalPause: 1})
	ask := func(token string, messages ...string) string {
		var out bytes.Buffer
		require.NoError(t, server.ServeStdio(t.Context(), strings.NewReader(strings.Join(messages, "\n")+"\n"), &out, token, mcpserver.Narrowing{}))
		return out.String()
	}
	long := callBody("search_issues", `{"query":"`+strings.Repeat("x ", 30_000)+`"}`) // 60 KB
	require.Contains(t, ask(beta.FullToken(t), long), "memory on this server is used up")
	require.NotContains(t, ask(acme.FullToken(t), long), "memory on this server", "another tenant has room")
	require.Contains(t, ask(beta.FullToken(t), ping), `"result"`, "what fits goes on")
	require.Positive(t, accounts[beta.ID].Refused())

	full := acme.FullToken(t)
	subscribe := `{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"colaflow://projects/WEB"}}`
	require.Contains(t, ask(full, subscribe), `"id":2,"result":{}`)
	free, err := accounts[acme.ID].Reserve(accounts[acme.ID].Limit() - 100<<10)
	require.NoError(t, err)
	require.Contains(t, ask(full, subscribe), "memory on this server is used up", "there is room for the call, but not for the stream")
	free()
	require.Zero(t, accounts[acme.ID].Used()+accounts[beta.ID].Used(), "everything was given back")
	orphan := beta.FullToken(t)
	delete(accounts, beta.ID) // the tenant was deleted just now
	require.Contains(t, ask(orphan, ping), `"code":-32001`, "no tenant, no token")
}

// TestMemory_Files: a file is read and kept only where its tenant has room for all that it
// takes on the way, over HTTP and pipes alike.
func TestMemory_Files(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	accounts := budgets{acme.ID: tenancy.NewBudget(1 << 20)}
	server, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Budget: accounts.of, RefusalPause: 1})
	token := acme.FullToken(t)
	roomy, narrow := b.client(t, token).all(), b.client(t, token).all()
	narrow.url = h.URL
	file := func(size int) args {
		return args{"key": "WEB-1", "name": "log.gz", "data": base64.StdEncoding.EncodeToString(append([]byte("\x1f\x8b\x08"), make([]byte, size-3)...))}
	}
	large, small := roomy.ok("add_attachment", file(400<<10))["id"], roomy.ok("add_attachment", file(100<<10))["id"]

	require.Contains(t, narrow.fails("rate_limited", "get_attachment", args{"id": large}), "memory on this server is used up")
	_, beside := narrow.file(small)
	require.Len(t, beside, 1, "what fits goes on")
	require.Contains(t, narrow.fails("rate_limited", "add_attachment", file(300<<10)), "memory on this server is used up")
	narrow.ok("add_attachment", file(200<<10))
	require.EqualValues(t, 3, roomy.ok("list_activity", args{"kinds": "attachment"})["total"], "what was refused was not attached")

	for id, want := range map[any]string{large: "memory on this server is used up", small: `"blob"`} {
		var out bytes.Buffer
		message := callBody("get_attachment", `{"id":"`+id.(string)+`"}`) + "\n"
		require.NoError(t, server.ServeStdio(t.Context(), strings.NewReader(message), &out, token, mcpserver.Narrowing{Toolsets: []string{"all"}}))
		require.Contains(t, out.String(), want)
	}
	require.Zero(t, accounts[acme.ID].Used(), "everything was given back")
}

// TestMemory_NoAccount: without its tenant a token opens nothing.
func TestMemory_NoAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Budget: budgets{}.of})
	c := b.client(t, acme.FullToken(t))
	c.url = h.URL
	require.Equal(t, http.StatusUnauthorized, c.post(ping).status)
}
