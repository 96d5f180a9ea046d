package store_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker/dataset/github"
	"github.com/colaflow/colaflow/tracker/report"
)

// archived is what an archive says of an issue or a pull request. Issues were never
// in progress that we know of; a pull request is, from when it is opened.
type archived struct {
	key, status     string // of the time before it was closed
	end             string // done, cancelled or ""
	created, closed time.Time
}

// took is how long it was open, in hours.
func (a archived) took() float64 { return float64(a.closed.Unix()-a.created.Unix()) / 3600 }

// readArchived reads an archive without our reader. now is when it was written.
func readArchived(t *testing.T, file string) (all []archived, now time.Time) {
	t.Helper()
	var raw map[string]any
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &raw))
	read := func(v any) time.Time {
		at, err := time.Parse(time.RFC3339Nano, v.(string))
		require.NoError(t, err)
		return at
	}
	for list, status := range map[string]string{"issues": "To Do", "pulls": "In Progress"} {
		for _, item := range raw[list].([]any) {
			i := item.(map[string]any)
			a := archived{key: fmt.Sprintf("REAL-%.0f", i["number"]), status: status, created: read(i["createdAt"])}
			if i["state"] != "OPEN" {
				a.closed, a.end = read(i["closedAt"]), "done"
			}
			if list == "pulls" && i["state"] == "CLOSED" {
				a.end = "cancelled"
			}
			all = append(all, a)
		}
	}
	return all, read(raw["timestamp"])
}

// span is the days that a report is about, as they are called in a zone.
type span struct {
	from, to string
	zone     *time.Location
}

func (s span) date(at time.Time) string { return at.In(s.zone).Format(time.DateOnly) }

func (s span) has(at time.Time) bool { return s.date(at) >= s.from && s.date(at) <= s.to }

// days are all dates of the span.
func (s span) days(t *testing.T) (all []string) {
	t.Helper()
	for day := s.from; day <= s.to; {
		all = append(all, day)
		date, err := time.Parse(time.DateOnly, day)
		require.NoError(t, err)
		day = date.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	return all
}

// monday is the date of the Monday of a date's week.
func monday(t *testing.T, day string) string {
	t.Helper()
	date, err := time.Parse(time.DateOnly, day)
	require.NoError(t, err)
	for date.Weekday() != time.Monday {
		date = date.AddDate(0, 0, -1)
	}
	return date.Format(time.DateOnly)
}

// TestReports_Archives holds reports on what was imported from real archives against
// what the archives themselves say, in several zones and spans of days.
func TestReports_Archives(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mls-protocol", "privacypass"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := storetest.Archive(t, name)
			all, now := readArchived(t, file)
			f, err := os.Open(file)
			require.NoError(t, err)
			d, err := github.ReadArchive(f, true)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			d.Project.Key = "REAL"
			db := storetest.Open(t)
			acme := db.Tenant(t, "acme")
			loaded := load(t, db, acme, d)
			require.Equal(t, []any{len(all), true}, []any{loaded.Issues.Added, loaded.NumbersKept})
			stored := reportData(t, db, acme.Scope(), "cycle_time", "REAL")
			for _, zone := range []string{"UTC", "America/Los_Angeles", "Pacific/Auckland"} {
				at, err := time.LoadLocation(zone)
				require.NoError(t, err)
				stored.Projects[0].Timezone = zone
				for _, s := range []span{{"2017-01-01", now.In(at).Format(time.DateOnly), at}, {"2020-03-04", "2021-02-13", at}, {"2022-06-13", "2022-06-26", at}} {
					of := archiveReports{t, stored, all, s, now}
					of.createdVsResolved()
					of.throughput()
					of.times("cycle_time", "In Progress")
					of.times("lead_time", "To Do", "In Progress")
					of.timeInStatus()
				}
			}
		})
	}
}

// archiveReports compares reports about one span.
type archiveReports struct {
	*testing.T
	stored report.Data
	all    []archived
	span   span
	now    time.Time
}

func (of archiveReports) make(name report.Type, unit report.Unit) report.Report {
	of.Helper()
	from, err := time.Parse(time.DateOnly, of.span.from)
	require.NoError(of, err)
	to, err := time.Parse(time.DateOnly, of.span.to)
	require.NoError(of, err)
	r, err := report.Make(report.Question{Type: name, From: &from, To: &to, Unit: unit, Now: of.now}, of.stored)
	require.NoError(of, err)
	return r
}

// done lists what was done in the span and had one of these statuses before.
func (of archiveReports) done(statuses ...string) (list []archived) {
	for _, a := range of.all {
		for _, s := range statuses {
			if a.end == "done" && a.status == s && of.span.has(a.closed) {
				list = append(list, a)
			}
		}
	}
	return list
}

func (of archiveReports) createdVsResolved() {
	type week struct{ created, done, cancelled float64 }
	weeks, open := map[string]*week{}, 0.0
	var want [][]any
	for _, day := range of.span.days(of.T) {
		if weeks[monday(of.T, day)] == nil {
			weeks[monday(of.T, day)] = &week{}
			want = append(want, []any{monday(of.T, day)})
		}
	}
	for _, a := range of.all {
		if of.span.has(a.created) {
			weeks[monday(of.T, of.span.date(a.created))].created++
		}
		switch {
		case a.end == "":
			open++
		case of.span.has(a.closed) && a.end == "done":
			weeks[monday(of.T, of.span.date(a.closed))].done++
		case of.span.has(a.closed):
			weeks[monday(of.T, of.span.date(a.closed))].cancelled++
		}
	}
	net := 0.0
	for n, row := range want {
		w := weeks[row[0].(string)]
		net += w.created - w.done - w.cancelled
		want[n] = append(row, w.created, w.done, w.cancelled, w.created-w.done-w.cancelled, net)
	}
	r := of.make("created_vs_resolved", report.Count)
	require.Equal(of, want, r.Table.Rows)
	require.Equal(of, []any{net, open}, []any{r.Summary.Get("net"), r.Summary.Get("open_now")})
}

func (of archiveReports) throughput() {
	count, total := map[string]float64{}, 0.0
	for _, a := range of.done("To Do", "In Progress") {
		count[monday(of.T, of.span.date(a.closed))]++
		total++
	}
	want := map[string]float64{}
	for _, day := range of.span.days(of.T) {
		want[monday(of.T, day)] = count[monday(of.T, day)]
	}
	r := of.make("throughput", report.Count)
	got := map[string]float64{}
	for n, week := range r.Series.X {
		got[week] = r.Series.Line("done")[n]
	}
	require.Equal(of, want, got)
	require.Equal(of, total, r.Summary.Get("total"))
}

// times compares cycle or lead time: that of each issue, percentiles and the mean.
func (of archiveReports) times(name report.Type, statuses ...string) {
	want, sum := map[any]float64{}, 0.0
	for _, a := range of.done(statuses...) {
		want[a.key] = a.took()
		sum += a.took()
	}
	r := of.make(name, report.Hours)
	require.Equal(of, len(want), len(r.Table.Rows))
	for _, row := range r.Table.Rows {
		require.InDelta(of, want[row[0]], row[4], 1e-6, "%s of %s", name, row[0])
	}
	require.Equal(of, len(want), r.Summary.Get("issues"))
	if len(want) == 0 {
		return
	}
	require.InDelta(of, sum/float64(len(want)), r.Summary.Get("mean"), 1e-6)
	for figure, share := range map[string]float64{"p50": 0.5, "p85": 0.85, "p95": 0.95} {
		least := math.Inf(1) // of the values that enough others do not exceed
		for _, v := range want {
			below := 0
			for _, other := range want {
				if other <= v {
					below++
				}
			}
			if float64(below) >= share*float64(len(want)) {
				least = min(least, v)
			}
		}
		require.InDelta(of, least, r.Summary.Get(figure), 1e-6, "%s of %s", figure, name)
	}
}

func (of archiveReports) timeInStatus() {
	total, all := map[string]float64{}, map[any]archived{}
	for _, a := range of.done("To Do", "In Progress") {
		total[a.status] += a.took()
		all[a.key] = a
	}
	r := of.make("time_in_status", report.Hours)
	for n, row := range r.Table.Rows {
		for k, status := range r.Table.Columns[3:] {
			want := total[status]
			if a, ok := all[row[0]]; ok {
				want = 0
				if a.status == status {
					want = a.took()
				}
			} else {
				require.Zero(of, n, "the total comes first")
			}
			require.InDelta(of, want, row[3+k], 1e-6, "%s in %s", row[0], status)
		}
	}
	require.Equal(of, len(all)+1, len(r.Table.Rows))
	require.Equal(of, len(total), len(r.Table.Columns)-3)
	if len(all) > 0 {
		require.InDelta(of, total["In Progress"]/(total["To Do"]+total["In Progress"]), r.Summary.Get("flow_efficiency"), 1e-9)
	}
}
