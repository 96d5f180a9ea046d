package store_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/demo"
	"github.com/colaflow/colaflow/tracker/report"
)

func spec(t testing.TB, name report.Type) report.Spec {
	t.Helper()
	s, ok := report.Find(name)
	require.True(t, ok)
	return s
}

// reportData reads what a report needs, as a scope.
func reportData(t testing.TB, db *storetest.DB, scope store.Scope, name report.Type, keys ...string) (d report.Data) {
	t.Helper()
	require.NoError(t, db.Read(t.Context(), scope, func(tx *store.Tx) (err error) {
		d, err = tx.ReportData(t.Context(), spec(t, name), keys, time.Time{})
		return err
	}))
	return d
}

// requireToldByEvents compares the steps of every issue with a replay of its events
// that shares nothing with them but the database.
func requireToldByEvents(t testing.TB, admin *pgx.Conn, tenant tenancy.TenantID, issues []report.Issue) {
	t.Helper()
	byID := map[uuid.UUID]*report.Issue{}
	for n := range issues {
		byID[issues[n].ID] = &issues[n]
	}
	rows, err := admin.Query(t.Context(), `select issue_id, kind, field, after, at from issue_events where tenant_id = $1 and kind in ('created', 'changed')
		order by issue_id, at, id`, tenant)
	require.NoError(t, err)
	defer rows.Close()
	type value struct {
		Name     string
		Category tracker.Category
		ID       uuid.UUID
	}
	var state report.State
	var last uuid.UUID
	var at time.Time
	seen := 0
	check := func() {
		if last != uuid.Nil {
			got, ok := byID[last].At(at)
			require.True(t, ok)
			require.Equal(t, state, got, "%s at %s", last, at)
		}
	}
	set := func(field string, after json.RawMessage) {
		read := func(into any) {
			if after != nil {
				require.NoError(t, json.Unmarshal(after, into), field)
			}
		}
		var v value
		switch field {
		case "status":
			read(&v)
			state.Status, state.Category = v.Name, v.Category
		case "sprint":
			read(&v)
			state.Sprint = v.ID
		case "type":
			read(&state.Type)
		case "assignee":
			state.Assignee = ""
			read(&state.Assignee)
		case "points":
			var points *float64
			read(&points)
			if state.Points, state.Estimated = 0, points != nil; points != nil {
				state.Points = *points
			}
		}
	}
	for rows.Next() {
		var issue uuid.UUID
		var kind, field string
		var after json.RawMessage
		var when time.Time
		require.NoError(t, rows.Scan(&issue, &kind, &field, &after, &when))
		if issue != last || !when.Equal(at) {
			check()
		}
		if issue != last {
			state, seen = report.State{}, seen+1
		}
		last, at = issue, when
		if kind == "created" {
			var all map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(after, &all))
			for field, value := range all {
				set(field, value)
			}
		} else {
			set(field, after)
		}
	}
	check()
	require.NoError(t, rows.Err())
	require.Equal(t, seen, len(byID))
}

// TestReportData_NeverDisagrees changes issues at random, lets timelines catch up
// now and then, and holds what reports read against the events after every round.
func TestReportData_NeverDisagrees(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	p := acme.Project(t, "WEB", "Website")
	admin, r, now := db.Admin(t), rand.New(rand.NewPCG(6, 6)), storetest.Now
	sprint := tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, Name: "S1", State: tracker.SprintPlanned, CreatedAt: now}
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertSprint(sprint)) })
	issues := acme.Issues(t, p, "One", "Two", "Three", "Four", "Five")
	for round := range 25 {
		for range 8 {
			n := r.IntN(len(issues))
			after := issues[n]
			switch r.IntN(7) {
			case 0, 1:
				after = after.Moved(p.Workflow.Statuses[r.IntN(len(p.Workflow.Statuses))], now)
			case 2:
				points := float64(r.IntN(5)) / 2
				if after.Points = &points; r.IntN(3) == 0 {
					after.Points = nil
				}
			case 3:
				after.SprintID, after.Sprint = sprint.ID, sprint.Name
				if r.IntN(2) == 0 {
					after.SprintID, after.Sprint = uuid.Nil, ""
				}
			case 4:
				after.AssigneeID, after.Assignee = acme.Ben.ID, acme.Ben.Label()
				if r.IntN(2) == 0 {
					after.AssigneeID, after.Assignee = uuid.Nil, ""
				}
			case 5:
				after.Type, after.Title = p.IssueTypes[r.IntN(len(p.IssueTypes))], fmt.Sprint("Title\t", round)
			case 6:
				issues = append(issues, acme.Issues(t, p, fmt.Sprint("Another ", round))...)
			}
			acme.Write(t, func(tx *store.Tx) error {
				by := store.Author{MemberID: acme.Ada.ID, ChangeID: tenancy.NewID(), At: now}
				return tx.Do(t.Context(), store.SaveIssue(issues[n], after, by))
			})
			issues[n] = after
			if r.IntN(4) > 0 { // else two changes at the same time
				now = now.Add(time.Duration(r.IntN(3600)) * time.Second)
			}
		}
		if r.IntN(2) == 0 {
			require.NoError(t, db.CatchUpTimelines(t.Context(), acme.ID))
		}
		d := reportData(t, db, acme.Scope(), "cycle_time", "WEB")
		require.Len(t, d.Issues, len(issues))
		requireToldByEvents(t, admin, acme.ID, d.Issues)
	}

	// A timeline that is not behind is what the events say now.
	require.NoError(t, db.CatchUpTimelines(t.Context(), acme.ID))
	kept := db.Dump(t)
	_, err := admin.Exec(t.Context(), "update issue_timelines set version = version - 1")
	require.NoError(t, err)
	require.NoError(t, db.CatchUpTimelines(t.Context(), acme.ID))
	require.Equal(t, kept, db.Dump(t), "written anew, all are the same")
}

// TestReportData_FalseTimeline shows that what a timeline says is not believed once
// its issue has changed, and that catching up does not undo what is newer.
func TestReportData_FalseTimeline(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	p := acme.Project(t, "WEB", "Website")
	issue := acme.Issues(t, p, "One")[0]
	require.NoError(t, db.CatchUpTimelines(t.Context(), acme.ID))
	done, _ := p.Workflow.FirstOf(tracker.Done)
	acme.Write(t, func(tx *store.Tx) error {
		by := store.Author{ChangeID: tenancy.NewID(), At: storetest.Now.Add(time.Hour)}
		return tx.Do(t.Context(), store.SaveIssue(issue, issue.Moved(done, by.At), by))
	})
	d := reportData(t, db, acme.Scope(), "throughput", "WEB")
	require.Equal(t, tracker.Done, d.Issues[0].Steps[1].Category, "the timeline is behind, the report is not")
	admin := db.Admin(t)
	_, err := admin.Exec(t.Context(), `update issue_timelines set version = 9, steps = 'nonsense'`)
	require.NoError(t, err)
	require.NoError(t, db.CatchUpTimelines(t.Context(), acme.ID))
	require.Len(t, strings1(t, admin, `select steps from issue_timelines where steps = 'nonsense'`), 1, "a version from the future stays")
	require.Len(t, reportData(t, db, acme.Scope(), "throughput", "WEB").Issues[0].Steps, 2, "and is not believed")
	_, err = admin.Exec(t.Context(), `update issue_timelines set version = 2`)
	require.NoError(t, err)
	err = db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error {
		_, err := tx.ReportData(t.Context(), spec(t, "throughput"), []string{"WEB"}, time.Time{})
		return err
	})
	require.ErrorContains(t, err, "history of WEB-1", "what cannot be read is an error, not a gap")
}

// TestReportData_Reach: two tenants and two projects, of which a token sees one.
func TestReportData_Reach(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := fill(t, db, "acme"), fill(t, db, "beta")
	_, plain := acme.Token(t, "web", `{"reports":["read"],"only_projects":["WEB"]}`)
	limited := store.ForPrincipal(principal(t, db, plain))
	for _, c := range []struct {
		name  string
		scope store.Scope
		keys  []string
		want  []string
	}{
		{"tenant", acme.Scope(), nil, []string{"API", "WEB"}}, {"one", acme.Scope(), []string{"API"}, []string{"API"}},
		{"limited", limited, nil, []string{"WEB"}}, {"limited to another", limited, []string{"API"}, nil}, {"none", acme.Scope(), []string{"NOPE"}, nil},
	} {
		for _, behind := range []bool{false, true} {
			if behind {
				_, err := db.Admin(t).Exec(t.Context(), "delete from issue_timelines")
				require.NoError(t, err)
			}
			d := reportData(t, db, c.scope, "velocity", c.keys...)
			var keys []string
			for _, p := range d.Projects {
				keys = append(keys, p.Key)
			}
			require.Equal(t, c.want, keys, c.name)
			require.Len(t, d.Sprints, len(c.want), c.name)
			require.Len(t, d.Issues, 2*len(c.want), c.name)
			for _, s := range d.Sprints {
				require.NotNil(t, s.AtStart, "frozen in fill")
			}
			for _, i := range d.Issues {
				require.Contains(t, i.Title, "of acme")
			}
		}
	}
	require.Len(t, reportData(t, db, beta.Scope(), "workload").Issues, 4)
	var blocked []bool
	for _, i := range reportData(t, db, acme.Scope(), "workload", "WEB").Issues {
		blocked = append(blocked, i.Blocked)
	}
	require.ElementsMatch(t, []bool{false, true}, blocked)
}

// TestLoadDataset_KeepsHistory: a project that was loaded has timelines that are
// not behind, and its sprints are frozen as their history says.
func TestLoadDataset_KeepsHistory(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	company := demo.Tenants(storetest.Now)[0]
	acme, err := db.CreateTenant(t.Context(), company.Slug, company.Name, "test")
	require.NoError(t, err)
	scope := store.AsSystem(acme.ID, "test")
	for range 2 { // again changes nothing
		_, err = db.LoadDataset(t.Context(), scope, company.Datasets[0], store.LoadOptions{})
		require.NoError(t, err)
	}
	admin := db.Admin(t)
	require.Equal(t, []string{"0"}, strings1(t, admin, `select count(*)::text from issues i left join issue_timelines t on t.issue_id = i.id and t.version = i.version where t.issue_id is null`))
	d := reportData(t, db, scope, "velocity", "WEB")
	requireToldByEvents(t, admin, acme.ID, d.Issues)
	require.Len(t, d.Sprints, 15)
	for _, s := range d.Sprints {
		require.Equal(t, s.StartedAt != nil, s.AtStart != nil, s.Name)
		require.Equal(t, s.CompletedAt != nil, s.AtEnd != nil, s.Name)
		if s.AtStart != nil {
			require.Equal(t, report.Freeze(s.ID, d.Issues, *s.StartedAt, false), thawed(t, s.AtStart), s.Name)
			require.NotEmpty(t, s.AtStart.Items)
		}
		if s.AtEnd != nil {
			require.Equal(t, report.Freeze(s.ID, d.Issues, *s.CompletedAt, true), thawed(t, s.AtEnd), s.Name)
		}
	}
}

// TestReportData_OldWorkIsNotRead: reports of the demo say the same whether work that
// was closed long ago is read or not, and for most of them it is not.
func TestReportData_OldWorkIsNotRead(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	company := demo.Tenants(storetest.Now)[0]
	acme, err := db.CreateTenant(t.Context(), company.Slug, company.Name, "test")
	require.NoError(t, err)
	scope := store.AsSystem(acme.ID, "test")
	_, err = db.LoadDataset(t.Context(), scope, company.Datasets[0], store.LoadOptions{})
	require.NoError(t, err)
	from := storetest.Now.AddDate(0, 0, -30).Truncate(24 * time.Hour)
	for _, s := range report.Specs() {
		q := report.Question{Type: s.Type, Now: storetest.Now}
		if s.Weeks > 0 && s.Type != "forecast" && s.Type != "project_status" {
			q.From = &from
		}
		all := reportData(t, db, scope, s.Type, "WEB")
		var few report.Data
		require.NoError(t, db.Read(t.Context(), scope, func(tx *store.Tx) (err error) {
			few, err = tx.ReportData(t.Context(), s, []string{"WEB"}, q.Since())
			return err
		}))
		require.Equal(t, s.Past, len(few.Issues) == len(all.Issues), s.Type)
		want, err := report.Make(q, all)
		require.NoError(t, err)
		got, err := report.Make(q, few)
		require.NoError(t, err)
		require.JSONEq(t, string(mustJSON(t, want)), string(mustJSON(t, got)), s.Type)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// thawed is a snapshot from the database as it was before.
func thawed(t *testing.T, s *report.Snapshot) report.Snapshot {
	t.Helper()
	require.NoError(t, s.Read())
	s.At = s.At.UTC()
	return *s
}

// TestFreezeSprint: what is frozen is what the history says, and stays.
func TestFreezeSprint(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	p := acme.Project(t, "WEB", "Website")
	s := tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, Name: "S1", State: tracker.SprintActive, CreatedAt: storetest.Now}
	started, ended := storetest.Now.Add(time.Hour), storetest.Now.Add(5*time.Hour)
	s.StartedAt, s.CompletedAt = &started, &ended
	issues := acme.Issues(t, p, "One", "Two", "Three")
	three := 3.0
	change := func(n int, at time.Time, edit func(*tracker.Issue)) store.Query {
		before := issues[n]
		edit(&issues[n])
		return store.SaveIssue(before, issues[n], store.Author{ChangeID: tenancy.NewID(), At: at})
	}
	in := func(i *tracker.Issue) { i.SprintID, i.Sprint, i.Points = s.ID, s.Name, &three }
	done, _ := p.Workflow.FirstOf(tracker.Done)
	acme.Write(t, func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.InsertSprint(s), change(0, storetest.Now, in), change(1, storetest.Now, in), store.FreezeSprint(s, store.SprintStart))
	})
	acme.Write(t, func(tx *store.Tx) error {
		return tx.Do(t.Context(), change(0, started.Add(time.Hour), func(i *tracker.Issue) { *i = i.Moved(done, started.Add(time.Hour)) }),
			change(2, started.Add(time.Hour), in), store.FreezeSprint(s, store.SprintStart),
			store.FreezeSprint(s, store.SprintEnd), change(1, ended, func(i *tracker.Issue) { i.SprintID, i.Sprint = uuid.Nil, "" }))
	})
	d := reportData(t, db, acme.Scope(), "sprint_report", "WEB")
	require.Equal(t, report.Freeze(s.ID, d.Issues, started, false), thawed(t, d.Sprints[0].AtStart), "the second freezing did nothing")
	require.Equal(t, report.Freeze(s.ID, d.Issues, ended, true), thawed(t, d.Sprints[0].AtEnd), "without what the completion moved")
	require.Len(t, d.Sprints[0].AtStart.Items, 2)
	require.Len(t, d.Sprints[0].AtEnd.Items, 3)
	for _, sql := range []string{"update sprint_snapshots set items = '{}'", "delete from sprint_snapshots"} {
		_, err := db.App(t).Exec(t.Context(), sql)
		require.ErrorContains(t, err, "permission denied", "frozen")
	}
}
