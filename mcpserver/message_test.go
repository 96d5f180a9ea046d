package mcpserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func TestParseMessage(t *testing.T) {
	t.Parallel()
	m, err := parseMessage([]byte(` {"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"get_me","uri":"other","arguments":{"a":1},
		"clientInfo":{"name":"c","version":"1"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}} `))
	require.NoError(t, err)
	require.True(t, m.isRequest())
	require.Equal(t, message{method: "tools/call", id: json.RawMessage(`"x"`), name: "get_me", arguments: json.RawMessage(`{"a":1}`), client: "c/1", modern: true}, m)
	m, err = parseMessage([]byte(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"name":"other","uri":"colaflow://me"}}`))
	require.NoError(t, err)
	require.Equal(t, "colaflow://me", m.name, "each method is about its own parameter")
	m, err = parseMessage([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`))
	require.NoError(t, err)
	require.False(t, m.isRequest() || m.isResponse)
	m, err = parseMessage([]byte(`{"jsonrpc":"2.0","id":1,"result":{}}`))
	require.NoError(t, err)
	require.True(t, m.isResponse)
	for _, params := range []string{`[]`, `"x"`, `1`, `null`, `{"name":1,"arguments":[],"_meta":1,"clientInfo":"x"}`} {
		_, err = parseMessage([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`))
		require.NoError(t, err, "mcp-go answers wrong types: %s", params)
	}
}

// FuzzParseMessage compares our reading of a message with the library's: what
// passes here has one meaning in encoding/json too.
func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"method":"a","METHOD":"b"}`, `{"id":null,"method":"x"}`, `[]`, `{`, "\ufeff{}",
		`{"jsonrpc":"2.0","method":"tools/call","id":9007199254740993,"params":{"name":"a","Name":"b"}}`, `{"method":"x","method":"y"}`, `{"method":"\ud800"}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{"a":[[[[]]]]},"_meta":{}}}`, `{"jsonrpc":"2.0","id":1e400,"method":"x"}`, `{"jsonrpc":"2.0","param\u017f":1,"method":"x"}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","result":{}}`, `{"id":1,"method":"x"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMessage(data)
		if err != nil {
			var shape *shapeError
			require.True(t, errors.As(err, &shape), "%T", err)
			return
		}
		var library struct {
			Method string          `json:"method"`
			ID     any             `json:"id"`
			Params json.RawMessage `json:"params"`
		}
		require.NoError(t, json.Unmarshal(data, &library))
		require.Equal(t, library.Method, m.method)
		require.Equal(t, library.ID != nil, m.id != nil)
		var params struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		}
		if len(library.Params) > 0 && library.Params[0] == '{' && !strings.HasPrefix(m.method, "resources/") && json.Unmarshal(library.Params, &params) == nil {
			require.Equal(t, params.Name, m.name)
			require.Equal(t, string(params.Arguments), string(m.arguments))
		}
	})
}

// FuzzDecode reads arguments of every shape that a tool can have.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, ``, `[]`, `{"text":"x"}`, `{"text":null}`, `{"text":"x","whole":1e300}`, `{"text":"x","whole":1.5}`, `{"text":"x","list":"one"}`,
		`{"text":"x","nested":{"after":1}}`, `{"text":"x","items":[{"old_text":"a"}]}`, `{"text":"x","txet":1}`, `{"text":"a\u0000"}`, `{"text":"x","choice":"ONE "}`, `{"text":"x","flag":"yes"}`} {
		f.Add([]byte(seed))
	}
	type in struct {
		Text   string     `json:"text" need:"true"`
		Choice string     `json:"choice,omitempty" enum:"one|two"`
		Whole  int        `json:"whole,omitempty" range:"1,100"`
		Flag   *bool      `json:"flag,omitempty"`
		List   []string   `json:"list,omitempty" range:"0,5"`
		Nested period     `json:"nested,omitzero"`
		Items  []textEdit `json:"items,omitempty" range:"0,3"`
		issueFields
		WriteOptions
	}
	s := shapeOf(reflect.TypeFor[in]())
	f.Fuzz(func(t *testing.T, data []byte) {
		var v in
		if err := s.decode("tool", data, &v); err != nil {
			require.Contains(t, []tenancy.Code{tenancy.InvalidValue, tenancy.Missing, tenancy.UnknownArgument, tenancy.TooLarge}, tenancy.CodeOf(err), "%v", err)
			return
		}
		require.NotContains(t, v.Text, "\x00")
		require.Contains(t, []string{"", "one", "two"}, v.Choice)
		require.True(t, v.Whole >= 0 && v.Whole <= 100)
		require.LessOrEqual(t, len(v.List), 5)
		require.True(t, v.Points.Value >= 0 && v.Points.Value <= 1000)
		again := mustJSON(v) // what idempotency compares
		var w in
		require.NoError(t, s.decode("tool", again, &w), "%s", again)
		require.Equal(t, string(again), string(mustJSON(w)))
	})
}

func FuzzCursor(f *testing.F) {
	c := &Call{Principal: tenancy.Principal{TokenID: tenancy.NewID()}, tool: "list", cursors: cursors{tenancy.NewSealer(tenancy.NewMasterKey(), tenancy.PurposeCursors)}}
	good := c.next("filter", 5)
	for _, seed := range []string{"", good, good[1:], good + "A", "!", "AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		position := -1
		resumed, err := c.resume(cursor, "filter", &position)
		switch {
		case cursor == "":
			require.False(t, resumed)
			require.NoError(t, err)
		case err == nil:
			require.Equal(t, 5, position, "only what was sealed opens")
		default:
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			require.Equal(t, -1, position)
		}
	})
}

// TestAttack092_ClientIP: the right-most address that is not a trusted proxy.
func TestAttack092_ClientIP(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1000", nil, "203.0.113.9"},
		{"203.0.113.9:1000", []string{"198.51.100.1"}, "203.0.113.9"}, // a stranger may say what they like
		{"10.0.0.1:1000", nil, "10.0.0.1"},
		{"10.0.0.1:1000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1000", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"}, // the left is the client's own word
		{"10.0.0.1:1000", []string{"1.1.1.1", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1000", []string{"1.1.1.1, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:1000", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:1000", []string{"198.51.100.1, rubbish"}, "10.0.0.1"},
		{"10.0.0.1:1000", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1000", []string{"198.51.100.1,"}, "10.0.0.1"},
		{"10.0.0.1:1000", []string{"127.0.0.1"}, "127.0.0.1"},
		{"[::ffff:10.0.0.1]:1000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1000", []string{"::ffff:10.0.0.9, 10.0.0.2"}, "10.0.0.9"},
		{"[fd00::1]:1000", []string{"2001:db8::7"}, "2001:db8::7"},
		{"[fd00::1%eth0]:1000", []string{"2001:db8::7%25eth0"}, "2001:db8::7"},
		{"[2001:db8::1]:1000", []string{"198.51.100.1"}, "2001:db8::1"},
		{"10.0.0.1:1000", []string{"198.51.100.1:8080"}, "10.0.0.1"},
		{"nonsense", []string{"198.51.100.1"}, ""},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		for _, value := range c.forwarded {
			r.Header.Add("X-Forwarded-For", value)
		}
		require.Equal(t, c.want, tenancy.NewRequest(clientIP(r, proxies)).ClientIP, "%s %q", c.peer, c.forwarded)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	token := "mcp_acme_" + strings.Repeat("0123456789abcdef", 2)
	for in, want := range map[string]string{
		`{"a":1,"b":[true,null]}`:                                     `{"a":1,"b":[true,null]}`,
		`{"a":"` + token + `"}`:                                       `{"a":"[token]"}`,
		`{"a":"x` + token + `y"}`:                                     `{"a":"x[token]y"}`,
		`{"` + token + `":["\u006d` + token[1:] + `"]}`:               `{"[token]":["[token]"]}`,
		`{"a":"` + "cfs" + token[3:] + strings.Repeat("0", 32) + `"}`: `{"a":"[token]"}`,
		`{"a":"` + "cfr" + token[3:] + ` cfc` + token[3:] + `"}`:      `{"a":"[token] [token]"}`,
		`{"a":"b\u0000\n\u202ec"}`:                                    `{"a":"b c"}`,
		`"` + strings.Repeat("é", 500) + `"`:                          `"` + strings.Repeat("é", 120) + `… (500 characters)"`,
		`{"a":1e999}`:                                                 `"unreadable"`,
		`{`:                                                           `"unreadable"`,
	} {
		require.JSONEq(t, want, string(redact(json.RawMessage(in))), in)
	}
	require.Nil(t, redact(nil))
}

func TestClosest(t *testing.T) {
	t.Parallel()
	require.Equal(t, "assignee", closest("asignee", []string{"reporter", "assignee"}))
	require.Empty(t, closest("zzz", []string{"reporter", "assignee"}))
	require.Empty(t, closest("", nil))
	require.Equal(t, "a…", shorten("aé", 1))
	require.Equal(t, "aé", shorten("aé", 2))
}
