package clients

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// TestOAuthSDK: programs with the official packages' own OAuth clients come from nothing to
// a working agent: 401, metadata, registration, PKCE, sign-in and consent in a real browser,
// calls, renewal, and the end.
func TestOAuthSDK(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sdk", "client"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRemote(t)
			allow := []string{"projects:read", "projects:search", "issues:read", "issues:search", "issues:create"}
			p := r.app(t, name, person{Answer: "Allow", Allow: allow, Projects: []string{"WEB"}})

			p.does(t, lists("tools/list", "tools", "name", "get_me", "list_projects", "get_project", "search_issues", "get_issue", "create_issue", "batch_create_issues", "list_activity"))
			require.Equal(t, []string{
				"POST /mcp 401", "GET /.well-known/oauth-protected-resource/mcp 200", "GET /.well-known/oauth-authorization-server 200",
				"POST /oauth/register 201", "GET /oauth/authorize 200", "POST /oauth/token 200"}, r.noted())
			ada := r.saw(t, 1)[0]
			require.Contains(t, ada.Asks, "calls itself A program with "+name)
			require.Contains(t, ada.Asks, "The answer goes to a program on this computer")
			require.Contains(t, ada.Consent, "It can never do more than you can.")
			require.ElementsMatch(t, tenancy.Everyday().Strings(), ada.Asked, "as the first 401 names it")
			require.Contains(t, ada.Back, "iss=")
			require.Equal(t, "You may close this page.", ada.Landed)

			p.does(t, call("create_issue", args{"project": "WEB", "title": "By an agent"}, args{"key": "WEB-3"}))
			p.does(t, refused("create_issue", args{"project": "API", "title": "Elsewhere"}, "not_found", "API"))
			require.Empty(t, r.noted())

			r.expire(t)
			p.does(t, call("search_issues", args{"query": "safari"}, args{"total": 1}))
			require.Equal(t, []string{"POST /mcp 401", "POST /oauth/token 200"}, r.noted(), "nobody is asked again")

			if name == "sdk" {
				r.revoke(t)
			} else {
				p.disconnects(t)
			}
			r.browser(t, person{Answer: "Decline"})
			p.does(t, step{"tools/call", args{"name": "get_me", "arguments": args{}}, func(t *testing.T, o outcome) {
				require.NotNil(t, o.Error, string(o.Result))
				require.Contains(t, o.Error.Message, "access_denied")
			}})
			require.Equal(t, []string{"POST /mcp 401", "POST /oauth/token 400", "GET /oauth/authorize 200"}, r.noted())
			r.saw(t, 1)
		})
	}
}

// app is a driver that does steps as they come.
type app struct {
	r   *remote
	in  *json.Encoder
	out *bufio.Scanner
}

// app starts a program of an npm package, whose user answers as told.
func (r *remote) app(t *testing.T, name string, answers person) *app {
	t.Helper()
	job := args{"package": name, "url": r.url + "/mcp" + r.below}
	cmd := r.asked(t, t.TempDir(), answers, "drivers/app.js", string(mustJSON(t, job)))
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	p := &app{r: r, in: json.NewEncoder(in), out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 10<<20)
	return p
}

// does lets the program do a step, and checks what came of it.
func (p *app) does(t *testing.T, s step) {
	t.Helper()
	require.NoError(t, p.in.Encode(s))
	require.True(t, p.out.Scan(), "the program ended")
	var o outcome
	require.NoError(t, json.Unmarshal(p.out.Bytes(), &o))
	s.check(t, o)
}

// disconnects ends the connection as a program does when its user signs out (RFC 7009).
func (p *app) disconnects(t *testing.T) {
	t.Helper()
	p.does(t, step{"kept", nil, func(t *testing.T, o outcome) {
		var kept struct {
			Client    args
			Tokens    args
			Discovery struct{ AuthorizationServerMetadata args }
		}
		o.result(t, &kept)
		res, err := http.PostForm(kept.Discovery.AuthorizationServerMetadata["revocation_endpoint"].(string),
			url.Values{"token": {kept.Tokens["refresh_token"].(string)}, "client_id": {kept.Client["client_id"].(string)}})
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
	}})
	p.r.noted()
}
