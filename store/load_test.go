package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

var (
	loadDay  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	statusOf = map[string]tracker.StatusValue{
		"Backlog": {Name: "Backlog", Category: tracker.Todo}, "In Progress": {Name: "In Progress", Category: tracker.InProgress},
		"Done": {Name: "Done", Category: tracker.Done}, "Odd": {Name: "Odd", Category: tracker.Cancelled},
	}
)

// scrumDataset is an epic with a child that was done in a sprint, and a bug that
// blocks it.
func scrumDataset() *dataset.Dataset {
	points, due, end := 3.0, loadDay.AddDate(0, 0, 9), loadDay.AddDate(0, 0, 11)
	d := &dataset.Dataset{Source: "test", Project: dataset.Project{Key: "SHOP", Name: "Shop", Template: "scrum", Lead: "mira"}}
	d.AddPerson("mira", "Mira Holm", "")
	d.AddPerson("tomo", "Tomo Arai", "")
	d.Sprints = []dataset.Sprint{{Name: "Sprint 1", State: tracker.SprintActive, StartsOn: &loadDay, EndsOn: &end, StartedAt: &loadDay}}
	issue := func(number int, s dataset.State) dataset.Issue {
		s.Status = statusOf["Backlog"]
		return dataset.Issue{ExternalID: string(rune('a' + number)), Number: number, Reporter: "mira",
			Revisions: []dataset.Revision{{At: loadDay, By: "mira", State: s}}}
	}
	child := issue(4, dataset.State{Title: "Pay by card", Type: "Story", Parent: "h", Labels: []string{"Payments"}})
	child.Revise(loadDay.Add(time.Hour), "mira", func(s *dataset.State) { s.Sprint, s.Points, s.DueDate = "Sprint 1", &points, &due })
	child.Revise(loadDay.Add(24*time.Hour), "tomo", func(s *dataset.State) { s.Status, s.Assignee = statusOf["In Progress"], "tomo" })
	child.Revise(loadDay.Add(72*time.Hour), "tomo", func(s *dataset.State) { s.Status = statusOf["Done"] })
	child.Comments = []dataset.Comment{{Author: "tomo", Body: "Works.", At: loadDay.Add(73 * time.Hour)}}
	epic := issue(7, dataset.State{Title: "Checkout", Type: "Epic", Labels: []string{"payments"}})
	bug := issue(9, dataset.State{Title: "Card form loses focus", Type: "Bug", Priority: tracker.High})
	d.Issues = []dataset.Issue{child, epic, bug}
	d.Links = []dataset.Link{{From: "j", Relation: tracker.Blocks, To: "e", By: "mira", At: loadDay.Add(80 * time.Hour)}}
	return d
}

func load(t *testing.T, db *storetest.DB, tn *storetest.Tenant, d *dataset.Dataset) dataset.Report {
	t.Helper()
	report, err := db.LoadDataset(t.Context(), tn.Scope(), d, store.LoadOptions{})
	require.NoError(t, err)
	return report
}

// issueOf reads one issue whole, with its events from the first on.
func issueOf(t *testing.T, tn *storetest.Tenant, project string, number int) (tracker.Issue, []store.EventRow) {
	t.Helper()
	var found []tracker.Issue
	var events []store.EventRow
	tn.Read(t, store.IssuesByKeys([]tracker.IssueKey{{Project: project, Number: number}}, &found))
	require.Len(t, found, 1)
	tn.Read(t, store.Events(store.EventFilter{IssueIDs: []uuid.UUID{found[0].ID}, Limit: 100}, &events, nil))
	for a, b := 0, len(events)-1; a < b; a, b = a+1, b-1 {
		events[a], events[b] = events[b], events[a]
	}
	return found[0], events
}

func TestLoadDataset_NewProject(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	report := load(t, db, acme, scrumDataset())
	require.Equal(t, dataset.Report{Project: "SHOP", ProjectCreated: true, NumbersKept: true, People: dataset.Count{Added: 2},
		Sprints: dataset.Count{Added: 1}, Issues: dataset.Count{Added: 3}, Comments: dataset.Count{Added: 1}, Links: dataset.Count{Added: 1},
		Open: 2, Closed: 1, Labels: 1, Events: 12, Notes: dataset.Notes{}}, report)

	child, events := issueOf(t, acme, "SHOP", 4)
	require.Equal(t, []string{"Done", "tomo", "mira", "Sprint 1", "SHOP-7"}, []string{child.Status, child.Assignee, child.Reporter, child.Sprint, child.Parent.String()})
	require.Equal(t, 3.0, *child.Points)
	require.Equal(t, "2026-03-11", child.DueDate.Format(time.DateOnly))
	require.Equal(t, loadDay, child.CreatedAt.UTC())
	require.Equal(t, loadDay.Add(24*time.Hour), child.StartedAt.UTC())
	require.Equal(t, loadDay.Add(72*time.Hour), child.CompletedAt.UTC())
	require.Equal(t, loadDay.Add(80*time.Hour), child.UpdatedAt.UTC(), "when it was linked")
	require.True(t, child.Blocked)
	require.Equal(t, 4, child.Version)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, string(e.Kind)+" "+e.Field+" by "+e.Actor)
	}
	require.Equal(t, []string{"created  by mira", "changed points by mira", "changed sprint by mira", "changed due_date by mira",
		"changed status by tomo", "changed assignee by tomo", "changed status by tomo", "commented  by tomo", "linked blocked_by by mira"}, kinds)
	require.Equal(t, loadDay.Add(72*time.Hour), events[6].At.UTC())
	require.Equal(t, events[4].ChangeID, events[5].ChangeID)
	require.NotEqual(t, events[4].ChangeID, events[6].ChangeID)

	var project tracker.Project
	var sprints []tracker.Sprint
	var people []tenancy.Member
	acme.Read(t, store.ProjectByKey("SHOP", &project), store.MembersByName([]string{"mira"}, &people))
	acme.Read(t, store.Sprints(store.SprintFilter{ProjectID: project.ID, Limit: 5}, &sprints, nil))
	require.Equal(t, people[0].ID, project.LeadID)
	require.Equal(t, tenancy.MemberImported, people[0].State)
	require.Equal(t, tenancy.RoleMember, people[0].Role)
	require.Equal(t, loadDay, project.CreatedAt.UTC())
	require.Equal(t, tracker.SprintActive, sprints[0].State)
	require.Equal(t, 3.0, sprints[0].PointsDone)
	requireEventsTellAll(t, db.Admin(t), 3)
	require.Equal(t, 10, acme.Issues(t, project, "The next one")[0].Key.Number)
}

func TestLoadDataset_TwiceThenMore(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	load(t, db, acme, scrumDataset())
	again := load(t, db, acme, scrumDataset())
	require.Zero(t, again.Issues.Added+again.Comments.Added+again.People.Added+again.Sprints.Added+again.Links.Added+again.Events)
	require.Equal(t, []int{3, 1, 2, 1, 1}, []int{again.Issues.Present, again.Comments.Present, again.People.Present, again.Sprints.Present, again.Links.Present})
	_, before := issueOf(t, acme, "SHOP", 4)

	more := scrumDataset()
	more.Issues[0].Comments = append(more.Issues[0].Comments, dataset.Comment{Author: "mira", Body: "Thanks!", At: loadDay.Add(90 * time.Hour)})
	more.Issues = append(more.Issues, dataset.Issue{ExternalID: "n", Number: 13, Revisions: []dataset.Revision{{At: loadDay,
		State: dataset.State{Title: "New", Status: statusOf["Backlog"], Parent: "h", Labels: []string{"PAYMENTS"}}}}})
	more.Links = append(more.Links, dataset.Link{From: "n", Relation: tracker.RelatesTo, To: "e"})
	report := load(t, db, acme, more)
	require.Equal(t, []int{1, 1, 1}, []int{report.Issues.Added, report.Comments.Added, report.Links.Added})
	require.True(t, report.NumbersKept)
	child, after := issueOf(t, acme, "SHOP", 4)
	require.Len(t, after, len(before)+2)
	require.Equal(t, loadDay.Add(90*time.Hour), child.UpdatedAt.UTC())
	added, _ := issueOf(t, acme, "SHOP", 13)
	require.Equal(t, "SHOP-7", added.Parent.String())
	require.Equal(t, []string{"payments"}, added.Labels, "in the spelling that the project has")
}

func TestLoadDataset_FilledProject(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	shop := acme.Project(t, "SHOP", "Ours")
	acme.Issues(t, shop, "One of ours", "Another")
	d := scrumDataset()
	d.People[0].Email = "ADA@acme.test"
	d.AddPerson("ben", "", "")
	for n := range d.Issues {
		d.Issues[n].Revisions[0].Type = "Feature"
	}
	d.Issues[2].Revise(loadDay.Add(time.Hour), "", func(s *dataset.State) { s.Status = statusOf["Odd"] })
	report := load(t, db, acme, d)
	require.False(t, report.ProjectCreated)
	require.False(t, report.NumbersKept)
	require.Equal(t, dataset.Count{Added: 1, Present: 2}, report.People)
	notes := ""
	for _, n := range report.Notes {
		notes += n.String() + "\n"
	}
	require.Contains(t, notes, "taken for members of the same name or e-mail. (mira is ada@acme.test, ben is ben@acme.test)")
	require.Contains(t, notes, `Status "Odd" is not in the project's workflow and became "Cancelled".`)
	require.Contains(t, notes, `Type "Feature" is not known in the project and became "Task".`)
	require.Contains(t, notes, "Issues got new numbers")

	child, _ := issueOf(t, acme, "SHOP", 3)
	require.Equal(t, []string{"Pay by card", "ada@acme.test", "SHOP-4"}, []string{child.Title, child.Reporter, child.Parent.String()})
	bug, _ := issueOf(t, acme, "SHOP", 5)
	require.Equal(t, tracker.Cancelled, bug.Category)
	require.Equal(t, 3, load(t, db, acme, d).Issues.Present)
	require.Equal(t, 6, acme.Issues(t, shop, "Ours again")[0].Key.Number)
}

func TestLoadDataset_SameHandleOtherPerson(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	d := scrumDataset()
	d.AddPerson("ben", "Ben of Globex", "ben@globex.test")
	d.Issues[0].Revise(loadDay.Add(100*time.Hour), "ben", func(s *dataset.State) { s.Assignee = "ben" })
	require.Equal(t, dataset.Count{Added: 3}, load(t, db, acme, d).People)
	require.Equal(t, dataset.Count{Present: 3}, load(t, db, acme, d).People)
	child, _ := issueOf(t, acme, "SHOP", 4)
	require.Equal(t, "ben@globex.test", child.Assignee)
}

func TestLoadDataset_DryRun(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	report, err := db.LoadDataset(t.Context(), acme.Scope(), scrumDataset(), store.LoadOptions{DryRun: true})
	require.NoError(t, err)
	require.True(t, report.DryRun)
	require.Equal(t, 3, report.Issues.Added)
	requireNothing(t, db)
	var changes string
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), "select changes from audit_log where method = 'import'").Scan(&changes))
	require.Contains(t, changes, `"dry_run":true`)
}

func TestLoadDataset_Refuses(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	shop := acme.Project(t, "SHOP", "Ours")
	shop.State = tracker.ProjectArchived
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.SaveProject(shop, shop)) })
	_, err := db.LoadDataset(t.Context(), acme.Scope(), scrumDataset(), store.LoadOptions{})
	require.Equal(t, tenancy.ReadOnlyCall, tenancy.CodeOf(err))
	bad := scrumDataset()
	bad.Issues[1].Revisions[0].Title = ""
	_, err = db.LoadDataset(t.Context(), acme.Scope(), bad, store.LoadOptions{})
	require.ErrorContains(t, err, "issue h has an empty title.")
	requireNothing(t, db)
}

func TestLoadDataset_CancelledHalfway(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := db.LoadDataset(ctx, acme.Scope(), manyIssues(2000), store.LoadOptions{Progress: func(done, total int64) {
		calls++
		require.EqualValues(t, 2000, total)
		if done > 1000 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Greater(t, calls, 2)
	requireNothing(t, db)
}

// manyIssues is a dataset of n issues with a change and a comment each.
func manyIssues(n int) *dataset.Dataset {
	d := &dataset.Dataset{Source: "test", Project: dataset.Project{Key: "MANY"}}
	d.AddPerson("mira", "", "")
	for k := 1; k <= n; k++ {
		i := dataset.Issue{ExternalID: "id" + uuid.UUID{byte(k >> 16), byte(k >> 8), byte(k)}.String(), Number: k, Reporter: "mira", Revisions: []dataset.Revision{
			{At: loadDay, By: "mira", State: dataset.State{Title: "One of many issues", Body: "Some words about it.", Status: statusOf["Backlog"], Labels: []string{"many"}}}}}
		i.Revise(loadDay.Add(time.Hour), "mira", func(s *dataset.State) { s.Status = statusOf["Done"] })
		i.Comments = []dataset.Comment{{Author: "mira", Body: "Seen.", At: loadDay.Add(2 * time.Hour)}}
		d.Issues = append(d.Issues, i)
	}
	return d
}

// requireNothing asserts that the database holds no issue, no imported person
// and nothing else of a dataset.
func requireNothing(t *testing.T, db *storetest.DB) {
	t.Helper()
	var rows int
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select (select count(*) from issues) + (select count(*) from issue_events) +
		(select count(*) from comments) + (select count(*) from sprints) + (select count(*) from issue_links) +
		(select count(*) from members where state = 'imported') + (select count(*) from projects where next_number > 1)`).Scan(&rows))
	require.Zero(t, rows)
}

// BenchmarkLoadDataset loads 10,000 issues with a change, a comment and a label
// each: 50,000 rows.
func BenchmarkLoadDataset(b *testing.B) {
	db := storetest.Open(b)
	acme := db.Tenant(b, "acme")
	for n := 0; b.Loop(); n++ {
		d := manyIssues(10_000)
		d.Project.Key = "MANY" + string(rune('A'+n))
		_, err := db.LoadDataset(b.Context(), acme.Scope(), d, store.LoadOptions{})
		require.NoError(b, err)
	}
}
