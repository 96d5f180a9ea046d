package tracker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 4, 15, 12, 0, 0, 0, time.UTC)

func TestMoved(t *testing.T) {
	t.Parallel()
	later, latest := noon.Add(time.Hour), noon.Add(2*time.Hour)
	i := Issue{Status: "To Do", Category: Todo}
	i = i.Moved(Status{Name: "Backlog", Category: Todo}, noon)
	require.Nil(t, i.StartedAt)
	i = i.Moved(Status{Name: "In Progress", Category: InProgress}, noon)
	require.Equal(t, &noon, i.StartedAt)
	i = i.Moved(Status{Name: "In Review", Category: InProgress}, later)
	require.Equal(t, &noon, i.StartedAt, "the first start stays")
	i = i.Moved(Status{Name: "Done", Category: Done}, later)
	require.Equal(t, &later, i.CompletedAt)
	require.Equal(t, "Done", i.Status)
	i = i.Moved(Status{Name: "Released", Category: Done}, latest)
	require.Equal(t, &later, i.CompletedAt, "still done")
	i = i.Moved(Status{Name: "In Progress", Category: InProgress}, latest)
	require.Nil(t, i.CompletedAt, "reopened")
	require.Equal(t, &noon, i.StartedAt)
	i = i.Moved(Status{Name: "Cancelled", Category: Cancelled}, latest)
	require.Nil(t, i.CompletedAt, "cancelled work is not completed")
}

// anyIssue draws issues from few values, so that equal ones are likely.
func anyIssue(t *rapid.T, name string) Issue {
	pick := rapid.IntRange(0, 1)
	id := func(field string) uuid.UUID { return uuid.UUID{byte(pick.Draw(t, name+field))} }
	i := Issue{
		Title: []string{"a", "b"}[pick.Draw(t, name+"title")], Description: []string{"", "x"}[pick.Draw(t, name+"description")],
		Type: []string{"Bug", "Task"}[pick.Draw(t, name+"type")], Status: []string{"To Do", "Done"}[pick.Draw(t, name+"status")],
		Priority: Priority(1 + pick.Draw(t, name+"priority")), AssigneeID: id("assignee"), SprintID: id("sprint"), ParentID: id("parent"),
		Labels: [][]string{nil, {}, {"x"}, {"x", "y"}}[rapid.IntRange(0, 3).Draw(t, name+"labels")],
	}
	points, due := float64(pick.Draw(t, name+"points")), noon.AddDate(0, 0, pick.Draw(t, name+"due"))
	if pick.Draw(t, name+"has points") == 1 {
		i.Points = &points
	}
	if pick.Draw(t, name+"has due") == 1 {
		i.DueDate = &due
	}
	if i.ParentID != uuid.Nil {
		i.Parent = &IssueKey{"WEB", 1}
	}
	return i
}

func same(a, b Issue) bool {
	points := (a.Points == nil) == (b.Points == nil) && (a.Points == nil || *a.Points == *b.Points)
	due := (a.DueDate == nil) == (b.DueDate == nil) && (a.DueDate == nil || a.DueDate.Equal(*b.DueDate))
	return a.Title == b.Title && a.Description == b.Description && a.Type == b.Type && a.Status == b.Status && a.Priority == b.Priority &&
		a.AssigneeID == b.AssigneeID && a.SprintID == b.SprintID && a.ParentID == b.ParentID && slices.Equal(a.Labels, b.Labels) && points && due
}

func TestDiff_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyIssue(t, "before "), anyIssue(t, "after ")
		there, back := Diff(a, b), Diff(b, a)
		if (len(there) == 0) != same(a, b) {
			t.Fatalf("%+v and %+v differ by %v", a, b, there)
		}
		if len(there) != len(back) {
			t.Fatalf("%v there, %v back", there, back)
		}
		for n := range there {
			if there[n].Field != back[n].Field || there[n].Kind != EventChanged {
				t.Fatalf("%v there, %v back", there[n], back[n])
			}
		}
	})
}

func TestDiff_Values(t *testing.T) {
	t.Parallel()
	id, points, due := uuid.New(), 3.0, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	before := Issue{ID: id, Title: "Old", Status: "To Do", Category: Todo, Priority: Medium, Type: "Task"}
	after := Issue{ID: id, Title: "New", Description: "Text", Type: "Bug", Status: "Done", Category: Done, Priority: High, AssigneeID: id,
		Assignee: "ada", Labels: []string{"x"}, Points: &points, SprintID: id, Sprint: "One", ParentID: id, Parent: &IssueKey{"WEB", 7}, DueDate: &due}
	got := map[string][2]any{}
	var order []string
	for _, e := range Diff(before, after) {
		require.Equal(t, id, e.IssueID)
		got[e.Field] = [2]any{e.Before, e.After}
		order = append(order, e.Field)
	}
	require.Equal(t, []string{"title", "description", "type", "status", "priority", "assignee", "labels", "points", "sprint", "parent", "due_date"}, order)
	require.Equal(t, [2]any{nil, "Text"}, got["description"])
	require.Equal(t, [2]any{StatusValue{"To Do", Todo}, StatusValue{"Done", Done}}, got["status"])
	require.Equal(t, [2]any{"medium", "high"}, got["priority"])
	require.Equal(t, [2]any{nil, "ada"}, got["assignee"])
	require.Equal(t, [2]any{nil, SprintValue{id, "One"}}, got["sprint"])
	require.Equal(t, [2]any{nil, "WEB-7"}, got["parent"])
	require.Equal(t, [2]any{nil, "2026-05-01"}, got["due_date"])
}

func TestMergeLabels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ current, add, remove, known, want []string }{
		{nil, nil, nil, nil, nil},
		{[]string{"b"}, []string{"a"}, nil, nil, []string{"a", "b"}},
		{[]string{"Bug"}, []string{"bug", "BUG"}, nil, nil, []string{"Bug"}},
		{nil, []string{"FRONTEND"}, nil, []string{"FrontEnd"}, []string{"FrontEnd"}},
		{[]string{"a", "b"}, nil, []string{" A "}, nil, []string{"b"}},
		{[]string{"a"}, []string{"b"}, []string{"b"}, nil, []string{"a"}},
		{nil, []string{" ", "\u200b", "two  words"}, nil, nil, []string{"two words"}},
	} {
		require.Equal(t, c.want, MergeLabels(c.current, c.add, c.remove, c.known), "%+v", c)
	}
}

func TestMergeLabels_Properties(t *testing.T) {
	t.Parallel()
	labels := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", "b", "B", "Straße", "STRASSE", "two words", " two  words", "é", "É", "\u200b", ""}), 0, 8)
	rapid.Check(t, func(t *rapid.T) {
		current, add, remove, known := labels.Draw(t, "current"), labels.Draw(t, "add"), labels.Draw(t, "remove"), labels.Draw(t, "known")
		out := MergeLabels(current, add, remove, known)
		if !slices.IsSorted(out) {
			t.Fatalf("not sorted: %q", out)
		}
		seen := map[string]bool{}
		for _, l := range out {
			key := strings.ToLower(l)
			if seen[key] || l != CleanLine(l) || l == "" {
				t.Fatalf("%q in %q", l, out)
			}
			seen[key] = true
		}
		for _, l := range remove {
			if seen[strings.ToLower(CleanLine(l))] {
				t.Fatalf("%q was removed, but is in %q", l, out)
			}
		}
		for _, l := range append(current, add...) {
			key := strings.ToLower(CleanLine(l))
			gone := slices.ContainsFunc(remove, func(r string) bool { return strings.ToLower(CleanLine(r)) == key })
			if key != "" && !gone && !seen[key] {
				t.Fatalf("%q is missing in %q", l, out)
			}
		}
		if again := MergeLabels(out, nil, nil, known); !slices.Equal(again, out) {
			t.Fatalf("not idempotent: %q, then %q", out, again)
		}
	})
}
