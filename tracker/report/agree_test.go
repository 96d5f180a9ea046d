package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// TestReports_AgreeWithEachOther: what several reports tell of one span is the same
// in all of them.
func TestReports_AgreeWithEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		ask := func(name report.Type, unit report.Unit) report.Report {
			return s.make(report.Question{Type: name, Unit: unit, From: day("02-01")})
		}
		throughput, flow := ask("throughput", report.Count), ask("created_vs_resolved", report.Count)
		lead, cycle, spent := ask("lead_time", report.Hours), ask("cycle_time", report.Hours), ask("time_in_status", report.Hours)
		done := throughput.Summary.Get("total").(float64)
		require.Equal(rt, done, flow.Summary.Get("done"))
		require.Equal(rt, []any{int(done), int(done)}, []any{lead.Summary.Get("issues"), spent.Summary.Get("issues")})
		require.Equal(rt, lead.Summary.Get("issues"), cycle.Summary.Get("issues").(int)+cycle.Excluded["never in progress"])
		require.Equal(rt, flow.Summary.Get("net"), flow.Summary.Get("open_now"), "all was created in the span, so what is not resolved is open")

		bands := ask("cumulative_flow", report.Count).Summary.Get("now").(map[string]float64)
		require.Equal(rt, []any{done, flow.Summary.Get("cancelled")}, []any{bands["Done"], bands["Cancelled"]})
		aging := ask("aging_wip", report.Days)
		require.EqualValues(rt, bands["In Progress"]+bands["In Review"], aging.Summary.Get("in_progress"))

		took, total := map[any]float64{}, 0.0
		for _, row := range lead.Table.Rows {
			took[row[0]] = row[4].(float64)
		}
		for _, row := range cycle.Table.Rows {
			require.LessOrEqual(rt, row[4].(float64), took[row[0]], "work on it began after it was created")
		}
		for _, row := range spent.Table.Rows[1:] {
			sum := 0.0
			for _, d := range row[3:] {
				sum += d.(float64)
			}
			require.InDelta(rt, took[row[0]], sum, 1e-9, "the statuses of %s fill its life", row[0])
			total += sum
		}
		require.InDelta(rt, total, spent.Table.Rows[0][2], 1e-9)
	})
}

// TestReports_WorkloadOfAll: the people's rows add up to the open work, once.
func TestReports_WorkloadOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		r := s.make(report.Question{Type: "workload"})
		open, points, started := 0, 0.0, 0
		for _, i := range s.issues {
			state, born := i.At(s.now)
			if kind := report.KindOf(state.Type); !born || state.Category.Closed() || kind == report.Epic {
				continue
			} else if kind == report.Work {
				points += state.Points
			}
			open++
			if state.Category == tracker.InProgress {
				started++
			}
		}
		sums := []any{0, 0.0, 0}
		for _, row := range r.Table.Rows {
			sums[0], sums[1], sums[2] = sums[0].(int)+row[1].(int), sums[1].(float64)+row[2].(float64), sums[2].(int)+row[3].(int)
		}
		require.Equal(rt, []any{open, points, started}, sums)
		require.Equal(rt, []any{open, points, started}, []any{r.Summary.Get("open"), r.Summary.Get("points"), r.Summary.Get("in_progress")})
	})
}

// TestHistory_AgreesWithRow: when work began and was done, as the issue's row keeps
// it, is what its history says.
func TestHistory_AgreesWithRow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newStory(t, "UTC", "03-25T12:00")
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"backlog", "todo", "doing", "review", "done", "cancelled"}), 1, 12).Draw(rt, "statuses")
		var row tracker.Issue
		var i report.Issue
		at := s.time("03-01T09:00")
		for _, name := range names {
			status := statuses[name]
			row = row.Moved(status, at)
			i.Steps = append(i.Steps, report.Step{At: at, State: report.State{Status: status.Name, Category: status.Category}})
			at = at.Add(time.Hour)
		}
		began, begun := i.Started(s.now)
		require.Equal(rt, row.StartedAt != nil, begun)
		if begun {
			require.Equal(rt, *row.StartedAt, began)
		}
		ended, as := i.Finished(s.now)
		require.Equal(rt, row.Category, as)
		require.Equal(rt, row.CompletedAt != nil, as == tracker.Done)
		if as == tracker.Done {
			require.Equal(rt, *row.CompletedAt, ended)
		}
	})
}
