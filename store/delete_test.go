package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := fill(t, db, "acme"), fill(t, db, "beta")
	raw := db.Admin(t)
	before := rowsOf(t, raw, beta.ID)
	w := &worker{t: t, store: db.Store, tenant: acme.ID}
	w.read()
	web, err := raw.Query(t.Context(), `select id from issues where tenant_id = $1 and project_id = $2 order by number`, acme.ID, acme.web.ID)
	require.NoError(t, err)
	var ids []uuid.UUID
	for web.Next() {
		var id uuid.UUID
		require.NoError(t, web.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, web.Err())

	var with store.Belongings
	acme.Read(t, store.CountBelongings(acme.web.ID, ids[0], &with))
	require.Equal(t, store.Belongings{Issues: 1, Comments: 1, Links: 2, Attachments: 1}, with)
	acme.Read(t, store.CountBelongings(acme.web.ID, uuid.Nil, &with))
	require.Equal(t, store.Belongings{Issues: 2, Comments: 1, Links: 2, Attachments: 1}, store.Belongings{Issues: with.Issues, Comments: with.Comments, Links: with.Links, Attachments: with.Attachments})

	issue := newIssue(acme.Tenant, acme.web, "")
	issue.ID, issue.Key.Project = ids[0], "WEB"
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.DeleteIssue(issue, by(acme.Tenant))) })
	require.Equal(t, []store.WorkItem{{ProjectID: acme.web.ID, ProjectKey: "WEB", IssueID: ids[0]}}, w.read().Items, "who watches it hears of it")
	for _, table := range []string{"comments", "issue_events", "issue_labels", "issue_timelines", "worklogs", "attachments"} {
		require.Empty(t, strings1(t, raw, `select issue_id::text from `+table+` where issue_id = $1`, ids[0]), table)
	}

	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.DeleteProject(acme.web, by(acme.Tenant))) })
	require.Equal(t, []store.WorkItem{{ProjectID: acme.web.ID, ProjectKey: "WEB"}}, w.read().Items)
	for _, table := range []string{"issues", "sprints", "sprint_snapshots", "comments", "issue_events", "issue_links", "worklogs", "attachments"} {
		require.Empty(t, strings1(t, raw, `select project_id::text from `+table+` where project_id = $1`, acme.web.ID), table)
	}
	require.Len(t, strings1(t, raw, `select id::text from issues where tenant_id = $1`, acme.ID), 2, "of the other project")
	require.Equal(t, before, rowsOf(t, raw, beta.ID), "of the other tenant")
}
