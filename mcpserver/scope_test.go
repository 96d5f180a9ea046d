package mcpserver_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// TestAttack013_InsufficientScope: a client that got its token by OAuth hears what to ask its person
// for, if they have it to give; any other token is told that it lacks something.
func TestAttack013_InsufficientScope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const metadata = "https://colaflow.test/.well-known/oauth-protected-resource"
	s, main := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, ResourceMetadata: metadata})
	alone := httptest.NewServer(s.TokenHandler())
	t.Cleanup(alone.Close)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	acme.Issues(t, web, "One")
	const reads = `{"projects":["read"],"issues":["read"]}`
	_, pasted := acme.Token(t, "pasted", reads)
	connected, denied := connect(t, b, acme, acme.Ben, reads), connect(t, b, acme, acme.Ben, `{"issues":["read"],"deny":{"issues":["create"]}}`)
	all := connect(t, b, acme, acme.Ben, `{"projects":["read"],"issues":["*"],"comments":["*"],"only_projects":[]}`)
	created := `{"name":"create_issue","arguments":{"project":"WEB","title":"Two"}}`
	updated := `{"name":"update_issue","arguments":{"key":"WEB-1","comment":"Mine."}}`
	before := b.db.Dump(t, "audit_log", "token_usage", "oauth_connections")
	for name, test := range map[string]struct {
		at, token, call string
		scope           string // that is asked for; empty: a tool error
	}{
		"needs one":             {main.URL, connected, created, "projects:read issues:read issues:create"},
		"needs two":             {main.URL, connected, updated, "projects:read issues:read issues:update comments:create"},
		"needs one for search":  {main.URL, connected, `{"name":"list_projects","arguments":{"query":"web"}}`, "projects:read projects:search issues:read"},
		"needs one for sprints": {main.URL, connected, `{"name":"get_project","arguments":{"project":"WEB","include":["sprints"]}}`, "projects:read issues:read sprints:read"},
		"needs one for reading": {main.URL, connected, `{"name":"get_issue","arguments":{"keys":["WEB-1"],"include":["comments"]}}`, "projects:read issues:read comments:read"},
		"pasted token":          {main.URL, pasted, created, ""},
		"address for tokens":    {alone.URL, connected, created, ""},
		"denied by an admin":    {main.URL, denied, created, ""},
		"arguments are wrong":   {main.URL, all, `{"name":"update_issue","arguments":{"keyy":"WEB-1"}}`, ""},
		"project out of reach":  {main.URL, all, updated, ""},
		"role cannot give it":   {main.URL, connected, `{"name":"search_audit_log","arguments":{}}`, ""},
	} {
		c := (&client{t: t, url: test.at + "/mcp", token: test.token}).all()
		a := c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + test.call + `}`)
		if test.scope == "" {
			require.Equal(t, http.StatusOK, a.status, name)
			require.Contains(t, a.body, `"isError":true`, name)
			continue
		}
		require.Equal(t, http.StatusForbidden, a.status, "%s: %s", name, a.body)
		require.Equal(t, `Bearer error="insufficient_scope", scope="`+test.scope+`", resource_metadata="`+metadata+`/mcp"`, a.header.Get("WWW-Authenticate"), name)
	}
	a := (&client{t: t, url: main.URL + "/mcp", token: connected}).modern("7", "tools/call", "update_issue", `"name":"update_issue","arguments":{"key":"WEB-1","comment":"Mine."}`)
	require.Equal(t, http.StatusForbidden, a.status, a.body)
	require.Contains(t, a.header.Get("WWW-Authenticate"), `scope="issues:update comments:create"`, "a modern client adds it to what it has")

	require.Equal(t, before, b.db.Dump(t, "audit_log", "token_usage", "oauth_connections"), "nothing was done")

	var rows []store.AuditRow
	acme.Read(t, store.AuditRows(store.AuditFilter{Limit: 100, Decision: store.Denied}, &rows, nil))
	require.NotEmpty(t, rows)
	require.Equal(t, "forbidden", rows[0].Code)
}

// TestAttack013_EveryScopeIsNamed calls every tool with each of its arguments, and each
// choice that these offer, by a connection that may do nothing: with exactly the scopes
// that the refusal names, the same call lacks nothing more.
func TestAttack013_EveryScopeIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, h := w.serve(t, mcpserver.Config{Store: w.db.Store, Tokens: w.auth, ResourceMetadata: "https://colaflow.test/.well-known/oauth-protected-resource"})
	wanted := regexp.MustCompile(`^Bearer error="insufficient_scope", scope="([^"]+)"`)
	with := map[string]string{"": connect(t, w.bundle, w.acme, w.acme.Ada, `{}`)} // tokens by what they may do
	call := func(scope, tool string, arguments args) answer {
		if with[scope] == "" {
			with[scope] = connect(t, w.bundle, w.acme, w.acme.Ada, grantsOf(t, scope))
		}
		data, err := json.Marshal(arguments)
		require.NoError(t, err)
		return (&client{t: t, url: h.URL, token: with[scope]}).all().post(callBody(tool, string(data)))
	}
	tried, several := 0, 0
	for n, tool := range w.tools {
		permission := mcpserver.Catalogue()[n].Permission
		require.Equal(t, mcpserver.Catalogue()[n].Name, tool.Name)
		if permission == nil {
			continue
		}
		f := filler{t, tool.Name, w.own[w.insider]}
		for _, l := range append(leaves(&tool.InputSchema, ""), leaf{schema: &schema{}}) {
			values := []any{nil}
			item := l.schema
			if item.is("array") {
				item = item.Items
			}
			if _, isPlain := plain[l.name]; item.is("string") && !isPlain && refs[l.name] == "" {
				values = nil // any text will do
				for _, choice := range append([]string{"x"}, item.Enum...) {
					values = append(values, l.with(choice))
				}
			}
			for _, value := range values {
				arguments := f.arguments(tool, l, value)
				a := call("", tool.Name, arguments)
				require.Equal(t, http.StatusForbidden, a.status, "%s %s: %s", tool.Name, l.path, a.body)
				scope := wanted.FindStringSubmatch(a.header.Get("WWW-Authenticate"))
				require.NotNil(t, scope, "%s %s", tool.Name, l.path)
				require.Contains(t, strings.Fields(scope[1]), permission.String())
				if strings.Contains(scope[1], " ") {
					several++
				}
				a = call(scope[1], tool.Name, arguments)
				require.Equal(t, http.StatusOK, a.status, "%s %s=%v with %s: %s", tool.Name, l.path, value, scope[1], a.header.Get("WWW-Authenticate"))
				require.NotContains(t, a.body, `"forbidden: `, "%s %s=%v with %s", tool.Name, l.path, value, scope[1])
				tried++
			}
		}
	}
	t.Logf("%d calls, %d need several scopes", tried, several)
	require.Greater(t, tried, 200)
	require.Greater(t, several, 5)
}

// grantsOf is the JSON of what a scope allows.
func grantsOf(t *testing.T, scope string) string {
	t.Helper()
	var set tenancy.PermissionSet
	for _, word := range strings.Fields(scope) {
		p, err := tenancy.ParsePermission(word)
		require.NoError(t, err)
		set |= tenancy.NewPermissionSet(p)
	}
	data, err := json.Marshal(tenancy.Grants{Allow: set})
	require.NoError(t, err)
	return string(data)
}

// connect makes the access token of a member's connection.
func connect(t *testing.T, b *bundle, tenant *storetest.Tenant, member tenancy.Member, grants string) string {
	t.Helper()
	allowed, err := tenancy.ParseGrants([]byte(grants))
	require.NoError(t, err)
	scope := store.ForMember(tenant.ID, member.ID, 1)
	code, err := b.db.Connect(t.Context(), scope, tenant.Slug, "ben", store.Consent{ClientID: "cfo_x", ClientName: "Agent", RedirectURI: "https://agent.example/cb",
		Challenge: "c", Resource: "https://colaflow.test/mcp", Grants: allowed, Life: 24 * time.Hour})
	require.NoError(t, err)
	access, hash := tokens.Access.Mint(tenant.Slug)
	_, refresh := tokens.MintRefresh(tenant.Slug)
	_, err = b.db.RedeemCode(t.Context(), store.Redemption{Code: code, ClientID: "cfo_x", RedirectURI: "https://agent.example/cb", Challenge: "c",
		Secrets: store.Secrets{Access: hash, Hint: access[len(access)-4:], Refresh: refresh}})
	require.NoError(t, err)
	return access
}
