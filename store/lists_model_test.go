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
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// TestEvents_Model compares pages of events with a look through all of them.
func TestEvents_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	w := newWorld(t, db, 4)
	full := 0
	rapid.Check(t, func(t *rapid.T) {
		as := w.scopes[rapid.IntRange(0, len(w.scopes)-1).Draw(t, "scope")]
		f := store.EventFilter{Limit: rapid.IntRange(1, 50).Draw(t, "limit")}
		for _, n := range part(t, len(w.projects), "projects") {
			f.ProjectIDs = append(f.ProjectIDs, w.projects[n].ID)
		}
		for _, n := range part(t, len(w.issues), "issues") {
			f.IssueIDs = append(f.IssueIDs, w.issues[n].ID)
		}
		var actor tenancy.Member
		if chance(t, "actor?", 4) {
			actor = w.people[rapid.IntRange(0, 1).Draw(t, "actor")]
			f.ActorID = actor.ID
		}
		for _, kind := range some(t, []tracker.EventKind{"created", "commented", "linked"}, "kinds") {
			f.Kinds = append(f.Kinds, string(kind))
		}
		f.Fields = some(t, []string{"status", "points"}, "fields")
		f.NoComments = chance(t, "no comments", 4)
		if chance(t, "since?", 3) {
			f.Since = storetest.Now.Add(-time.Duration(rapid.IntRange(0, 20).Draw(t, "since")) * time.Hour)
		}
		if chance(t, "by a token", 20) {
			f.TokenID = uuid.New()
		}
		want := []string{}
		for _, e := range w.events {
			kinds := len(f.Kinds)+len(f.Fields) == 0 || slices.Contains(f.Kinds, string(e.Kind)) ||
				e.Kind == tracker.EventChanged && slices.Contains(f.Fields, e.Field)
			if as.sees(e.Key.Project) && kinds && (len(f.ProjectIDs) == 0 || slices.Contains(f.ProjectIDs, w.issue(e.IssueID).ProjectID)) &&
				(len(f.IssueIDs) == 0 || slices.Contains(f.IssueIDs, e.IssueID)) && (actor.Email == "" || e.Actor == actor.Email) &&
				!(f.NoComments && e.Kind == tracker.EventCommented) && !e.At.Before(f.Since) && f.TokenID == uuid.Nil {
				want = append(want, eventLine(e))
			}
		}
		if len(want) > 0 {
			full++
		}
		got := []string{}
		var last time.Time
		for {
			var rows []store.EventRow
			var total int
			w.in(t, db, as, store.Events(f, &rows, &total))
			require.Equal(t, len(want), total, "whatever the page")
			for _, e := range rows {
				require.True(t, last.IsZero() || !e.At.After(last), "newest first")
				last = e.At
				got = append(got, eventLine(e))
			}
			if len(rows) < f.Limit {
				break
			}
			f.AfterAt, f.AfterID = rows[len(rows)-1].At, rows[len(rows)-1].ID
		}
		require.ElementsMatch(t, want, got)
	})
	require.Greater(t, full, enough(15))
}

// eventLine is what tells an event from others; its id is made by the store.
func eventLine(e store.EventRow) string {
	return strings.Join([]string{e.ChangeID.String(), e.Key.String(), e.Title, string(e.Kind), e.Field, e.Actor, e.At.UTC().Format(time.RFC3339)}, " ")
}

// TestSprints_Model compares pages of sprints, with their counts.
func TestSprints_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	w := newWorld(t, db, 5)
	rapid.Check(t, func(t *rapid.T) {
		as := w.scopes[rapid.IntRange(0, len(w.scopes)-1).Draw(t, "scope")]
		f := store.SprintFilter{Limit: rapid.IntRange(1, 20).Draw(t, "limit")}
		if chance(t, "project?", 2) {
			f.ProjectID = w.projects[rapid.IntRange(0, 2).Draw(t, "project")].ID
		}
		if chance(t, "state?", 2) {
			f.State = rapid.SampledFrom([]tracker.SprintState{"active", "planned", "completed"}).Draw(t, "state")
		}
		if chance(t, "name?", 3) {
			f.Name = rapid.SampledFrom([]string{"SPRINT 1", "müsli", "MÜSLI", "none"}).Draw(t, "name")
		}
		want := []tracker.Sprint{}
		for _, s := range w.sprints {
			if !as.sees(s.ProjectKey) || f.ProjectID != uuid.Nil && s.ProjectID != f.ProjectID || f.State != "" && s.State != f.State ||
				f.Name != "" && !strings.EqualFold(s.Name, f.Name) {
				continue
			}
			for _, i := range w.issues {
				if i.SprintID != s.ID {
					continue
				}
				s.Issues++
				if !i.Category.Closed() {
					s.Open++
				}
				if i.Points != nil && i.Category != tracker.Cancelled {
					s.Points += *i.Points
				}
				if i.Points != nil && i.Category == tracker.Done {
					s.PointsDone += *i.Points
				}
			}
			want = append(want, s)
		}
		states := []tracker.SprintState{tracker.SprintActive, tracker.SprintPlanned, tracker.SprintCompleted}
		slices.SortFunc(want, func(a, b tracker.Sprint) int {
			return cmp.Or(slices.Index(states, a.State)-slices.Index(states, b.State), -compareDays(a.CompletedAt, b.CompletedAt),
				compareDays(a.StartsOn, b.StartsOn), strings.Compare(a.Name, b.Name), strings.Compare(a.ID.String(), b.ID.String()))
		})
		line := func(s tracker.Sprint) []any {
			return []any{s.ID, s.ProjectKey, s.Name, s.State, s.Issues, s.Open, s.Points, s.PointsDone}
		}
		var all, lines [][]any
		for _, s := range want {
			lines = append(lines, line(s))
		}
		for {
			var rows []tracker.Sprint
			var total int
			w.in(t, db, as, store.Sprints(f, &rows, &total))
			require.Equal(t, len(want), total)
			for _, s := range rows {
				all = append(all, line(s))
			}
			if len(rows) < f.Limit {
				break
			}
			f.After = rows[len(rows)-1].ID
		}
		require.Equal(t, lines, all)
	})
}

// TestProjects_Model compares pages of projects, with their counts, and what else
// lists them.
func TestProjects_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	w := newWorld(t, db, 6)
	w.projects[1].State = tracker.ProjectArchived
	w.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.SaveProject(w.projects[1], w.projects[1])) })
	rapid.Check(t, func(t *rapid.T) {
		as := w.scopes[rapid.IntRange(0, len(w.scopes)-1).Draw(t, "scope")]
		f := store.ProjectFilter{Limit: rapid.IntRange(1, 4).Draw(t, "limit"), Text: rapid.SampledFrom([]string{"", "", "we", "WEB", "PROJECT W", "x"}).Draw(t, "text"),
			State: rapid.SampledFrom([]tracker.ProjectState{"", "", "active", "archived"}).Draw(t, "state")}
		type line struct {
			key, lead   string
			open, total int
		}
		want, keys, got := []line{}, []string{}, []line{}
		for _, key := range []string{"API", "WE", "WEB"} {
			p := w.projects[slices.IndexFunc(w.projects, func(p tracker.Project) bool { return p.Key == key })]
			found := strings.Contains(strings.ToLower(p.Name), strings.ToLower(f.Text)) || strings.Contains(strings.ToLower(p.Key), strings.ToLower(f.Text))
			if as.sees(key) {
				keys = append(keys, key)
			}
			if !as.sees(key) || f.State != "" && f.State != p.State || !found {
				continue
			}
			l := line{key: key, lead: w.Ada.Email}
			for _, i := range w.issues {
				if i.ProjectID == p.ID {
					l.total++
					if !i.Category.Closed() {
						l.open++
					}
				}
			}
			want = append(want, l)
		}
		for {
			var rows []store.ProjectRow
			var total int
			w.in(t, db, as, store.Projects(f, &rows, &total))
			require.Equal(t, len(want), total)
			for _, p := range rows {
				got = append(got, line{p.Key, p.Lead, p.Open, p.Total})
			}
			if len(rows) < f.Limit {
				break
			}
			f.After = rows[len(rows)-1].Key
		}
		require.Equal(t, want, got)

		var all, existing, begin []string
		var recent []store.ProjectName
		w.in(t, db, as, store.ProjectKeys("", 10, &all), store.ExistingProjects([]string{"WE", "NONE"}, &existing),
			store.ProjectKeys("WE", 10, &begin), store.RecentProjects(10, &recent))
		require.Equal(t, keys, all)
		require.Equal(t, slices.Contains(keys, "WE"), len(existing) == 1)
		require.Equal(t, slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !strings.HasPrefix(key, "WE") }), begin)
		require.NotContains(t, recent, store.ProjectName{Key: "WE", Name: "Project we"}, "archived")
		for n := range recent {
			require.Contains(t, keys, recent[n].Key)
			require.True(t, n == 0 || !w.lastUpdate(recent[n-1].Key).Before(w.lastUpdate(recent[n].Key)), "most recent first")
		}
	})
}

func (w *world) lastUpdate(key string) (last time.Time) {
	for _, i := range w.issues {
		if i.Key.Project == key && i.UpdatedAt.After(last) {
			last = i.UpdatedAt
		}
	}
	return last
}

// TestIssueFamilies_Model compares relations, parents and labels.
func TestIssueFamilies_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	w := newWorld(t, db, 7)
	rapid.Check(t, func(t *rapid.T) {
		as := w.scopes[rapid.IntRange(0, len(w.scopes)-1).Draw(t, "scope")]
		i := w.issues[rapid.IntRange(0, len(w.issues)-1).Draw(t, "issue")]
		want, children, up := []string{}, []string{}, []string{}
		related := func(relation string, other tracker.Issue) {
			if as.sees(other.Key.Project) {
				want = append(want, relation+" "+other.Key.String()+" "+other.Title+" "+other.Status)
			}
		}
		if as.sees(i.Key.Project) {
			for _, other := range w.issues {
				if slices.Contains(w.blockers[i.ID], other.ID) {
					related("blocked_by", other)
				}
				if slices.Contains(w.blockers[other.ID], i.ID) {
					related("blocks", other)
				}
				if slices.Contains(w.relations, [2]uuid.UUID{i.ID, other.ID}) {
					related("duplicates", other)
				}
				if slices.Contains(w.relations, [2]uuid.UUID{other.ID, i.ID}) {
					related("duplicated_by", other)
				}
				if other.ParentID == i.ID {
					related("parent_of", other)
					children = append(children, other.Key.String())
				}
			}
			if i.ParentID != uuid.Nil {
				related("child_of", w.issue(i.ParentID))
			}
			for at := i; ; at = w.issue(at.ParentID) {
				up = append(up, at.Key.String())
				if at.ParentID == uuid.Nil {
					break
				}
			}
		}
		var rows []tracker.Related
		var below []tracker.Issue
		var path, labels []string
		var groups []tracker.Group
		w.in(t, db, as, store.RelatedTo([]uuid.UUID{i.ID}, 100, &rows), store.Children([]uuid.UUID{i.ID}, 100, &below),
			store.AncestorPath(i.ID, &path), store.LabelSpellings(i.ProjectID, []string{"BACKEND", "none"}, &labels), store.Labels(i.ProjectID, 100, &groups))
		got := []string{}
		for _, r := range rows {
			require.Equal(t, i.ID, r.IssueID)
			got = append(got, string(r.Relation)+" "+r.Key.String()+" "+r.Title+" "+r.Status)
		}
		require.ElementsMatch(t, want, got)
		require.ElementsMatch(t, children, keysOf(below))
		require.Equal(t, up, append([]string{}, path...))

		counts, spelled := map[string]int{}, []string{}
		for _, other := range w.issues {
			for _, label := range other.Labels {
				if other.ProjectID == i.ProjectID && as.sees(i.Key.Project) {
					counts[label]++
				}
			}
		}
		for _, label := range []string{"Backend", "backend"} {
			if counts[label] > 0 {
				spelled = append(spelled, label)
			}
		}
		require.ElementsMatch(t, spelled, labels)
		for _, g := range groups {
			require.Equal(t, counts[g.Value], g.Count, g.Value)
		}
		require.Len(t, groups, len(counts))
	})
}

// TestBlockPath_Model: a path is one of blocks, step by step, and there is one
// where a search through the links finds one.
func TestBlockPath_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	w := newWorld(t, db, 8)
	byKey := map[string]tracker.Issue{}
	for _, i := range w.issues {
		byKey[i.Key.String()] = i
	}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		as := w.scopes[rapid.IntRange(0, 2).Draw(t, "scope")]
		to := w.issues[rapid.IntRange(0, len(w.issues)-1).Draw(t, "to")]
		from := to
		for range rapid.IntRange(0, 4).Draw(t, "steps back") { // to one that leads there, if only all may see it
			if by := w.blockers[from.ID]; len(by) > 0 {
				from = w.issue(by[0])
			}
		}
		if from.ID == to.ID {
			from = w.issues[rapid.IntRange(0, len(w.issues)-1).Draw(t, "from")]
		}
		if from.ID == to.ID {
			return
		}
		sees := as.sees(from.Key.Project)
		reached, edge := map[uuid.UUID]bool{from.ID: sees}, []uuid.UUID{from.ID}
		for ; len(edge) > 0 && sees; edge = edge[1:] {
			for _, next := range w.issues {
				if as.sees(next.Key.Project) && !reached[next.ID] && slices.Contains(w.blockers[next.ID], edge[0]) {
					reached[next.ID] = true
					edge = append(edge, next.ID)
				}
			}
		}
		var path []string
		w.in(t, db, as, store.BlockPath(from.ID, to.ID, &path))
		if !reached[to.ID] {
			require.Empty(t, path)
			return
		}
		found++
		require.Equal(t, []string{from.Key.String(), to.Key.String()}, []string{path[0], path[len(path)-1]})
		for n := 1; n < len(path); n++ {
			require.Contains(t, w.blockers[byKey[path[n]].ID], byKey[path[n-1]].ID, "%v", path)
		}
	})
	require.GreaterOrEqual(t, found, enough(1), "some paths are there to be found")
}

// TestMembers_Model compares who is offered for the beginning of a name.
func TestMembers_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	tn := db.Tenant(t, "acme")
	people := []tenancy.Member{tn.Ada, tn.Ben}
	for n, name := range []string{"Ädam Ant", "adam bell", "Zoë", "Adele", "Bendix", "Al"} {
		m := tenancy.Member{ID: tenancy.NewID(), Handle: strings.ToLower(strings.Fields(name)[0]) + strings.Repeat("x", n), Name: name, Role: tenancy.RoleMember,
			State: []tenancy.MemberState{"active", "invited", "disabled", "imported", "active", "active"}[n], CreatedAt: storetest.Now}
		if n%2 == 0 {
			m.Email = m.Handle + "@acme.test"
		}
		people = append(people, m)
	}
	tn.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertMembers(people[2:])) })
	w := &world{Tenant: tn}
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "a", "AD", "ä", "Ä", "zoë", "b", "ben", "ada@", "bendix", "x", "%", "_"}).Draw(t, "prefix")
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		want := []string{}
		slices.SortFunc(people, func(a, b tenancy.Member) int {
			active := func(m tenancy.Member) int { return map[bool]int{true: 0, false: 1}[m.State == tenancy.MemberActive] }
			return cmp.Or(active(a)-active(b), strings.Compare(a.Handle, b.Handle))
		})
		for _, m := range people {
			begins := func(s string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(prefix)) }
			if m.State != tenancy.MemberDisabled && (begins(m.Handle) || begins(m.Email) || begins(m.Name)) {
				want = append(want, m.Handle)
			}
		}
		var rows []tenancy.Member
		w.in(t, db, reach{Scope: tn.Scope()}, store.Members(prefix, limit, &rows))
		got := []string{}
		for _, m := range rows {
			got = append(got, m.Handle)
		}
		require.Equal(t, want[:min(limit, len(want))], got)
	})
}

// part draws some places of a list, mostly none.
func part(t *rapid.T, size int, name string) []int {
	if !chance(t, name+"?", 3) {
		return nil
	}
	return rapid.SliceOfN(rapid.IntRange(0, size-1), 1, 8).Draw(t, name)
}
