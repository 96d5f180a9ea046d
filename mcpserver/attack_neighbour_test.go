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
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
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

// TestAttack027_SameIDOneLeaves: two clients use id 1 at once, of two tenants, of one, or
// even of one token, in whichever eras; one goes away in mid-call, and the other gets its
// own answer.
func TestAttack027_SameIDOneLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	stays := b.client(t, acme.FullToken(t))
	begun, release := make(chan struct{}, 10), make(chan struct{})
	var cut atomic.Int64
	b.mcp.Hook("get_me", func(ctx context.Context, _ *mcpserver.Call) error {
		begun <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			cut.Add(1)
			return ctx.Err()
		}
	})
	for _, leaves := range []*client{b.client(t, b.db.Tenant(t, "beta").FullToken(t)), b.client(t, acme.FullToken(t)), stays} {
		for n := range 4 {
			before := cut.Load()
			done := make(chan string, 1)
			go func() {
				text, err := stays.do(context.Background(), inBothEras[n%2])
				done <- fmt.Sprint(text, err)
			}()
			gone, leave := context.WithCancel(t.Context())
			go func() { _, _ = leaves.do(gone, inBothEras[n/2]) }()
			<-begun
			<-begun
			leave()
			require.Eventually(t, func() bool { return cut.Load() > before }, 30*time.Second, time.Millisecond, "the call of who left ends")
			select {
			case release <- struct{}{}:
			case got := <-done:
				require.Fail(t, "the call of who stays ended too", got)
			}
			require.Contains(t, <-done, `\"tenant\":\"acme\"`)
			require.Equal(t, before+1, cut.Load())
		}
	}
}

// TestAttack030_ProgressIsTheAskersAlone: fifty other tenants listen, on two nodes, in
// every way that there is, while two work on long reports with one and the same progress
// token. Each hears its own progress, to the message, and nobody else any.
func TestAttack030_ProgressIsTheAskersAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, worker := loadDemo(t, b)
	beta := b.db.Tenant(t, "beta")
	beta.Issues(t, beta.Project(t, "WEB", "Website"), "One", "Two", "Three")
	b.exec(t, "update issues set created_at = '2025-01-01' where tenant_id = $1", beta.ID)
	b.exec(t, "update issue_events set at = '2025-01-01' where tenant_id = $1", beta.ID)
	twin := b.client(t, beta.FullToken(t))
	nodes := []*node{b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t)}
	var listening []*listener
	for n := range 50 {
		other := &client{t: t, url: nodes[n%2].url, token: b.db.Tenant(t, fmt.Sprintf("other%d", n)).FullToken(t)}
		listening = append(listening, other.listen([]string{"colaflow://me", "colaflow://projects"}))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, other.url, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+other.token)
		req.Header.Set("Accept", "text/event-stream")
		inSession(anySession[n%3])(req)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		_ = res.Body.Close()
		require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	}
	for _, n := range nodes {
		listening = append(listening, (&client{t: t, url: n.url, token: worker.token}).listen([]string{"colaflow://me"}))
	}
	const reports = 10
	var all sync.WaitGroup
	heard := make([]answer, 4*reports) // one after the other: acme and beta, at one node and at the other
	for n := range heard {
		all.Go(func() {
			asker := []string{worker.token, twin.token}[n%2]
			heard[n], _ = nodes[n/2%2].send(t.Context(), asker, "192.0.2.1", longReport(`"up"`, "", ""))
		})
	}
	all.Wait()
	said := [2]string{}
	for n, a := range heard {
		messages := a.events(t)
		last := requireProgress(t, "up", messages)
		require.NotEmpty(t, last.Result, "%s", last.Error)
		said[n%2] = messages[0].Params.Message
		require.Equal(t, n%2 == 1, said[n%2] == "Read the history of 3 issues.", "%d hears of its own: %s", n, said[n%2])
	}
	for _, l := range listening {
		for _, m := range l.all() { // of its own token and project it may hear
			require.Contains(t, []string{"notifications/subscriptions/acknowledged", "notifications/resources/updated"}, m.Method)
		}
	}
}

// completed asks for the values of a variable of a resource or an argument of a prompt.
func (c *client) completed(ref args, name, value string, known args) []string {
	c.t.Helper()
	result, rpcError := c.rpc("completion/complete", args{"ref": ref, "argument": args{"name": name, "value": value}, "context": args{"arguments": known}})
	require.Empty(c.t, rpcError)
	var got struct {
		Completion struct{ Values []string }
	}
	require.NoError(c.t, json.Unmarshal(result, &got))
	require.LessOrEqual(c.t, len(got.Completion.Values), 100, "never more than a hundred")
	return got.Completion.Values
}

// TestAttack040_Completions asks for what others have, for everything, and often.
func TestAttack040_Completions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	web := acme.Project(t, "WEB", "Website")
	many := func(word string) (list []string) {
		for n := range 150 {
			list = append(list, fmt.Sprintf("%s %d", word, n))
		}
		return list
	}
	acme.Issues(t, web, many("Issue")...)
	lab := beta.Project(t, "BETA", "Theirs")
	beta.Issues(t, lab, "One")
	for tn, p := range map[*storetest.Tenant]tracker.Project{acme: web, beta: lab} {
		tn.Write(t, func(tx *store.Tx) error {
			for n, name := range many(p.Key) {
				if err := tx.Do(t.Context(), store.InsertSprint(tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, Name: "Sprint of " + name, State: tracker.SprintPlanned, CreatedAt: storetest.Now}),
					store.InsertMembers([]tenancy.Member{{ID: tenancy.NewID(), Handle: fmt.Sprintf("h%s%d", strings.ToLower(p.Key), n), Name: "Member of " + name,
						Role: tenancy.RoleMember, State: tenancy.MemberActive, CreatedAt: storetest.Now}})); err != nil {
					return err
				}
			}
			return nil
		})
	}
	c := b.client(t, acme.FullToken(t))
	resource, prompt := func(uri string) args { return args{"type": "ref/resource", "uri": uri} }, func(name string) args { return args{"type": "ref/prompt", "name": name} }
	const issue, project, list, reports = "colaflow://issues/{key}", "colaflow://projects/{project}", "colaflow://projects/{project}/issues{?status,assignee,sprint,cursor}", "colaflow://projects/{project}/reports/{type}{?sprint}"
	known := args{"project": "WEB"}
	for _, test := range []struct {
		ref     args
		name    string
		own     string // of which there are more than a hundred, or some
		all     int
		foreign string
	}{
		{resource(project), "project", "WEB", 1, "BETA"}, {resource(issue), "key", "WEB-", 100, "BETA-1"},
		{resource(list), "assignee", "Member of WEB", 100, "Member of BETA"}, {resource(list), "sprint", "Sprint of WEB", 100, "Sprint of BETA"},
		{resource(reports), "sprint", "Sprint of WEB", 100, "Sprint of BETA"}, {resource(reports), "type", "velocity", len(report.TypeNames()), "Velocity of BETA"},
		{resource(list), "status", "Backlog", 6, "Backlog of BETA"},
		{prompt("sprint_review"), "project", "WEB", 1, "BETA"}, {prompt("sprint_review"), "sprint", "Sprint of WEB", 100, "Sprint of BETA"}, {prompt("triage_issue"), "key", "WEB-", 100, "BETA-1"},
	} {
		all := c.completed(test.ref, test.name, "", known)
		require.Len(t, all, test.all, "%v %s", test.ref, test.name)
		for _, prefix := range []string{"", test.own, strings.ToLower(test.own), test.own[:1]} {
			values := c.completed(test.ref, test.name, prefix, known)
			require.NotEmpty(t, values, "%s %q", test.name, prefix)
			require.NotContains(t, strings.Join(values, "\n"), "BETA", "only what is one's own")
		}
		for _, nothing := range []string{test.foreign, test.foreign[:len(test.foreign)-1], "%", "*", "_", "W%", "W_B", "' or 1=1 --", "\\", ".", "^", strings.Repeat("W", 10_000)} {
			require.Empty(t, c.completed(test.ref, test.name, nothing, known), "%s %q", test.name, nothing)
		}
		// A project of others and one that there is not look the same.
		require.Equal(t, c.completed(test.ref, test.name, "", args{"project": "NOPE"}), c.completed(test.ref, test.name, "", args{"project": "BETA"}), test.name)
	}

	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, RefusalPause: time.Millisecond,
		Limits: func(string) tenancy.Limits { return tenancy.Limits{TokenReads: 60} }})
	for _, ref := range []args{resource(project), prompt("standup"), resource("colaflow://no_such/{project}"), prompt("no_such")} {
		c := &client{t: t, url: h.URL, token: acme.FullToken(t)}
		limited := 0
		for range 70 { // more than a minute's, and the clock of this server stands still
			_, rpcError := c.rpc("completion/complete", args{"ref": ref, "argument": args{"name": "project", "value": "W"}})
			if rpcError != "" {
				require.Contains(t, rpcError, "rate_limited: ")
				limited++
			}
		}
		require.GreaterOrEqual(t, limited, 10, "%v: completions are calls like any other", ref)
		require.Less(t, limited, 70)
	}
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
