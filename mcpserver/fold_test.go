package mcpserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// TestNames_IgnoreCaseInEveryScript: the test database's locale is C, where lower()
// knows only ASCII.
func TestNames_IgnoreCaseInEveryScript(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	p := tracker.Project{ID: tenancy.NewID(), Key: "WEB", Name: "Überblick", State: tracker.ProjectActive, Template: "kanban", Timezone: "UTC",
		Workflow: tracker.Workflow{Statuses: []tracker.Status{
			{Name: "Überprüfung", Category: tracker.InProgress}, {Name: "Готово", Category: tracker.Done}}},
		IssueTypes: []string{"Störung"}, Version: 1, CreatedAt: storetest.Now, UpdatedAt: storetest.Now}
	acme.Write(t, func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.InsertProject(p), store.InsertMembers([]tenancy.Member{{ID: tenancy.NewID(), Handle: "eva",
			Name: "Éva Örkény", Role: tenancy.RoleMember, State: tenancy.MemberActive, CreatedAt: storetest.Now}}))
	})
	c := b.client(t, acme.FullToken(t))
	c.ok("save_sprint", args{"project": "WEB", "name": "Übergang"})
	c.ok("create_issue", args{"project": "WEB", "title": "One", "type": "STÖRUNG", "assignee": "éva ÖRKÉNY", "sprint": "ÜBERGANG"})
	for name, filter := range map[string]args{
		"status":          {"status": "ÜBERPRÜFUNG"},
		"status, project": {"status": "überprüfung", "project": "WEB"},
		"two statuses":    {"status": []string{"ГОТОВО", "überprüfung"}},
		"type":            {"type": "störung"},
		"assignee":        {"assignee": "ÉVA ÖRKÉNY"},
		"sprint":          {"sprint": "übergang"},
	} {
		require.EqualValues(t, 1, c.ok("search_issues", filter)["total"], name)
	}
	require.EqualValues(t, 1, c.ok("list_projects", args{"query": "ÜBER"})["total"])
}

// TestSearch_UnknownWordsAreRefused: an agent that misspells a status must not
// conclude that there is no work in it.
func TestSearch_UnknownWordsAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	acme.Project(t, "API", "Interface")
	beta := b.db.Tenant(t, "beta")
	secret := beta.Project(t, "SEC", "Secret")
	c := b.client(t, acme.FullToken(t))
	for _, projects := range [][]string{nil, {"WEB"}, {"WEB", "API"}} {
		text := c.fails("invalid_value", "search_issues", args{"status": "Doing", "project": projects})
		require.Contains(t, text, "In Progress")
		require.Contains(t, c.fails("invalid_value", "search_issues", args{"type": "Chore", "project": projects}), "Bug")
	}
	require.NotContains(t, c.fails("invalid_value", "search_issues", args{"status": "Doing"}), secret.Key)
	c.fails("not_found", "search_issues", args{"status": "Done", "project": []string{"WEB", "SEC"}})
}
