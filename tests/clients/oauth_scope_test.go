package clients

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tests/program"
)

// TestOAuthStepUp: an agent that may only read calls a tool that writes. Its package asks
// the person for more, and does the call then. Nobody is asked for what they cannot give.
func TestOAuthStepUp(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	reads := []string{"projects:read", "issues:read", "issues:search"}
	p := r.app(t, "client", person{Answer: "Allow", Allow: reads})
	p.does(t, call("search_issues", args{"query": "safari"}, args{"total": 1}))
	r.saw(t, 1)
	r.noted()

	r.browser(t, person{Answer: "Allow"}) // what is asked for
	p.does(t, call("update_issue", args{"key": "WEB-1", "comment": "Mine."}, args{"key": "WEB-1"}))
	require.Equal(t, []string{"POST /mcp 403", "GET /oauth/authorize 200", "POST /oauth/token 200"}, r.noted(), "asked once, for all that it needs")
	require.ElementsMatch(t, append(reads, "issues:update", "comments:create"), r.saw(t, 1)[0].Asked)
	p.does(t, call("search_issues", args{"query": "safari"}, args{"total": 1}))
	require.Empty(t, r.noted(), "it has kept what it had")
}

// TestOAuthStepUp_FromEveryday: a person who allows what is offered at first has an agent that
// does everyday work, and is asked again for what goes beyond it.
func TestOAuthStepUp_FromEveryday(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	p := r.app(t, "client", person{Answer: "Allow"})
	p.does(t, call("create_issue", args{"project": "WEB", "title": "By an agent"}, args{"key": "WEB-3"}))
	require.ElementsMatch(t, tenancy.Everyday().Strings(), r.saw(t, 1)[0].Asked)
	p.does(t, call("update_issue", args{"key": "WEB-3", "comment": "Mine."}, args{"key": "WEB-3"}))
	r.noted()

	r.browser(t, person{Answer: "Allow"})
	p.does(t, call("create_project", args{"name": "Mobile", "key": "MOB"}, args{"key": "MOB"}))
	require.Equal(t, []string{"POST /mcp 403", "GET /oauth/authorize 200", "POST /oauth/token 200"}, r.noted())
	require.ElementsMatch(t, append(tenancy.Everyday().Strings(), "projects:create"), r.saw(t, 1)[0].Asked)
	var ended []string
	require.NoError(t, r.db.Admin(t).QueryRow(t.Context(), `select array_agg(coalesce(ended_why, '') order by created_at) from tokens`).Scan(&ended))
	require.Equal(t, []string{"replaced", ""}, ended, "what it has now takes the place of what it had")
}

// TestOAuthStepUp_Renews: @modelcontextprotocol/sdk 1 renews its token instead of asking the
// person, gets no more by that, and says so instead of trying for ever.
func TestOAuthStepUp_Renews(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	p := r.app(t, "sdk", person{Answer: "Allow", Allow: []string{"issues:read"}})
	p.does(t, call("get_issue", args{"keys": []string{"WEB-1"}}, nil))
	r.saw(t, 1)
	r.noted()
	p.does(t, step{"tools/call", args{"name": "create_issue", "arguments": args{"project": "WEB", "title": "x"}}, func(t *testing.T, o outcome) {
		require.NotNil(t, o.Error, string(o.Result))
		require.Contains(t, o.Error.Message, "Server returned 403 after trying upscoping")
	}})
	require.Equal(t, []string{"POST /mcp 403", "POST /oauth/token 200", "POST /mcp 403"}, r.noted())
	p.does(t, call("get_issue", args{"keys": []string{"WEB-1"}}, nil))
}

// TestOAuthStepUp_MCPRemote: mcp-remote asks the person for the host, which notices nothing.
func TestOAuthStepUp_MCPRemote(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	reads := []string{"projects:read", "issues:read", "issues:search"}
	host := r.mcpRemote(t, t.TempDir(), program.FreePort(t), person{Answer: "Allow", Allow: reads})
	does(t, host, call("search_issues", args{"query": "safari"}, args{"total": 1}))
	r.saw(t, 1)
	r.noted()

	r.browser(t, person{Answer: "Allow"})
	does(t, host, call("create_issue", args{"project": "WEB", "title": "By an agent"}, args{"key": "WEB-3"}))
	require.Subset(t, r.noted(), []string{"POST /mcp 403", "GET /oauth/authorize 200", "POST /oauth/token 200"})
	require.ElementsMatch(t, append(reads, "issues:create"), r.saw(t, 1)[0].Asked, "and what it had")
	does(t, host, call("search_issues", args{"query": "safari"}, args{"total": 1}))
	require.Empty(t, r.noted())
}

// TestOAuthToolsets: a hosted agent, which sends no headers of ours, is shown a toolset by
// its address, asks its person for what that needs, and is held to the rest of the address.
func TestOAuthToolsets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sdk", "client"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRemote(t)
			r.below = "/p/WEB/x/default,attachments"
			p := r.app(t, name, person{Answer: "Allow"})
			p.does(t, call("add_attachment", args{"key": "WEB-1", "name": "notes.txt", "text": "Seen on 17.4 too."}, args{"name": "notes.txt"}))
			require.ElementsMatch(t, append(tenancy.Everyday().Strings(), "attachments:create"), r.saw(t, 1)[0].Asked)
			p.does(t, call("get_issue", args{"keys": []string{"WEB-1"}, "include": []string{"attachments"}}, nil))
			p.does(t, refused("get_issue", args{"keys": []string{"API-1"}}, "not_found", "API-1"))
		})
	}
}
