package mcpserver_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
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
	"github.com/colaflow/colaflow/tracker"
)

// roundTrip is the answer to a call by a client that can ask its person.
type roundTrip struct {
	ResultType    string
	RequestState  string
	InputRequests map[string]struct {
		Method string
		Params struct {
			Message         string
			RequestedSchema json.RawMessage
		}
	}
	Content []struct{ Text string }
	IsError bool
}

func (r roundTrip) text() string {
	if len(r.Content) == 0 {
		return ""
	}
	return r.Content[0].Text
}

const agreed = `{"confirm":{"action":"accept","content":{"confirm":true}}}`

// elicit calls a tool as a client that can ask its person; state and responses may be empty.
func (c *client) elicit(ctx context.Context, tool string, arguments args, state, responses string) (r roundTrip, err error) {
	params := args{"name": tool, "arguments": arguments, "_meta": args{"io.modelcontextprotocol/protocolVersion": "2026-07-28",
		"io.modelcontextprotocol/clientInfo":         args{"name": "t", "version": "1"},
		"io.modelcontextprotocol/clientCapabilities": args{"elicitation": args{"form": args{}}}}}
	if state != "" {
		params["requestState"] = state
	}
	if responses != "" {
		params["inputResponses"] = json.RawMessage(responses)
	}
	body, err := json.Marshal(args{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
	if err != nil {
		return r, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(string(body)))
	if err != nil {
		return r, err
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Authorization": "Bearer " + c.token,
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool, "X-MCP-Toolsets": "all"} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer func() { _ = res.Body.Close() }()
	var m struct {
		Result *roundTrip
		Error  json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		return r, err
	}
	if m.Result == nil {
		return r, fmt.Errorf("HTTP %d: %s", res.StatusCode, m.Error)
	}
	return *m.Result, nil
}

// asked is elicit that must be answered by the question.
func (c *client) asked(tool string, arguments args) (state string) {
	c.t.Helper()
	r, err := c.elicit(c.t.Context(), tool, arguments, "", "")
	require.NoError(c.t, err)
	require.Equal(c.t, "input_required", r.ResultType, r.text())
	require.False(c.t, r.IsError)
	require.Equal(c.t, "elicitation/create", r.InputRequests["confirm"].Method)
	require.NotEmpty(c.t, r.RequestState)
	return r.RequestState
}

var tokenInText = regexp.MustCompile(`confirm_token "([^"]+)"`)

// agree calls a tool without elicitation, and again once it was asked.
func (c *client) agree(tool string, arguments args) map[string]any {
	c.t.Helper()
	found := tokenInText.FindStringSubmatch(c.fails("confirmation_required", tool, arguments))
	require.Len(c.t, found, 2)
	arguments = maps.Clone(arguments)
	arguments["confirm_token"] = found[1]
	return c.ok(tool, arguments)
}

// fortyIssues is a batch that is asked about.
func fortyIssues(priority string) args {
	keys := make([]string, 40)
	for n := range keys {
		keys[n] = fmt.Sprintf("WEB-%d", n+1)
	}
	return args{"keys": keys, "changes": args{"priority": priority}}
}

// confirmWorld is a tenant with forty issues and a clock that can be set.
func confirmWorld(t *testing.T) (b *bundle, acme *storetest.Tenant, now *atomic.Int64, urls []string) {
	t.Helper()
	b = setup(t, storetest.Options{MaxConns: 8})
	acme = forty(t, b, "acme")
	now = &atomic.Int64{}
	now.Store(storetest.Now.Unix())
	for range 2 { // any node takes what another one gave
		_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Clock: func() time.Time { return time.Unix(now.Load(), 0).UTC() }})
		urls = append(urls, h.URL)
	}
	return b, acme, now, urls
}

// forty is a tenant with forty issues.
func forty(t *testing.T, b *bundle, slug string) *storetest.Tenant {
	t.Helper()
	tn := b.db.Tenant(t, slug)
	titles := make([]string, 40)
	for n := range titles {
		titles[n] = fmt.Sprint("Issue ", n)
	}
	tn.Issues(t, tn.Project(t, "WEB", "Website"), titles...)
	return tn
}

// changes counts how often the priority of forty issues was changed.
func (b *bundle) changes(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select count(*) / 40 from issue_events where field = 'priority'`).Scan(&n))
	return n
}

func TestAttack047_RequestState(t *testing.T) {
	t.Parallel()
	b, acme, now, urls := confirmWorld(t)
	token := acme.FullToken(t)
	c, elsewhere := &client{t: t, url: urls[0], token: token}, &client{t: t, url: urls[1], token: token}
	others := map[string]string{"another token of the same person": acme.FullToken(t), "another person's": b.tokenOf(t, acme, acme.Ben), "another tenant's": forty(t, b, "beta").FullToken(t)}
	batch := fortyIssues("high")
	state := c.asked("batch_update_issues", batch)
	require.Zero(t, b.changes(t))

	rejected := func(c *client, tool string, arguments args, state, why string) {
		t.Helper()
		r, err := c.elicit(t.Context(), tool, arguments, state, agreed)
		require.NoError(t, err)
		require.True(t, r.IsError, why)
		require.Contains(t, r.text(), "confirmation_invalid", why)
		require.Zero(t, b.changes(t), why)
	}
	forged := func(c *client, tool string, arguments args, state, why string) {
		t.Helper()
		_, err := c.elicit(t.Context(), tool, arguments, state, agreed)
		require.ErrorContains(t, err, `HTTP 400: {"code":-32602,"message":"confirmation_invalid`, why)
		require.Zero(t, b.changes(t), why)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(state)
	require.NoError(t, err)
	for bit := 0; bit < 8*len(sealed); bit += 9 { // some bit of every byte
		flipped := slices.Clone(sealed)
		flipped[bit/8] ^= 1 << (bit % 8)
		forged(c, "batch_update_issues", batch, base64.RawURLEncoding.EncodeToString(flipped), fmt.Sprint("bit ", bit))
	}
	forged(c, "batch_update_issues", batch, "garbage", "garbage")
	forged(c, "batch_update_issues", batch, state+state, "twice")
	forged(c, "batch_update_issues", batch, strings.ToLower(state), "in lower case")
	forged(c, "batch_update_issues", batch, state[:len(state)/2], "half of it")
	for why, token := range others {
		for _, url := range urls {
			forged(&client{t: t, url: url, token: token}, "batch_update_issues", batch, state, why)
		}
	}
	rejected(c, "batch_update_issues", fortyIssues("low"), state, "other arguments")
	fewer := fortyIssues("high")
	fewer["keys"] = fewer["keys"].([]string)[:30]
	rejected(c, "batch_update_issues", fewer, state, "fewer issues")

	acme.Write(t, func(tx *store.Tx) error {
		var web tracker.Project
		if err := tx.Do(t.Context(), store.ProjectByKey("WEB", &web)); err != nil {
			return err
		}
		return tx.Do(t.Context(), store.InsertSprint(tracker.Sprint{ID: tenancy.NewID(), ProjectID: web.ID, Name: "Sprint 1", State: tracker.SprintActive,
			StartedAt: &storetest.Now, CreatedAt: storetest.Now}))
	})
	complete := args{"project": "WEB", "sprint": "current", "action": "complete"}
	forged(c, "save_sprint", complete, state, "another tool")
	forged(c, "delete_project", args{"project": "WEB"}, state, "another tool")
	c.asked("save_sprint", complete)

	for why, answer := range map[string]string{"declined": `{"confirm":{"action":"decline"}}`, "cancelled": `{"confirm":{"action":"cancel"}}`,
		"not ticked": `{"confirm":{"action":"accept","content":{"confirm":false}}}`, "empty": `{"confirm":{}}`} {
		r, err := c.elicit(t.Context(), "batch_update_issues", batch, state, answer)
		require.NoError(t, err)
		require.Contains(t, r.text(), "declined: ", why)
	}
	for why, answer := range map[string]string{"none": "", "of another question": `{"other":{"action":"accept","content":{"confirm":true}}}`, "of another type": `[1]`} {
		r, err := c.elicit(t.Context(), "batch_update_issues", batch, state, answer)
		if err == nil {
			require.Equal(t, "input_required", r.ResultType, why)
		}
	}
	require.Zero(t, b.changes(t))

	expired := c.asked("batch_update_issues", batch)
	now.Add(int64((5*time.Minute + time.Second).Seconds()))
	rejected(c, "batch_update_issues", batch, expired, "expired")
	now.Store(storetest.Now.Unix())

	// Fifty at once, on two nodes, have one effect; afterwards it is spent.
	var done, refused, odd atomic.Int64
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			at := []*client{c, elsewhere}[n%2]
			r, err := at.elicit(t.Context(), "batch_update_issues", batch, state, agreed)
			switch {
			case err == nil && !r.IsError && r.ResultType == "complete":
				done.Add(1)
			case err == nil && strings.Contains(r.text(), "confirmation_invalid"):
				refused.Add(1)
			default:
				odd.Add(1)
				t.Logf("%v %s", err, r.text())
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int64{1, 49, 0}, []int64{done.Load(), refused.Load(), odd.Load()})
	require.Equal(t, 1, b.changes(t))
	again, err := elsewhere.elicit(t.Context(), "batch_update_issues", batch, state, agreed)
	require.NoError(t, err)
	require.Contains(t, again.text(), "confirmation_invalid", "replayed")
	require.Equal(t, 1, b.changes(t))
}

// TestAttack047_OverStdio: the same holds at a pipe.
func TestAttack047_OverStdio(t *testing.T) {
	t.Parallel()
	b, acme, _, urls := confirmWorld(t)
	token := acme.FullToken(t)
	meta := strings.Replace(modernMeta, `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{}}`, 1)
	said := func(state string) string {
		t.Helper()
		params, err := json.Marshal(args{"name": "batch_update_issues", "arguments": fortyIssues("high"), "requestState": state, "inputResponses": json.RawMessage(agreed)})
		require.NoError(t, err)
		line := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + meta + "," + string(params[1:]) + "}\n"
		var out bytes.Buffer
		require.NoError(t, b.mcp.ServeStdio(t.Context(), strings.NewReader(line), &out, token, mcpserver.Narrowing{}))
		return out.String()
	}
	state := (&client{t: t, url: urls[0], token: token}).asked("batch_update_issues", fortyIssues("high"))
	other := (&client{t: t, url: urls[0], token: acme.FullToken(t)}).asked("batch_update_issues", fortyIssues("high"))
	for why, forged := range map[string]string{"garbage": "garbage", "another token's": other} {
		require.Contains(t, said(forged), `"error":{"code":-32602,"message":"confirmation_invalid`, why)
	}
	require.Zero(t, b.changes(t))
	require.Contains(t, said(state), `"resultType":"complete"`)
	require.Equal(t, 1, b.changes(t))
	require.Contains(t, said(state), "confirmation_invalid", "spent")
}

func TestAttack048_WithoutElicitation(t *testing.T) {
	t.Parallel()
	b, acme, now, urls := confirmWorld(t)
	c := &client{t: t, url: urls[0], token: acme.FullToken(t)}
	batch := fortyIssues("high")

	// In neither era is a client asked for input that did not say it can ask.
	text := c.fails("confirmation_required", "batch_update_issues", batch)
	require.Contains(t, text, "40 issues")
	params, err := json.Marshal(batch)
	require.NoError(t, err)
	for _, capabilities := range []string{`{}`, `{"elicitation":{"url":{}}}`, `{"sampling":{}}`} {
		meta := strings.Replace(modernMeta, `clientCapabilities":{}`, `clientCapabilities":`+capabilities, 1)
		require.Contains(t, meta, capabilities)
		a := c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"batch_update_issues","arguments":`+string(params)+`,`+meta+`}}`,
			header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", "tools/call"), header("Mcp-Name", "batch_update_issues"))
		require.Contains(t, a.body, "confirmation_required")
		require.NotContains(t, a.body, "input_required")
	}
	require.Zero(t, b.changes(t))

	// The token of the first step works for the same call, once.
	token := tokenInText.FindStringSubmatch(text)[1]
	with := func(batch args) args {
		batch["confirm_token"] = token
		return batch
	}
	c.fails("confirmation_invalid", "batch_update_issues", with(fortyIssues("low")))
	(&client{t: t, url: urls[0], token: acme.FullToken(t)}).fails("confirmation_invalid", "batch_update_issues", with(fortyIssues("high")))
	_, err = c.elicit(t.Context(), "batch_update_issues", with(fortyIssues("high")), token, agreed)
	require.ErrorContains(t, err, "confirmation_invalid", "it is no request state")
	now.Add(301)
	c.fails("confirmation_invalid", "batch_update_issues", with(fortyIssues("high")))
	now.Add(-301)
	require.Zero(t, b.changes(t))
	data, err := json.Marshal(with(fortyIssues("high")))
	require.NoError(t, err)
	done, refused := together(t, 20, func(n int) (string, bool, error) { // at once, on two nodes
		return (&client{url: urls[n%2], token: c.token}).callText("batch_update_issues", string(data))
	})
	require.Len(t, done, 1)
	require.Contains(t, done[0], `"count":40`)
	for _, text := range refused {
		require.Contains(t, text, "confirmation_invalid")
	}
	c.fails("confirmation_invalid", "batch_update_issues", with(fortyIssues("high")))
	require.Equal(t, 1, b.changes(t))

	// What a client that can ask was given does not pass for the other way.
	batch = fortyIssues("urgent")
	batch["confirm_token"] = c.asked("batch_update_issues", fortyIssues("urgent"))
	c.fails("confirmation_invalid", "batch_update_issues", batch)
}

// TestAttack048_EverythingThatAsks: whatever cannot be taken back, an agent whose client
// cannot ask is told to ask, in both eras and at a pipe, and does nothing with a
// confirmation that it made up.
func TestAttack048_EverythingThatAsks(t *testing.T) {
	t.Parallel()
	b, acme, _, urls := confirmWorld(t)
	c := (&client{t: t, url: urls[1], token: acme.FullToken(t)}).all()
	c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 1", "end": "2026-05-01", "action": "start"})
	file := c.ok("add_attachment", args{"key": "WEB-1", "name": "a.txt", "text": "Words"})["id"]
	asked := map[string]args{"add_attachment": {"key": "WEB-1", "remove_file": file}, "delete_issue": {"key": "WEB-1"}, "delete_project": {"project": "WEB"}, "manage_members": {"action": "deactivate", "member": acme.Ben.Email},
		"batch_update_issues": fortyIssues("high"), "save_sprint": {"project": "WEB", "sprint": "current", "action": "complete"}}
	tools, _ := c.listTools()
	for _, tool := range tools {
		require.False(t, tool.Annotations["destructiveHint"] == true && asked[tool.Name] == nil, "%s: say what of it cannot be taken back", tool.Name)
		require.Equal(t, asked[tool.Name] != nil, tool.InputSchema.Properties["confirm_token"] != nil, "%s: who asks takes the answer", tool.Name)
	}
	changed := []string{"audit_log", "audit_checkpoints", "token_usage"}
	before := b.db.Dump(t, changed...)
	for tool, arguments := range asked {
		for want, a := range map[string]args{"confirmation_required: ": arguments, "confirmation_invalid: ": withMore(arguments, args{"confirm_token": "yes"})} {
			data, err := json.Marshal(a)
			require.NoError(t, err)
			params := `"name":"` + tool + `","arguments":` + string(data)
			said := map[string]string{"legacy": c.call(tool, a).text, "modern": c.modern("1", "tools/call", tool, params).body}
			var out bytes.Buffer
			line := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + "}}\n")
			require.NoError(t, b.mcp.ServeStdio(t.Context(), line, &out, c.token, mcpserver.Narrowing{Toolsets: []string{"all"}}))
			said["stdio"] = out.String()
			for way, text := range said {
				require.Contains(t, text, want, "%s, %s", tool, way)
				require.NotContains(t, text, "input_required", "%s, %s", tool, way)
			}
		}
	}
	require.Equal(t, before, b.db.Dump(t, changed...), "nothing was done")
}

func TestConfirm_WhatIsAsked(t *testing.T) {
	t.Parallel()
	b, acme, _, urls := confirmWorld(t)
	c := &client{t: t, url: urls[0], token: acme.FullToken(t)}
	small := fortyIssues("high")
	small["keys"] = small["keys"].([]string)[:25]
	require.EqualValues(t, 25, c.ok("batch_update_issues", small)["count"], "a small batch is not")
	dry := fortyIssues("low")
	dry["dry_run"] = true
	require.EqualValues(t, 40, c.ok("batch_update_issues", dry)["count"], "nor is what changes nothing")

	keyed := fortyIssues("low")
	keyed["idempotency_key"] = "k1"
	first := c.agree("batch_update_issues", keyed)
	require.Equal(t, true, c.ok("batch_update_issues", keyed)["replayed"], "nor is what was done before")
	require.EqualValues(t, 40, first["count"])

	c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 1", "end": "2026-05-01"})
	c.ok("save_sprint", args{"project": "WEB", "sprint": "Sprint 1", "action": "start"})
	complete := args{"project": "WEB", "sprint": "current", "action": "complete"}
	require.Contains(t, c.fails("confirmation_required", "save_sprint", complete), `Complete sprint "Sprint 1" of WEB`)
	require.Equal(t, "completed", c.agree("save_sprint", complete)["state"])

	// A filter that matches other issues than were agreed to is asked about again.
	byFilter := args{"filter": args{"project": "WEB", "priority": "low"}, "expected_count": 40, "changes": args{"points": 1}}
	token := tokenInText.FindStringSubmatch(c.fails("confirmation_required", "batch_update_issues", byFilter))[1]
	c.ok("update_issue", args{"key": "WEB-40", "priority": "high"})
	c.ok("create_issue", args{"project": "WEB", "title": "One more", "priority": "low"})
	byFilter["confirm_token"] = token
	c.fails("confirmation_invalid", "batch_update_issues", byFilter)

	// A person who is signed in is asked by the page that calls.
	arguments, err := json.Marshal(fortyIssues("medium"))
	require.NoError(t, err)
	_, err = b.mcp.CallAs(t.Context(), person(acme.Tenant, acme.Ada), mcpserver.PersonCall{Tool: "batch_update_issues", Arguments: arguments})
	require.NoError(t, err)
}
