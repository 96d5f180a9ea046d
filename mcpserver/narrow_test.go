package mcpserver_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// names lists the tools that a client sees under headers, at a path.
func (c *client) names(path string, headers ...string) []string {
	c.t.Helper()
	at := *c
	at.url += path
	a := at.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, headerPairs(headers)...)
	require.Equal(c.t, http.StatusOK, a.status, a.body)
	var list struct{ Result struct{ Tools []wireTool } }
	require.NoError(c.t, json.Unmarshal([]byte(a.body), &list))
	var names []string
	for _, tool := range list.Result.Tools {
		names = append(names, tool.Name)
	}
	return names
}

func headerPairs(pairs []string) (edits []func(*http.Request)) {
	for n := 0; n+1 < len(pairs); n += 2 {
		edits = append(edits, func(r *http.Request) { r.Header.Add(pairs[n], pairs[n+1]) })
	}
	return edits
}

func toolNames(keep func(mcpserver.Tool) bool) (names []string) {
	for _, t := range mcpserver.Catalogue() {
		if keep(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

func TestNarrow_Lists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	inDefault := func(t mcpserver.Tool) bool { return t.Toolset == "" }
	require.Equal(t, toolNames(inDefault), c.names(""))
	require.Equal(t, toolNames(inDefault), c.names("", "X-MCP-Toolsets", "default"))
	require.Equal(t, toolNames(func(mcpserver.Tool) bool { return true }), c.names("", "X-MCP-Toolsets", "all"))
	require.Equal(t, toolNames(func(t mcpserver.Tool) bool { return t.Toolset == mcpserver.ToolsetAdmin }), c.names("", "X-MCP-Toolsets", "admin"))
	require.Equal(t, toolNames(func(t mcpserver.Tool) bool { return t.Toolset == "" || t.Toolset == mcpserver.ToolsetAdmin }),
		c.names("", "X-MCP-Toolsets", "default, admin"))
	readers := toolNames(func(t mcpserver.Tool) bool { return inDefault(t) && t.ReadOnly })
	require.Equal(t, readers, c.names("", "X-MCP-Readonly", "true"))
	require.Equal(t, readers, c.names("/mcp/readonly"))
	withFiles := toolNames(func(t mcpserver.Tool) bool { return inDefault(t) || t.Toolset == mcpserver.ToolsetAttachments })
	require.Equal(t, withFiles, c.names("/mcp/x/default,attachments"))
	require.Equal(t, withFiles, c.names("/mcp/p/WEB/x/default,attachments"))
	require.Equal(t, []string{"get_attachment"}, c.names("/mcp/x/attachments/readonly"))
	require.Equal(t, toolNames(func(mcpserver.Tool) bool { return true }), c.names("/mcp/x/all"))
	require.Equal(t, []string{"search_issues", "get_issue"}, c.names("", "X-MCP-Tools", "get_issue, search_issues"))
	require.Equal(t, []string{"get_issue", "search_audit_log"}, c.names("", "X-MCP-Tools", "get_issue", "X-MCP-Tools", "search_audit_log"))
	require.Equal(t, []string{"get_issue"}, c.names("", "X-MCP-Tools", "get_issue,update_issue", "X-MCP-Readonly", "1"))
	require.NotContains(t, c.names("", "X-MCP-Exclude-Tools", "get_me"), "get_me")
	require.Equal(t, []string{"get_me"}, c.names("", "X-MCP-Tools", "get_me,get_issue", "X-MCP-Exclude-Tools", "get_issue"))
}

// TestNarrow_NeverWidens: a tool that is narrowed away answers as one that does not
// exist, and headers give no token what it does not have.
func TestNarrow_NeverWidens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	call := func(tool string, headers ...string) answer {
		return c.post(callBody(tool, `{"project":"WEB","title":"x"}`), headerPairs(headers)...)
	}
	unknown := strings.ReplaceAll(call("no_such_tool").body, "no_such_tool", "create_issue")
	for _, headers := range [][]string{{"X-MCP-Readonly", "true"}, {"X-MCP-Tools", "get_me"}, {"X-MCP-Exclude-Tools", "create_issue"}, {"X-MCP-Toolsets", "admin"}} {
		require.Equal(t, unknown, call("create_issue", headers...).body, headers)
	}
	require.Contains(t, c.post(callBody("search_audit_log", `{}`)).body, "not known")
	_, plain := acme.Token(t, "reader", `{"issues":["read"]}`)
	reader := b.client(t, plain).all()
	require.NotContains(t, reader.names("", "X-MCP-Tools", "search_audit_log,get_issue"), "search_audit_log")
	require.Contains(t, reader.fails("forbidden", "search_audit_log", nil), "audit:read")
}

// TestNarrow_BadRequests: a client that asks to be held must not go on unheld.
func TestNarrow_BadRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	for _, bad := range []struct{ name, value, says string }{
		{"X-MCP-Toolsets", "admn", `Toolset "admn" is not known`}, {"X-MCP-Toolsets", " , ", "is empty"},
		{"X-MCP-Tools", "get_isue", "Did you mean get_issue?"}, {"X-MCP-Exclude-Tools", "rm -rf", "is not known"},
		{"X-MCP-Readonly", "yes", "must be true or false"},
	} {
		a := c.post(ping, header(bad.name, bad.value))
		require.Equal(t, http.StatusBadRequest, a.status, bad)
		require.Contains(t, a.body, jsonText(bad.says))
	}
	for path, status := range map[string]int{"/mcp": 200, "/mcp/": 200, "/mcp/readonly": 200, "/mcp/p/WEB": 200, "/mcp/p/web/readonly": 200, "/mcp/readonly/p/WEB": 200,
		"/mcp/p": 404, "/mcp/p/": 404, "/mcp/x": 404, "/mcp/p/WEB/p/API": 404, "/mcp/p/W%2F..": 404, "/mcp/p/W-1": 400,
		"/mcp/x/": 404, "/mcp/x/,": 404, "/mcp/x/time/x/admin": 404, "/mcp/x/tme": 400, "/mcp/x/default,%20time/p/WEB": 200, "/mcp/x/all/readonly/more": 404} {
		at := *c
		at.url += path
		require.Equal(t, status, at.post(ping).status, path)
	}
	twice := *c
	twice.url += "/mcp/x/time"
	require.Contains(t, twice.post(ping, header("X-MCP-Toolsets", "admin")).body, "Leave one of them out.")
	require.Equal(t, http.StatusUnauthorized, b.client(t, "").post(ping, header("X-MCP-Toolsets", "admn")).status, "the token comes first")
}

// TestNarrow_MoreToolsets: an agent learns which toolsets its person could show it, and of
// none that its token, or what its client took away, leaves nothing of.
func TestNarrow_MoreToolsets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	var hint string
	more := func(grants, path string, headers ...string) []any {
		_, plain := acme.Token(t, tenancy.NewID().String(), grants)
		c := b.client(t, plain)
		c.url += path
		c.edits = headerPairs(headers)
		me := c.ok("get_me", nil)
		list, _ := me["more_toolsets"].([]any)
		require.Equal(t, len(list) > 0, me["hint"] != nil)
		hint, _ = me["hint"].(string)
		return list
	}
	const files, all = `{"issues":["read"],"attachments":["read"],"time":["write"]}`, `{"issues":["*"],"attachments":["*"],"time":["*"],"audit":["*"]}`
	require.Equal(t, []any{"attachments", "time"}, more(files, "/mcp"))
	require.Contains(t, hint, "with /x/default,attachments,time in the address")
	require.Equal(t, []any{"time"}, more(files, "/mcp/x/default,attachments"))
	require.Contains(t, hint, "with /x/default,attachments,time in the address", "and what is shown already")
	require.Equal(t, []any{"time"}, more(files, "/mcp", "X-MCP-Toolsets", "default,attachments"))
	require.Equal(t, []any{"attachments"}, more(files, "/mcp/readonly"), "who is held to reading cannot log work")
	require.Equal(t, []any{"time"}, more(files, "/mcp", "X-MCP-Exclude-Tools", "get_attachment"))
	require.Equal(t, []any{"admin", "attachments", "time"}, more(all, "/mcp"))
	for _, none := range [][]any{more(files, "/mcp/x/all"), more(`{"issues":["read"]}`, "/mcp"), more(files, "/mcp", "X-MCP-Tools", "get_me")} {
		require.Empty(t, none)
	}
}

func jsonText(s string) string {
	data, _ := json.Marshal(s)
	return strings.Trim(string(data), `"`)
}

// TestNarrow_Project: at /mcp/p/KEY no tool asks for the project, and nothing of
// another one can be reached, by key, link, search, resource or completion.
func TestNarrow_Project(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.own[w.limited]
	pinned := *w.insider
	pinned.url += "/mcp/p/" + own["project"]

	tools, _ := pinned.listTools()
	require.Len(t, tools, len(mcpserver.Catalogue()))
	for _, tool := range tools {
		for _, l := range leaves(&tool.InputSchema, "") {
			require.NotEqual(t, "project", l.name, "%s.%s", tool.Name, l.path)
		}
	}
	require.Contains(t, pinned.fails("unknown_argument", "search_issues", args{"project": own["project"]}), `no argument "project"`)
	require.Equal(t, own["project"]+"-3", pinned.ok("create_issue", args{"title": "Here"})["key"])
	require.EqualValues(t, 1, pinned.ok("list_projects", nil)["total"])
	pinned.ok("get_project", nil)
	require.Equal(t, []any{own["project"]}, pinned.ok("get_me", nil)["projects"])
	w.requireBlind(t, &pinned)

	foreign := pinned
	foreign.url = w.insider.url + "/mcp/p/NOPE"
	require.EqualValues(t, 0, foreign.ok("list_projects", nil)["total"])
	foreign.fails("not_found", "create_issue", args{"title": "x"})
	limited := *w.limited
	limited.url += "/mcp/p/" + w.foreign["project"]
	require.EqualValues(t, 0, limited.ok("list_projects", nil)["total"], "a path gives no project that the token does not have")
	limited.fails("not_found", "get_issue", args{"keys": w.foreign["issue"]})
}

// requireBlind asks a client for everything of the project that is hidden from it.
func (w *world) requireBlind(t *testing.T, c *client) {
	t.Helper()
	issue := w.foreign["issue"]
	c.fails("not_found", "get_issue", args{"keys": issue})
	c.fails("not_found", "update_issue", args{"key": issue, "title": "x"})
	c.fails("not_found", "add_comment", args{"key": issue, "body": "x"})
	c.fails("not_found", "link_issues", args{"key": w.own[w.limited]["issue"], "relation": "relates_to", "targets": issue})
	for _, text := range []string{
		c.call("search_issues", args{"query": secretMark, "category": []string{"todo", "in_progress", "done", "cancelled"}}).text,
		c.call("list_activity", nil).text, c.call("get_issue", args{"keys": w.own[w.limited]["issue"], "include": []string{"relations", "history"}}).text,
		c.call("search_audit_log", args{"details": true, "limit": 100}).text,
	} {
		require.NotContains(t, text, secretMark)
		require.NotContains(t, text, issue)
	}
	for _, uri := range []string{"colaflow://issues/" + issue, "colaflow://projects/" + w.foreign["project"]} {
		_, rpcError := c.rpc("resources/read", args{"uri": uri})
		require.Contains(t, rpcError, "not found", uri)
	}
	list, _ := c.rpc("resources/list", args{})
	require.NotContains(t, string(list), w.foreign["project"])
	for uri, variable := range map[string]string{"colaflow://projects/{project}": "project", "colaflow://issues/{key}": "key"} {
		values, _ := c.rpc("completion/complete", args{"ref": args{"type": "ref/resource", "uri": uri}, "argument": args{"name": variable, "value": ""}})
		require.Contains(t, string(values), w.own[w.limited]["project"], uri)
		require.NotContains(t, string(values), w.foreign["project"], uri)
	}
}

// TestNarrow_Stdio: the flags of stdio hold a client as headers do.
func TestNarrow_Stdio(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	acme.Project(t, "API", "Interface")
	token := acme.FullToken(t)
	run := func(n mcpserver.Narrowing, body string) string {
		t.Helper()
		var out bytes.Buffer
		require.NoError(t, b.mcp.ServeStdio(t.Context(), strings.NewReader(body+"\n"), &out, token, n))
		return out.String()
	}
	listed := run(mcpserver.Narrowing{ReadOnly: true, Project: "WEB"}, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	require.NotContains(t, listed, `"create_issue"`)
	var answer struct {
		Result struct {
			Tools []struct {
				Name        string
				InputSchema struct{ Properties map[string]any }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(listed), &answer))
	require.NotEmpty(t, answer.Result.Tools)
	for _, tool := range answer.Result.Tools {
		require.NotContains(t, tool.InputSchema.Properties, "project", tool.Name)
	}
	require.Contains(t, run(mcpserver.Narrowing{Project: "WEB"}, callBody("list_projects", `{}`)), `\"total\":1`)
	require.Contains(t, run(mcpserver.Narrowing{Toolsets: []string{"admin"}}, callBody("search_audit_log", `{}`)), `\"total\":`)
	err := b.mcp.ServeStdio(t.Context(), strings.NewReader(""), &bytes.Buffer{}, token, mcpserver.Narrowing{Tools: []string{"nope"}})
	require.ErrorContains(t, err, `Tool "nope" is not known`)
}

func TestSearchAuditLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t)).all()
	_, plain := acme.Token(t, "reader", `{"issues":["read"]}`)
	reader := b.client(t, plain)
	c.ok("create_issue", args{"project": "WEB", "title": "One"})
	for range 5 {
		c.ok("get_issue", args{"keys": "WEB-1"})
	}
	c.ok("update_issue", args{"key": "WEB-1", "priority": "high"})
	reader.fails("forbidden", "update_issue", args{"key": "WEB-1", "title": "x"})

	denied := c.ok("search_audit_log", args{"decision": "denied"})
	require.EqualValues(t, 1, denied["total"])
	row := denied["items"].([]any)[0].(map[string]any)
	require.Equal(t, "update_issue", row["what"])
	require.Equal(t, "reader", row["token"])
	require.Contains(t, row["why"], "lacks issues:update")
	require.NotContains(t, row, "details")

	changed := c.ok("search_audit_log", args{"tool": "update_issue", "decision": "allowed", "details": true})["items"].([]any)[0].(map[string]any)
	require.Equal(t, "WEB-1", changed["target"])
	require.Contains(t, mustText(changed["details"]), `"priority"`)

	// Pages hold each row once, though every page adds a row of its own at the front.
	seen, cursor, total := map[string]int{}, "", 0.0
	for range 20 {
		page := c.ok("search_audit_log", args{"tool": "get_issue", "limit": 2, "cursor": cursor})
		total = page["total"].(float64)
		for _, item := range page["items"].([]any) {
			seen[mustText(item)]++
		}
		next, more := page["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	require.EqualValues(t, 5, total)
	require.Equal(t, 5, sum(seen))
	c.fails("invalid_value", "search_audit_log", args{"since": "yesterday"})
	require.EqualValues(t, 0, c.ok("search_audit_log", args{"since": "2999-01-01"})["total"])
	acme.Calls(t, 10_001)
	many := c.ok("search_audit_log", args{"actor": "ada", "limit": 1})
	require.EqualValues(t, 10_000, many["total"])
	require.Equal(t, true, many["total_is_minimum"])
}

func mustText(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func TestNarrow_EveryToolsetIsUsed(t *testing.T) {
	t.Parallel()
	for _, tool := range mcpserver.Catalogue() {
		require.True(t, tool.Toolset == "" || slices.Contains(mcpserver.Toolsets(), tool.Toolset), tool.Name)
	}
	for _, set := range mcpserver.Toolsets() {
		require.NotEmpty(t, toolNames(func(t mcpserver.Tool) bool {
			return t.Toolset == set || t.Toolset == "" && set == mcpserver.ToolsetDefault
		}), set)
	}
}
