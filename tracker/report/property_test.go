package report_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// anyStory draws a project with three sprints, two of them completed, and issues to
// which anything may happen, often several things in the same hour.
func anyStory(t testing.TB, rt *rapid.T) *story {
	zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo"}).Draw(rt, "zone")
	s := newStory(t, zone, "03-25T12:00").
		sprint("S1", "03-02", "03-06", "03-02T10:00", "03-07T10:00").
		sprint("S2", "03-09", "03-13", "03-10T10:00", "03-13T10:00").
		sprint("S3", "03-23", "03-27", "03-23T10:00", "")
	rare := []string{"todo", "doing", "review", "done", "cancelled", "points=1", "points=2.5", "points=-", "sprint=S1", "sprint=S2", "sprint=S3", "sprint=-",
		"type=Subtask", "type=Story", "who=ada", "who=-"}
	words := slices.Concat(rare, []string{"doing", "done", "doing", "done", "points=1", "points=2.5", "sprint=S1", "sprint=S2", "sprint=S3", "sprint=-"})
	begin := s.time("02-27T10:00")
	for n := range rapid.IntRange(0, 8).Draw(rt, "issues") {
		i := report.Issue{ID: uuid.NewSHA1(uuid.Nil, []byte{byte(n)}), Key: tracker.IssueKey{Project: "WEB", Number: n + 1}}
		state := report.State{Status: "To Do", Category: tracker.Todo, Type: rapid.SampledFrom([]string{"Story", "Bug", "Subtask", "Epic"}).Draw(rt, "type")}
		at := begin.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "created")) * 24 * time.Hour)
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			i.Steps = append(i.Steps, report.Step{At: at, State: state})
			s.change(&state, rapid.SampledFrom(words).Draw(rt, "change"))
			at = at.Add(rapid.SampledFrom([]time.Duration{0, 0, 1, 5, 24, 48}).Draw(rt, "hours") * time.Hour)
		}
		s.issues = append(s.issues, i)
	}
	return s
}

func size(unit report.Unit, s report.State) float64 {
	if unit == report.Points {
		return s.Points
	}
	return 1
}

// inScope says from the definition alone whether an issue is in the scope of a
// sprint at t: it is in the sprint, not cancelled, not a subtask, and since it came
// in (or the sprint began) it was not done all the time.
func inScope(i report.Issue, sprint uuid.UUID, start, t time.Time) (report.State, bool) {
	member := func(s report.State) bool { return s.Sprint == sprint && report.KindOf(s.Type) == report.Work }
	now, ok := i.At(t)
	if !ok || !member(now) || now.Category == tracker.Cancelled {
		return now, false
	}
	var states []report.State // since the start, the one at the start first
	if s, ok := i.At(start); ok {
		states = append(states, s)
	}
	for _, s := range i.Steps {
		if s.At.After(start) && !s.At.After(t) {
			states = append(states, s.State)
		}
	}
	for n := len(states) - 1; n >= 0 && member(states[n]); n-- {
		if states[n].Category != tracker.Done {
			return now, true
		}
	}
	return now, false
}

// TestSprint_AddsUp: on every day, what remains, what is completed and what was
// removed are what was committed and added; and each equals its definition.
func TestSprint_AddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		for _, sp := range s.sprints {
			requireAddsUp(rt, s, sp, report.Points)
			requireAddsUp(rt, s, sp, report.Count)
		}
	})
}

func requireAddsUp(rt *rapid.T, s *story, sp report.Sprint, unit report.Unit) {
	down := s.make(report.Question{Type: "sprint_burndown", Sprint: sp.Name, Unit: unit})
	up := s.make(report.Question{Type: "sprint_burnup", Sprint: sp.Name, Unit: unit})
	zone, err := time.LoadLocation(s.project.Timezone)
	require.NoError(rt, err)
	for k, name := range down.Series.X {
		remaining, completed, scope := down.Series.Line("remaining")[k], up.Series.Line("completed")[k], up.Series.Line("scope")[k]
		if math.IsNaN(remaining) {
			require.Equal(rt, "S3", sp.Name, "only the future of a running sprint is not known")
			continue
		}
		require.Equal(rt, scope, down.Series.Line("scope")[k])
		require.InDelta(rt, scope, remaining+completed, 1e-9)
		at := *sp.StartedAt
		if k > 0 {
			day, err := time.ParseInLocation(time.DateOnly, name, zone)
			require.NoError(rt, err)
			at = day.AddDate(0, 0, 1).Add(-time.Microsecond)
			if end := sp.CompletedAt; end != nil && !at.Before(*end) {
				at = end.Add(-time.Microsecond) // what happens in the moment of the end comes after it
			} else if at.After(s.now) {
				at = s.now
			}
		}
		var left, done float64
		for _, i := range s.issues {
			if state, in := inScope(i, sp.ID, *sp.StartedAt, at); in && state.Category == tracker.Done {
				done += size(unit, state)
			} else if in {
				left += size(unit, state)
			}
		}
		require.InDelta(rt, left, remaining, 1e-9, "%s %s", sp.Name, name)
		require.InDelta(rt, done, completed, 1e-9, "%s %s", sp.Name, name)
	}
	get := func(name string) float64 { return down.Summary.Get(name).(float64) }
	require.InDelta(rt, get("committed")+get("added"), get("remaining")+get("completed")+get("removed"), 1e-9)
	var changed float64
	for _, row := range down.Table.Rows {
		changed += row[4].(float64)
	}
	require.InDelta(rt, get("scope"), get("committed")+changed, 1e-9, "the table of changes tells them all")

	rep := s.make(report.Question{Type: "sprint_report", Sprint: sp.Name, Unit: unit})
	sums := map[string]float64{}
	for _, row := range rep.Table.Rows {
		sums[row[2].(string)] += row[4].(float64)
	}
	require.InDelta(rt, get("completed"), sums["completed"], 1e-9)
	require.InDelta(rt, get("remaining"), sums["not completed"], 1e-9)
}

// TestVelocity_IsTheSum: velocity over sprints is what each of their reports says.
func TestVelocity_IsTheSum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		v := s.make(report.Question{Type: "velocity"})
		require.Equal(rt, []string{"S1", "S2"}, v.Series.X)
		sum := 0.0
		for n, name := range v.Series.X {
			r := s.make(report.Question{Type: "sprint_report", Sprint: name})
			require.Equal(rt, r.Summary.Get("completed"), v.Series.Line("completed")[n])
			require.Equal(rt, r.Summary.Get("committed"), v.Series.Line("committed")[n])
			sum += r.Summary.Get("completed").(float64)
		}
		require.InDelta(rt, sum, v.Summary.Get("mean").(float64)*2, 1e-9)
	})
}

// TestCumulativeFlow_Bands: the bands of a day add up to all that was created by
// its end; those of today count what stands in each status now.
func TestCumulativeFlow_Bands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		r := s.make(report.Question{Type: "cumulative_flow", From: day("02-01")})
		zone, err := time.LoadLocation(s.project.Timezone)
		require.NoError(rt, err)
		for k, name := range r.Series.X {
			date, err := time.ParseInLocation(time.DateOnly, name, zone)
			require.NoError(rt, err)
			created, sum := 0.0, 0.0
			for _, i := range s.issues {
				if i.Created().Before(date.AddDate(0, 0, 1)) && !i.Created().After(s.now) && kindNow(i, s.now) == report.Work {
					created++
				}
			}
			for _, l := range r.Series.Lines {
				sum += l.Values[k]
			}
			require.InDelta(rt, created, sum, 1e-9, name)
		}
		last := len(r.Series.X) - 1
		for _, l := range r.Series.Lines {
			n := 0.0
			for _, i := range s.issues {
				if state, ok := i.At(s.now); ok && state.Status == l.Name && kindNow(i, s.now) == report.Work {
					n++
				}
			}
			require.Equal(rt, n, l.Values[last], l.Name)
		}
	})
}

func kindNow(i report.Issue, now time.Time) report.Kind {
	s, _ := i.At(now)
	return report.KindOf(s.Type)
}

// TestReports_OrderOfIssues: in which order issues are given does not matter.
func TestReports_OrderOfIssues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		shuffled := *s
		shuffled.issues = slices.Clone(s.issues)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		r.Shuffle(len(shuffled.issues), func(a, b int) {
			shuffled.issues[a], shuffled.issues[b] = shuffled.issues[b], shuffled.issues[a]
		})
		for _, spec := range report.Specs() {
			q := report.Question{Type: spec.Type}
			want, err := s.try(q)
			got, again := shuffled.try(q)
			require.Equal(rt, err, again)
			require.Equal(rt, text(rt, want), text(rt, got), spec.Type)
		}
	})
}

// TestReports_OldWorkDoesNotMatter: a report says the same without the work that
// Question.Since allows to leave out.
func TestReports_OldWorkDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		from := rapid.SampledFrom([]*time.Time{nil, day("03-08"), day("03-12"), day("03-20")}).Draw(rt, "from")
		for _, spec := range report.Specs() {
			q := report.Question{Type: spec.Type, Now: s.now}
			if spec.Weeks > 0 {
				q.From = from
			}
			all := s.data()
			few := all
			few.Issues = nil
			for _, i := range all.Issues {
				last := i.Steps[len(i.Steps)-1]
				if !last.Category.Closed() || !last.At.Before(q.Since()) {
					few.Issues = append(few.Issues, i)
				}
				if few.First == nil || i.Created().Before(*few.First) {
					first := i.Created()
					few.First = &first
				}
			}
			want, err := report.Make(q, all)
			got, again := report.Make(q, few)
			require.Equal(rt, err, again)
			require.Equal(rt, text(rt, want), text(rt, got), spec.Type)
		}
	})
}

func TestQuestion_Since(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		q    report.Question
		want string
	}{
		{report.Question{Type: "throughput"}, "2025-12-28"}, {report.Question{Type: "throughput", From: day("02-10")}, "2026-02-07"},
		{report.Question{Type: "lead_time", To: day("03-01")}, "2025-12-04"}, {report.Question{Type: "lead_time", To: day("06-01")}, "2025-12-28"},
		{report.Question{Type: "workload"}, "2026-03-22"}, {report.Question{Type: "velocity"}, "0001-01-01"},
		{report.Question{Type: "cumulative_flow", From: day("03-01")}, "0001-01-01"}, {report.Question{Type: "nonsense"}, "0001-01-01"},
	} {
		c.q.Now = now
		require.Equal(t, c.want, c.q.Since().Format(time.DateOnly), c.q)
	}
}

func text(t require.TestingT, r report.Report) string {
	data, err := marshal(r)
	require.NoError(t, err)
	return string(data)
}

// TestReports_CancelledLeavesScope: cancelling open work takes exactly its size out
// of the scope of its sprint and out of the open work, and completes nothing.
func TestReports_CancelledLeavesScope(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		question := report.Question{Type: "sprint_burnup", Sprint: "S3"}
		before, loadBefore := s.make(question), s.make(report.Question{Type: "workload"})
		for n := range s.issues {
			i := &s.issues[n]
			state, in := inScope(*i, sprintID("S3"), *s.sprints[2].StartedAt, s.now)
			if !in || state.Category == tracker.Done {
				continue
			}
			last := len(i.Steps)
			for last > 0 && i.Steps[last-1].At.After(s.now) {
				last--
			}
			state.Category, state.Status = tracker.Cancelled, "Cancelled"
			i.Steps = append(slices.Clone(i.Steps[:last]), report.Step{At: s.now, State: state})
			after, load := s.make(question), s.make(report.Question{Type: "workload"})
			diff := func(name string) float64 {
				return after.Summary.Get(name).(float64) - before.Summary.Get(name).(float64)
			}
			require.InDelta(rt, -state.Points, diff("scope"), 1e-9)
			require.InDelta(rt, state.Points, diff("removed"), 1e-9)
			require.InDelta(rt, 0, diff("completed"), 1e-9)
			require.Equal(rt, loadBefore.Summary.Get("open").(int)-1, load.Summary.Get("open"))
			return
		}
	})
}

// TestReports_TimezoneMovesDaysOnly: another zone puts work into other days and
// weeks, and the totals stay.
func TestReports_TimezoneMovesDaysOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStory(t, rt)
		totals := func() []any {
			var all []any
			all = append(all, figures(s.make(report.Question{Type: "throughput", From: day("01-01")}), "total")...)
			all = append(all, figures(s.make(report.Question{Type: "created_vs_resolved", From: day("01-01")}), "created", "resolved", "net", "open_now")...)
			all = append(all, figures(s.make(report.Question{Type: "lead_time", From: day("01-01")}), "issues", "p50", "p85", "mean")...)
			all = append(all, figures(s.make(report.Question{Type: "cumulative_flow", From: day("01-01")}), "work_in_progress_now")...)
			return append(all, figures(s.make(report.Question{Type: "sprint_report", Sprint: "S2"}), "committed", "completed", "added", "removed")...)
		}
		want := totals()
		for _, zone := range zones() {
			s.project.Timezone = zone
			require.Equal(rt, want, totals(), zone)
		}
	})
}

// TestForecast_AgreesWithNaive compares the simulation with a plain one that lays
// weeks end to end day by day, and with itself.
func TestForecast_AgreesWithNaive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		weekly []float64
		left   float64
	}{
		{[]float64{4, 4, 4, 4, 4, 4, 4, 4}, 10}, {[]float64{0, 1, 5, 2, 0, 7, 3, 2}, 25}, {[]float64{0, 0, 0, 0, 1, 2, 1, 9}, 3}, {[]float64{12, 3, 8, 5, 9, 0, 14, 6, 7, 2}, 160},
	} {
		got := report.Simulate(c.weekly, c.left, 10_000, 1)
		require.Equal(t, got, report.Simulate(c.weekly, c.left, 10_000, 1), "the same seed gives the same draws")
		require.True(t, slices.IsSorted(got))
		r := rand.New(rand.NewPCG(99, 99))
		naive := make([]float64, 10_000)
		for n := range naive {
			const slices = 1000 // of a week
			done, ticks, rate := 0.0, 0, 0.0
			for done < c.left-1e-9 {
				if ticks%slices == 0 {
					rate = c.weekly[r.IntN(len(c.weekly))] / slices
				}
				if rate == 0 {
					ticks += slices
					continue
				}
				done += rate
				ticks++
			}
			naive[n] = float64(ticks) / slices
		}
		slices.Sort(naive)
		for _, p := range []float64{0.05, 0.5, 0.85, 0.95} {
			want, have := naive[int(p*10_000)-1], got[int(p*10_000)-1]
			require.InDelta(t, want, have, 0.05*want+0.05, "%v at %v", c, p)
		}
	}
}
