package mcpserver_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

var update = flag.Bool("update", false, "write the golden files anew")

// permissionFree are the tools that any token may call.
var permissionFree = []string{"get_me"}

// tokenBudget is what the default tools/list may cost, in tokens of four bytes.
const tokenBudget = 6000

func TestCatalogue_EveryToolIsComplete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	tools, raw := c.listTools()
	t.Logf("tools/list: %d tools, %d bytes, %d tokens of %d", len(tools), len(raw), len(raw)/4, tokenBudget)
	require.LessOrEqual(t, len(raw)/4, tokenBudget)
	tools, raw = c.all().listTools()
	t.Logf("with every toolset: %d tools, %d tokens", len(tools), len(raw)/4)
	catalogue := map[string]mcpserver.Tool{}
	for _, tool := range mcpserver.Catalogue() {
		catalogue[tool.Name] = tool
	}
	require.Len(t, tools, len(catalogue), "names are unique and all are listed")
	for _, tool := range tools {
		want := catalogue[tool.Name]
		require.Regexp(t, `^[a-z]+(_[a-z]+)+$`, tool.Name)
		for _, hint := range []string{"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} {
			require.IsType(t, true, tool.Annotations[hint], "%s: %s", tool.Name, hint)
		}
		require.NotEmpty(t, tool.Annotations["title"], tool.Name)
		require.Equal(t, want.ReadOnly, tool.Annotations["readOnlyHint"], tool.Name)
		require.False(t, want.ReadOnly && want.Destructive, tool.Name)
		require.NotEmpty(t, tool.Description, tool.Name)
		require.Less(t, len(tool.Description), 300, tool.Name)
		require.NotEmpty(t, tool.OutputSchema, tool.Name)
		require.Equal(t, want.Permission == nil, slices.Contains(permissionFree, tool.Name), "%s: a permission, or the reviewed list", tool.Name)
		for _, write := range []string{"dry_run", "idempotency_key"} {
			require.Equal(t, !want.ReadOnly, tool.InputSchema.Properties[write] != nil, "%s: %s", tool.Name, write)
		}
		requireBounded(t, tool.Name, &tool.InputSchema)
		for _, word := range []string{"tenant", "password", "secret"} {
			require.NotContains(t, tool.InputSchema.Properties, word, "the tenant comes from the token only")
		}
	}
}

// requireBounded asks of every object that it refuses what it does not know, and
// of every number and list that it says its bounds where a handler relies on them.
func requireBounded(t *testing.T, path string, s *schema) {
	t.Helper()
	if s.is("object") {
		require.NotNil(t, s.Additional, path)
		require.False(t, *s.Additional, path)
	}
	if s.is("integer") {
		require.True(t, s.Minimum != nil && s.Maximum != nil, "%s has no bounds", path)
	}
	if s.is("array") {
		if s.Items.is("object") {
			require.NotNil(t, s.MaxItems, path)
		}
		requireBounded(t, path+"[]", s.Items)
	}
	for name, p := range s.Properties {
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, name, path)
		requireBounded(t, path+"."+name, p)
	}
}

// TestCatalogue_Golden compares every tool with its file, so that no change of
// the public surface goes unseen. Write them anew with -update.
func TestCatalogue_Golden(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tools, _ := b.client(t, b.db.Tenant(t, "acme").FullToken(t)).all().listTools()
	var known []string
	for _, tool := range tools {
		var got bytes.Buffer
		require.NoError(t, json.Indent(&got, tool.raw, "", "  "))
		got.WriteByte('\n')
		file := filepath.Join("testdata", "schemas", tool.Name+".json")
		known = append(known, file)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, got.Bytes(), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err, "no golden file; look at the tool, then: go test ./mcpserver -run Golden -update")
		require.Equal(t, string(want), got.String(), "%s changed; if it should: go test ./mcpserver -run Golden -update", tool.Name)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "schemas", "*.json"))
	require.NoError(t, err)
	require.ElementsMatch(t, known, files, "a golden file without a tool")
}

// Clients show tools in the order they get them, and models read them so.
func TestToolsList_CatalogueOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want, got []string
	for _, tool := range mcpserver.Catalogue() {
		want = append(want, tool.Name)
	}
	tools, _ := b.client(t, b.db.Tenant(t, "acme").FullToken(t)).all().listTools()
	for _, tool := range tools {
		got = append(got, tool.Name)
	}
	require.Equal(t, want, got)
}

// TestAttack100_NoTenantTextInDescriptions compares what two tenants with
// different contents are told about the product.
func TestAttack100_NoTenantTextInDescriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, call := range []struct {
		method string
		params args
	}{{"tools/list", args{}}, {"resources/templates/list", args{}}, {"prompts/list", args{}},
		{"initialize", args{"protocolVersion": "2025-11-25", "capabilities": args{}, "clientInfo": args{"name": "t", "version": "1"}}}} {
		mine, _ := w.insider.rpc(call.method, call.params)
		others, _ := w.outsider.rpc(call.method, call.params)
		require.NotEmpty(t, mine, call.method)
		require.Equal(t, string(mine), string(others), call.method)
		require.NotRegexp(t, secretMark+"|"+personMark+"|QXZVK|acme", string(mine))
	}
}

// hide takes a name out of an answer that repeats it.
func hide(text, name string) string {
	for _, form := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
		text = strings.ReplaceAll(text, form, "§")
	}
	return text
}

// TestAttack053_ForeignNames is the matrix: every argument of every tool that
// names something, with the name of something of another tenant or project. The
// answer equals that for a name that does not exist.
func TestAttack053_ForeignNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.db.Dump(t, "audit_log", "token_usage")
	tried := 0
	for _, tool := range w.tools {
		for _, l := range leaves(&tool.InputSchema, "") {
			kind, ok := l.ref(tool.Name)
			if !ok {
				continue
			}
			for _, c := range []*client{w.outsider, w.limited} {
				if kind == "member" && c == w.limited {
					continue // people belong to the tenant
				}
				f := filler{t, tool.Name, w.own[c]}
				if r := c.call(tool.Name, f.arguments(tool, l, l.with(w.own[c][kind]))); !strings.HasPrefix(l.path, "filter.") {
					require.False(t, r.isError, "%s with its own %s: %s", tool.Name, l.path, r.text)
				}
				ask := func(n names) toolResult {
					a := f.arguments(tool, l, l.with(n[kind]))
					delete(a, "dry_run")
					r := c.call(tool.Name, a)
					r.text = hide(hide(r.text, n[kind]), n["project"])
					return r
				}
				foreign, absent := ask(w.foreign), ask(w.absent)
				require.Equal(t, absent.text, foreign.text, "%s.%s", tool.Name, l.path)
				require.NotContains(t, foreign.text, secretMark)
				require.NotContains(t, foreign.text, "internal")
				if !tool.Annotations["readOnlyHint"].(bool) {
					require.True(t, foreign.isError, "%s.%s: %s", tool.Name, l.path, foreign.text)
					require.Regexp(t, `^(not_found|conflict: The filter matches 0 issues)`, foreign.text, "%s.%s", tool.Name, l.path)
				}
				tried++
			}
		}
	}
	t.Logf("%d foreign names tried", tried)
	require.Greater(t, tried, 40)
	require.Equal(t, before, w.db.Dump(t, "audit_log", "token_usage"), "nothing changed")
}

// TestAttack053_ForeignNamesInPrompts is the same matrix for every argument of every prompt.
func TestAttack053_ForeignNamesInPrompts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tried := 0
	for _, p := range mcpserver.Prompts() {
		for _, a := range p.Arguments {
			kind, ok := refs[a.Name]
			if !ok {
				require.Contains(t, plain, a.Name, "say in refs or plain of world_test.go what it is")
				continue
			}
			for _, c := range []*client{w.outsider, w.limited} {
				ask := func(n names) string {
					arguments := given(p, w.own[c])
					arguments[a.Name] = n[kind]
					_, data, rpcError := c.prompt(p.Name, arguments)
					require.NotRegexp(t, secretMark+"|nternal error", data+rpcError)
					return hide(hide(data+rpcError, n[kind]), n["project"])
				}
				require.NotContains(t, ask(w.own[c]), "not_found: ", "%s %s", p.Name, a.Name)
				foreign := ask(w.foreign)
				require.Equal(t, ask(w.absent), foreign, "%s %s", p.Name, a.Name)
				require.Contains(t, foreign, "not_found: ")
				tried++
				for _, prefix := range []string{"", "QXZVK", "zz", "%"} {
					result, rpcError := c.rpc("completion/complete", args{"ref": args{"type": "ref/prompt", "name": p.Name},
						"argument": args{"name": a.Name, "value": prefix}, "context": args{"arguments": args{"project": "QXZVK"}}})
					require.NotRegexp(t, "QXZVK|"+secretMark+"|nternal error|Zzqxwvk", string(result)+rpcError, "case 40")
				}
			}
		}
	}
	t.Logf("%d foreign names tried", tried)
	require.GreaterOrEqual(t, tried, 2*len(mcpserver.Prompts()))
}

// TestAttack053_WithoutPermission calls every tool with a token that holds every
// permission but the tool's own, and with one that holds none.
func TestAttack053_WithoutPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, nothing := w.acme.Token(t, "nothing", `{}`)
	var clients []*client
	for _, tool := range mcpserver.Catalogue() {
		token := nothing
		if tool.Permission != nil {
			_, token = w.acme.Token(t, "almost", allGrants(t, nil, *tool.Permission))
		}
		clients = append(clients, w.client(t, token).all())
	}
	before := w.db.Dump(t, "audit_log", "token_usage")
	for n, want := range mcpserver.Catalogue() {
		i := slices.IndexFunc(w.tools, func(tool wireTool) bool { return tool.Name == want.Name })
		f := filler{t, want.Name, w.own[w.insider]}
		arguments := f.arguments(w.tools[i], leaf{}, nil)
		for _, c := range []*client{clients[n], w.client(t, nothing).all()} {
			r := c.call(want.Name, arguments)
			if want.Permission == nil {
				require.False(t, r.isError, want.Name)
				continue
			}
			require.Regexp(t, fmt.Sprintf(`^forbidden: Token "(almost|nothing)" lacks %s`, *want.Permission), r.text)
			delete(arguments, "dry_run")
			require.Regexp(t, "^forbidden: ", c.call(want.Name, arguments).text)
			require.Regexp(t, "^forbidden: ", c.call(want.Name, args{"nonsense": 1}).text, "the permission is asked first")
		}
	}
	require.Equal(t, before, w.db.Dump(t, "audit_log", "token_usage"), "nothing changed")
}

// TestAttack063_NothingOfOthersInAnyAnswer asks outsiders' own questions with
// every choice that a schema offers, and looks for the marks of the others.
func TestAttack063_NothingOfOthersInAnyAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answers := 0
	for _, tool := range w.tools {
		for _, c := range []*client{w.outsider, w.limited} {
			f := filler{t, tool.Name, w.own[c]}
			ask := func(l leaf, value any) {
				r := c.call(tool.Name, f.arguments(tool, l, value))
				require.NotContains(t, r.text, secretMark, "%s.%s", tool.Name, l.path)
				require.NotContains(t, r.text, "QXZVK", "%s.%s", tool.Name, l.path)
				if c == w.outsider {
					require.NotContains(t, r.text, personMark, "%s.%s", tool.Name, l.path)
				}
				require.NotRegexp(t, "^internal", r.text, "%s.%s=%v", tool.Name, l.path, value)
				answers++
			}
			ask(leaf{}, nil)
			for _, l := range leaves(&tool.InputSchema, "") {
				switch {
				case l.schema.is("array") && len(l.schema.Items.Enum) > 0:
					ask(l, l.schema.Items.Enum)
				case len(l.schema.Enum) > 0:
					for _, value := range l.schema.Enum {
						ask(l, value)
					}
				case l.schema.is("boolean"):
					ask(l, true)
				case l.schema.is("string") && plain[l.name] == "word":
					ask(l, "word")
				}
			}
		}
	}
	for _, p := range mcpserver.Prompts() {
		for _, c := range []*client{w.outsider, w.limited} {
			task, data, rpcError := c.prompt(p.Name, given(p, w.own[c]))
			require.Empty(t, rpcError, p.Name)
			require.NotRegexp(t, secretMark+"|QXZVK", task+data, p.Name)
			if c == w.outsider {
				require.NotContains(t, data, personMark, p.Name)
			}
			answers++
		}
	}
	t.Logf("%d answers looked through", answers)
}

// TestAttack059_StrangeValues puts what breaks parsers and queries into every
// argument of every tool. The answer is a clean error or a result, never an
// internal error, and says nothing about rows of others.
func TestAttack059_StrangeValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts := []any{`'; drop table issues; -- %\`, "a\u0000b", "\u202e\u200b\U000E0041", strings.Repeat("é", 9000), "9999999999-99", "-infinity", ""}
	others := []any{nil, -1, 1e300, []any{}, []any{nil}, []any{[]any{}}, args{"a": 1}, "x", slices.Repeat([]any{"a"}, 300)}
	tried, named := 0, map[string]bool{}
	for _, tool := range w.tools {
		f, seen := filler{t, tool.Name, w.own[w.limited]}, map[string]bool{}
		for _, l := range leaves(&tool.InputSchema, "") {
			var values []any
			if kind := fmt.Sprint(l.schema.Type); !seen[kind] { // one reader reads all of a kind
				seen[kind] = true
				values = append(values, others...)
			}
			enum := l.schema.Enum
			if l.schema.is("array") {
				enum = l.schema.Items.Enum
			}
			if len(enum) == 0 && (l.schema.is("string") || l.schema.is("array")) {
				values = append(values, texts[:2]...)
				if !named[l.name] { // handlers share their reading of names
					named[l.name] = true
					values = append(values, texts[2:]...)
				}
			}
			for _, value := range values {
				arguments := f.arguments(tool, l, "placeholder")
				replace(arguments, "placeholder", value)
				r := w.limited.call(tool.Name, arguments)
				require.NotRegexp(t, "^internal", r.text, "%s.%s = %.60v", tool.Name, l.path, value)
				require.NotContains(t, r.text, secretMark)
				require.Less(t, len(r.text), 30<<10, "%s.%s = %.60v", tool.Name, l.path, value)
				requireNoInvisible(t, r.text)
				tried++
			}
		}
	}
	t.Logf("%d strange values tried", tried)
}

// replace puts value where the placeholder is.
func replace(in any, placeholder string, value any) {
	switch in := in.(type) {
	case args:
		for name, v := range in {
			if v == placeholder {
				in[name] = value
			} else {
				replace(v, placeholder, value)
			}
		}
	case []any:
		for _, v := range in {
			replace(v, placeholder, value)
		}
	}
}

// requireNoInvisible refuses text that a person would not see in an answer.
func requireNoInvisible(t *testing.T, text string) {
	t.Helper()
	require.NotRegexp(t, "[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000E0000-\U000E007F]", text)
}
