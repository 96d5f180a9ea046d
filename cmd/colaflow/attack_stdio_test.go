//go:build unix

package main

import (
	"encoding/json"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// pipeOf starts the program at a pipe, on a database that others use too, or by way of a
// server, with all that it can log.
func pipeOf(t *testing.T, db *storetest.DB, token, url string) *process {
	t.Helper()
	if url != "" {
		return start(t, t.TempDir(), []string{tokenVariable + "=" + token}, "stdio", "--log-level", "debug", "--url", url)
	}
	return start(t, t.TempDir(), []string{"COLAFLOW_DSN=" + db.AppDSN, "COLAFLOW_MASTER_KEY=" + db.Key.Hex(), tokenVariable + "=" + token}, "stdio", "--log-level", "debug")
}

// requireMessages asks of every line of an output that it is a message of the protocol.
func requireMessages(t *testing.T, out string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		var m struct {
			JSONRPC string `json:"jsonrpc"`
			Result  json.RawMessage
			Error   json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		require.Equal(t, "2.0", m.JSONRPC, line)
		require.True(t, (m.Result == nil) != (m.Error == nil), line)
		lines = append(lines, line)
	}
	return lines
}

// TestAttack049_Process: whatever a client sends to the program's input, its output has
// messages and nothing else; a revoked token is refused at the next call, and the program
// ends in peace with its input.
func TestAttack049_Process(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	for _, url := range []string{"", serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0").url} {
		token, plain := acme.Token(t, "desktop", `{"projects":["read","create"]}`)
		speak(t, pipeOf(t, db, plain, url), func() { require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID)) })
	}
}

// speak sends a process all that a client may send, and then revokes its token.
func speak(t *testing.T, p *process, revoke func()) {
	t.Helper()
	send := func(line string) string {
		t.Helper()
		_, err := io.WriteString(p.in, line+"\n")
		require.NoError(t, err)
		answer := p.line()
		require.Len(t, requireMessages(t, answer), 1)
		return answer
	}
	require.Contains(t, send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`), `"serverInfo"`)
	require.Contains(t, send(callGetMe), `\"tenant\":\"acme\"`)
	for _, wrong := range []string{"{", "[]", "\x00", "\xff\xfe", "GET / HTTP/1.1", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"` + strings.Repeat("x", 50<<20) + `"}}`, strings.Repeat("[", 1<<20)} {
		require.Regexp(t, `"id":null,"error":\{"code":-32(700|600)`, send(wrong))
	}
	require.Contains(t, send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n\n"+`{"jsonrpc":"2.0","id":1,"result":{}}`+"\n"+callGetMe), `\"tenant\":\"acme\"`)

	revoke()
	for _, body := range []string{callGetMe, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_project","arguments":{"name":"x"}}}`} {
		require.Contains(t, send(body), `"code":-32001`)
	}
	require.Eventually(t, func() bool {
		return strings.Contains(send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`), `"code":-32001`)
	}, time.Minute, time.Millisecond)
	require.NoError(t, p.in.Close())
	require.Empty(t, p.rest())
	p.ends(exitOK)
	require.NotContains(t, p.log.String(), "mcp_acme_")
	require.NotContains(t, p.log.String(), "panic")
}

// TestAttack049_ProcessIsTerminated in the middle of a write: it ends in peace, its output
// is whole, and nothing was written.
func TestAttack049_ProcessIsTerminated(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	for _, how := range []string{"idle", "in mid-call", "its input ends in mid-call"} {
		p := pipeOf(t, db, acme.FullToken(t), "")
		require.Contains(t, p.tool("get_me", `{}`), `\"tenant\":\"acme\"`)
		lock, err := db.Admin(t).Begin(t.Context())
		require.NoError(t, err)
		if how != "idle" {
			_, err := lock.Exec(t.Context(), "select from projects where id = $1 for update", web.ID)
			require.NoError(t, err)
			_, err = io.WriteString(p.in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_issue","arguments":{"project":"WEB","title":"x"}}}`+"\n")
			require.NoError(t, err)
			watch := db.Admin(t)
			require.Eventually(t, func() bool {
				var waiting int
				require.NoError(t, watch.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting))
				return waiting == 1
			}, 20*time.Second, time.Millisecond)
		}
		if how == "its input ends in mid-call" {
			require.NoError(t, p.in.Close())
		} else {
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
		}
		for _, answer := range requireMessages(t, p.rest()) {
			require.NotContains(t, answer, "WEB-", how)
		}
		p.ends(exitOK)
		require.NoError(t, lock.Rollback(t.Context()))
		require.NotContains(t, db.Dump(t, "audit_log"), "\nissues:\n(", how)
	}
}
