package clients

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tests/program"
)

const mcpRemote = "node_modules/mcp-remote/dist/proxy.js"

// TestOAuthMCPRemote: mcp-remote, through which hosts without OAuth of their own connect,
// does it all, keeps what it got for the next start, and asks again once it was revoked.
func TestOAuthMCPRemote(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	home, port := t.TempDir(), program.FreePort(t)
	start := func(p person) *mcp.ClientSession { return r.mcpRemote(t, home, port, p) }
	reader := person{Answer: "Allow", Allow: []string{"projects:read", "issues:read", "issues:search"}}
	first := start(reader)
	does(t, first, lists("tools/list", "tools", "name", "get_me", "list_projects", "get_project", "search_issues", "get_issue", "list_activity"))
	does(t, first, call("search_issues", args{"query": "safari"}, args{"total": 1}))
	steps := r.noted()
	require.Subset(t, steps, []string{"POST /mcp 401", "GET /.well-known/oauth-protected-resource/mcp 200", "GET /.well-known/oauth-authorization-server 200",
		"POST /oauth/register 201", "GET /oauth/authorize 200", "POST /oauth/token 200"})
	ada := r.saw(t, 1)[0]
	require.Contains(t, ada.Asks, "calls itself MCP CLI Proxy")
	require.ElementsMatch(t, tenancy.Everyday().Strings(), ada.Asked)

	r.expire(t)
	does(t, first, call("search_issues", args{"query": "export"}, args{"total": 1}))
	require.Subset(t, r.noted(), []string{"POST /mcp 401", "POST /oauth/token 200"})
	require.NoError(t, first.Close())

	again := start(person{Answer: "Decline"})
	does(t, again, call("search_issues", args{"query": "export"}, args{"total": 1}))
	require.NotContains(t, r.noted(), "GET /oauth/authorize 200", "what it kept works")

	r.revoke(t)
	_, err := send(t, again, call("search_issues", args{"query": "export"}, nil))
	require.Error(t, err)
	require.Subset(t, r.noted(), []string{"POST /mcp 401", "POST /oauth/token 400"})
	require.Contains(t, r.saw(t, 1)[0].Back, "access_denied", "it asks again")
}

// mcpRemote starts a host that knows our server through mcp-remote, which keeps what it gets
// in home, and whose person answers as told.
func (r *remote) mcpRemote(t *testing.T, home string, port int, p person) *mcp.ClientSession {
	t.Helper()
	cmd := r.asked(t, home, p, mcpRemote, r.url+"/mcp", fmt.Sprint(port), "--host", "127.0.0.1", "--transport", "http-only")
	client := mcp.NewClient(&mcp.Implementation{Name: "a host", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), overPipes(cmd), &mcp.ClientSessionOptions{ProtocolVersion: legacy})
	require.NoError(t, err)
	return session
}

// does sends a step that must succeed, and checks what came of it.
func does(t *testing.T, session *mcp.ClientSession, s step) {
	t.Helper()
	result, err := send(t, session, s)
	require.NoError(t, err)
	s.check(t, outcome{Result: mustJSON(t, result)})
}

// TestOAuthInspector: the command line of the MCP Inspector signs in for its first command,
// renews what it keeps for the next, and asks again when that was revoked.
func TestOAuthInspector(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	home := t.TempDir()
	callback := fmt.Sprintf("http://127.0.0.1:%d/oauth/callback", program.FreePort(t))
	inspect := func(p person, s step, flags ...string) {
		t.Helper()
		how := append([]string{inspector, "--cli", "--quiet", "--format", "json", "--server-url", r.url + "/mcp", "--protocol-era", "modern",
			"--callback-url", callback, "--connect-timeout", "0", "--method", s.Method}, flags...)
		if s.Method == "tools/call" {
			how = append(how, "--tool-name", s.Params["name"].(string), "--tool-args-json", string(mustJSON(t, s.Params["arguments"])))
		}
		cmd := r.asked(t, home, p, how[0], how[1:]...)
		cmd.Env = append(cmd.Env, "MCP_AUTO_OPEN_ENABLED=true", "MCP_INSPECTOR_SECRET_STORE=file")
		out, err := cmd.Output()
		var o outcome
		require.NoError(t, json.Unmarshal(out, &o), "%v: %s", err, out)
		s.check(t, o)
	}
	reader := person{Answer: "Allow", Allow: []string{"projects:read", "issues:read", "issues:search"}, Projects: []string{"WEB"}}
	nobody := person{Answer: "Decline"}
	inspect(reader, lists("tools/list", "tools", "name", "get_me", "list_projects", "get_project", "search_issues", "get_issue", "list_activity"))
	steps := r.noted()
	require.Subset(t, steps, []string{"POST /mcp 401", "GET /.well-known/oauth-protected-resource/mcp 200", "GET /.well-known/oauth-authorization-server 200",
		"POST /oauth/register 201", "GET /oauth/authorize 200", "POST /oauth/token 200"})
	ada := r.saw(t, 1)[0]
	require.Contains(t, ada.Asks, "The answer goes to a program on this computer")
	require.ElementsMatch(t, tenancy.Everyday().Strings(), ada.Asked)

	r.expire(t)
	inspect(nobody, call("search_issues", args{"query": "safari"}, args{"total": 1}), "--use-stored-auth")
	steps = r.noted()
	require.Contains(t, steps, "POST /oauth/token 200", "with this flag it renews what it kept before it calls")
	require.NotContains(t, steps, "GET /oauth/authorize 200")
	r.revoke(t)
	inspect(reader, call("search_issues", args{"query": "export"}, args{"total": 1}))
	require.Subset(t, r.noted(), []string{"POST /mcp 401", "GET /oauth/authorize 200", "POST /oauth/token 200"}, "it asks again")
	r.saw(t, 1)
}

// asked is a script that opens a browser, for a person who answers as told.
func (r *remote) asked(t *testing.T, home string, p person, script string, arguments ...string) *exec.Cmd {
	t.Helper()
	cmd := nodeCommand(t, script, arguments...)
	cmd.Env = append(cmd.Env, "HOME="+home, "BROWSER="+r.browser(t, p), "COLAFLOW_CHROMIUM="+program.Chromium(t))
	cmd.Stderr = t.Output()
	return cmd
}
