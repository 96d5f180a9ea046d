package report_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// twoWeeks is a sprint of ten working days, Monday March 2 to Friday March 13, with
// one issue for everything that can happen to one.
func twoWeeks(t testing.TB, now string) *story {
	return newStory(t, "UTC", now).
		sprint("S1", "03-02", "03-13", "03-02T10:00", "03-13T16:00").
		sprint("S2", "03-16", "03-27", "03-16T10:00", "").
		tell(`
			1  Story   3 S1 | 02-20T09:00 | 03-03T09:00 doing who=ada | 03-05T15:00 done
			2  Story   5 S1 | 02-20T09:00 | 03-04T09:00 doing | 03-10T12:00 review | 03-13T16:00 sprint=S2 | 03-17T09:00 done
			3  Bug     2 -  | 03-04T08:00 | 03-04T12:00 sprint=S1 | 03-06T09:00 doing | 03-09T09:00 done
			4  Story   8 S1 | 02-20T09:00 | 03-06T09:00 sprint=-
			5  Story   1 S1 | 02-20T09:00 | 03-10T09:00 cancelled
			6  Story   3 S1 | 02-20T09:00 | 03-09T10:00 points=5 doing | 03-12T09:00 done | 03-13T09:00 doing | 03-13T16:00 sprint=S2
			7  Task    - S1 | 02-20T09:00 | 03-11T09:00 doing | 03-11T17:00 done
			8  Story   2 S1 | 02-20T09:00 | 02-27T09:00 done | 03-05T10:00 points=4
			9  Subtask 4 S1 | 02-20T09:00 | 03-05T09:00 done
			10 Epic    9 -  | 02-20T09:00
			11 Story   7 -  | 02-20T09:00`)
}

// TestSprintBurndown's working:
//
//	committed  1:3 2:5 4:8 5:1 6:3 7:0 = 20 points (8 was done before, 9 is a subtask)
//	March 4    3 comes in, +2          scope 22  remaining 22
//	March 5    1 is done               scope 22  remaining 19
//	March 6    4 leaves, -8            scope 14  remaining 11
//	March 9    3 is done; 6 grows by 2 scope 16  remaining 11
//	March 10   5 is cancelled, -1      scope 15  remaining 10
//	March 11   7 is done, 0 points     scope 15  remaining 10
//	March 12   6 is done               scope 15  remaining 5
//	March 13   6 is reopened           scope 15  remaining 10
//	ideal      20 (1 - w/10), level over the weekend
func TestSprintBurndown(t *testing.T) {
	t.Parallel()
	r := twoWeeks(t, "03-20T12:00").make(report.Question{Type: "sprint_burndown", Sprint: "s1"})
	require.Equal(t, []string{"start", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08",
		"2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"}, r.Series.X)
	require.Equal(t, report.Values{20, 20, 20, 22, 19, 11, 11, 11, 11, 10, 10, 5, 10}, r.Series.Line("remaining"))
	require.Equal(t, report.Values{20, 20, 20, 22, 22, 14, 14, 14, 16, 15, 15, 15, 15}, r.Series.Line("scope"))
	require.Equal(t, report.Values{20, 18, 16, 14, 12, 10, 10, 10, 8, 6, 4, 2, 0}, r.Series.Line("ideal"))
	require.Equal(t, []any{20.0, 4.0, 9.0, 15.0, 5.0, 10.0, 10, 0},
		figures(r, "committed", "added", "removed", "scope", "completed", "remaining", "working_days", "working_days_left"))
	require.Equal(t, map[string]int{"subtasks": 1, "done before they came in": 1}, r.Excluded)
	require.Equal(t, []string{"1 of 5 issues without points counted as 0; unit count counts every issue."}, r.Warnings)
	require.Equal(t, []any{"added", "completed", "removed", "completed", "re-estimated", "cancelled", "completed", "completed", "reopened"}, column(t, r, "change"))
	require.Equal(t, []any{"WEB-3", "WEB-1", "WEB-4", "WEB-3", "WEB-6", "WEB-5", "WEB-7", "WEB-6", "WEB-6"}, column(t, r, "key"))
	require.Equal(t, "S1: 10 points remain of 15 in scope, and the sprint is over. Since the start 4 were added and 9 removed.", r.Headline)
}

// Half-way through, on Monday March 9 at noon, the future has an ideal line only:
// remaining is 22 - 3 - 8 + 2 - 2 = 11, and 6 of 10 days are over at the day's end.
func TestSprintBurndown_Active(t *testing.T) {
	t.Parallel()
	s := twoWeeks(t, "03-09T12:00")
	s.sprints[0].State, s.sprints[0].CompletedAt = tracker.SprintActive, nil
	s.sprints[1].State, s.sprints[1].StartedAt = tracker.SprintPlanned, nil
	r := s.make(report.Question{Type: "sprint_burndown"})
	require.Equal(t, "S1", r.Sprint)
	remaining, ideal := r.Series.Line("remaining"), r.Series.Line("ideal")
	require.Equal(t, report.Values{20, 20, 20, 22, 19, 11, 11, 11, 11}, remaining[:9])
	for _, v := range remaining[9:] {
		require.True(t, math.IsNaN(v))
	}
	require.Equal(t, report.Values{20, 18, 16, 14, 12, 10, 10, 10, 8, 6, 4, 2, 0}, ideal)
	require.Equal(t, []any{11.0, 5, 3.0}, figures(r, "remaining", "working_days_left", "behind_ideal"))
	require.Equal(t, "S1: 11 points remain of 16 in scope with 5 working days left; the ideal line is 3 below that. Since the start 4 were added and 8 removed.", r.Headline)
}

// A project that works from Sunday to Thursday has eight working days from Monday,
// March 2 to Wednesday, March 11: 2 3 4 5, 8 9 10 11. At the end of the 5th four of
// them are over, and the 6th and 7th change nothing: 20 (1 - 4/8) = 10.
func TestSprintBurndown_OtherWeek(t *testing.T) {
	t.Parallel()
	s := twoWeeks(t, "03-20T12:00")
	s.sprints[0].EndsOn = day("03-11")
	var err error
	s.project.WorkingDays, err = tracker.ParseWeek([]string{"sun", "mon", "tue", "wed", "thu"})
	require.NoError(t, err)
	r := s.make(report.Question{Type: "sprint_burndown", Sprint: "S1"})
	require.Equal(t, report.Values{20, 17.5, 15, 12.5, 10, 10, 10, 7.5, 5, 2.5, 0, 0, 0}, r.Series.Line("ideal"), "until the sprint was completed, two days late")
	require.Equal(t, []any{8, 0}, figures(r, "working_days", "working_days_left"))
}

func TestSprintBurnup(t *testing.T) {
	t.Parallel()
	r := twoWeeks(t, "03-20T12:00").make(report.Question{Type: "sprint_burnup", Sprint: "last"})
	require.Equal(t, report.Values{0, 0, 0, 0, 3, 3, 3, 3, 5, 5, 5, 10, 5}, r.Series.Line("completed"))
	require.Equal(t, report.Values{20, 20, 20, 22, 22, 14, 14, 14, 16, 15, 15, 15, 15}, r.Series.Line("scope"))
	require.Equal(t, report.Values{0, 2, 4, 6, 8, 10, 10, 10, 12, 14, 16, 18, 20}, r.Series.Line("ideal"))
	require.Equal(t, []any{0.3333}, figures(r, "share"))

	// By number: 6 committed (1 2 4 5 6 7), 3 added, 4 and 5 gone, so 5 in scope, of
	// which 1, 3 and 7 are completed.
	r = twoWeeks(t, "03-20T12:00").make(report.Question{Type: "sprint_burnup", Sprint: "S1", Unit: report.Count})
	require.Equal(t, []any{6.0, 1.0, 2.0, 5.0, 3.0}, figures(r, "committed", "added", "removed", "scope", "completed"))
	require.Empty(t, r.Warnings)
}

// TestSprintReport's working: of 20 points committed only 1 (3) and 7 (0) were
// completed: 3/20. 2 and 6 are open with 5 each; 6 began on March 9 at 10:00, in
// the second half, which begins on March 8 at 01:00.
func TestSprintReport(t *testing.T) {
	t.Parallel()
	r := twoWeeks(t, "03-20T12:00").make(report.Question{Type: "sprint_report", Sprint: "S1"})
	outcomes := map[string]string{}
	for _, row := range r.Table.Rows {
		outcomes[row[0].(string)] = row[2].(string) + ", " + row[3].(string) + ", " + row[6].(string)
	}
	require.Equal(t, map[string]string{
		"WEB-1": "completed, committed, Done", "WEB-2": "not completed, committed, In Review", "WEB-3": "completed, added, Done",
		"WEB-4": "removed, committed, To Do", "WEB-5": "cancelled, committed, Cancelled", "WEB-6": "not completed, committed, In Progress",
		"WEB-7": "completed, committed, Done", "WEB-8": "completed outside, added, Done",
	}, outcomes)
	require.Equal(t, []any{20.0, 4.0, 9.0, 5.0, 10.0, 0.15},
		figures(r, "committed", "added", "removed", "completed", "not_completed", "completion"))
	require.Equal(t, []string{"1 issue (8) taken out", "1 issue (5) begun only in the second half", "1 issue (5) unfinished in In Progress",
		"1 issue (5) unfinished in In Review", "1 issue (2) added after the start", "1 issue (2) estimated higher", "1 issue (1) cancelled"}, r.Summary.Get("reasons"))
	require.Equal(t, []string{"WEB-2", "WEB-6"}, r.Summary.Get("open"))
	require.Equal(t, "S1: 3 of 20 points committed were completed (15 %); 4 were added after the start; 9 were removed; 2 issues (10) not completed.", r.Headline)

	r = twoWeeks(t, "03-20T12:00").make(report.Question{Type: "sprint_report", Sprint: "S1", Unit: report.Count})
	require.Equal(t, []any{6.0, 0.3333}, figures(r, "committed", "completion"), "1 and 7 of 6")

	// The current sprint began with 2 and 6, both not over.
	r = twoWeeks(t, "03-20T12:00").make(report.Question{Type: "sprint_report"})
	require.Equal(t, "S2: 5 of 10 points committed are completed so far (50 %); 1 issue (5) not completed.", r.Headline)
}

// TestSprintReport_Frozen: what was frozen counts, whatever the history says later.
func TestSprintReport_Frozen(t *testing.T) {
	t.Parallel()
	s := twoWeeks(t, "03-20T12:00")
	start := report.Freeze(sprintID("S1"), s.issues, *s.sprints[0].StartedAt, false)
	end := report.Freeze(sprintID("S1"), s.issues, *s.sprints[0].CompletedAt, true)
	require.Len(t, start.Items, 8)
	require.Len(t, end.Items, 8, "4 left, 3 came; 2 and 6 were moved by the completion itself")
	for _, q := range []report.Question{{Type: "sprint_report", Sprint: "S1"}, {Type: "sprint_burndown", Sprint: "S1"}, {Type: "velocity", Unit: report.Count}} {
		plain := s.make(q)
		s.sprints[0].AtStart, s.sprints[0].AtEnd = &start, &end
		require.Equal(t, plain, s.make(q), "the frozen scope says the same as the history")
		s.sprints[0].AtStart, s.sprints[0].AtEnd = nil, nil
	}

	// As the database gives them, and one that cannot be read.
	raw, err := json.Marshal(start.Items)
	require.NoError(t, err)
	plain := s.make(report.Question{Type: "sprint_report", Sprint: "S1"})
	s.sprints[0].AtStart = &report.Snapshot{At: start.At, Raw: raw}
	require.Equal(t, plain, s.make(report.Question{Type: "sprint_report", Sprint: "S1"}))
	require.Equal(t, &start, s.sprints[0].AtStart)
	s.sprints[0].AtStart = &report.Snapshot{At: start.At, Raw: []byte("{")}
	_, err = s.try(report.Question{Type: "sprint_report", Sprint: "S1"})
	require.ErrorContains(t, err, "scope frozen at 2026-03-02")

	// A start that was frozen without 1 and with 11 for 13 points: 1 came in and 11
	// left right after it. 20 - 3 + 13 = 30; +3 for 1 and -13 for 11.
	changed := report.Snapshot{At: start.At, Items: map[uuid.UUID]report.Item{}}
	for id, item := range start.Items {
		changed.Items[id] = item
	}
	thirteen := 13.0
	delete(changed.Items, s.issues[0].ID)
	changed.Items[s.issues[10].ID] = report.Item{Category: tracker.Todo, Type: "Story", Points: &thirteen}
	s.sprints[0].AtStart = &changed
	r := s.make(report.Question{Type: "sprint_report", Sprint: "S1"})
	require.Equal(t, []any{30.0, 7.0, 22.0, 5.0, 10.0}, figures(r, "committed", "added", "removed", "completed", "not_completed"))

	// An end that was frozen before somebody changed the points of 1 to 100.
	s = twoWeeks(t, "03-20T12:00")
	s.sprints[0].AtEnd = &end
	s.issues[0].Steps = append(s.issues[0].Steps, report.Step{At: s.time("03-13T15:00"), State: s.issues[0].Steps[2].State})
	s.issues[0].Steps[3].Points = 100
	require.Equal(t, []any{20.0, 5.0}, figures(s.make(report.Question{Type: "sprint_report", Sprint: "S1"}), "committed", "completed"))
}

// TestVelocity's working, with two sprints more:
//
//	S1 committed 20 completed 5    S0 committed 4 completed 4    S00 committed 6 completed 9
//	mean 18/3 = 6, median 5, deviation sqrt((1+4+9)/2) = 2.6458
//	by nearest rank: 50 % is the 2nd of 4 5 9, 15 % the 1st
func TestVelocity(t *testing.T) {
	t.Parallel()
	s := twoWeeks(t, "03-20T12:00").
		sprint("S0", "02-16", "02-27", "02-16T10:00", "02-27T16:00").
		sprint("S00", "02-02", "02-13", "02-02T10:00", "02-13T16:00").
		tell(`
			21 Story 4 S0  | 02-10T09:00 | 02-20T09:00 done
			22 Story 6 S00 | 01-20T09:00 | 02-10T09:00 done
			23 Story 3 -   | 01-20T09:00 | 02-05T09:00 sprint=S00 | 02-12T09:00 done`)
	r := s.make(report.Question{Type: "velocity"})
	require.Equal(t, []string{"S00", "S0", "S1"}, r.Series.X)
	require.Equal(t, report.Values{6, 4, 20}, r.Series.Line("committed"))
	require.Equal(t, report.Values{9, 4, 5}, r.Series.Line("completed"))
	require.Equal(t, []any{3, 6.0, 5.0, 2.6458, 5.0, 4.0}, figures(r, "sprints", "mean", "median", "deviation", "reached_by_half", "reached_by_85_percent"))
	require.Equal(t, "6 points a sprint on average over 3 sprints; 85 % of them completed 4 or more. S1 kept least of what was committed, 15 %.", r.Headline)
	require.Empty(t, r.From)

	r = s.make(report.Question{Type: "velocity", From: day("02-14"), To: day("02-28")})
	require.Equal(t, []string{"S0"}, r.Series.X)
	require.Equal(t, []any{4.0, 4.0, 0.0}, figures(r, "mean", "median", "deviation"))
	_, err := s.try(report.Question{Type: "velocity", To: day("01-31")})
	require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
}

func TestMake_ErrSprint(t *testing.T) {
	t.Parallel()
	s := twoWeeks(t, "03-20T12:00")
	for _, c := range []struct {
		q    report.Question
		code tenancy.Code
		text string
	}{
		{report.Question{Type: "sprint_report", Sprint: "S9"}, tenancy.NotFound, `WEB has no sprint "S9". It has S2, S1.`},
		{report.Question{Type: "sprint_report", Sprint: "next"}, tenancy.NotFound, `WEB has no sprint "next"`},
		{report.Question{Type: "sprint_report", Unit: report.Hours}, tenancy.InvalidValue, "not counted in hours. Leave unit out, or use points or count."},
		{report.Question{Type: "sprint_report", From: day("03-01")}, tenancy.InvalidValue, "not about a span"},
		{report.Question{Type: "throughput", Sprint: "S1"}, tenancy.InvalidValue, "not about a sprint"},
		{report.Question{Type: "throughput", From: day("03-05"), To: day("03-04")}, tenancy.InvalidValue, "from 2026-03-05 is not before the end, 2026-03-04"},
		{report.Question{Type: "throughput", From: day("03-21")}, tenancy.InvalidValue, "not before the end"},
		{report.Question{Type: "nonsense"}, tenancy.InvalidValue, "Use one of sprint_burndown,"},
	} {
		_, err := s.try(c.q)
		require.Equal(t, c.code, tenancy.CodeOf(err), c.q)
		require.ErrorContains(t, err, c.text)
	}
	s.sprint("S3", "03-30", "04-10", "", "")
	_, err := s.try(report.Question{Type: "sprint_burndown", Sprint: "next"})
	require.ErrorContains(t, err, `Sprint "S3" has not started`)
	empty := newStory(t, "UTC", "03-20T12:00")
	_, err = empty.try(report.Question{Type: "sprint_burndown"})
	require.ErrorContains(t, err, "WEB has no sprints.")
	for _, spec := range report.Specs() {
		_, err := empty.try(report.Question{Type: spec.Type})
		if err != nil {
			require.NotEqual(t, tenancy.Internal, tenancy.CodeOf(err), "%s of nothing: %v", spec.Type, err)
		}
	}
}
