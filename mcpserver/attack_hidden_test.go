package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// TestAttack037_UnknownAndHiddenResources compares, template by template, what
// is hidden from a token with what does not exist.
func TestAttack037_UnknownAndHiddenResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	listed, _ := w.insider.rpc("resources/templates/list", args{})
	var list struct {
		ResourceTemplates []struct{ URITemplate string }
	}
	require.NoError(t, json.Unmarshal(listed, &list))
	require.NotEmpty(t, list.ResourceTemplates)
	var outputs []string
	for _, template := range list.ResourceTemplates {
		base, query, _ := strings.Cut(template.URITemplate, "{?")
		expand := func(n names) string {
			uri := strings.NewReplacer("{project}", string(n["project"]), "{key}", string(n["issue"]), "{type}", "project_status").Replace(base)
			require.NotContains(t, uri, "{", "teach the test this variable")
			return uri
		}
		for _, c := range []*client{w.outsider, w.limited} {
			text, rpcError := c.read(expand(w.own[c]))
			require.Empty(t, rpcError, expand(w.own[c]))
			outputs = append(outputs, text)
			_, foreign := c.read(expand(w.foreign))
			_, absent := c.read(expand(w.absent))
			require.NotEmpty(t, foreign)
			require.Equal(t, hide(absent, w.absent["project"]), hide(foreign, w.foreign["project"]), template.URITemplate)
			for name := range strings.SplitSeq(strings.TrimSuffix(query, "}"), ",") {
				kind, isRef := refs[name]
				if !isRef || kind == "member" && c == w.limited {
					continue
				}
				ask := func(n names) string {
					text, rpcError := c.read(expand(w.own[c]) + "?" + name + "=" + strings.ReplaceAll(n[kind], " ", "%20"))
					return hide(strings.ReplaceAll(text+rpcError, "%20", " "), n[kind])
				}
				require.Equal(t, ask(w.absent), ask(w.foreign), "%s %s", template.URITemplate, name)
			}
		}
		// Completions: nothing of others, by any prefix, in any context.
		for _, name := range []string{"project", "key", "status", "assignee", "sprint", "no_such"} {
			if name != "no_such" && !strings.Contains(template.URITemplate, name) {
				continue
			}
			for _, c := range []*client{w.outsider, w.limited} {
				for _, prefix := range []string{"", "QXZVK", "zz", "%"} {
					result, rpcError := c.rpc("completion/complete", args{"ref": args{"type": "ref/resource", "uri": template.URITemplate},
						"argument": args{"name": name, "value": prefix}, "context": args{"arguments": args{"project": "QXZVK"}}})
					require.NotContains(t, string(result)+rpcError, "QXZVK", "case 40")
					require.NotContains(t, rpcError, "nternal", name)
					outputs = append(outputs, string(result))
					if c == w.outsider {
						require.NotContains(t, string(result), "zzqxwvk")
					}
				}
			}
		}
	}
	for _, c := range []*client{w.outsider, w.limited} {
		for _, method := range []string{"resources/list", "resources/templates/list"} {
			result, _ := c.rpc(method, args{})
			outputs = append(outputs, string(result))
		}
	}
	for _, output := range outputs {
		require.NotContains(t, output, secretMark, "case 63")
	}
}

// unlike is a name of the same length that nothing has.
func unlike(name string) string { return "zz" + name[2:] }

// TestAttack037_HiddenLooksUnknown asks, in both eras, for everything of the catalogue
// that a token may not have, and for what there is not: the answers are equal byte by
// byte. Tools are the exception, for everybody may know of them: a call learns what it
// lacks, unless its client left the tool out.
func TestAttack037_HiddenLooksUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, nothing := w.acme.Token(t, "nothing", `{}`)
	c := w.client(t, nothing)
	// same asks for something by its name, and by one that nothing has.
	same := func(method, name, params string) string {
		t.Helper()
		other := unlike(name)
		var hidden answer
		for _, modern := range []bool{false, true} {
			ask := func(name string) answer {
				params := strings.ReplaceAll(params, "NAME", name)
				a := answer{}
				if modern {
					named := name
					if method == "completion/complete" {
						named = ""
					}
					a = c.modern("1", method, named, params)
				} else {
					a = c.post(`{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":{` + params + `}}`)
				}
				a.header.Del("X-Request-Id")
				a.header.Del("Date")
				a.body = strings.ReplaceAll(a.body, name, "NAME")
				return a
			}
			hidden = ask(name)
			require.Equal(t, ask(other), hidden, "%s %s", method, name)
			require.Equal(t, modern && strings.Contains(hidden.body, `"error"`), hidden.status == http.StatusBadRequest, hidden.body)
		}
		return hidden.body
	}
	completion := func(ref, name, argument string) string {
		return same("completion/complete", name, `"ref":`+ref+`,"argument":{"name":"`+argument+`","value":""},"context":{"arguments":{"project":"QXZVK"}}`)
	}
	for _, p := range mcpserver.Prompts() {
		for _, arguments := range []args{given(p, w.foreign), given(p, w.absent), {}, {"no_such": "x"}} {
			data, err := json.Marshal(arguments)
			require.NoError(t, err)
			same("prompts/get", p.Name, `"name":"NAME","arguments":`+string(data))
		}
		for _, a := range append(p.Arguments, mcpserver.PromptArgument{Name: "no_such"}) {
			require.Contains(t, completion(`{"type":"ref/prompt","name":"NAME"}`, p.Name, a.Name), `"values":[]`)
		}
		require.Equal(t, store.Denied, w.lastAudit(t, 0)[slices.IndexFunc(w.lastAudit(t, 0), func(r auditRow) bool { return r.Tool == "prompt "+p.Name })].Decision, "the audit knows")
	}
	hiddenResources := 0
	for _, r := range mcpserver.Resources() {
		if r.Permission == nil {
			continue
		}
		hiddenResources++
		path := strings.TrimPrefix(r.URI, "colaflow://")
		for _, n := range []names{w.foreign, w.absent} {
			uri, _, _ := strings.Cut(path, "{?")
			uri = strings.NewReplacer("{project}", n["project"], "{key}", n["issue"], "{type}", "velocity").Replace(uri)
			same("resources/read", uri, `"uri":"colaflow://NAME"`)
		}
		for _, variable := range []string{"project", "key", "type", "status", "assignee", "sprint", "no_such"} {
			require.Contains(t, completion(`{"type":"ref/resource","uri":"colaflow://NAME"}`, path, variable), `"values":[]`)
		}
	}
	require.Greater(t, hiddenResources, 5)
	for method, lists := range map[string]string{"prompts/list": `"prompts":[]`, "resources/templates/list": `"resourceTemplates":[]`} {
		require.Contains(t, c.post(`{"jsonrpc":"2.0","id":1,"method":"`+method+`"}`).body, lists)
	}
	listed, _ := c.rpc("resources/list", args{})
	require.Regexp(t, `^\{"resources":\[\{[^{}]*"uri":"colaflow://me"[^{}]*\},\{[^{}]*"uri":"colaflow://reference/search"[^{}]*\}\]\}$`, string(listed))

	inAll := c.all()
	for _, tool := range mcpserver.Catalogue() {
		if tool.Permission == nil {
			continue
		}
		require.Equal(t, fmt.Sprintf(`forbidden: Token "nothing" lacks %s. An admin can grant it in the console. Do not retry.`, *tool.Permission),
			inAll.fails("forbidden", tool.Name, args{}))
		elsewhere := mcpserver.ToolsetTime
		if tool.Toolset == elsewhere {
			elsewhere = mcpserver.ToolsetAdmin
		}
		for _, out := range []func(*http.Request){header("X-MCP-Toolsets", elsewhere), header("X-MCP-Exclude-Tools", tool.Name), header("X-MCP-Tools", "get_me")} {
			ask := func(name string) string {
				a := c.post(callBody(name, `{}`), out)
				return strings.ReplaceAll(fmt.Sprint(a.status, a.header.Get("Content-Type"), a.body), name, "NAME")
			}
			require.Equal(t, ask(unlike(tool.Name)), ask(tool.Name), tool.Name)
		}
	}
	require.Equal(t, strings.ReplaceAll(c.post(callBody("zzlete_issue", `{}`)).body, "zzlete", "delete"), c.post(callBody("delete_issue", `{}`)).body, "of no toolset that it asked for")
}

// TestAttack038_Roles: each role sees exactly what it may do, in the order of the
// catalogue, a hundred times alike, in both eras and on two nodes; and nothing that a
// client is told without asking names a tool for admins.
func TestAttack038_Roles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, there := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth})
	var admins []string
	for _, tool := range mcpserver.Catalogue() {
		if tool.Toolset == mcpserver.ToolsetAdmin {
			admins = append(admins, tool.Name)
		}
	}
	require.NotEmpty(t, admins)
	counts := map[int]bool{}
	for _, role := range tenancy.Roles() {
		_, plain, err := b.db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: string(role), Role: role, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}})
		require.NoError(t, err)
		c := b.client(t, plain).all()
		var want, got []string
		for _, tool := range mcpserver.Catalogue() {
			if tool.Permission == nil || role.Permissions().Has(*tool.Permission) {
				want = append(want, tool.Name)
			}
		}
		tools, first := c.listTools()
		for _, tool := range tools {
			got = append(got, tool.Name)
		}
		require.Equal(t, want, got, role)
		counts[len(got)] = true
		modern := c.modern("1", "tools/list", "", "").body
		for n := range 100 {
			at := *c
			at.url = []string{b.http.URL, there.URL}[n%2]
			if n%10 == 9 {
				require.Equal(t, modern, at.modern("1", "tools/list", "", "").body)
				continue
			}
			_, again := at.listTools()
			require.Equal(t, string(first), string(again))
		}
		told := ""
		for _, method := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover"} {
			told += b.client(t, plain).modern("1", method, "", "").body
		}
		told += b.client(t, plain).post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`).body
		require.Contains(t, told, `"instructions"`)
		for _, tool := range tools {
			if slices.Contains(admins, tool.Name) {
				continue
			}
			told += string(tool.raw)
		}
		for _, name := range admins {
			require.NotContains(t, told, name)
		}
	}
	require.Greater(t, len(counts), 2, "the roles differ")
}

// TestAttack038_ListIsWhatIsPermitted also holds the list to its order.
func TestAttack038_ListIsWhatIsPermitted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	reader, err := tenancy.Preset("reader")
	require.NoError(t, err)
	planner, err := tenancy.Preset("planner")
	require.NoError(t, err)
	for _, allow := range []tenancy.PermissionSet{0, reader, planner, tenancy.NewPermissionSet(tenancy.IssuesCreate), tenancy.AllPermissions} {
		grants, err := json.Marshal(tenancy.Grants{Allow: allow})
		require.NoError(t, err)
		_, token := acme.Token(t, "some", string(grants))
		c := b.client(t, token).all()
		var want []string
		for _, tool := range mcpserver.Catalogue() {
			if tool.Permission == nil || allow.Has(*tool.Permission) {
				want = append(want, tool.Name)
			}
		}
		var got []string
		tools, _ := c.listTools()
		for _, tool := range tools {
			got = append(got, tool.Name)
		}
		require.Equal(t, want, got)
	}
	_, rpcError := b.client(t, acme.FullToken(t)).rpc("tools/call", args{"name": "no_such_tool"})
	require.Contains(t, rpcError, "-32602")
}
