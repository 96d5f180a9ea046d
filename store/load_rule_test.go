package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

func TestLoadDataset_OneActiveSprint(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	load(t, db, acme, scrumDataset())
	other := scrumDataset()
	other.Source = "other"
	other.Sprints = append(other.Sprints, dataset.Sprint{Name: "Their sprint", State: tracker.SprintActive, StartedAt: &loadDay})
	report := load(t, db, acme, other)
	require.Equal(t, dataset.Count{Added: 1, Present: 1}, report.Sprints)
	var active []tracker.Sprint
	acme.Read(t, store.Sprints(store.SprintFilter{State: tracker.SprintActive, Limit: 9}, &active, nil))
	require.Len(t, active, 1)
	require.Equal(t, "Sprint 1", active[0].Name)
	require.Equal(t, 2, active[0].Issues, "issues of both sources are in it")
}

func TestLoadDataset_NumbersAmongOwnIssues(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	d := scrumDataset()
	load(t, db, acme, d)
	var project tracker.Project
	acme.Read(t, store.ProjectByKey("SHOP", &project))
	require.Equal(t, 10, acme.Issues(t, project, "Ours, made after the import")[0].Key.Number)

	state := dataset.State{Title: "Number ten of the source", Status: statusOf["Backlog"]}
	d.Issues = append(d.Issues, dataset.Issue{ExternalID: "k", Number: 10, Revisions: []dataset.Revision{{At: loadDay, State: state}}})
	report := load(t, db, acme, d)
	require.False(t, report.NumbersKept)
	added, _ := issueOf(t, acme, "SHOP", 11)
	require.Equal(t, state.Title, added.Title)
	ours, _ := issueOf(t, acme, "SHOP", 10)
	require.Equal(t, "Ours, made after the import", ours.Title)
}

func TestLoadDataset_KeepsWhatPeopleDidSince(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	load(t, db, acme, scrumDataset())
	bug, _ := issueOf(t, acme, "SHOP", 9)
	child, _ := issueOf(t, acme, "SHOP", 4)
	after := bug
	after.Title, after.Labels = "Renamed here", []string{"ours"}
	by := store.Author{MemberID: acme.Ada.ID, ChangeID: tenancy.NewID(), At: storetest.Now}
	var gone bool
	acme.Write(t, func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.SaveIssue(bug, after, by), store.DeleteLink(bug.ID, tracker.Blocks, child.ID, &gone))
	})
	require.True(t, gone)

	report := load(t, db, acme, scrumDataset())
	require.Zero(t, report.Events)
	require.Equal(t, "Issues that were there already kept their fields; only new comments were added to them.", report.Notes[0].Text)
	bug, _ = issueOf(t, acme, "SHOP", 9)
	require.Equal(t, "Renamed here", bug.Title)
	require.Equal(t, []string{"ours"}, bug.Labels)
	child, _ = issueOf(t, acme, "SHOP", 4)
	require.False(t, child.Blocked, "the link that was removed stays removed")
}

func TestLoadDataset_TwoTenantsDoNotMeet(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, globex := db.Tenant(t, "acme"), db.Tenant(t, "globex")
	require.Equal(t, 3, load(t, db, acme, scrumDataset()).Issues.Added)
	report := load(t, db, globex, scrumDataset())
	require.True(t, report.ProjectCreated)
	require.Equal(t, dataset.Count{Added: 2}, report.People)
	require.Equal(t, dataset.Count{Added: 3}, report.Issues)
}

func TestLoadDataset_LongTextsAndManyChanges(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	d := scrumDataset()
	i := &d.Issues[2]
	i.Revisions[0].Body = strings.Repeat("wörter ", 40_000)
	for n := range 600 { // more than one batch
		i.Revise(loadDay.Add(time.Duration(n+1)*time.Minute), "mira", func(s *dataset.State) { s.Title = fmt.Sprint("Title ", n) })
	}
	calls := 0
	report, err := db.LoadDataset(t.Context(), acme.Scope(), d, store.LoadOptions{Progress: func(done, total int64) { calls++ }})
	require.NoError(t, err)
	require.Equal(t, 612, report.Events)
	require.Positive(t, calls)
	bug, events := issueOf(t, acme, "SHOP", 9)
	require.Equal(t, "Title 599", bug.Title)
	require.Equal(t, 601, bug.Version)
	require.Len(t, events, 100, "a page of them")
	require.Contains(t, bug.Description, "[Cut on import: the source has 279999 characters here.]")
}
