package report_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/report"
)

// threeWeeks is a flow without sprints, in Berlin (UTC+1): Monday March 2 to
// Wednesday March 18 at noon.
func threeWeeks(t testing.TB) *story {
	return newStory(t, "Europe/Berlin", "03-18T12:00").tell(`
		1 Story 3 - | 03-02T09:00 | 03-03T09:00 doing who=ada | 03-05T21:00 done
		2 Bug   2 - | 03-02T10:00 | 03-04T10:00 doing | 03-05T10:00 review | 03-06T10:00 doing | 03-08T23:30 done
		3 Task  - - | 03-03T12:00 | 03-09T00:00 done
		4 Story 5 - | 03-04T12:00 | 03-10T12:00 doing | 03-11T12:00 done | 03-12T12:00 doing who=ben
		5 Story 1 - | 03-09T12:00 | 03-10T12:00 cancelled
		6 Story 8 - | 03-16T12:00 | 03-17T12:00 review who=ada
		7 Epic  - - | 03-02T09:00 | 03-03T09:00 doing
		8 Subtask 4 - | 03-02T09:00 | 03-04T09:00 done
		9 Story 1 - | 03-17T23:59`)
}

// TestCumulativeFlow's working, by issues, at the end of each day:
//
//	           todo  doing  review  done  cancelled   sum = created so far
//	March 2    1,2   -      -       -     -           2
//	March 3    2,3   1      -       -     -           3
//	March 4    3,4   1,2    -       -     -           4
//	March 5    3,4   -      2       1     -           4
//	March 6,7  3,4   2      -       1     -           4
//	March 8    3,4   -      -       1,2   -           4
//	March 9    4,5   -      -       1-3   -           5   (3 was done at midnight)
//	March 10   -     4      -       1-3   5           5
//	March 11   -     -      -       1-4   5           5
//	March 12.. -     4      -       1-3   5           5
//	March 16   6     4      -       1-3   5           6
//	March 17   9     4      6       1-3   5           7
//	March 18   9     4      6       1-3   5           7
//
// In progress: 0 1 2 1 1 1 0 0 1 0 1 1 1 1 1 2 2 = 16 over 17 days. 7 arrived and 3
// are done in 16.5 days, which are 2.3571 weeks. Little: 0.9412 / (3/16.5) = 5.1765.
func TestCumulativeFlow(t *testing.T) {
	t.Parallel()
	r := threeWeeks(t).make(report.Question{Type: "cumulative_flow"})
	require.Equal(t, "2026-03-02", r.From)
	require.Equal(t, "2026-03-18", r.To)
	require.Equal(t, "Europe/Berlin", r.Timezone)
	var names []string
	for _, l := range r.Series.Lines {
		names = append(names, l.Name)
	}
	require.Equal(t, []string{"Backlog", "To Do", "In Progress", "In Review", "Done", "Cancelled"}, names)
	require.Len(t, r.Series.X, 17)
	require.Equal(t, "2026-03-02", r.Series.X[0])
	require.Equal(t, report.Values{2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1}, r.Series.Line("To Do"))
	require.Equal(t, report.Values{0, 1, 2, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1}, r.Series.Line("In Progress"))
	require.Equal(t, report.Values{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, r.Series.Line("In Review"))
	require.Equal(t, report.Values{0, 0, 0, 1, 1, 1, 2, 3, 3, 4, 3, 3, 3, 3, 3, 3, 3}, r.Series.Line("Done"))
	require.Equal(t, report.Values{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}, r.Series.Line("Cancelled"))
	require.Equal(t, []any{2.0, 0.9412, 2.9697, 1.2727, 5.1765},
		figures(r, "work_in_progress_now", "work_in_progress_average", "arrival_per_week", "throughput_per_week", "days_in_progress_by_little"))
	require.Equal(t, map[string]int{"subtasks": 1, "epics": 1}, r.Excluded)
	require.Equal(t, "2 issues in progress now, 0.94 on average; 2.97 arrive and 1.27 are done a week. More arrives than is done.", r.Headline)
}

// A status that the workflow no longer has keeps its place by category, and long
// spans are shown by weeks that end today.
func TestCumulativeFlow_Long(t *testing.T) {
	t.Parallel()
	s := threeWeeks(t)
	s.project.Workflow.Statuses = s.project.Workflow.Statuses[1:]
	s.issues[0].Steps[0].Status = "Ideas"
	r := s.make(report.Question{Type: "cumulative_flow", From: day("01-01"), Unit: report.Points})
	require.Equal(t, "Ideas", r.Series.Lines[1].Name)
	require.Equal(t, "To Do", r.Series.Lines[0].Name)
	s.now = s.time("12-16T12:00")
	r = s.make(report.Question{Type: "cumulative_flow", From: day("01-01")})
	require.Equal(t, "2026-12-16", r.Series.X[len(r.Series.X)-1])
	require.Equal(t, "2026-12-09", r.Series.X[len(r.Series.X)-2])
	require.Len(t, r.Series.X, 50)
}

// TestCycleTime's working: 1 took 2 days 12 hours, 2 took 4 days 13.5 hours. 3 was
// never in progress, 4 was reopened, 5 cancelled.
func TestCycleTime(t *testing.T) {
	t.Parallel()
	r := threeWeeks(t).make(report.Question{Type: "cycle_time"})
	require.Equal(t, []string{"2026-03-05T21:00", "2026-03-08T23:30"}, r.Series.X)
	require.Equal(t, report.Values{2.5, 4.5625}, r.Series.Line("cycle time"))
	require.Equal(t, report.Values{2.5, 3.53125}, r.Series.Line("rolling mean"))
	require.Equal(t, []any{2, 2.5, 4.5625, 4.5625, 0}, figures(r, "issues", "p50", "p85", "p95", "outliers"))
	require.InDelta(t, 3.53125, r.Summary.Get("mean"), 1e-9)
	require.Equal(t, map[string]int{"subtasks": 1, "cancelled": 1, "never in progress": 1}, r.Excluded)
	require.Len(t, r.Warnings, 1)
	require.Equal(t, []any{"WEB-2", "WEB-1"}, column(t, r, "key"), "the longest first")

	r = threeWeeks(t).make(report.Question{Type: "cycle_time", Unit: report.Hours, To: day("03-07")})
	require.Equal(t, report.Values{60}, r.Series.Line("cycle time"))
}

// TestCycleTime_Outliers: of 1..12 and 40 days, the quartiles by nearest rank are
// the 4th and the 10th, so that the fence is at 10 + 1.5 * 6 = 19.
func TestCycleTime_Outliers(t *testing.T) {
	t.Parallel()
	s := newStory(t, "UTC", "04-30T12:00").tell(`
		1 Task 1 - | 01-01T00:00 doing | 02-10T00:00 done`)
	for n := 1; n <= 12; n++ {
		i := s.issues[0]
		i.Steps = append([]report.Step{}, i.Steps...)
		i.Steps[1].At = i.Steps[0].At.AddDate(0, 0, n)
		i.Key.Number = n + 1
		s.issues = append(s.issues, i)
	}
	r := s.make(report.Question{Type: "cycle_time", From: day("01-01")})
	require.Equal(t, []any{13, 7.0, 12.0, 40.0, 1}, figures(r, "issues", "p50", "p85", "p95", "outliers"))
	require.Equal(t, []any{"WEB-1", true}, []any{r.Table.Rows[0][0], r.Table.Rows[0][5]})
	require.Equal(t, "Half of 13 issues took 7 days or less, 85 % 12 or less. 1 issue took unusually long, over 19.", r.Headline)
}

// TestLeadTime's working: 1 from March 2, 9:00 to March 5, 21:00 is 3.5 days, 2 is 6
// days 13.5 hours, 3 is 5 days 12 hours.
func TestLeadTime(t *testing.T) {
	t.Parallel()
	r := threeWeeks(t).make(report.Question{Type: "lead_time"})
	require.Equal(t, report.Values{3.5, 6.5625, 5.5}, r.Series.Line("lead time"))
	require.Equal(t, []any{5.5, 6.5625}, figures(r, "p50", "p85"))
	require.Empty(t, r.Warnings)
}

// TestTimeInStatus's working, in hours:
//
//	1  To Do 24, In Progress 60                                          84
//	2  To Do 48, In Progress 24 + 61.5, In Review 24                    157.5
//	3  To Do 132                                                        132
//	   To Do 204, In Progress 145.5, In Review 24, active 169.5 of       373.5
func TestTimeInStatus(t *testing.T) {
	t.Parallel()
	r := threeWeeks(t).make(report.Question{Type: "time_in_status"})
	require.Equal(t, []string{"key", "title", "all", "To Do", "In Progress", "In Review"}, r.Table.Columns)
	require.Equal(t, [][]any{{"total", "", 373.5, 204.0, 145.5, 24.0}, {"WEB-2", "Issue 2", 157.5, 48.0, 85.5, 24.0}, {"WEB-3", "Issue 3", 132.0, 132.0, 0.0, 0.0},
		{"WEB-1", "Issue 1", 84.0, 24.0, 60.0, 0.0}}, r.Table.Rows)
	require.Equal(t, []any{0.4538}, figures(r, "flow_efficiency"))
	require.Equal(t, map[string]float64{"To Do": 68, "In Progress": 48.5, "In Review": 8}, r.Summary.Get("average"))
	require.Equal(t, "3 issues stood longest in To Do: 55 % of all their time; they were worked on in 45 % of it.", r.Headline)
}

// TestThroughput's working: 1 and 2 in the week of March 2 (2 on Sunday at 23:30 in
// Berlin), 3 at the midnight that begins the next, none in the current one.
func TestThroughput(t *testing.T) {
	t.Parallel()
	r := threeWeeks(t).make(report.Question{Type: "throughput"})
	require.Equal(t, []string{"2026-03-02", "2026-03-09", "2026-03-16"}, r.Series.X)
	require.Equal(t, report.Values{2, 1, 0}, r.Series.Line("done"))
	require.Equal(t, []any{3.0, 2, 1.5, 1.5, 0.7071, 1.0}, figures(r, "total", "whole_weeks", "mean_per_week", "median_per_week", "deviation", "reached_by_85_percent"))
	r = threeWeeks(t).make(report.Question{Type: "throughput", Unit: report.Points})
	require.Equal(t, report.Values{5, 0, 0}, r.Series.Line("done"))
	require.Equal(t, "1 of 3 issues without points counted as 0; unit count counts every issue.", r.Warnings[0])

	// Weeks of nothing stay: in February nothing was done.
	r = threeWeeks(t).make(report.Question{Type: "throughput", From: day("02-16"), To: day("03-15")})
	require.Equal(t, report.Values{0, 0, 2, 1}, r.Series.Line("done"))
	require.Equal(t, []any{4, 0.75, 0.0}, figures(r, "whole_weeks", "mean_per_week", "reached_by_85_percent"))
	require.Empty(t, r.Warnings)
}

// TestCreatedVsResolved's working: 1 2 3 4 created in the first week, 5 in the
// second, 6 and 9 in the third; resolved 1 2, then 3 5. 4 was reopened.
func TestCreatedVsResolved(t *testing.T) {
	t.Parallel()
	r := threeWeeks(t).make(report.Question{Type: "created_vs_resolved"})
	require.Equal(t, report.Values{4, 1, 2}, r.Series.Line("created"))
	require.Equal(t, report.Values{2, 2, 0}, r.Series.Line("resolved"))
	require.Equal(t, report.Values{2, 1, 3}, r.Series.Line("cumulative net"))
	require.Equal(t, [][]any{{"2026-03-02", 4.0, 2.0, 0.0, 2.0, 2.0}, {"2026-03-09", 1.0, 1.0, 1.0, -1.0, 1.0}, {"2026-03-16", 2.0, 0.0, 0.0, 2.0, 3.0}}, r.Table.Rows)
	require.Equal(t, []any{7.0, 4.0, 3.0, 1.0, 3.0, 3.0}, figures(r, "created", "resolved", "done", "cancelled", "net", "open_now"))
	require.Equal(t, "7 issues created, 4 resolved: the open work grew by 3. 3 open now.", r.Headline)
}

// TestAgingWIP's working: 4 began on March 10 at noon, 8 days ago, and 6 is one day
// old; work took 2.5 and 4.5625 days, which are P50 and P85.
func TestAgingWIP(t *testing.T) {
	t.Parallel()
	s := threeWeeks(t)
	s.issues[3].Blocked = true
	r := s.make(report.Question{Type: "aging_wip"})
	require.Equal(t, [][]any{{"WEB-4", "Issue 4", "ben", "In Progress", 8.0, "stuck", true}, {"WEB-6", "Issue 6", "ada", "In Review", 1.0, "normal", false}}, r.Table.Rows)
	require.Equal(t, map[string]int{"normal": 1, "slow": 0, "stuck": 1}, r.Summary.Get("ages"))
	require.Equal(t, map[string]int{"epics": 1}, r.Excluded)
	require.Equal(t, "2 issues in progress; 1 older than 85 % of the finished work took (4.56 days).", r.Headline)
}

// TestWorkload's working: ada has 6 (8 points, in progress), ben 4 (5), nobody 9 (1).
// A subtask of ada's counts and adds no points. 4 was due yesterday.
func TestWorkload(t *testing.T) {
	t.Parallel()
	s := threeWeeks(t).tell(`
		10 Subtask 4 - | 03-02T09:00 who=ada`)
	s.issues[3].Blocked, s.issues[3].DueDate, s.issues[5].DueDate = true, day("03-17"), day("03-18")
	r := s.make(report.Question{Type: "workload"})
	require.Equal(t, [][]any{{"ada", 2, 8.0, 1, 8.0, 0, 0}, {"ben", 1, 5.0, 1, 5.0, 1, 1}, {"unassigned", 1, 1.0, 0, 0.0, 0, 0}}, r.Table.Rows)
	require.Equal(t, []any{2, 4, 14.0, 2, 1, 1, 1}, figures(r, "people", "open", "points", "in_progress", "overdue", "blocked", "unassigned"))
	require.Equal(t, "4 issues open, 1 of them unassigned; ada has most, 8 points. 1 overdue, 1 blocked.", r.Headline)
	r = newStory(t, "UTC", "03-18T12:00").make(report.Question{Type: "workload"})
	require.Equal(t, [][]any{{"unassigned", 0, 0.0, 0, 0.0, 0, 0}}, r.Table.Rows, "always there")
}

// steady is a project that finishes so many issues a week, with some open ones.
func steady(t testing.TB, perWeek []int, open int) *story {
	s := newStory(t, "UTC", "03-25T12:00") // a Wednesday
	template := newStory(t, "UTC", "03-25T12:00").tell(`1 Story 2 - | 01-05T09:00 | 01-05T10:00 doing | 01-06T09:00 done`).issues[0]
	add := func() *report.Issue {
		i := template
		i.Key.Number = len(s.issues) + 1
		i.ID[0], i.ID[1] = byte(len(s.issues)), byte(len(s.issues)>>8)
		i.Steps = append([]report.Step{}, i.Steps...)
		s.issues = append(s.issues, i)
		return &s.issues[len(s.issues)-1]
	}
	begin := time.Date(2026, 3, 23, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -7*len(perWeek))
	for week, n := range perWeek {
		for range n {
			i := add()
			for k := range i.Steps {
				i.Steps[k].At = begin.AddDate(0, 0, 7*week+k).Add(9 * time.Hour)
			}
		}
	}
	for range open {
		i := add()
		i.Steps = i.Steps[:1]
		i.Steps[0].At = begin.Add(time.Hour)
	}
	return s
}

// TestForecast_Steady: at four a week without exception, ten issues take two weeks
// and a half, whatever is drawn: 12.5 working days, so the 13th from Thursday
// March 26 on, which is Monday April 13.
func TestForecast_Steady(t *testing.T) {
	t.Parallel()
	s := steady(t, []int{4, 4, 4, 4, 4, 4, 4, 4, 4}, 10)
	r := s.make(report.Question{Type: "forecast"})
	require.Equal(t, []any{10.0, 10, 9, 4.0, "2026-04-13", "2026-04-13", "2026-04-13"},
		figures(r, "left", "issues_left", "weeks_of_history", "throughput_per_week", "date_50", "date_85", "date_95"))
	done, all := r.Series.Line("done"), r.Series.Line("all work")
	require.Equal(t, []any{36.0, 46.0}, []any{done[9], all[9]})
	require.Equal(t, "2026-03-25", r.Series.X[9])
	require.Equal(t, report.Values{36, 40, 44, 46, 46}, r.Series.Line("50 %")[9:])
	r = s.make(report.Question{Type: "forecast", Unit: report.Points})
	require.Equal(t, []any{20.0, "2026-04-13"}, figures(r, "left", "date_85"))
}

func TestForecast_RefusesThinData(t *testing.T) {
	t.Parallel()
	for _, perWeek := range [][]int{{4, 4, 4, 4, 4, 4, 4}, {9, 9, 9, 0, 0, 0, 0, 0, 0, 0}, {}} {
		_, err := steady(t, perWeek, 10).try(report.Question{Type: "forecast"})
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), "%v", perWeek)
		require.ErrorContains(t, err, "too little for a forecast")
	}
	r := steady(t, []int{0, 3, 0, 0, 1, 0, 2, 1}, 3).make(report.Question{Type: "forecast", From: day("01-26")})
	require.Equal(t, []any{8}, figures(r, "weeks_of_history"))
	r = steady(t, []int{1, 3, 1, 1, 1, 1, 2, 1}, 0).make(report.Question{Type: "forecast"})
	require.Nil(t, r.Series)
	require.Equal(t, "The open work has nothing left to do.", r.Headline)
}

// TestProjectStatus: with four a week, a sprint of two issues that ends on Friday
// March 27 needs 2.5 working days from Thursday on: Monday, too late. One of one
// needs 1.25, which is Friday.
func TestProjectStatus(t *testing.T) {
	t.Parallel()
	s := steady(t, []int{4, 4, 4, 4, 4, 4, 4, 4, 4}, 3).sprint("S1", "03-16", "03-27", "03-16T10:00", "")
	first, second := &s.issues[36], &s.issues[37]
	first.Steps[0].Sprint = sprintID("S1")
	r := s.make(report.Question{Type: "project_status"})
	require.Equal(t, []any{"on_track", []string{"nothing is overdue, blocked or stuck"}, "2026-03-27", 1.0, 1.0},
		figures(r, "state", "reasons", "date_85", "chance_by_sprint_end", "left"))
	require.Equal(t, "WEB is on track: nothing is overdue, blocked or stuck.", r.Headline)

	second.Steps[0].Sprint = sprintID("S1")
	r = s.make(report.Question{Type: "project_status"})
	require.Equal(t, []any{"off_track", []string{"S1 ends 2026-03-27, and the chance to be done by then is 0 % (2 issues left)"}, 0.0},
		figures(r, "state", "reasons", "chance_by_sprint_end"))

	// Without a sprint: one of twenty overdue is a risk, one of three is too much.
	for _, c := range []struct {
		open  int
		state string
	}{{20, "at_risk"}, {3, "off_track"}} {
		s = steady(t, []int{4, 4, 4, 4, 4, 4, 4, 4, 4}, c.open)
		s.issues[36].DueDate = day("03-20")
		r = s.make(report.Question{Type: "project_status"})
		require.Equal(t, []any{c.state, 1}, figures(r, "state", "overdue"))
		require.Equal(t, [][]any{{"WEB-37", "Issue 1", "", "To Do", 5, false, 0.0}}, r.Table.Rows)
	}
	s = steady(t, []int{1}, 20)
	s.issues[1].Blocked, s.issues[2].Blocked = true, true
	r = s.make(report.Question{Type: "project_status"})
	require.Equal(t, []any{"at_risk", []string{"2 of 20 open issues are blocked"}}, figures(r, "state", "reasons"))
	require.Contains(t, r.Warnings[0], "No forecast: WEB has 1 whole week of history")

	// In progress since February, when work takes a day.
	s = steady(t, []int{4, 4, 4, 4, 4, 4, 4, 4, 4}, 20)
	stuck := s.issues[36]
	stuck.Steps = append(stuck.Steps, report.Step{At: s.time("02-20T12:00"), State: s.issues[0].Steps[1].State})
	s.issues[36] = stuck
	r = s.make(report.Question{Type: "project_status"})
	require.Equal(t, []any{"at_risk", []string{"1 issue in progress for longer than 85 % of finished work took"}, 1}, figures(r, "state", "reasons", "stuck"))
	require.InDelta(t, 33, r.Table.Rows[0][6], 0.01)
}

func TestValues_JSON(t *testing.T) {
	t.Parallel()
	data, err := report.Values{1, 2.005, math.NaN(), -0.001, 1e6}.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "[1,2.01,null,0,1000000]", string(data))
	data, err = report.Figures{{Name: "b", Value: 1.0 / 3}, {Name: "a", Value: math.NaN()}, {Name: "c", Value: "x"}}.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, `{"b":0.33,"a":null,"c":"x"}`, string(data))
}
