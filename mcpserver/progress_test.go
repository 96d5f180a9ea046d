package mcpserver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// longReport asks for a report that goes back far, with a progress token as JSON, or none.
func longReport(token, extra, meta string) string {
	if token != "" {
		meta = `"progressToken":` + token + meta
	}
	return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_report","arguments":{"type":"throughput","project":["WEB"],"from":"2025-10-01"` + extra +
		`},"_meta":{` + strings.TrimPrefix(meta, ",") + `}}}`
}

// wireMessage is what a client hears.
type wireMessage struct {
	ID     int
	Method string
	Params struct {
		ProgressToken   any
		Progress, Total float64
		Message         string
	}
	Result json.RawMessage
	Error  json.RawMessage
}

// events reads the messages of a stream.
func (a answer) events(t *testing.T) (messages []wireMessage) {
	t.Helper()
	require.Equal(t, "text/event-stream", a.header.Get("Content-Type"), a.body)
	for event := range strings.SplitSeq(strings.TrimSpace(a.body), "\n\n") {
		data, found := strings.CutPrefix(event, "event: message\ndata: ")
		require.True(t, found, event)
		var m wireMessage
		require.NoError(t, json.Unmarshal([]byte(data), &m), data)
		messages = append(messages, m)
	}
	return messages
}

// requireProgress asks for progress that grows, and then the end of the call.
func requireProgress(t *testing.T, token any, messages []wireMessage) (last wireMessage) {
	t.Helper()
	require.Len(t, messages, 3)
	for n, m := range messages[:2] {
		require.Equal(t, "notifications/progress", m.Method)
		require.Equal(t, token, m.Params.ProgressToken)
		require.Equal(t, []float64{float64(n + 1), 3}, []float64{m.Params.Progress, m.Params.Total})
	}
	require.Regexp(t, `^Read the history of \d+ issues\.$`, messages[0].Params.Message)
	require.Equal(t, 7, messages[2].ID)
	return messages[2]
}

// TestProgress_LongReport: who asks for progress of a long report hears it, in both
// eras, and gets the same result at the end of the stream.
func TestProgress_LongReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, c := loadDemo(t, b)
	modern := strings.TrimSuffix(strings.TrimPrefix(modernMeta, `"_meta":{`), "}")
	headers := []func(*http.Request){header("MCP-Protocol-Version", "2026-07-28"), header("Mcp-Method", "tools/call"), header("Mcp-Name", "get_report")}
	for _, era := range []struct {
		meta string
		edit []func(*http.Request)
	}{{"", nil}, {"," + modern, headers}} {
		plain := c.post(longReport("", "", era.meta), era.edit...)
		require.Equal(t, "application/json", plain.header.Get("Content-Type"), "nobody asked")
		var want wireMessage
		require.NoError(t, json.Unmarshal([]byte(plain.body), &want), plain.body)
		for text, token := range map[string]any{`"up"`: "up", "12": 12.0} {
			a := c.post(longReport(text, "", era.meta), era.edit...)
			require.Equal(t, http.StatusOK, a.status)
			require.JSONEq(t, string(want.Result), string(requireProgress(t, token, a.events(t)).Result))
		}
		for _, token := range []string{"{}", "null", "[1]", "true"} {
			require.NotEqual(t, "text/event-stream", c.post(longReport(token, "", era.meta), era.edit...).header.Get("Content-Type"), "not a token")
		}
	}
	require.Equal(t, "application/json", c.post(longReport(`"up"`, `,"to":"2026-04-01"`, ""), header("Accept", "application/json")).header.Get("Content-Type"),
		"a client that takes no events")
	short := strings.Replace(longReport(`"up"`, "", ""), `,"from":"2025-10-01"`, "", 1)
	require.Equal(t, "application/json", c.post(short).header.Get("Content-Type"), "a short one is done before it is told of")
	wrong := c.post(longReport(`"up"`, `,"unit":"hours"`, "")).events(t)
	require.Len(t, wrong, 2)
	require.Contains(t, string(wrong[1].Result), "invalid_value", "what fails later ends the stream as well")
}

func TestProgress_Stdio(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, c := loadDemo(t, b)
	s := b.stdio(t.Context(), t, c.token)
	var messages []wireMessage
	for n := range 3 {
		line := ""
		if n == 0 {
			line = s.send(longReport(`"up"`, "", ""))
		} else {
			line = s.next()
		}
		var m wireMessage
		require.NoError(t, json.Unmarshal([]byte(line), &m))
		messages = append(messages, m)
	}
	require.Contains(t, string(requireProgress(t, "up", messages).Result), "throughput")
}

// TestProgress_EndsInRefusal: when a stream has begun, a token that is revoked, and a
// call that cannot be audited, end it with an error instead of the result.
func TestProgress_EndsInRefusal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, c := loadDemo(t, b)
	_, unaudited := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Record: func(context.Context, store.AuditRow) error {
		return tenancy.Errorf(tenancy.Unavailable, "secret.internal is down")
	}})
	last := requireProgress(t, "up", (&client{t: t, url: unaudited.URL, token: c.token}).post(longReport(`"up"`, "", "")).events(t))
	require.Empty(t, last.Result, "no row, no answer")
	require.Contains(t, string(last.Error), "-32603")

	token, plain := acme.Token(t, "ci", allGrants(t, nil))
	auth := tokens.NewAuthenticator(b.db)
	t.Cleanup(auth.Close)
	s, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: auth,
		PutPage: func(ctx context.Context, _ tenancy.TenantID, _ string, _ []byte, _ string) (mcpserver.PutPageResult, error) {
			if err := b.db.RevokeToken(context.WithoutCancel(ctx), acme.Scope(), "test", token.ID); err != nil {
				return mcpserver.PutPageResult{}, err
			}
			<-ctx.Done() // the call is cut off
			return mcpserver.PutPageResult{}, ctx.Err()
		}})
	s.Follow()
	require.Eventually(t, auth.Healthy, 20*time.Second, 5*time.Millisecond)
	last = requireProgress(t, "up", (&client{t: t, url: h.URL, token: plain}).post(longReport(`"up"`, `,"page":true`, "")).events(t))
	require.Empty(t, last.Result)
	require.Contains(t, string(last.Error), "The token is unknown, expired or revoked.")
	var decisions []string
	rows, err := b.db.Admin(t).Query(t.Context(), "select decision from audit_log where token_id = $1", token.ID)
	require.NoError(t, err)
	for rows.Next() {
		var decision string
		require.NoError(t, rows.Scan(&decision))
		decisions = append(decisions, decision)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"denied"}, slices.Compact(decisions))
}
