package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// world is a tenant at random and all that is in it, in memory: what queries answer
// is compared with a plain look through these slices.
type world struct {
	*storetest.Tenant
	people    []tenancy.Member
	projects  []tracker.Project
	sprints   []tracker.Sprint
	issues    []tracker.Issue
	blockers  map[uuid.UUID][]uuid.UUID // the issues that block one
	relations [][2]uuid.UUID            // the first duplicates the second
	events    []store.EventRow
	scopes    []reach
}

// reach is a scope and the projects that it may see; nil for all.
type reach struct {
	store.Scope
	keys []string
}

func (r reach) sees(key string) bool { return r.keys == nil || slices.Contains(r.keys, key) }

// words occur in titles and descriptions; none is a form of another.
var words = []string{"zebra", "quagga", "marimba", "xylophone", "teapot"}

var labelNames = []string{"Backend", "backend", "Ärger", "ärger", "ui", "a b"}

// pick is one of a list at random.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// newWorld makes a tenant of three projects with 90 issues. The same seed makes the
// same world, but for ids.
func newWorld(t *testing.T, db *storetest.DB, seed uint64) *world {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{Tenant: db.Tenant(t, fmt.Sprintf("world-%d", seed)), blockers: map[uuid.UUID][]uuid.UUID{}}
	w.people = append(w.people, w.Ada, w.Ben)
	day := func(spread int) *time.Time {
		d := storetest.Now.Truncate(24*time.Hour).AddDate(0, 0, r.IntN(2*spread+1)-spread)
		return &d
	}
	for _, key := range []string{"WEB", "WE", "API"} {
		p := w.Project(t, key, "Project "+strings.ToLower(key))
		w.projects = append(w.projects, p)
		for n := range 5 {
			s := tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, ProjectKey: key, Version: 1, CreatedAt: *day(5),
				Name: []string{"Sprint 1", "Sprint 2", "SPRINT 3", "Müsli", "Last"}[n], State: []tracker.SprintState{"active", "planned", "planned", "planned", "completed"}[n]}
			if r.IntN(3) > 0 {
				s.StartsOn = day(20)
			}
			if s.State == tracker.SprintCompleted {
				s.CompletedAt = day(30)
			}
			w.sprints = append(w.sprints, s)
		}
		for n := range 30 {
			w.issues = append(w.issues, w.randomIssue(r, p, n+1, day))
		}
	}
	w.insert(t, r)
	for _, keys := range [][]string{nil, {"WEB", "WE"}, {"API"}, {}} {
		grants := `{"issues":["*"],"projects":["*"]}`
		if keys != nil {
			grants = fmt.Sprintf(`{"issues":["*"],"projects":["*"],"only_projects":[%s]}`, strings.Trim(fmt.Sprintf("%q", keys), "[]"))
			grants = strings.ReplaceAll(grants, `" "`, `","`)
		}
		_, plain := w.Token(t, fmt.Sprint("scope ", keys), grants)
		w.scopes = append(w.scopes, reach{store.ForPrincipal(principal(t, db, plain)), keys})
	}
	return w
}

func (w *world) randomIssue(r *rand.Rand, p tracker.Project, number int, day func(int) *time.Time) tracker.Issue {
	status := pick(r, p.Workflow.Statuses)
	i := tracker.Issue{ID: tenancy.NewID(), ProjectID: p.ID, Key: tracker.IssueKey{Project: p.Key, Number: number}, Version: 1,
		Title: pick(r, words) + " " + pick(r, words), Description: strings.Repeat(pick(r, words)+" ", r.IntN(3)),
		Type: pick(r, p.IssueTypes), Status: status.Name, Category: status.Category, Priority: tracker.Priority(1 + r.IntN(4)),
		CreatedAt: *day(10), UpdatedAt: *day(4)} // days, so that many are equal
	if r.IntN(3) > 0 {
		who := pick(r, w.people)
		i.AssigneeID, i.Assignee = who.ID, who.Label()
	}
	if r.IntN(5) > 0 {
		who := pick(r, w.people)
		i.ReporterID, i.Reporter = who.ID, who.Label()
	}
	if r.IntN(2) > 0 {
		s := w.sprints[len(w.sprints)-1-r.IntN(5)]
		i.SprintID, i.Sprint = s.ID, s.Name
	}
	if r.IntN(2) > 0 {
		i.DueDate = day(10)
	}
	if r.IntN(2) > 0 {
		points := float64(r.IntN(16)) / 2
		i.Points = &points
	}
	if i.Category == tracker.Done {
		i.CompletedAt = day(10)
	}
	for _, label := range labelNames {
		if r.IntN(4) == 0 {
			i.Labels = append(i.Labels, label)
		}
	}
	if number > 1 && r.IntN(3) == 0 {
		parent := w.issues[len(w.issues)-1-r.IntN(number-1)]
		i.ParentID, i.Parent = parent.ID, &parent.Key
	}
	return i
}

// insert writes the world, and events that are made up.
func (w *world) insert(t *testing.T, r *rand.Rand) {
	t.Helper()
	var rows []store.NewIssue
	for _, i := range w.issues {
		rows = append(rows, store.NewIssue{Issue: i})
	}
	queries := []store.Query{}
	for _, s := range w.sprints {
		queries = append(queries, store.InsertSprint(s))
	}
	queries = append(queries, store.InsertIssues(rows))
	var made bool
	for range 40 {
		from, to := pick(r, w.issues), pick(r, w.issues)
		if from.ID != to.ID && !slices.Contains(w.blockers[to.ID], from.ID) {
			w.blockers[to.ID] = append(w.blockers[to.ID], from.ID)
			queries = append(queries, store.InsertLink(from, tracker.Blocks, to, store.Author{At: storetest.Now}, &made))
		}
		if other := pick(r, w.issues); other.ID != to.ID {
			w.relations = append(w.relations, [2]uuid.UUID{other.ID, to.ID})
			queries = append(queries, store.InsertLink(other, tracker.Duplicates, to, store.Author{At: storetest.Now}, &made))
		}
	}
	for range 120 {
		i, who := pick(r, w.issues), pick(r, w.people)
		e := tracker.Event{IssueID: i.ID, ChangeID: tenancy.NewID(), Kind: pick(r, []tracker.EventKind{"created", "changed", "changed", "commented", "linked"}),
			At: storetest.Now.Add(-time.Duration(r.IntN(20)) * time.Hour)}
		if e.Kind == tracker.EventChanged {
			e.Field = pick(r, []string{"status", "points", "title"})
		}
		queries = append(queries, store.InsertEvents(i.ProjectID, []tracker.Event{e}, store.Author{MemberID: who.ID}))
		e.Actor = who.Label()
		w.events = append(w.events, store.EventRow{Event: e, Key: i.Key, Title: i.Title})
	}
	w.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), queries...) })
}

func (w *world) issue(id uuid.UUID) tracker.Issue {
	return w.issues[slices.IndexFunc(w.issues, func(i tracker.Issue) bool { return i.ID == id })]
}

func (w *world) sprint(id uuid.UUID) tracker.Sprint {
	n := slices.IndexFunc(w.sprints, func(s tracker.Sprint) bool { return s.ID == id })
	if n < 0 {
		return tracker.Sprint{}
	}
	return w.sprints[n]
}

// nextSprint is the planned sprint of a project that comes first.
func (w *world) nextSprint(project uuid.UUID) uuid.UUID {
	var planned []tracker.Sprint
	for _, s := range w.sprints {
		if s.ProjectID == project && s.State == tracker.SprintPlanned {
			planned = append(planned, s)
		}
	}
	slices.SortFunc(planned, func(a, b tracker.Sprint) int {
		return cmp.Or(compareDays(a.StartsOn, b.StartsOn), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID.String(), b.ID.String()))
	})
	return planned[0].ID
}

// compareDays orders days; none comes last.
func compareDays(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// in reads as a scope of the world.
func (w *world) in(t *rapid.T, db *storetest.DB, as reach, queries ...store.Query) {
	ctx := context.Background()
	require.NoError(t, db.Read(ctx, as.Scope, func(tx *store.Tx) error { return tx.Do(ctx, queries...) }))
}

// chance is true about once in n draws, which are small more often than not.
func chance(t *rapid.T, name string, n int) bool { return rapid.IntRange(0, n).Draw(t, name) == n }

// some draws a part of a list, mostly none of it.
func some[T any](t *rapid.T, list []T, name string) []T {
	if !chance(t, name+"?", 2) {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(list), 1, 3).Draw(t, name)
}
