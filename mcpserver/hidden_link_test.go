package mcpserver_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

// TestAttack053_LinksIntoHiddenProjects links an issue that a token sees with ones that it
// does not, in both directions, and takes a link away again. Wherever the token reads of
// it, that something happened stays, and with what is withheld.
func TestAttack053_LinksIntoHiddenProjects(t *testing.T) {
	t.Parallel()
	b := followed(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	acme.Issues(t, acme.Project(t, "HUSH", "Merger"), "Canary one", "Canary two")
	insider := b.client(t, acme.FullToken(t)).all()
	_, plain := acme.Token(t, "limited", allGrants(t, []string{"WEB"}))
	limited := b.client(t, plain).all()
	pinned := *insider
	pinned.url += "/p/WEB"
	stream := limited.listen([]string{"colaflow://issues/WEB-1", "colaflow://issues/HUSH-1", "colaflow://issues/WEB-1/history", "colaflow://projects/WEB"})
	require.NotContains(t, stream.acknowledged(), "colaflow://issues/HUSH-1")

	insider.ok("link_issues", args{"key": "WEB-1", "relation": "relates_to", "targets": "HUSH-1"})
	insider.ok("link_issues", args{"key": "HUSH-2", "relation": "blocks", "targets": []string{"WEB-1", "WEB-2"}})
	insider.ok("link_issues", args{"key": "HUSH-2", "relation": "blocks", "targets": "WEB-2", "remove": true})
	insider.ok("link_issues", args{"key": "WEB-1", "relation": "relates_to", "targets": "WEB-2"})
	insider.ok("batch_update_issues", args{"keys": []string{"WEB-1", "HUSH-1"}, "changes": args{"priority": "high"}})
	stream.hears("colaflow://issues/WEB-1", "colaflow://issues/WEB-1/history", "colaflow://projects/WEB")
	for _, m := range stream.all() {
		require.NotContains(t, m.Params.URI, "HUSH")
	}

	for name, c := range map[string]*client{"limited": limited, "pinned": &pinned} {
		text := c.call("get_issue", args{"keys": []string{"WEB-1", "WEB-2"}, "include": []string{"history", "relations", "time_in_status"}}).text
		answers := []string{text, c.call("list_activity", args{"limit": 100}).text, c.call("list_activity", args{"kinds": []string{"linked", "unlinked"}, "limit": 100}).text}
		for _, answer := range answers {
			require.Equal(t, 1, strings.Count(answer, `"kind":"unlinked","field":"blocked_by"}`), "%s: the relation stays: %s", name, answer)
			require.Equal(t, 2, strings.Count(answer, `"kind":"linked","field":"blocked_by"}`), "%s: %s", name, answer)
			require.Equal(t, 1, strings.Count(answer, `"kind":"linked","field":"relates_to"}`), "%s: %s", name, answer)
			require.Contains(t, answer, `"kind":"linked","field":"relates_to","after":"WEB-2"}`, "%s: and what it may see", name)
		}
		for _, uri := range []string{"colaflow://issues/WEB-1", "colaflow://issues/WEB-1/history", "colaflow://issues/WEB-2/history", "colaflow://projects/WEB",
			"colaflow://projects/WEB/issues", "colaflow://projects", "colaflow://me"} {
			read, rpcError := c.read(uri)
			require.Empty(t, rpcError, uri)
			answers = append(answers, read)
		}
		for _, p := range mcpserver.Prompts() {
			_, data, rpcError := c.prompt(p.Name, given(p, names{"project": "WEB", "issue": "WEB-1"}))
			answers = append(answers, data+rpcError)
		}
		answers = append(answers, c.call("search_issues", args{"blocked": true}).text, c.call("get_report", args{"type": "project_status", "project": "WEB"}).text,
			c.call("search_audit_log", args{"details": true, "limit": 100}).text, c.call("link_issues", args{"key": "WEB-1", "relation": "blocks", "targets": "HUSH-2"}).text)
		for _, answer := range answers[:len(answers)-1] {
			require.NotRegexp(t, "HUSH|Canary|Merger", answer, name)
		}
		require.Regexp(t, `^not_found: .*HUSH-2`, answers[len(answers)-1], "the key that it gave itself, and no more")
	}
	seen, _ := json.Marshal(insider.ok("get_issue", args{"keys": "WEB-1", "include": "history"}))
	require.Contains(t, string(seen), `"after":"HUSH-1"`, "who may see both, sees both")
}
