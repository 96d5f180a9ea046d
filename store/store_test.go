package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestSearchIssues_TextAndPages(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	issues := acme.Issues(t, web, "Login button is broken", "Export to CSV", "Broken links on the home page")

	var ids []uuid.UUID
	acme.Read(t, store.MatchText(tracker.Filter{Text: "broken"}, &ids))
	require.ElementsMatch(t, []uuid.UUID{issues[0].ID, issues[2].ID}, ids)

	for _, sort := range tracker.SortNames() {
		filter := tracker.Filter{Projects: []string{"WEB"}}
		if sort == "relevance" {
			filter.Text, filter.IDs = "broken", ids
		}
		var seen []uuid.UUID
		page := store.Page{Sort: tracker.Sort(sort), Limit: 1}
		for range 5 {
			var rows []tracker.Issue
			var total int
			acme.Read(t, store.SearchIssues(filter, page, &rows, &total))
			if len(rows) == 0 {
				break
			}
			seen = append(seen, rows[0].ID)
			after := store.PositionOf(page.Sort, rows[0])
			page.After = &after
			require.Equal(t, map[bool]int{true: 2, false: 3}[sort == "relevance"], total, sort)
		}
		require.Len(t, seen, map[bool]int{true: 2, false: 3}[sort == "relevance"], sort)
	}
	for _, by := range tracker.GroupFields() {
		var groups []tracker.Group
		acme.Read(t, store.CountIssues(tracker.Filter{}, by, &groups))
		if by != "label" {
			require.NotEmpty(t, groups, by)
		}
	}
}

func TestLookupToken(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token, plain := acme.Token(t, "ci", `{"issues":["read"],"only_projects":["WEB"]}`)
	auth := tokens.NewAuthenticator(db)
	t.Cleanup(auth.Close)
	p, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	require.Equal(t, token.ID, p.TokenID)
	require.NoError(t, db.Read(t.Context(), store.ForPrincipal(p), func(tx *store.Tx) error { return tx.Do(t.Context()) }))
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	require.Error(t, db.Read(t.Context(), store.ForPrincipal(p), func(tx *store.Tx) error { return tx.Do(t.Context()) }))
	_, err = auth.Refresh(t.Context(), plain)
	require.Error(t, err)
}
