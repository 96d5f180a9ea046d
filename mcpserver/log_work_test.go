package mcpserver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
)

func TestLogWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	c := b.client(t, acme.FullToken(t)).all()
	ben := b.client(t, b.tokenOf(t, acme, acme.Ben)).all()

	first := args{"key": "web-1", "spent": "1h 30m", "started": "2026-01-05", "comment": "Looked\u202e into it", "idempotency_key": "one"}
	out := c.ok("log_work", first)
	require.EqualValues(t, 90, out["total_minutes"])
	require.Equal(t, true, c.ok("log_work", first)["replayed"], "once")
	require.EqualValues(t, 135, ben.ok("log_work", args{"key": "WEB-1", "minutes": 45})["total_minutes"])
	require.Equal(t, true, ben.ok("log_work", args{"key": "WEB-1", "minutes": 45, "dry_run": true})["dry_run"])

	issue := c.ok("get_issue", args{"keys": "WEB-1", "include": []string{"worklog", "history"}})["issues"].([]any)[0].(map[string]any)
	work := issue["worklog"].(map[string]any)
	require.Equal(t, "2h 15m", work["total"])
	entries := work["entries"].([]any)
	require.Len(t, entries, 2)
	entry := entries[0].(map[string]any)
	require.Equal(t, []any{"2026-01-05", "ada@acme.test", "full", "Looked into it", 90.0},
		[]any{entry["started"], entry["author"], entry["agent"], entry["comment"], entry["minutes"]})
	event := issue["history"].([]any)[0].(map[string]any)
	require.Equal(t, []any{"time_spent", "1h 30m", "2h 15m", "ben@acme.test"}, []any{event["field"], event["before"], event["after"], event["actor"]})
	require.EqualValues(t, 2, c.ok("list_activity", args{"kinds": "time_spent"})["total"])
	require.NotContains(t, c.ok("get_issue", args{"keys": "WEB-2", "include": "worklog"})["issues"].([]any)[0], "worklog")

	require.Contains(t, ben.fails("forbidden", "log_work", args{"key": "WEB-1", "remove_entry": out["id"]}), "of ada@acme.test:")
	c.fails("not_found", "log_work", args{"key": "WEB-2", "remove_entry": out["id"]})
	require.EqualValues(t, 45, c.ok("log_work", args{"key": "WEB-1", "remove_entry": out["id"]})["total_minutes"])
	c.fails("not_found", "log_work", args{"key": "WEB-1", "remove_entry": out["id"]})

	for code, refused := range map[string][]args{
		"missing":       {{"key": "WEB-1"}},
		"invalid_value": {{"key": "WEB-1", "spent": "1d"}, {"key": "WEB-1", "spent": "1h", "minutes": 1}, {"key": "WEB-1", "minutes": 0}, {"key": "WEB-1", "spent": "1h", "started": "soon"}},
		"too_large":     {{"key": "WEB-1", "spent": "1h", "comment": strings.Repeat("x", 501)}},
		"not_found":     {{"key": "WEB-9", "spent": "1h"}},
	} {
		for _, a := range refused {
			c.fails(code, "log_work", a)
		}
	}
	rows := c.ok("search_audit_log", args{"tool": "log_work", "target": "WEB-1", "decision": "allowed"})
	require.EqualValues(t, 4, rows["total"], "three changes and a dry run")
	_, plain := acme.Token(t, "writer", `{"issues":["*"],"comments":["*"]}`)
	require.Contains(t, b.client(t, plain).all().fails("forbidden", "log_work", args{"key": "WEB-1", "spent": "1h"}), "lacks time:write")
	c.ok("update_project", args{"project": "WEB", "state": "archived"})
	c.fails("read_only", "log_work", args{"key": "WEB-1", "spent": "1h"})
}

// TestLogWork_Today is the day of the project, wherever the server is.
func TestLogWork_Today(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	evening := time.Date(2026, 5, 1, 23, 30, 0, 0, time.UTC)
	for key, zone := range map[string]string{"TOKYO": "Asia/Tokyo", "LIMA": "America/Lima"} {
		acme.Issues(t, acme.Project(t, key, key), "One")
		b.exec(t, "update projects set timezone = $1 where key = $2", zone, key)
	}
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Clock: func() time.Time { return evening }})
	c := b.client(t, acme.FullToken(t)).all()
	c.url = h.URL
	require.Equal(t, "2026-05-02", c.ok("log_work", args{"key": "TOKYO-1", "spent": "1h"})["started"])
	require.Equal(t, "2026-05-01", c.ok("log_work", args{"key": "LIMA-1", "spent": "1h"})["started"])
	c.ok("log_work", args{"key": "TOKYO-1", "spent": "1h", "started": "2026-05-02"})
	require.Contains(t, c.fails("invalid_value", "log_work", args{"key": "LIMA-1", "spent": "1h", "started": "2026-05-02"}), "in America/Lima it is 2026-05-01")
}

// TestGetIssue_LongWorklog is cut to what an answer may hold, and the total stays exact.
func TestGetIssue_LongWorklog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	i := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")[0]
	b.exec(t, `insert into worklogs (tenant_id, id, project_id, issue_id, author_id, minutes, started_on, comment, created_at)
		select $1, gen_random_uuid(), $2, $3, $4, 1, '2026-01-01', repeat('x', 400), $5 from generate_series(1, 1200)`, acme.ID, i.ProjectID, i.ID, acme.Ada.ID, storetest.Now)
	c := b.client(t, acme.FullToken(t))
	r := c.call("get_issue", args{"keys": "WEB-1", "include": "worklog"})
	require.LessOrEqual(t, len(r.text), 24<<10)
	work := r.data["issues"].([]any)[0].(map[string]any)["worklog"].(map[string]any)
	require.EqualValues(t, 1200, work["total_minutes"])
	require.NotEmpty(t, work["entries"])
	require.Equal(t, http.StatusOK, c.post(ping).status)
}
