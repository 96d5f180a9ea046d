package mcpserver_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// wholeReport is the report that get_report would show, whole, as JSON.
func (b *bundle) wholeReport(t *testing.T, acme *storetest.Tenant, in mcpserver.ReportArguments) (text string, err error) {
	t.Helper()
	var r report.Report
	err = b.db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error {
		var err error
		r, err = mcpserver.ReportFor(t.Context(), tx, in, storetest.Now)
		return err
	})
	data, jsonErr := json.Marshal(r)
	require.NoError(t, jsonErr)
	return string(data), err
}

// forget takes issues out of what a report is made of: out of the work, and out of
// the scopes that were frozen.
func forget(d report.Data, gone func(report.Issue) bool) report.Data {
	ids := map[uuid.UUID]bool{}
	for _, i := range d.Issues {
		ids[i.ID] = gone(i)
	}
	d.Issues = slices.DeleteFunc(slices.Clone(d.Issues), func(i report.Issue) bool { return ids[i.ID] })
	d.Sprints = slices.Clone(d.Sprints)
	for n := range d.Sprints {
		for _, moment := range []**report.Snapshot{&d.Sprints[n].AtStart, &d.Sprints[n].AtEnd} {
			if *moment != nil {
				left := **moment
				left.Items, left.Raw = maps.Clone(left.Items), nil
				maps.DeleteFunc(left.Items, func(id uuid.UUID, _ report.Item) bool { return ids[id] })
				*moment = &left
			}
		}
	}
	return d
}

// TestReports_AfterDeletion deletes issues of a project with fourteen sprints, the
// oldest and some of the running sprint among them. Every report is then as if they had
// never been: as computed from what was read before, without them.
func TestReports_AfterDeletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, c := loadDemo(t, b)
	c = c.all()
	read := func(name report.Type, keys ...string) (d report.Data) {
		spec, _ := report.Find(name)
		require.NoError(t, b.db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) (err error) {
			d, err = tx.ReportData(t.Context(), spec, keys, time.Time{})
			return err
		}))
		for _, s := range d.Sprints {
			require.NoError(t, s.AtStart.Read())
			require.NoError(t, s.AtEnd.Read())
		}
		return d
	}
	before := map[string]report.Data{}
	for _, name := range report.TypeNames() {
		before[name] = read(report.Type(name), "WEB")
	}
	deleted := map[string]bool{}
	for n, i := range before["velocity"].Issues {
		if n%6 == 0 && !c.call("delete_issue", args{"key": i.Key.String(), "dry_run": true}).isError {
			c.agree("delete_issue", args{"key": i.Key.String()})
			deleted[i.Key.String()] = true
		}
	}
	require.Greater(t, len(deleted), 20)
	gone := func(i report.Issue) bool { return deleted[i.Key.String()] }
	for round := range 2 {
		for _, name := range report.TypeNames() {
			blocked := map[uuid.UUID]bool{}
			for _, i := range read(report.Type(name), "WEB").Issues {
				blocked[i.ID] = i.Blocked // links went with the issues
			}
			left := forget(before[name], gone)
			for n := range left.Issues {
				left.Issues[n].Blocked = blocked[left.Issues[n].ID]
			}
			for _, sprint := range []string{"", "last", "current"} {
				in := mcpserver.ReportArguments{Type: name, Project: []string{"WEB"}, Sprint: sprint}
				want, wantErr := report.Make(report.Question{Type: report.Type(name), Sprint: sprint, Now: storetest.Now}, left)
				text, err := json.Marshal(want)
				require.NoError(t, err)
				got, err := b.wholeReport(t, acme, in)
				require.Equal(t, wantErr, err, "%s %s", name, sprint)
				require.JSONEq(t, string(text), got, "%s %s, round %d", name, sprint, round)
			}
		}
		require.NoError(t, b.db.CatchUpTimelines(t.Context(), acme.ID), "and once more with nothing left to catch up with")
	}

	all := forget(read("throughput"), func(i report.Issue) bool { return strings.HasPrefix(i.Key.String(), "WEB-") })
	c.agree("delete_project", args{"project": "WEB"})
	all.Projects = slices.DeleteFunc(all.Projects, func(p tracker.Project) bool { return p.Key == "WEB" })
	all.Sprints = nil
	want, err := report.Make(report.Question{Type: "throughput", Now: storetest.Now}, all)
	require.NoError(t, err)
	text, err := json.Marshal(want)
	require.NoError(t, err)
	got, err := b.wholeReport(t, acme, mcpserver.ReportArguments{Type: "throughput"})
	require.NoError(t, err)
	require.JSONEq(t, string(text), got)
	c.fails("not_found", "get_report", args{"type": "velocity", "project": "WEB"})
}
