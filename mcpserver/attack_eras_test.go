package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

// TestAttack045_IDs decides: string ids and whole numbers within 2^53 are echoed
// exactly; others are refused with -32600, because the MCP library carries ids
// as float64 and would answer under another id. It is so in both eras and at a pipe.
func TestAttack045_IDs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	s := b.stdio(t.Context(), t, c.token)
	headers := func(method, name string) []func(*http.Request) {
		edit := []func(*http.Request){header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", method)}
		if name != "" {
			edit = append(edit, header("Mcp-Name", name))
		}
		return edit
	}
	for _, id := range []string{`0`, `-0`, `1`, `-1`, `9007199254740992`, `-9007199254740992`, `9007199254740991`, `"9007199254740993"`, `"1"`, `"1e3"`, `"null"`, `""`, `" "`,
		`"a\"b\\c é"`, `"\ud83d\ude00 \u2028 <&>"`, `"\u0000\n"`, `"` + strings.Repeat("x", 300) + `"`} {
		var want any
		require.NoError(t, json.Unmarshal([]byte(id), &want))
		for method, params := range map[string]string{"ping": "", "tools/call": `"name":"get_me"`, "nothing": "", "resources/read": `"uri":"colaflow://nothing"`, "prompts/get": `"name":"nothing"`,
			"subscriptions/listen": `"notifications":{"resourceSubscriptions":[` + strings.Repeat(`"x",`, 100) + `"x"]}`} {
			legacy := `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{` + params + `}}`
			modern := strings.TrimSuffix(legacy, "}}") + map[bool]string{true: "", false: ","}[params == ""] + modernMeta + "}}"
			var inParams struct{ Name, URI string }
			require.NoError(t, json.Unmarshal([]byte("{"+params+"}"), &inParams))
			for _, answer := range []string{c.post(legacy).body, c.post(modern, headers(method, inParams.Name+inParams.URI)...).body, s.send(legacy), s.send(modern)} {
				var m struct{ ID json.RawMessage }
				require.NoError(t, json.Unmarshal([]byte(answer), &m), answer)
				var got any
				require.NoError(t, json.Unmarshal(m.ID, &got), answer)
				require.Equal(t, want, got, legacy)
				if id[0] != '"' {
					require.Equal(t, id, string(m.ID), legacy)
				}
			}
		}
	}
	for _, id := range []string{`9007199254740993`, `-9007199254740993`, `1e3`, `1E0`, `1.0`, `1.5`, `-0.0`, `null`, `true`, `false`, `[1]`, `{}`, `18446744073709551616`, `1e400`} {
		for _, body := range []string{`{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}`, `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me"}}`} {
			res := c.post(body)
			require.Equal(t, http.StatusBadRequest, res.status, id)
			require.Contains(t, res.body, `"code":-32600`, id)
			require.Contains(t, s.send(body), `"id":null,"error":{"code":-32600`, id)
		}
	}
}

// TestAttack046_CacheHints asks for every list, and for every page of a resource.
func TestAttack046_CacheHints(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	titles := make([]string, 60)
	for n := range titles {
		titles[n] = fmt.Sprint("Issue ", n)
	}
	acme.Issues(t, acme.Project(t, "WEB", "Website"), titles...)
	c := b.client(t, acme.FullToken(t))
	s := b.stdio(t.Context(), t, c.token)
	text, _ := c.read("colaflow://projects/WEB/issues")
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	calls := [][2]string{{"tools/list"}, {"prompts/list"}, {"resources/list"}, {"resources/templates/list"}, {"server/discover"},
		{"resources/read", "colaflow://projects/WEB/issues?cursor=" + page.NextCursor}}
	for _, r := range mcpserver.Resources() {
		uri, _, _ := strings.Cut(strings.NewReplacer("{project}", "WEB", "{key}", "WEB-1", "{type}", "throughput").Replace(r.URI), "{?")
		if !strings.HasSuffix(uri, "/sprints/current") { // there is none
			calls = append(calls, [2]string{"resources/read", uri})
		}
	}
	require.Greater(t, len(calls), 12)
	for _, call := range calls {
		params, modern := args{}, ""
		if call[1] != "" {
			params["uri"], modern = call[1], `"uri":"`+call[1]+`"`
		}
		res := c.modern("1", call[0], call[1], modern)
		require.Equal(t, http.StatusOK, res.status, res.body)
		require.Equal(t, "no-store", res.header.Get("Cache-Control"))
		atPipe := s.send(`{"jsonrpc":"2.0","id":1,"method":"` + call[0] + `","params":{` + strings.TrimPrefix(modern+","+modernMeta, ",") + `}}`)
		for _, body := range []string{res.body, atPipe} {
			var m struct{ Result map[string]any }
			require.NoError(t, json.Unmarshal([]byte(body), &m))
			require.Equal(t, "private", m.Result["cacheScope"], call)
			require.GreaterOrEqual(t, m.Result["ttlMs"], 0.0, call)
		}
		if call[0] != "server/discover" {
			result, rpcError := c.rpc(call[0], params)
			require.Empty(t, rpcError)
			require.NotRegexp(t, `"cacheScope"|"ttlMs"`, string(result), "absent for clients that do not know it")
		}
	}
	res := c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	require.NotRegexp(t, `"cacheScope"|"ttlMs"`, res.body)
}
