package demo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/demo"
)

var wednesday = time.Date(2026, 4, 15, 10, 30, 0, 0, time.UTC)

// everyProject runs fn for each project as it is at the ends and in the middle of
// a week, and on a leap day.
func everyProject(t *testing.T, fn func(t *testing.T, now time.Time, d *dataset.Dataset)) {
	t.Helper()
	nows := []time.Time{time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC)}
	for _, day := range []int{0, 1, 2, 4, 5} { // Wednesday, Thursday, Friday, Sunday, Monday
		nows = append(nows, wednesday.AddDate(0, 0, day).Add(time.Duration(day)*3*time.Hour))
	}
	for _, now := range nows {
		for _, tenant := range demo.Tenants(now) {
			for _, d := range tenant.Datasets {
				t.Run(now.Format("Mon ")+d.Project.Key, func(t *testing.T) {
					t.Parallel()
					fn(t, now, d)
				})
			}
		}
	}
}

func workflow(t *testing.T, d *dataset.Dataset) *tracker.Project {
	t.Helper()
	template, err := tracker.FindTemplate(d.Project.Template)
	require.NoError(t, err)
	return &tracker.Project{Key: d.Project.Key, Workflow: template.Workflow, IssueTypes: template.IssueTypes}
}

func TestTenants_AreWhatTheyShouldBe(t *testing.T) {
	t.Parallel()
	tenants := demo.Tenants(wednesday)
	require.Len(t, tenants, 2)
	want := map[string][]string{"acme": {"WEB scrum", "APP kanban", "OPS basic"}, "globex": {"FLEET scrum", "DOCK kanban"}}
	for _, tenant := range tenants {
		var projects []string
		for _, d := range tenant.Datasets {
			projects = append(projects, d.Project.Key+" "+d.Project.Template)
		}
		require.Equal(t, want[tenant.Slug], projects)
		require.Len(t, tenant.People, 8)
		require.Equal(t, tenant.People[0].Email, tenant.Owner)
		require.Equal(t, tenancy.RoleOwner, tenant.People[0].Role)
		for _, p := range tenant.People {
			require.Equal(t, tenancy.MemberActive, p.State)
			require.Equal(t, p.Handle+"@"+tenant.Slug+".test", p.Email)
		}
	}
	require.Equal(t, "mira@acme.test", tenants[0].Owner)
}

func TestTenants_SameNowSameData(t *testing.T) {
	t.Parallel()
	require.Equal(t, demo.Tenants(wednesday), demo.Tenants(wednesday))
	week := demo.Tenants(wednesday.AddDate(0, 0, 7))
	for n, tenant := range demo.Tenants(wednesday) {
		for m, d := range tenant.Datasets {
			later := week[n].Datasets[m]
			require.Len(t, later.Issues, len(d.Issues))
			for k := range d.Issues {
				require.Equal(t, d.Issues[k].Now().Title, later.Issues[k].Now().Title)
				require.Equal(t, d.Issues[k].CreatedAt().AddDate(0, 0, 7), later.Issues[k].CreatedAt(), "a week later all is a week later")
			}
		}
	}
}

func TestTenants_TitlesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tenant := range demo.Tenants(wednesday) {
		for _, d := range tenant.Datasets {
			for _, i := range d.Issues {
				require.False(t, seen[i.Now().Title], i.Now().Title)
				seen[i.Now().Title] = true
				require.NotContains(t, i.Now().Title+i.Now().Body, "{")
			}
		}
	}
}

func TestProjects_PassTheCheckUnchanged(t *testing.T) {
	t.Parallel()
	everyProject(t, func(t *testing.T, now time.Time, d *dataset.Dataset) {
		numbers := len(d.Issues)
		require.NoError(t, d.Check())
		require.Empty(t, d.Notes)
		require.Equal(t, numbers, d.Issues[numbers-1].Number)
	})
}

func TestProjects_HistoryIsPossible(t *testing.T) {
	t.Parallel()
	everyProject(t, func(t *testing.T, now time.Time, d *dataset.Dataset) {
		p := workflow(t, d)
		atWork := func(at time.Time, what string) {
			hour := at.Sub(at.Truncate(24 * time.Hour))
			weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
			if at.After(now) || weekend || hour < 9*time.Hour || hour > 17*time.Hour+35*time.Minute {
				require.Fail(t, "outside of working hours, or in the future", "%s at %s", what, at)
			}
		}
		for _, i := range d.Issues {
			_, err := p.IssueType(i.Now().Type)
			require.NoError(t, err)
			for n, r := range i.Revisions {
				atWork(r.At, i.Now().Title)
				if n == 0 {
					continue
				}
				before := i.Revisions[n-1]
				if _, err := p.Transition(before.Status.Name, r.Status.Name); err != nil || !r.At.After(before.At) {
					require.Fail(t, "impossible", "%s at %s: %v", r.Title, r.At, err)
				}
			}
			for _, c := range i.Comments {
				atWork(c.At, "comment")
				require.False(t, c.At.Before(i.CreatedAt()))
			}
		}
		for _, l := range d.Links {
			atWork(l.At, "link")
		}
	})
}

func TestProjects_Sprints(t *testing.T) {
	t.Parallel()
	everyProject(t, func(t *testing.T, now time.Time, d *dataset.Dataset) {
		if d.Project.Template != "scrum" {
			require.Empty(t, d.Sprints)
			return
		}
		require.Len(t, d.Sprints, 15)
		carried, added, removed := 0, 0, 0
		for n, s := range d.Sprints {
			states := map[tracker.Category]int{}
			for _, i := range d.Issues {
				if i.Now().Sprint == s.Name {
					states[i.Now().Status.Category]++
				}
				for m := 1; m < len(i.Revisions); m++ {
					from, to, at := i.Revisions[m-1].Sprint, i.Revisions[m].Sprint, i.Revisions[m].At
					switch {
					case from == to || s.StartedAt == nil:
					case from == s.Name && s.CompletedAt != nil && !at.Before(*s.CompletedAt):
						carried++
					case from == s.Name:
						removed++
					case to == s.Name && at.After(*s.StartedAt):
						added++
					}
				}
			}
			switch {
			case n < 13:
				require.Equal(t, tracker.SprintCompleted, s.State)
				require.Zero(t, states[tracker.Todo]+states[tracker.InProgress], "%s is over", s.Name)
				require.Greater(t, states[tracker.Done], 3)
			case n == 13:
				require.Equal(t, tracker.SprintActive, s.State)
				require.Nil(t, s.CompletedAt)
				days := now.Sub(*s.StartsOn).Hours() / 24
				require.True(t, days > 4 && days < 11, "%s is in its middle", s.Name)
				for _, c := range []tracker.Category{tracker.Todo, tracker.InProgress, tracker.Done} {
					require.Positive(t, states[c], c)
				}
			default:
				require.Equal(t, tracker.SprintPlanned, s.State)
				require.Nil(t, s.StartedAt)
				require.Positive(t, states[tracker.Todo])
				require.Zero(t, states[tracker.InProgress]+states[tracker.Done])
			}
		}
		require.Greater(t, carried, 10)
		require.Greater(t, added, 13)
		require.Positive(t, removed)
	})
}

func TestProjects_HaveSomethingToTell(t *testing.T) {
	t.Parallel()
	everyProject(t, func(t *testing.T, now time.Time, d *dataset.Dataset) {
		size := map[string][2]int{"scrum": {150, 250}, "kanban": {90, 140}, "basic": {45, 80}}[d.Project.Template]
		require.True(t, len(d.Issues) >= size[0] && len(d.Issues) <= size[1], len(d.Issues))
		states, children, overdue, comments := map[string]dataset.State{}, 0, 0, 0
		var hours []float64
		cancelled := 0
		for _, i := range d.Issues {
			s := i.Now()
			states[i.ExternalID] = s
			comments += len(i.Comments)
			open := !s.Status.Category.Closed()
			if s.Parent != "" {
				children++
			}
			if open && s.DueDate != nil && s.DueDate.Before(now) {
				overdue++
			}
			if s.Status.Category == tracker.Cancelled {
				cancelled++
			}
			if h := cycle(i); h > 0 && s.Type != "Epic" {
				hours = append(hours, h)
			}
		}
		links := map[tracker.Relation]int{}
		waiting := 0
		for _, l := range d.Links {
			links[l.Relation]++
			if l.Relation == tracker.Blocks && !states[l.From].Status.Category.Closed() && !states[l.To].Status.Category.Closed() {
				waiting++
			}
		}
		require.True(t, overdue >= 2 && overdue <= 12, overdue)
		require.GreaterOrEqual(t, waiting, 2)
		require.Positive(t, links[tracker.Duplicates])
		require.Positive(t, links[tracker.RelatesTo])
		require.Greater(t, comments, 30)
		require.Greater(t, cancelled, 2)
		if d.Project.Template != "basic" {
			require.Greater(t, children, 50)
		}
		slices.Sort(hours)
		p50, p95 := hours[len(hours)/2], hours[len(hours)*95/100]
		require.Greater(t, p95/p50, 2.0, "cycle times have a long tail: %.0f h and %.0f h", p50, p95)
		require.True(t, p50 > 8 && p50 < 120, "half of the work takes some days: %.0f h", p50)
	})
}

// cycle is the time from the first start to done, in hours; 0 if it is not done.
func cycle(i dataset.Issue) float64 {
	var begun time.Time
	for _, r := range i.Revisions {
		if r.Status.Category == tracker.InProgress && begun.IsZero() {
			begun = r.At
		}
		if r.Status.Category == tracker.Done {
			return r.At.Sub(begun).Hours()
		}
	}
	return 0
}
