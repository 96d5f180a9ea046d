package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBatchCreateIssues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))

	t.Run("RefsAsParentsAndTargets", func(t *testing.T) {
		out := c.ok("batch_create_issues", args{"project": "WEB", "issues": []args{
			{"title": "Form", "parent": "epic", "links": []args{{"relation": "blocks", "target": "test"}}},
			{"ref": "epic", "title": "Sign-up", "type": "Epic"},
			{"ref": "test", "title": "Test it", "parent": "epic"},
		}})
		require.EqualValues(t, 3, out["count"])
		require.Equal(t, "WEB-2", out["issues"].([]any)[0].(map[string]any)["parent"])
		epic := c.ok("get_issue", args{"keys": []string{"WEB-2", "WEB-3"}, "include": []string{"children", "relations"}})
		views := epic["issues"].([]any)
		require.Len(t, views[0].(map[string]any)["children"], 2)
		require.Len(t, views[1].(map[string]any)["relations"], 2)
	})

	t.Run("AllOrNothing", func(t *testing.T) {
		text := c.fails("invalid_value", "batch_create_issues", args{"project": "WEB", "issues": []args{
			{"title": "Good"}, {"title": "Bad", "status": "Nowhere"}}})
		require.Contains(t, text, "issues[1]: Status \"Nowhere\"")
		require.EqualValues(t, 0, c.ok("search_issues", args{"query": "Good"})["total"])
		require.Contains(t, c.fails("invalid_value", "batch_create_issues", args{"project": "WEB", "issues": []args{
			{"ref": "a", "title": "A", "parent": "b"}, {"ref": "b", "title": "B", "parent": "a"}}}), "circle")
	})

	t.Run("TooMany", func(t *testing.T) {
		many := make([]args, 51)
		for n := range many {
			many[n] = args{"title": fmt.Sprint("n", n)}
		}
		c.fails("too_large", "batch_create_issues", args{"project": "WEB", "issues": many})
	})
}

func TestBatchUpdateIssues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web, api := acme.Project(t, "WEB", "Website"), acme.Project(t, "API", "Interface")
	acme.Issues(t, web, "One", "Two", "Three")
	acme.Issues(t, api, "Four")
	c := b.client(t, acme.FullToken(t))

	out := c.ok("batch_update_issues", args{"keys": []string{"WEB-1", "API-1", "web-1"}, "changes": args{"assignee": "ben", "add_labels": []string{"q2"}}})
	require.EqualValues(t, 2, out["count"])
	again := c.ok("batch_update_issues", args{"keys": []string{"WEB-1"}, "changes": args{"assignee": "Ben Okri"}})
	require.Equal(t, []any{"WEB-1"}, again["unchanged"])

	c.fails("conflict", "batch_update_issues", args{"filter": args{"project": "WEB"}, "expected_count": 2, "changes": args{"priority": "low"}})
	out = c.ok("batch_update_issues", args{"filter": args{"project": "WEB"}, "expected_count": 3, "changes": args{"priority": "low"}, "dry_run": true})
	require.Equal(t, true, out["dry_run"])
	require.EqualValues(t, 0, c.ok("search_issues", args{"priority": "low"})["total"])

	require.Contains(t, c.fails("not_found", "batch_update_issues", args{"keys": []string{"WEB-1", "WEB-99"}, "changes": args{"priority": "low"}}), "WEB-99")
	require.Contains(t, c.fails("invalid_value", "batch_update_issues", args{"keys": []string{"WEB-1", "WEB-2"}, "changes": args{"status": "Done"}}), "WEB-1: Status")
	c.fails("missing", "batch_update_issues", args{"changes": args{"priority": "low"}})
}

func TestLinkIssues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	acme.Issues(t, web, "One", "Two", "Three")
	c := b.client(t, acme.FullToken(t))

	out := c.ok("link_issues", args{"key": "WEB-1", "relation": "blocks", "targets": []string{"WEB-2"}})
	require.Equal(t, []any{"WEB-2"}, out["linked"])
	out = c.ok("link_issues", args{"key": "WEB-2", "relation": "blocked_by", "targets": []string{"WEB-1"}})
	require.Equal(t, []any{"WEB-1"}, out["unchanged"])
	c.ok("link_issues", args{"key": "WEB-2", "relation": "blocks", "targets": []string{"WEB-3"}})
	require.Contains(t, c.fails("invalid_value", "link_issues", args{"key": "WEB-3", "relation": "blocks", "targets": []string{"WEB-1"}}),
		"WEB-1 blocks WEB-2 blocks WEB-3 blocks WEB-1")
	c.ok("link_issues", args{"key": "WEB-1", "relation": "parent_of", "targets": []string{"WEB-2", "WEB-3"}})
	require.Contains(t, c.fails("invalid_value", "link_issues", args{"key": "WEB-1", "relation": "child_of", "targets": []string{"WEB-3"}}), "circle")
	out = c.ok("link_issues", args{"key": "WEB-1", "relation": "parent_of", "targets": []string{"WEB-2"}, "remove": true})
	require.Equal(t, []any{"WEB-2"}, out["removed"])
	c.ok("link_issues", args{"key": "WEB-3", "relation": "relates_to", "targets": []string{"WEB-2"}})
	out = c.ok("link_issues", args{"key": "WEB-2", "relation": "relates_to", "targets": []string{"WEB-3"}, "remove": true})
	require.Equal(t, []any{"WEB-3"}, out["removed"])
	require.EqualValues(t, 1, c.ok("search_issues", args{"blocked": true, "project": "WEB", "query": "two"})["total"])
}

func TestSaveSprint(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	acme.Issues(t, web, "One", "Two", "Three")
	c := b.client(t, acme.FullToken(t))

	c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 1", "start": "2026-04-06", "end": "2026-04-17", "goal": "Ship"})
	c.fails("conflict", "save_sprint", args{"project": "WEB", "name": "sprint 1"})
	c.ok("batch_update_issues", args{"keys": []string{"WEB-1", "WEB-2"}, "changes": args{"sprint": "next"}})
	started := c.ok("save_sprint", args{"project": "WEB", "sprint": "next", "action": "start"})
	require.Equal(t, "active", started["state"])
	c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 2", "end": "2026-05-01"})
	c.fails("conflict", "save_sprint", args{"project": "WEB", "sprint": "Sprint 2", "action": "start"})
	c.ok("update_issue", args{"key": "WEB-1", "status": "In Progress"})
	c.ok("update_issue", args{"key": "WEB-1", "status": "Done"})
	require.Contains(t, c.fails("missing", "save_sprint", args{"project": "WEB", "sprint": "current", "action": "complete"}), "1 issues")
	done := c.agree("save_sprint", args{"project": "WEB", "sprint": "current", "action": "complete", "carry_over": "next"})
	require.Equal(t, []any{"WEB-2"}, done["carried_over"])
	require.Equal(t, "Sprint 2", done["carried_to"])
	c.fails("invalid_value", "update_issue", args{"key": "WEB-3", "sprint": "Sprint 1"})

	sprints := c.ok("list_sprints", args{"project": "WEB", "limit": 1})
	require.EqualValues(t, 2, sprints["total"])
	next := c.ok("list_sprints", args{"project": "WEB", "limit": 1, "cursor": sprints["next_cursor"]})
	require.Equal(t, "Sprint 1", next["items"].([]any)[0].(map[string]any)["name"])
	require.NotContains(t, next, "next_cursor")
}

func TestListActivity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web, api := acme.Project(t, "WEB", "Website"), acme.Project(t, "API", "Interface")
	acme.Issues(t, web, "One", "Two")
	acme.Issues(t, api, "Three")
	c := b.client(t, acme.FullToken(t))
	c.ok("update_issue", args{"key": "WEB-1", "priority": "high", "comment": "hello"})
	c.ok("link_issues", args{"key": "WEB-1", "relation": "blocks", "targets": []string{"API-1"}})

	var seen []string
	cursor := ""
	for range 20 {
		page := c.ok("list_activity", args{"limit": 2, "cursor": cursor})
		require.EqualValues(t, 7, page["total"])
		for _, row := range page["items"].([]any) {
			data, err := json.Marshal(row)
			require.NoError(t, err)
			seen = append(seen, string(data))
		}
		next, more := page["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	require.Len(t, seen, 7)
	require.EqualValues(t, 1, c.ok("list_activity", args{"kinds": []string{"priority"}})["total"])
	require.EqualValues(t, 4, c.ok("list_activity", args{"issue": "WEB-1"})["total"])

	_, limited := acme.Token(t, "web", `{"issues":["read"],"only_projects":["WEB"]}`)
	text := b.client(t, limited).call("list_activity", args{}).text
	require.NotContains(t, text, "API")
	require.NotContains(t, text, "commented")
}

func TestAddComment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	acme.Issues(t, web, "One", "Two")
	c := b.client(t, acme.FullToken(t))
	first := c.ok("add_comment", args{"key": "WEB-1", "body": "First\u200b\u0007"})
	c.ok("add_comment", args{"key": "WEB-1", "body": "Reply", "reply_to": first["id"]})
	c.fails("not_found", "add_comment", args{"key": "WEB-2", "body": "Reply", "reply_to": first["id"]})
	c.fails("missing", "add_comment", args{"key": "WEB-1", "body": " \u200b "})
	issue := c.ok("get_issue", args{"keys": "WEB-1", "include": "comments"})["issues"].([]any)[0].(map[string]any)
	comments := issue["comments"].([]any)
	require.Equal(t, "First", comments[0].(map[string]any)["body"])
	require.Equal(t, first["id"], comments[1].(map[string]any)["reply_to"])
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	first := c.ok("create_issue", args{"project": "WEB", "title": "Once", "idempotency_key": "k1"})
	second := c.ok("create_issue", args{"project": "WEB", "title": "Once", "idempotency_key": "k1"})
	require.Equal(t, first["key"], second["key"])
	require.Equal(t, true, second["replayed"])
	c.fails("idempotency_conflict", "create_issue", args{"project": "WEB", "title": "Twice", "idempotency_key": "k1"})
	c.fails("not_found", "create_issue", args{"project": "NOPE", "title": "x", "idempotency_key": "k2"})
	c.ok("create_issue", args{"project": "WEB", "title": "x", "idempotency_key": "k2"})
	require.EqualValues(t, 2, c.ok("search_issues", nil)["total"])
}

func TestToolsListBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	result, _ := b.client(t, acme.FullToken(t)).rpc("tools/list", args{})
	t.Logf("tools/list: %d bytes, about %d tokens", len(result), len(result)/4)
	require.LessOrEqual(t, len(result)/4, 6000)
}
