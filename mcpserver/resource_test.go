package mcpserver_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// read reads a resource and returns its text, or the error.
func (c *client) read(uri string) (text, rpcError string) {
	c.t.Helper()
	result, rpcError := c.rpc("resources/read", args{"uri": uri})
	if rpcError != "" {
		return "", rpcError
	}
	var r struct {
		Contents []struct{ URI, Text, MimeType string }
	}
	require.NoError(c.t, json.Unmarshal(result, &r))
	require.Len(c.t, r.Contents, 1)
	require.Equal(c.t, uri, r.Contents[0].URI)
	return r.Contents[0].Text, ""
}

func TestResources(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	acme.Project(t, "API", "Interface")
	acme.Issues(t, web, "One", "Two")
	acme.Write(t, func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.InsertSprint(tracker.Sprint{ID: tenancy.NewID(), ProjectID: web.ID, Name: "Sprint 1",
			State: tracker.SprintActive, StartedAt: &storetest.Now, CreatedAt: storetest.Now}))
	})
	c := b.client(t, acme.FullToken(t))

	for uri, want := range map[string]string{
		"colaflow://me":                                 `"tenant":"acme"`,
		"colaflow://projects":                           `"key":"WEB"`,
		"colaflow://projects/WEB":                       `"todo":2`,
		"colaflow://projects/web/workflow":              `"In Review"`,
		"colaflow://projects/WEB/issues":                `"total":2`,
		"colaflow://projects/WEB/issues?status=Backlog": `"total":2`,
		"colaflow://projects/WEB/sprints/current":       `"Sprint 1"`,
		"colaflow://issues/WEB-1":                       `"title":"One"`,
		"colaflow://issues/WEB-2/history":               `"created"`,
		"colaflow://reference/search":                   "# Search",
	} {
		text, rpcError := c.read(uri)
		require.Empty(t, rpcError, uri)
		require.Contains(t, text, want, uri)
	}

	_, limited := acme.Token(t, "api", `{"projects":["read"],"issues":["read"],"only_projects":["API"]}`)
	l := b.client(t, limited)
	_, unknown := l.read("colaflow://issues/NOPE-1")
	for _, uri := range []string{"colaflow://issues/WEB-1", "colaflow://projects/WEB", "colaflow://projects/API/issues",
		"colaflow://nothing", "colaflow://projects/API/sprints/current", "colaflow://issues/garbage"} {
		_, rpcError := l.read(uri)
		require.Equal(t, strings.Replace(unknown, "colaflow://issues/NOPE-1", uri, 1), rpcError, uri)
	}

	listed, _ := l.rpc("resources/list", args{})
	require.Contains(t, string(listed), "colaflow://projects/API")
	require.NotContains(t, string(listed), "WEB")
	templates, _ := l.rpc("resources/templates/list", args{})
	require.NotContains(t, string(templates), "sprints")
	require.Contains(t, string(templates), "colaflow://issues/{key}/history")
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	api := acme.Project(t, "API", "Interface")
	acme.Issues(t, web, "One", "Two")
	acme.Issues(t, api, "Three")
	c := b.client(t, acme.FullToken(t))
	complete := func(c *client, uri, variable, value string, given args) []string {
		params := args{"ref": args{"type": "ref/resource", "uri": uri}, "argument": args{"name": variable, "value": value}}
		if given != nil {
			params["context"] = args{"arguments": given}
		}
		result, rpcError := c.rpc("completion/complete", params)
		require.Empty(t, rpcError)
		var r struct{ Completion struct{ Values []string } }
		require.NoError(t, json.Unmarshal(result, &r))
		return r.Completion.Values
	}
	const issues = "colaflow://projects/{project}/issues{?status,assignee,sprint,cursor}"
	require.Equal(t, []string{"API", "WEB"}, complete(c, "colaflow://projects/{project}", "project", "", nil))
	require.Equal(t, []string{"WEB"}, complete(c, issues, "project", "w", nil))
	require.Equal(t, []string{"In Progress", "In Review"}, complete(c, issues, "status", "in", args{"project": "WEB"}))
	require.Equal(t, []string{"ada@acme.test"}, complete(c, issues, "assignee", "ad", nil))
	require.ElementsMatch(t, []string{"WEB-1", "WEB-2"}, complete(c, "colaflow://issues/{key}", "key", "web", nil))
	require.Equal(t, []string{"current"}, complete(c, issues, "sprint", "cur", args{"project": "WEB"}))

	_, plain := acme.Token(t, "api", `{"projects":["read"],"issues":["read"],"only_projects":["API"]}`)
	l := b.client(t, plain)
	require.Equal(t, []string{"API"}, complete(l, "colaflow://projects/{project}", "project", "", nil))
	require.Equal(t, []string{"API-1"}, complete(l, "colaflow://issues/{key}", "key", "", nil))
	require.Empty(t, complete(l, issues, "status", "", args{"project": "WEB"}))
	require.Empty(t, complete(l, "colaflow://unknown/{project}", "project", "", nil))
}

func TestModernEra(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	c := b.client(t, acme.FullToken(t))
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	a := c.post(`{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"get_me","arguments":{},`+meta+`}}`,
		header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", "tools/call"), header("Mcp-Name", "get_me"))
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"tenant":"acme"`)
	a = c.post(`{"jsonrpc":"2.0","id":"a","method":"resources/read","params":{"uri":"colaflow://nope",`+meta+`}}`,
		header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", "resources/read"), header("Mcp-Name", "colaflow://nope"))
	require.Equal(t, 400, a.status, a.body)
	require.True(t, strings.Contains(a.body, "-32602"), a.body)
}
