package mcpserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeleteIssue(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two", "Three")
	acme.Issues(t, acme.Project(t, "API", "Interface"), "Four")
	c := b.client(t, acme.FullToken(t)).all()
	c.ok("add_comment", args{"key": "WEB-1", "body": "Words"})
	c.ok("link_issues", args{"key": "WEB-1", "relation": "blocks", "targets": "API-1"})
	c.ok("update_issue", args{"key": "WEB-3", "parent": "WEB-2"})

	require.Contains(t, c.fails("conflict", "delete_issue", args{"key": "WEB-2"}), "1 sub-issues")
	c.fails("not_found", "delete_issue", args{"key": "WEB-9"})
	c.fails("conflict", "delete_issue", args{"key": "WEB-1", "expected_version": 9})
	require.Contains(t, c.fails("confirmation_required", "delete_issue", args{"key": "WEB-1"}), `Delete WEB-1 "One" for good, with 1 comments, 1 links`)
	require.Equal(t, true, c.ok("delete_issue", args{"key": "WEB-1", "dry_run": true})["dry_run"])

	l := c.listen([]string{"colaflow://issues/WEB-1", "colaflow://issues/WEB-2", "colaflow://projects/WEB"})
	require.EqualValues(t, 1, c.agree("delete_issue", args{"key": "WEB-1"})["comments"])
	l.hears("colaflow://issues/WEB-1", "colaflow://projects/WEB")
	c.fails("not_found", "get_issue", args{"keys": "WEB-1"})
	require.EqualValues(t, 3, c.ok("search_issues", nil)["total"])
	require.Equal(t, "WEB-4", c.ok("create_issue", args{"project": "WEB", "title": "Next"})["key"], "its number is not given again")

	audited := c.ok("search_audit_log", args{"tool": "delete_issue", "decision": "allowed", "details": true})["items"].([]any)
	require.Contains(t, audited[0].(map[string]any)["details"].(map[string]any)["changes"].([]any)[0], "before", "the audit log says what it was")

	_, member := acme.Token(t, "limited", allGrants(t, []string{"WEB"}))
	b.client(t, member).all().fails("not_found", "delete_issue", args{"key": "API-1"})
	_, reader := acme.Token(t, "reader", `{"issues":["read","update"]}`)
	b.client(t, reader).all().fails("forbidden", "delete_issue", args{"key": "WEB-2"})
	_, problem := b.client(t, acme.FullToken(t)).rpc("tools/call", args{"name": "delete_issue", "arguments": args{"key": "WEB-2"}})
	require.Contains(t, problem, "-32602", "its toolset is opt-in")
}

func TestDeleteProject(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	acme.Issues(t, acme.Project(t, "API", "Interface"), "Three")
	c := b.client(t, acme.FullToken(t)).all()
	c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 1", "end": "2026-05-01", "action": "start"})
	c.ok("update_issue", args{"key": "WEB-1", "sprint": "current"})
	c.ok("update_issue", args{"key": "WEB-2", "parent": "WEB-1"})
	c.ok("link_issues", args{"key": "WEB-1", "relation": "blocks", "targets": "API-1"})

	l := c.listen([]string{"colaflow://projects", "colaflow://projects/WEB", "colaflow://projects/API"})
	require.EqualValues(t, 2, c.agree("delete_project", args{"project": "WEB"})["issues"])
	l.hears("colaflow://projects", "colaflow://projects/WEB")
	c.fails("not_found", "get_project", args{"project": "WEB"})
	require.EqualValues(t, 1, c.ok("search_issues", nil)["total"])
	require.Empty(t, c.ok("get_issue", args{"keys": "API-1", "include": "relations"})["issues"].([]any)[0].(map[string]any)["relations"])
	require.Contains(t, c.fails("conflict", "create_project", args{"name": "Website", "key": "WEB"}), "belonged to a project that was deleted")
	require.Equal(t, "WEB2", c.ok("create_project", args{"name": "Web"})["key"], "a key made from the name passes it by")
	c.fails("not_found", "delete_project", args{"project": "NOPE"})
}
