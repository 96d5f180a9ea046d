package mcpserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMainJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))

	me := c.ok("get_me", nil)
	require.Equal(t, "acme", me["tenant"])
	require.Equal(t, "ada@acme.test", me["member"])

	created := c.ok("create_issue", args{"project": "web", "title": "Login fails on Safari", "type": "bug", "priority": "high",
		"assignee": "me", "labels": []string{"auth"}, "points": 3, "due_date": "2026-05-01", "description": "Steps: open, click, see."})
	require.Equal(t, "WEB-1", created["key"])
	require.Equal(t, "Bug", created["type"])
	second := c.ok("create_issue", args{"project": "WEB", "title": "Login fails on Safari 17", "parent": "WEB-1",
		"links": []args{{"relation": "blocks", "target": "WEB-1"}}})
	require.Len(t, second["possible_duplicates"], 1)

	found := c.ok("search_issues", args{"query": "safari", "project": "WEB", "fields": []string{"title", "blocked"}})
	require.EqualValues(t, 2, found["total"])

	updated := c.ok("update_issue", args{"key": "WEB-1", "status": "in progress", "add_labels": "urgent", "expected_version": 1,
		"description_edits": []args{{"old_text": "click", "new_text": "tap"}}, "comment": "On it."})
	require.Equal(t, []any{"description", "status", "labels"}, updated["changed"])
	require.Contains(t, c.fails("conflict", "update_issue", args{"key": "WEB-1", "title": "x", "expected_version": 1}), "version 1 to 2")

	issue := c.ok("get_issue", args{"keys": "WEB-1", "include": []string{"comments", "history", "relations", "children", "time_in_status"}})
	view := issue["issues"].([]any)[0].(map[string]any)
	require.Equal(t, "Steps: open, tap, see.", view["description"])
	require.Equal(t, true, view["blocked"])
	require.Len(t, view["comments"], 1)
	require.Len(t, view["relations"], 2)
	require.NotEmpty(t, view["history"])

	c.fails("unknown_argument", "search_issues", args{"assigne": "me"})
	c.fails("not_found", "create_issue", args{"project": "WEBB", "title": "x"})
	c.fails("missing", "create_issue", args{"project": "WEB"})
}
