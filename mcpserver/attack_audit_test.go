package mcpserver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// auditRow is what a row must say of a call.
type auditRow struct {
	ID, Tool, Decision, Actor, Tenant, Token, RequestID, IP string
}

// lastAudit returns the rows of the log that came after a count, and the new count.
func (b *bundle) lastAudit(t *testing.T, since int) (rows []auditRow) {
	t.Helper()
	found, err := b.db.Admin(t).Query(t.Context(), `select id::text, coalesce(tool, ''), decision, actor, tenant_id::text, coalesce(token_id::text, ''),
		coalesce(request_id, ''), coalesce(client_ip, '') from audit_log order by written_at, id`)
	require.NoError(t, err)
	for found.Next() {
		var r auditRow
		require.NoError(t, found.Scan(&r.ID, &r.Tool, &r.Decision, &r.Actor, &r.Tenant, &r.Token, &r.RequestID, &r.IP))
		rows = append(rows, r)
	}
	require.NoError(t, found.Err())
	return rows[since:]
}

// TestAttack094_EveryCallHasOneRow makes a call of every tool that is allowed, and one
// that is denied: each leaves exactly one whole row, committed before the answer.
func TestAttack094_EveryCallHasOneRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, nothing := w.acme.Token(t, "nothing", `{}`)
	powerless := w.client(t, nothing).all()
	allowed := 0
	for _, tool := range w.tools {
		arguments := filler{t, tool.Name, w.own[w.insider]}.arguments(tool, leaf{}, nil)
		delete(arguments, "dry_run")
		for _, c := range []*client{w.insider, powerless} {
			before := len(w.lastAudit(t, 0))
			r := c.call(tool.Name, arguments)
			rows := w.lastAudit(t, before)
			require.Len(t, rows, 1, "%s: %s", tool.Name, r.text)
			row := rows[0]
			require.Equal(t, tool.Name, row.Tool)
			require.Equal(t, w.acme.ID.String(), row.Tenant)
			require.Equal(t, "ada@acme.test", row.Actor)
			require.Equal(t, "127.0.0.1", row.IP)
			require.NotEmpty(t, row.Token)
			require.NotEmpty(t, row.RequestID)
			switch {
			case !r.isError:
				allowed++
				require.Equal(t, "allowed", row.Decision, tool.Name)
			case c == powerless:
				require.Equal(t, "denied", row.Decision, tool.Name)
			default:
				require.Equal(t, "failed", row.Decision, "%s: %s", tool.Name, r.text)
			}
		}
	}
	require.Greater(t, allowed, 12, "most of the catalogue was really called")
}

// TestAttack095_NoRowNoChange takes the audit away: no write of the catalogue happens,
// and no read is answered.
func TestAttack095_NoRowNoChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(t, "revoke insert on audit_log from colaflow_app")
	before := w.db.Dump(t)
	for _, tool := range w.tools {
		arguments := filler{t, tool.Name, w.own[w.insider]}.arguments(tool, leaf{}, nil)
		delete(arguments, "dry_run")
		a := w.insider.post(callBody(tool.Name, mustText(arguments)))
		require.True(t, a.status >= 500 || a.status == http.StatusOK && (strings.Contains(a.body, `"isError":true`) || strings.Contains(a.body, `"error":{`)), "%s: HTTP %d %s", tool.Name, a.status, a.body)
		require.NotContains(t, a.body, secretMark, tool.Name)
		require.NotContains(t, a.body, "audit_log", "nothing internal gets out")
	}
	require.Equal(t, before, w.db.Dump(t))
}
