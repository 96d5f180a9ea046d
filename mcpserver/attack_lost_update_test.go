package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// lockWaits counts who waits for a lock in this test's database, of many on one server.
const lockWaits = `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

// meanwhile calls a tool that has to wait for a row's lock, and lets somebody else's
// change of that row, which $1 says the tenant of, commit while it waits.
func (b *bundle) meanwhile(t *testing.T, acme *storetest.Tenant, change string, call func()) {
	t.Helper()
	watch := b.db.Admin(t)
	tx, err := b.db.Admin(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), change, acme.ID)
	require.NoError(t, err)
	var done sync.WaitGroup
	done.Go(call)
	require.Eventually(t, func() bool {
		var waiting int
		return watch.QueryRow(t.Context(), lockWaits).Scan(&waiting) == nil && waiting > 0
	}, 30*time.Second, 5*time.Millisecond, "the call does not get to the lock")
	require.NoError(t, tx.Commit(t.Context()))
	done.Wait()
}

// TestLostUpdate_Batch: a batch by filter overwrites nothing that ceased to match while it
// waited: of two agents that claim what is nobody's, one gets it.
func TestLostUpdate_Batch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	c := b.client(t, acme.FullToken(t))
	b.meanwhile(t, acme, fmt.Sprintf("update issues set assignee_id = '%s' where tenant_id = $1 and number = 2", acme.Ben.ID), func() {
		text := c.fails("conflict", "batch_update_issues", args{"filter": args{"assignee": "none"}, "expected_count": 2, "changes": args{"assignee": "ada"}})
		require.Contains(t, text, "1 of the 2 issues changed meanwhile")
	})
	require.EqualValues(t, 0, c.ok("search_issues", args{"assignee": acme.Ada.Email})["total"], "all or nothing")
}

// TestLostUpdate_Sprint: a sprint that ends takes nothing along that was moved out of it
// while it waited.
func TestLostUpdate_Sprint(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	c := b.client(t, acme.FullToken(t))
	for _, name := range []string{"First", "Second", "Other"} {
		c.ok("save_sprint", args{"project": "WEB", "name": name, "end": "2026-06-01"})
	}
	c.ok("save_sprint", args{"project": "WEB", "sprint": "First", "action": "start"})
	c.ok("batch_update_issues", args{"keys": []string{"WEB-1", "WEB-2"}, "changes": args{"sprint": "First"}})
	end := args{"project": "WEB", "sprint": "First", "action": "complete", "carry_over": "Second"}
	b.meanwhile(t, acme, "update issues set sprint_id = (select s.id from sprints s where s.tenant_id = $1 and s.name = 'Other') where tenant_id = $1 and number = 2", func() {
		require.Equal(t, []any{"WEB-1"}, c.agree("save_sprint", end)["carried_over"])
	})
	require.EqualValues(t, 1, c.ok("search_issues", args{"project": "WEB", "sprint": "Other"})["total"])
	c.fails("invalid_value", "create_issue", args{"project": "WEB", "title": "Late", "sprint": "First"})
	b.meanwhile(t, acme, "update sprints set state = 'completed', completed_at = now() where tenant_id = $1 and name = 'Other'", func() {
		c.fails("invalid_value", "create_issue", args{"project": "WEB", "title": "Too late", "sprint": "Other"})
	})
}

// TestCircles: parents and blocks that are fine alone close no circle together.
func TestCircles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	c := b.client(t, acme.FullToken(t))
	for round := range 5 {
		key := fmt.Sprintf("P%d", round)
		acme.Issues(t, acme.Project(t, key, "Project "+key), "One", "Two", "Three")
		for _, relation := range []string{"child_of", "blocks"} {
			var both sync.WaitGroup
			results := make([]toolResult, 3)
			for n := range results {
				both.Go(func() {
					results[n] = c.call("link_issues", args{"key": fmt.Sprintf("%s-%d", key, n+1), "relation": relation, "targets": []string{fmt.Sprintf("%s-%d", key, (n+1)%3+1)}})
				})
			}
			both.Wait()
			refused := 0
			for _, r := range results {
				if r.isError {
					require.Contains(t, r.text, "circle")
					refused++
				}
			}
			require.Equal(t, 1, refused, "%s: the last one closes the circle", relation)
		}
	}
}

// TestCreateIssue_Links: a token that may only create changes no issue by a link, and none
// of an archived project changes at all.
func TestCreateIssue_Links(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	old := acme.Project(t, "OLD", "Done with")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	acme.Issues(t, old, "Past")
	full := b.client(t, acme.FullToken(t))
	full.ok("update_project", args{"project": "OLD", "state": "archived"})
	_, plain := acme.Token(t, "creator", `{"issues":["create","read"]}`)
	c := b.client(t, plain)
	for _, relation := range []string{"parent_of", "child_of", "blocks", "blocked_by", "relates_to", "duplicates"} {
		links := []args{{"relation": relation, "target": "WEB-1"}}
		require.Contains(t, c.fails("forbidden", "create_issue", args{"project": "WEB", "title": "New", "links": links}), "issues:update")
		c.fails("forbidden", "batch_create_issues", args{"project": "WEB", "issues": []args{{"title": "New", "links": links}}})
		full.fails("read_only", "create_issue", args{"project": "WEB", "title": "New", "links": []args{{"relation": strings.Replace(relation, "parent_of", "blocks", 1), "target": "OLD-1"}}})
	}
	require.EqualValues(t, 1, full.ok("search_issues", args{"project": "WEB"})["total"])
	c.ok("batch_create_issues", args{"project": "WEB", "issues": []args{{"ref": "a", "title": "A"}, {"title": "B", "links": []args{{"relation": "blocks", "target": "a"}}}}})
	c.ok("create_issue", args{"project": "WEB", "title": "Under it", "parent": "WEB-1"})
}

// TestLongAnswers: what people wrote at length is bounded before it is read.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	c := b.client(t, acme.FullToken(t))
	long := strings.Repeat("word ", 8_000)
	for n := range 6 {
		c.ok("add_comment", args{"key": "WEB-1", "body": fmt.Sprint(n, " ", long)})
		c.ok("update_issue", args{"key": "WEB-2", "description": fmt.Sprint(n, " ", long)})
	}
	out := c.ok("get_issue", args{"keys": []string{"WEB-1", "WEB-2"}, "include": []string{"comments", "history"}})
	data, err := json.Marshal(out)
	require.NoError(t, err)
	require.LessOrEqual(t, len(data), 24<<10)
	require.Contains(t, out["hint"], "Cut to fit")

	text, problem := c.read("colaflow://issues/WEB-1")
	require.Empty(t, problem)
	for n := range 6 {
		require.Contains(t, text, fmt.Sprint(`"`, n, " word"), "the resource has them all")
	}
	text, problem = c.read("colaflow://issues/WEB-2/history")
	require.Empty(t, problem)
	require.Less(t, len(text), 10_000)
	require.Contains(t, text, "5 word")

	require.Contains(t, c.fails("too_large", "search_issues", args{"query": strings.Repeat("a or ", 250)}), "1249 characters")
	c.fails("too_large", "create_issue", args{"project": "WEB", "title": "x", "idempotency_key": strings.Repeat("k", 201)})
}
