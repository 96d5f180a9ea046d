package store_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
)

// drawFilter makes up a filter of a few conditions. The text is a word, two, or one
// of two; matches reports which issues have it.
func (w *world) drawFilter(t *rapid.T) (f tracker.Filter, matches func(tracker.Issue) bool) {
	has := func(i tracker.Issue, word string) bool { return strings.Contains(i.Title+" "+i.Description, word) }
	matches = func(tracker.Issue) bool { return true }
	if chance(t, "text?", 2) {
		one, two := rapid.SampledFrom(words).Draw(t, "word"), rapid.SampledFrom(words).Draw(t, "word2")
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			f.Text, matches = one, func(i tracker.Issue) bool { return has(i, one) }
		case 1:
			f.Text, matches = one+" "+two, func(i tracker.Issue) bool { return has(i, one) && has(i, two) }
		case 2:
			f.Text, matches = one+" or "+two, func(i tracker.Issue) bool { return has(i, one) || has(i, two) }
		case 3:
			f.Text, matches = strings.ToUpper(one)+" -"+two, func(i tracker.Issue) bool { return has(i, one) && !has(i, two) }
		}
	}
	period := func(name string) (p tracker.Period) {
		if !chance(t, name+"?", 6) {
			return p
		}
		day := func(edge string) *time.Time {
			d := storetest.Now.Truncate(24*time.Hour).AddDate(0, 0, rapid.IntRange(-11, 11).Draw(t, name+edge))
			return &d
		}
		if rapid.Bool().Draw(t, name+" after?") {
			p.After = day(" after")
		}
		if rapid.Bool().Draw(t, name+" before?") {
			p.Before = day(" before")
		}
		return p
	}
	person := func(name string) (p tracker.Person) {
		switch {
		case chance(t, "no "+name, 6):
			p.Nobody = true
		case chance(t, name, 4):
			p.ID = w.people[rapid.IntRange(0, len(w.people)-1).Draw(t, name+" id")].ID
		case chance(t, "strange "+name, 30):
			p.ID = uuid.New()
		}
		return p
	}
	f.Projects = some(t, []string{"WEB", "WE", "API", "NONE"}, "projects")
	f.Categories = some(t, tracker.Categories(), "categories")
	if chance(t, "more?", 4) {
		f.Statuses = some(t, append(w.projects[0].Workflow.Names(), "done"), "statuses")
	}
	if chance(t, "labelled?", 4) {
		f.Labels = some(t, []string{"BACKEND", "ärger", "ÄRGER", "A B", "none"}, "labels")
	}
	if chance(t, "typed?", 4) {
		f.Types = some(t, w.projects[0].IssueTypes, "types")
	}
	if chance(t, "urgent?", 4) {
		f.Priorities = some(t, []tracker.Priority{1, 2, 3, 4}, "priorities")
	}
	if chance(t, "keys?", 6) {
		for range rapid.IntRange(1, 5).Draw(t, "keys") {
			f.Keys = append(f.Keys, w.issues[rapid.IntRange(0, len(w.issues)-1).Draw(t, "key")].Key, tracker.IssueKey{Project: "NONE", Number: 1})
		}
	}
	f.Assignee, f.Reporter = person("assignee"), person("reporter")
	switch rapid.IntRange(0, 15).Draw(t, "sprint") {
	case 11:
		f.SprintIs = tracker.SprintNone
	case 12:
		f.SprintIs = tracker.SprintCurrent
	case 13:
		f.SprintIs = tracker.SprintNext
	case 14:
		f.SprintIs, f.Sprint = tracker.SprintNamed, rapid.SampledFrom([]string{"sprint 1", "Sprint 3", "MÜSLI", "none"}).Draw(t, "name")
	case 15:
		f.SprintID = w.sprints[rapid.IntRange(0, len(w.sprints)-1).Draw(t, "sprint id")].ID
	}
	if chance(t, "parent?", 9) {
		f.ParentID = w.issues[rapid.IntRange(0, len(w.issues)-1).Draw(t, "parent")].ID
	}
	f.Created, f.Updated, f.Due, f.Completed = period("created"), period("updated"), period("due"), period("completed")
	if chance(t, "blocked?", 5) {
		blocked := rapid.Bool().Draw(t, "blocked")
		f.Blocked = &blocked
	}
	if f.Overdue = chance(t, "overdue", 6); f.Overdue {
		f.Today = storetest.Now.Truncate(24 * time.Hour)
	}
	return f, matches
}

// blocked reports whether an open issue blocks this one, as far as one may see.
func (w *world) blocked(as reach, id uuid.UUID) bool {
	return slices.ContainsFunc(w.blockers[id], func(by uuid.UUID) bool {
		i := w.issue(by)
		return as.sees(i.Key.Project) && !i.Category.Closed()
	})
}

// match says what a filter means, one condition at a time.
func (w *world) match(as reach, f tracker.Filter, i tracker.Issue) bool {
	within := func(p tracker.Period, at *time.Time) bool {
		return p.IsZero() || at != nil && (p.After == nil || !at.Before(*p.After)) && (p.Before == nil || at.Before(*p.Before))
	}
	is := func(p tracker.Person, id uuid.UUID) bool {
		return p == tracker.Person{} || p.Nobody && id == uuid.Nil || p.ID != uuid.Nil && p.ID == id
	}
	labelled := slices.ContainsFunc(i.Labels, func(have string) bool {
		return slices.ContainsFunc(f.Labels, func(want string) bool { return strings.EqualFold(have, want) })
	})
	sprint := w.sprint(i.SprintID)
	inSprint := map[tracker.SprintChoice]bool{tracker.SprintAny: true, tracker.SprintNone: i.SprintID == uuid.Nil,
		tracker.SprintCurrent: sprint.State == tracker.SprintActive, tracker.SprintNamed: i.SprintID != uuid.Nil && strings.EqualFold(sprint.Name, f.Sprint),
		tracker.SprintNext: i.SprintID != uuid.Nil && i.SprintID == w.nextSprint(i.ProjectID)}[f.SprintIs]
	return (len(f.Projects) == 0 || slices.Contains(f.Projects, i.Key.Project)) &&
		(len(f.Keys) == 0 || slices.Contains(f.Keys, i.Key)) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, i.Status)) &&
		(len(f.Categories) == 0 || slices.Contains(f.Categories, i.Category)) &&
		is(f.Assignee, i.AssigneeID) && is(f.Reporter, i.ReporterID) &&
		(len(f.Labels) == 0 || labelled) &&
		(len(f.Priorities) == 0 || slices.Contains(f.Priorities, i.Priority)) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, i.Type)) &&
		inSprint && (f.SprintID == uuid.Nil || f.SprintID == i.SprintID) &&
		(f.ParentID == uuid.Nil || f.ParentID == i.ParentID) &&
		within(f.Created, &i.CreatedAt) && within(f.Updated, &i.UpdatedAt) && within(f.Due, i.DueDate) && within(f.Completed, i.CompletedAt) &&
		(f.Blocked == nil || *f.Blocked == w.blocked(as, i.ID)) &&
		(!f.Overdue || i.DueDate != nil && i.DueDate.Before(f.Today) && !i.Category.Closed())
}

// compareBy orders issues as a sort does.
func compareBy(s tracker.Sort) func(a, b tracker.Issue) int {
	id := func(a, b tracker.Issue) int { return strings.Compare(a.ID.String(), b.ID.String()) }
	return func(a, b tracker.Issue) int {
		switch s {
		case tracker.SortCreated:
			return -cmp.Or(a.CreatedAt.Compare(b.CreatedAt), id(a, b))
		case tracker.SortPriority:
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), id(a, b))
		case tracker.SortDue:
			return cmp.Or(compareDays(a.DueDate, b.DueDate), id(a, b))
		case tracker.SortKey:
			return cmp.Or(strings.Compare(a.Key.Project, b.Key.Project), cmp.Compare(a.Key.Number, b.Key.Number))
		default:
			return -cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), id(a, b))
		}
	}
}

func keysOf(issues []tracker.Issue) []string {
	keys := []string{}
	for _, i := range issues {
		keys = append(keys, i.Key.String())
	}
	return keys
}

// TestSearchIssues_Model compares what PostgreSQL answers with what the filter
// means: totals, every page in its order, and groups, in what a token may see.
func TestSearchIssues_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	worlds := []*world{newWorld(t, db, 1), newWorld(t, db, 2), newWorld(t, db, 3)}
	some, none := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := worlds[rapid.IntRange(0, len(worlds)-1).Draw(t, "world")]
		as := w.scopes[rapid.IntRange(0, len(w.scopes)-1).Draw(t, "scope")]
		f, matches := w.drawFilter(t)
		sort := rapid.SampledFrom([]tracker.Sort{tracker.SortUpdated, tracker.SortCreated, tracker.SortPriority, tracker.SortDue, tracker.SortKey}).Draw(t, "sort")
		if f.Text != "" {
			w.in(t, db, as, store.MatchText(f, &f.IDs))
			if rapid.Bool().Draw(t, "by relevance") {
				sort = tracker.SortRelevance
			}
		}
		want := []tracker.Issue{}
		for _, i := range w.issues {
			if as.sees(i.Key.Project) && w.match(as, f, i) && matches(i) {
				want = append(want, i)
			}
		}
		slices.SortFunc(want, compareBy(sort))
		if sort == tracker.SortRelevance { // whose order is that of the matches
			slices.SortFunc(want, func(a, b tracker.Issue) int { return slices.Index(f.IDs, a.ID) - slices.Index(f.IDs, b.ID) })
		}
		if len(want) > 0 {
			some++
		} else {
			none++
		}

		page := store.Page{Sort: sort, Limit: rapid.IntRange(1, 40).Draw(t, "limit")}
		got := []tracker.Issue{}
		for {
			var rows []tracker.Issue
			var total int
			w.in(t, db, as, store.SearchIssues(f, page, &rows, &total))
			require.Equal(t, len(want), total)
			require.LessOrEqual(t, len(rows), page.Limit)
			if got = append(got, rows...); len(rows) < page.Limit {
				break
			}
			after := store.PositionOf(sort, rows[len(rows)-1])
			page.After = &after
		}
		require.Equal(t, keysOf(want), keysOf(got))
		for n, i := range got {
			require.Equal(t, []any{want[n].Title, want[n].Assignee, want[n].Sprint, want[n].Status, w.blocked(as, i.ID)}, []any{i.Title, i.Assignee, i.Sprint, i.Status, i.Blocked})
			slices.Sort(i.Labels)
			slices.Sort(want[n].Labels)
			require.Empty(t, cmp.Compare(strings.Join(i.Labels, ","), strings.Join(want[n].Labels, ",")))
		}
		w.requireGroups(t, db, as, f, want)
	})
	require.Greater(t, some, enough(15), "filters that find something")
	t.Logf("%d filters found something, %d nothing", some, none)
	require.Greater(t, none, enough(5), "and such that do not")
}

// enough is how many of a full run's draws must be of a kind; a short one makes a fifth, too
// few to ask for any.
func enough(n int) int {
	if testing.Short() {
		return -1
	}
	return n
}

// requireGroups counts the issues by every field.
func (w *world) requireGroups(t *rapid.T, db *storetest.DB, as reach, f tracker.Filter, issues []tracker.Issue) {
	by := rapid.SampledFrom(tracker.GroupFields()).Draw(t, "by")
	type sum struct {
		count  int
		points float64
	}
	want := map[string]sum{}
	for _, i := range issues {
		values := map[string][]string{"status": {i.Status}, "category": {string(i.Category)}, "assignee": {i.Assignee}, "priority": {i.Priority.String()},
			"type": {i.Type}, "sprint": {i.Sprint}, "project": {i.Key.Project}, "label": i.Labels}[by]
		for _, v := range values {
			s := want[v]
			s.count++
			if i.Points != nil {
				s.points += *i.Points
			}
			want[v] = s
		}
	}
	var groups []tracker.Group
	w.in(t, db, as, store.CountIssues(f, by, &groups))
	got := map[string]sum{}
	for n, g := range groups {
		require.True(t, n == 0 || groups[n-1].Count >= g.Count, "most first")
		require.NotContains(t, got, g.Value, "each value once")
		got[g.Value] = sum{g.Count, g.Points}
	}
	require.Equal(t, want, got, by)
}
