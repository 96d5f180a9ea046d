package clients

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

const inspector = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"

// TestInspector does a shorter job with the command line of the MCP Inspector,
// which is a new process and session for every step.
func TestInspector(t *testing.T) {
	t.Parallel()
	b := setup(t)
	overHTTP, overStdio := b.office(t, "http"), b.office(t, "stdio")
	for name, run := range map[string]struct {
		target []string
		job    []step
	}{
		"http/modern/agent":    {b.atURL(overHTTP.agent, "modern"), inspectorJob()},
		"http/modern/narrowed": {b.atURL(overHTTP.agent, "modern", "/p/WEB/readonly", "X-MCP-Exclude-Tools: get_report, list_activity"), narrowedJob()},
		"http/legacy/clerk":    {b.atURL(overHTTP.clerk, "legacy"), clerkJob()},
		"stdio/legacy/agent":   {b.atCommand(overStdio.agent, "legacy"), inspectorJob()},
		"stdio/modern/clerk":   {b.atCommand(overStdio.clerk, "modern"), clerkJob()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, s := range run.job {
				t.Run(s.name(i), func(t *testing.T) { s.check(t, inspect(t, run.target, s)) })
			}
		})
	}
}

// inspectorJob is what the command line can say of agentJob.
func inspectorJob() []step {
	edit := args{"key": "WEB-3", "status": "in progress", "expected_version": 1}
	three := []args{{"title": "One"}, {"title": "Two", "ref": "b"}, {"title": "Three", "parent": "b"}}
	return []step{
		call("search_issues", args{"query": "safari"}, args{"total": 1}),
		call("create_issue", args{"project": "WEB", "title": "Buttons are too small"}, args{"key": "WEB-3"}),
		call("update_issue", edit, args{"key": "WEB-3", "version": 2}),
		refused("update_issue", edit, "conflict", "version 1 to 2"),
		call("batch_create_issues", args{"project": "WEB", "issues": three}, args{"count": 3}),
		lists("resources/list", "resources", "uri", "colaflow://me", "colaflow://projects", "colaflow://reference/search", "colaflow://projects/WEB"),
		reads("colaflow://issues/WEB-6", `"parent":"WEB-5"`),
	}
}

// clerkJob has a refusal inside a tool that is listed: the inspector does not
// call others.
func clerkJob() []step {
	return []step{
		lists("tools/list", "tools", "name", "get_me", "get_issue", "update_issue", "search_issues", "link_issues", "batch_update_issues", "list_activity"),
		refused("update_issue", args{"key": "WEB-1", "comment": "Mine."}, "forbidden", "lacks comments:create"),
	}
}

// narrowedJob is what a client sees that asks to be held to a project and to reading.
func narrowedJob() []step {
	return []step{
		lists("tools/list", "tools", "name", "get_me", "list_projects", "get_project", "search_issues", "get_issue", "list_sprints"),
		call("search_issues", args{"query": "safari"}, args{"total": 1}),
		refused("search_issues", args{"project": "WEB"}, "unknown_argument", `no argument "project"`),
	}
}

// atURL is the server's endpoint for the inspector; narrowing is the rest of its path,
// and headers.
func (b *bundle) atURL(token, era string, narrowing ...string) []string {
	path := ""
	if len(narrowing) > 0 {
		path, narrowing = narrowing[0], narrowing[1:]
	}
	target := []string{"--transport", "http", "--server-url", b.url + path, "--header", "Authorization: Bearer " + token, "--protocol-era", era}
	for _, h := range narrowing {
		target = append(target, "--header", h)
	}
	return target
}

func (b *bundle) atCommand(token, era string) []string {
	target := []string{"--protocol-era", era}
	for _, variable := range b.stdio("stdio", token) {
		target = append(target, "-e", variable)
	}
	return append(target, b.bin, "stdio")
}

// inspect runs one step. A result with isError ends the inspector with a code
// of its own, but is printed all the same.
func inspect(t *testing.T, target []string, s step) outcome {
	t.Helper()
	how := []string{"--cli", "--quiet", "--format", "json", "--method", s.Method}
	switch s.Method {
	case "tools/call":
		how = append(how, "--tool-name", s.Params["name"].(string), "--tool-args-json", string(mustJSON(t, s.Params["arguments"])))
	case "resources/read":
		how = append(how, "--uri", s.Params["uri"].(string))
	}
	cmd := nodeCommand(t, inspector, append(how, target...)...)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	var o outcome
	require.NoError(t, json.Unmarshal(out, &o), "%v: %s", err, errors.String())
	return o
}
