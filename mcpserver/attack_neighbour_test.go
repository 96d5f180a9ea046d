package mcpserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// TestAttack003_SecretUnderAnotherSlug: the right hex of one tenant under the slug of
// another is as unknown as a random token, byte by byte.
func TestAttack003_SecretUnderAnotherSlug(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Tenant(t, "acme")
	_, plain := b.db.Tenant(t, "beta").Token(t, "beta", `{"issues":["read"]}`)
	unknown, _ := tokens.Mint("acme")
	moved, random := b.client(t, strings.Replace(plain, "mcp_beta_", "mcp_acme_", 1)).post(ping), b.client(t, unknown).post(ping)
	for _, a := range []*answer{&moved, &random} {
		a.header.Del("X-Request-Id")
		a.header.Del("Date")
	}
	require.Equal(t, http.StatusUnauthorized, moved.status)
	require.Equal(t, random, moved)
	require.Equal(t, http.StatusOK, b.client(t, plain).post(ping).status)
}

func TestAttack007_SchemeInLowerCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	plain := b.db.Tenant(t, "acme").FullToken(t)
	for _, scheme := range []string{"bearer", "BEARER", "bEaReR"} {
		a := b.client(t, "").post(ping, header("Authorization", scheme+" "+plain))
		require.Equal(t, http.StatusOK, a.status, scheme)
	}
}

// TestAttack027_SameIDOneLeaves: two tenants use id 1 at once, in both eras; one goes
// away in mid-call, and the other gets its own answer.
func TestAttack027_SameIDOneLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stays, leaves := b.client(t, b.db.Tenant(t, "acme").FullToken(t)), b.client(t, b.db.Tenant(t, "beta").FullToken(t))
	begun, release := make(chan string, 10), make(chan struct{})
	var cut atomic.Int64
	b.mcp.Hook("get_me", func(ctx context.Context, c *mcpserver.Call) error {
		begun <- c.TenantSlug
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			cut.Add(1)
			return ctx.Err()
		}
	})
	for _, body := range []string{callBody("get_me", `{}`),
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{},` + modernMeta + `}}`} {
		before := cut.Load()
		done := make(chan string, 1)
		go func() {
			text, err := stays.do(context.Background(), body)
			done <- fmt.Sprint(text, err)
		}()
		gone, leave := context.WithCancel(t.Context())
		go func() { _, _ = leaves.do(gone, body) }()
		require.ElementsMatch(t, []string{"acme", "beta"}, []string{<-begun, <-begun})
		leave()
		require.Eventually(t, func() bool { return cut.Load() == before+1 }, 30*time.Second, time.Millisecond, "the call of who left ends")
		release <- struct{}{}
		require.Contains(t, <-done, `\"tenant\":\"acme\"`)
	}
}

// TestAttack030_NothingIsPushed: fifty other tenants try to listen in every way that
// there is, while one works with a progress token. Each of them gets a refusal and
// nothing else, and the one gets exactly its answers.
func TestAttack030_NothingIsPushed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	worker := b.client(t, acme.FullToken(t))
	others := make([]*client, 50)
	for n := range others {
		others[n] = b.client(t, b.db.Tenant(t, fmt.Sprintf("other%d", n)).FullToken(t))
	}
	var heard sync.Map
	var all sync.WaitGroup
	for n, other := range others {
		all.Go(func() {
			listen, err := http.NewRequestWithContext(t.Context(), http.MethodGet, other.url, nil)
			if err == nil {
				listen.Header.Set("Authorization", "Bearer "+other.token)
				listen.Header.Set("Accept", "text/event-stream")
				listen.Header.Set("Mcp-Session-Id", "mcp-session-00000000-0000-0000-0000-000000000000")
				var res *http.Response
				if res, err = http.DefaultClient.Do(listen); err == nil {
					_ = res.Body.Close()
					if res.StatusCode != http.StatusMethodNotAllowed {
						err = fmt.Errorf("a GET answered %d", res.StatusCode)
					}
				}
			}
			text, callErr := other.do(t.Context(), callBody("get_me", `{}`))
			if err != nil || callErr != nil || strings.Contains(text, "acme") || strings.Contains(text, "notifications/") {
				heard.Store(n, fmt.Sprint(err, callErr, text))
			}
		})
	}
	for n := range 20 {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"create_issue","arguments":{"project":"WEB","title":"x"},"_meta":{"progressToken":"%d"}}}`, n, n)
		a := worker.post(body)
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "application/json", a.header.Get("Content-Type"), "one answer, no stream")
		require.Equal(t, 1, strings.Count(a.body, `"jsonrpc"`))
	}
	all.Wait()
	heard.Range(func(n, what any) bool {
		require.Fail(t, "another tenant heard something", "%v: %v", n, what)
		return false
	})
}

// TestAttack040_Completions asks for what others have, for everything, and often.
func TestAttack040_Completions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	web := acme.Project(t, "WEB", "Website")
	titles := make([]string, 150)
	for n := range titles {
		titles[n] = fmt.Sprintf("Issue %d", n)
	}
	acme.Issues(t, web, titles...)
	beta.Issues(t, beta.Project(t, "BETA", "Theirs"), "One")
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth,
		Limits: func(string) tenancy.Limits { return tenancy.Limits{TokenReads: 60} }})
	c := b.client(t, acme.FullToken(t))
	complete := func(uri, name, value string, context args) []any {
		t.Helper()
		params := args{"ref": args{"type": "ref/resource", "uri": uri}, "argument": args{"name": name, "value": value}}
		if context != nil {
			params["context"] = args{"arguments": context}
		}
		result, rpcError := c.rpc("completion/complete", params)
		require.Empty(t, rpcError)
		var got struct {
			Completion struct{ Values []any }
		}
		require.NoError(t, json.Unmarshal(result, &got))
		return got.Completion.Values
	}
	const issue, project, sprint = "colaflow://issues/{key}", "colaflow://projects/{project}", "colaflow://projects/{project}/issues{?status,assignee,sprint,cursor}"
	require.Empty(t, complete(project, "project", "BETA", nil))
	require.Empty(t, complete(issue, "key", "BETA-", nil))
	for _, wild := range []string{"%", "*", "_", "W%", "' or 1=1 --", "\\"} {
		require.Empty(t, complete(issue, "key", wild, nil), wild)
		require.Empty(t, complete(project, "project", wild, nil), wild)
	}
	require.Equal(t, []any{"WEB"}, complete(project, "project", "", nil))
	require.Len(t, complete(issue, "key", "", nil), 100, "never more than a hundred")
	require.Equal(t, complete(sprint, "status", "", args{"project": "NOPE"}), complete(sprint, "status", "", args{"project": "BETA"}), "foreign and unknown look the same")

	c.url = h.URL
	limited := 0
	for range 40 {
		result, rpcError := c.rpc("completion/complete", args{"ref": args{"type": "ref/resource", "uri": project}, "argument": args{"name": "project", "value": "W"}})
		if strings.Contains(string(result)+rpcError, "rate_limited") || strings.Contains(rpcError, "minute") {
			limited++
		}
	}
	require.Positive(t, limited, "completions are calls like any other")
}

// TestAttack056_NumbersTellNothingOfOthers: what one tenant does moves no number
// that another can see.
func TestAttack056_NumbersTellNothingOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	mine, theirs := b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))
	for _, c := range []*client{mine, theirs} {
		c.ok("create_project", args{"name": "Website", "key": "WEB"})
	}
	require.Equal(t, "WEB-1", mine.ok("create_issue", args{"project": "WEB", "title": "x"})["key"])
	for range 10 {
		theirs.ok("create_issue", args{"project": "WEB", "title": "x"})
		theirs.fails("missing", "create_issue", args{"project": "WEB"}) // nor do failures
	}
	mine.ok("create_issue", args{"project": "WEB", "title": "y", "dry_run": true})
	require.Equal(t, "WEB-2", mine.ok("create_issue", args{"project": "WEB", "title": "x"})["key"])
	comment := mine.ok("add_comment", args{"key": "WEB-1", "body": "x"})
	id, ok := comment["id"].(string)
	require.True(t, ok)
	require.Equal(t, byte('7'), id[14], "ids are times and chance (UUID version 7), no counters")
}

// TestAttack091_OneTenantFloods: a tenant at a hundred times its limit is told when to
// come back, and no call of another is refused.
func TestAttack091_OneTenantFloods(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth,
		Limits: func(string) tenancy.Limits { return tenancy.Limits{TenantReads: 40, Concurrent: 4} }, RefusalPause: time.Millisecond})
	noisy, quiet := b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))
	noisy.url, quiet.url = h.URL, h.URL
	var refused, served atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 125 { // 2,000 calls where 20 at once are allowed
				text, err := noisy.do(t.Context(), callBody("list_projects", `{}`))
				switch {
				case err != nil && strings.Contains(err.Error(), "HTTP 429"), strings.Contains(text, "rate_limited") && strings.Contains(text, "Retry after"):
					refused.Add(1)
				case err == nil && strings.Contains(text, `"total"`):
					served.Add(1)
				}
			}
		})
	}
	for range 15 {
		quiet.ok("list_projects", nil)
	}
	all.Wait()
	require.EqualValues(t, 2000, refused.Load()+served.Load(), "nothing else came back")
	require.LessOrEqual(t, served.Load(), int64(20), "the clock of this server stands still")
	require.Positive(t, served.Load())
}

// TestAttack098_WhatNobodySees: zero-width, bidirectional and tag characters do not
// reach an agent by any way; the rest of the text does.
func TestAttack098_WhatNobodySees(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	hidden := "\u200b\u202e\u2066\U000E0049\U000E0067\ufe00\u00ad\x07"
	visible := "![x](https://evil.example/?q=1) <img src=x onerror=alert(1)>"
	text := "a" + hidden + visible
	c.ok("create_issue", args{"project": "WEB", "title": text, "description": text, "labels": []string{"l" + hidden}})
	c.ok("add_comment", args{"key": "WEB-1", "body": text})
	c.ok("update_project", args{"project": "WEB", "description": text})
	c.ok("save_sprint", args{"project": "WEB", "name": "s" + hidden, "goal": text})
	resource, _ := c.rpc("resources/read", args{"uri": "colaflow://issues/WEB-1"})
	for name, answer := range map[string]string{
		"get_issue":     c.call("get_issue", args{"keys": "WEB-1", "include": []string{"comments", "history"}}).text,
		"search_issues": c.call("search_issues", args{"query": "evil", "fields": []string{"title", "labels"}}).text,
		"get_project":   c.call("get_project", args{"project": "WEB", "include": []string{"labels", "sprints"}}).text,
		"list_activity": c.call("list_activity", args{"project": "WEB"}).text,
		"list_sprints":  c.call("list_sprints", args{"project": "WEB"}).text,
		"resource":      string(resource),
	} {
		for _, r := range hidden {
			require.NotContains(t, answer, string(r), "%s shows %U", name, r)
			require.NotContains(t, strings.ToLower(answer), fmt.Sprintf(`\u%04x`, r), "%s shows %U", name, r)
		}
	}
	require.Contains(t, c.call("get_issue", args{"keys": "WEB-1"}).data["issues"].([]any)[0].(map[string]any)["title"], visible)
}

// TestAttack099_ReaderIsToldToWrite: an agent that may only read does what injected
// text asks; every write of the catalogue is denied, and nothing changes.
func TestAttack099_ReaderIsToldToWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, token := w.acme.Token(t, "reader", `{"projects":["read","search"],"issues":["read","search"],"comments":["read"],"sprints":["read"]}`)
	reader := w.client(t, token).all()
	own := w.own[w.insider]
	before := w.db.Dump(t, "audit_log", "audit_checkpoints", "token_usage")
	for _, tool := range w.tools {
		if tool.Annotations["readOnlyHint"] == true {
			continue
		}
		a := filler{t, tool.Name, own}.arguments(tool, leaf{}, nil)
		delete(a, "dry_run")
		require.Contains(t, reader.fails("forbidden", tool.Name, a), "Do not retry", tool.Name)
	}
	require.Equal(t, before, w.db.Dump(t, "audit_log", "audit_checkpoints", "token_usage"))
}
