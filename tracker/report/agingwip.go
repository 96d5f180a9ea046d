package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/colaflow/colaflow/tracker"
)

// agingWIP is how long the work that is in progress has been so, since it first
// was, against how long work done in the span took:
//
//	age = now - first in progress, compared with P50 and P85 of the cycle time
//
// After Vacanti, Actionable Agile Metrics (2015), chapter 13: work that is older
// than P85 is unlikely to end within what one would promise.
func agingWIP() Spec {
	return Spec{
		Type: "aging_wip", Title: "Aging work in progress", Units: []Unit{Days, Hours}, Weeks: 12,
		Definition: "Age: elapsed time since the first time in progress, of work in progress now. Compared with the cycle time of work done " +
			"in the span: normal up to P50, slow up to P85, stuck beyond. Subtasks and epics do not count.",
		compute: computeAging,
	}
}

// aged is a piece of work in progress.
type aged struct {
	issue *Issue
	state State
	age   float64
}

// aging lists the work in progress, oldest first.
func (in *input) aging(r *Report) []aged {
	var list []aged
	for n := range in.issues {
		i := &in.issues[n]
		state := i.Steps[len(i.Steps)-1].State
		if state.Category != tracker.InProgress || !r.work(i.kind()) {
			continue
		}
		began, _ := i.Started(in.now)
		list = append(list, aged{i, state, in.duration(in.now.Sub(began))})
	}
	slices.SortStableFunc(list, func(a, b aged) int { return cmp.Compare(b.age, a.age) })
	return list
}

func computeAging(in *input, r *Report) error {
	list := in.aging(r)
	var past Report // what is left out of the comparison is not left out of the report
	values := took(in.done(in.from, in.to, &past, (*Issue).Started))
	p50, p85 := percentile(values, 50), percentile(values, 85)
	r.Table = &Table{Columns: []string{"key", "title", "assignee", "status", string(in.unit), "age", "blocked"}}
	r.Series = &Series{Lines: []Line{{Name: "age"}}}
	counts := map[string]int{"normal": 0, "slow": 0, "stuck": 0}
	for _, a := range list {
		grade := gradeOf(a.age, p50, p85)
		counts[grade]++
		r.Table.Rows = append(r.Table.Rows, []any{a.issue.Key.String(), a.issue.Title, a.state.Assignee, a.state.Status, a.age, grade, a.issue.Blocked})
		r.Series.X = append(r.Series.X, a.issue.Key.String())
		r.Series.Lines[0].Values = append(r.Series.Lines[0].Values, a.age)
	}
	r.add("in_progress", len(list))
	r.add("p50", p50)
	r.add("p85", p85)
	r.add("ages", counts)
	var oldest []string
	for _, a := range list[:min(len(list), 5)] {
		oldest = append(oldest, fmt.Sprintf("%s %s", a.issue.Key, number(a.age)))
	}
	r.add("oldest", oldest)
	r.Headline = fmt.Sprintf("%s in progress", plural(len(list), "issue"))
	switch {
	case len(values) == 0:
		r.Headline += "; nothing was done in the span to compare them with."
		r.warn("No cycle times in the span: every age counts as normal.")
	default:
		r.Headline += fmt.Sprintf("; %d older than 85 %% of the finished work took (%s %s).", counts["stuck"], number(p85), in.unit)
	}
	return nil
}

// gradeOf compares an age with percentiles; NaN compares as no limit.
func gradeOf(age, p50, p85 float64) string {
	switch {
	case age > p85:
		return "stuck"
	case age > p50:
		return "slow"
	default:
		return "normal"
	}
}
