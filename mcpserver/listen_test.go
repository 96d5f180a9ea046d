package mcpserver_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// followed is setup with the feed of changes running.
func followed(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.mcp.Follow()
	require.Eventually(t, b.auth.Healthy, 20*time.Second, 5*time.Millisecond)
	return b
}

func TestListen_WhatChanges(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	web, api := acme.Project(t, "WEB", "Website"), acme.Project(t, "API", "Interface")
	acme.Issues(t, web, "One", "Two")
	acme.Issues(t, api, "Three")
	c := b.client(t, acme.FullToken(t))
	const issue, history, other, project, workflow, open, projects = "colaflow://issues/WEB-1", "colaflow://issues/web-1/history", "colaflow://issues/WEB-2",
		"colaflow://projects/WEB", "colaflow://projects/WEB/workflow", "colaflow://projects/WEB/issues?status=Backlog", "colaflow://projects"
	all := []string{issue, history, other, project, workflow, open, projects, "colaflow://me", "colaflow://projects/WEB/sprints/current", "colaflow://projects/API"}
	const sprint = "colaflow://projects/WEB/sprints/current"
	for name, step := range map[string]struct {
		do    func()
		hears []string
	}{
		"a field":     {func() { c.ok("update_issue", args{"key": "WEB-1", "priority": "high"}) }, []string{issue, history, project, open, projects, sprint}},
		"a comment":   {func() { c.ok("add_comment", args{"key": "WEB-1", "body": "Words"}) }, []string{issue, history, project, open, projects, sprint}},
		"a new issue": {func() { c.ok("create_issue", args{"project": "WEB", "title": "New"}) }, []string{project, open, projects, sprint}},
		"the project": {func() { c.ok("update_project", args{"project": "WEB", "name": "Web"}) }, []string{project, workflow, open, projects, sprint}},
		"a sprint": {func() { c.ok("save_sprint", args{"project": "WEB", "name": "Sprint " + time.Now().String()}) },
			[]string{project, workflow, open, projects, sprint}},
		"another project": {func() { c.ok("update_issue", args{"key": "API-1", "priority": "low"}) }, []string{"colaflow://projects/API", projects}},
		"the token": {func() {
			id := b.tokenNamed(t, acme, "full")
			_, err := b.db.UpdateToken(t.Context(), acme.Scope(), "test", id, func(s *store.TokenSettings, _ time.Time) error { s.Name = "full"; return nil })
			require.NoError(t, err)
			acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.Notify(tokens.SubjectToken, id, false)) })
		}, []string{"colaflow://me", projects}},
	} {
		l := c.listen(all)
		require.Equal(t, all, l.acknowledged(), name)
		step.do()
		l.hears(step.hears...)
		l.close()
	}
	require.Eventually(t, func() bool { return b.mcp.Streams() == 0 }, 20*time.Second, time.Millisecond, "streams are forgotten")
}

// tokenNamed finds a token's id.
func (b *bundle) tokenNamed(t *testing.T, tn *storetest.Tenant, name string) (id [16]byte) {
	t.Helper()
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), "select id from tokens where tenant_id = $1 and name = $2", tn.ID, name).Scan(&id))
	return id
}

// TestListen_OneNodeWritesAnotherTells also breaks the connection that brings the word.
func TestListen_OneNodeWritesAnotherTells(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two", "Three")
	token := acme.FullToken(t)
	here, there := b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t)
	writer := &client{t: t, url: here.url, token: token}
	l := (&client{t: t, url: there.url, token: token}).listen([]string{"colaflow://issues/WEB-1", "colaflow://issues/WEB-2", "colaflow://issues/WEB-3"})
	require.Len(t, l.acknowledged(), 3)
	writer.ok("update_issue", args{"key": "WEB-1", "title": "Uno"})
	l.hears("colaflow://issues/WEB-1")

	b.exec(t, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen colaflow_%'`)
	writer.ok("update_issue", args{"key": "WEB-2", "title": "Due"})
	l.hears("colaflow://issues/WEB-1", "colaflow://issues/WEB-2")
	writer.ok("update_issue", args{"key": "WEB-3", "title": "Tre"})
	l.hears("colaflow://issues/WEB-1", "colaflow://issues/WEB-2", "colaflow://issues/WEB-3")
}

// TestListen_WithoutWord: a word that never comes is made good at the next heartbeat.
func TestListen_WithoutWord(t *testing.T) {
	t.Parallel()
	b := setup(t) // follows nothing
	b.mcp.SetStreamTimes(20*time.Millisecond, time.Minute)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	token, plain := acme.Token(t, "ci", `{"issues":["*"]}`)
	c := b.client(t, plain)
	l := c.listen([]string{"colaflow://issues/WEB-1"})
	c.ok("update_issue", args{"key": "WEB-1", "title": "Uno"})
	l.hears("colaflow://issues/WEB-1")
	require.Eventually(t, func() bool { return l.heartbeats() > 3 }, 20*time.Second, time.Millisecond)

	elsewhere, moved := acme.Token(t, "moved", `{"issues":["*"]}`)
	from := b.client(t, moved).listen([]string{"colaflow://issues/WEB-1"})
	_, err := b.db.UpdateToken(t.Context(), acme.Scope(), "test", elsewhere.ID, func(s *store.TokenSettings, _ time.Time) (err error) {
		s.Networks, err = tenancy.ParseNetworks([]string{"192.0.2.0/24"})
		return err
	})
	require.NoError(t, err)
	last := from.last()
	require.NotNil(t, last.Error, "a token whose networks hold the client no more ends its stream")
	require.Equal(t, "This token may not be used from this address.", last.Error.Message)

	b.exec(t, "update tokens set expires_at = now() where id = $1", token.ID)
	last = l.last()
	require.NotNil(t, last.Error, "an expired token ends its stream")
	require.Equal(t, -32001, last.Error.Code)
}

func TestListen_Narrowed(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	acme.Issues(t, acme.Project(t, "API", "Interface"), "One")
	token, plain := acme.Token(t, "ci", `{"issues":["*"],"projects":["*"]}`)
	c := b.client(t, plain)
	uris := []string{"colaflow://issues/WEB-1", "colaflow://issues/API-1", "colaflow://projects"}

	held := *c
	held.url += "/mcp/p/API"
	require.Equal(t, uris[1:], held.listen(uris).acknowledged(), "by its path")

	l := c.listen(uris)
	require.Equal(t, uris, l.acknowledged())
	_, err := b.db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, _ time.Time) error {
		s.Grants.Limited, s.Grants.Projects = true, []string{"API"}
		return nil
	})
	require.NoError(t, err)
	l.hears("colaflow://projects")
	full := b.client(t, acme.FullToken(t))
	full.ok("update_issue", args{"key": "WEB-1", "title": "Secret"})
	full.ok("update_issue", args{"key": "API-1", "title": "Seen"})
	l.hears("colaflow://projects", "colaflow://issues/API-1")
}

func TestListen_Refused(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	c := b.client(t, acme.FullToken(t))
	many := make([]string, 101)
	l := c.listen(many)
	require.Equal(t, http.StatusBadRequest, l.status)
	require.Contains(t, l.body, "-32602")

	a := c.post(`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["colaflow://me"]}}}`)
	require.Contains(t, a.body, "-32601", "of the other era")

	for _, uris := range [][]string{nil, {"colaflow://issues/NOPE-1", "colaflow://nothing", "https://example.com", "colaflow://projects/NOPE"}} {
		l := c.listen(uris)
		require.Empty(t, l.acknowledged())
		last := l.last()
		require.NotNil(t, last.Result, "nothing would ever come")
		require.Equal(t, "complete", last.Result.ResultType)
	}

	b.mcp.EndStreams()
	require.Equal(t, http.StatusServiceUnavailable, c.listen([]string{"colaflow://me"}).status)
	require.Equal(t, http.StatusOK, c.post(ping).status, "calls are still answered")
}

// TestListen_Advertised: each transport says what it serves.
func TestListen_Advertised(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	c := b.client(t, acme.FullToken(t))
	subscribe := func(body string) any {
		var m struct {
			Result struct {
				Capabilities struct{ Resources map[string]any }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(body), &m), body)
		require.NotNil(t, m.Result.Capabilities.Resources, body)
		return m.Result.Capabilities.Resources["subscribe"]
	}
	require.Equal(t, true, subscribe(c.modern("1", "server/discover", "", "").body))
	require.Nil(t, subscribe(c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`).body))
}

// TestListen_Charged: a stream is in its tenant's account while it is open.
func TestListen_Charged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	account := tenancy.NewBudget(300 << 10)
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, RefusalPause: 1, Budget: budgets{acme.ID: account}.of})
	c := &client{t: t, url: h.URL, token: acme.FullToken(t)}
	l := c.listen([]string{"colaflow://me"})
	require.GreaterOrEqual(t, account.Used(), int64(40<<10))
	require.Less(t, account.Used(), int64(64<<10), "what reading the request took was given back")
	refused := l
	for refused.status == http.StatusOK {
		refused = c.listen([]string{"colaflow://me"})
	}
	require.Equal(t, http.StatusTooManyRequests, refused.status)
	require.Contains(t, refused.body, "memory")
	l.close()
	require.Eventually(t, func() bool { return c.listen([]string{"colaflow://me"}).status == http.StatusOK }, 20*time.Second, time.Millisecond)
}
