package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// velocitySprints is how many closed sprints velocity looks at unless asked for a span.
const velocitySprints = 8

// velocity compares what was committed with what was completed over the last
// closed sprints. Completed counts added work too, as in Cohn, Agile Estimating and
// Planning (2005), chapter 4. p50 and p85 are what half and 85 % of those sprints
// reached: the 50th and the 15th percentile by nearest rank.
func velocity() Spec {
	return Spec{
		Type: "velocity", Title: "Velocity", Units: []Unit{Points, Count}, Weeks: ifAsked, Frozen: true, Past: true,
		Definition: fmt.Sprintf("For each of the last %d completed sprints (or those completed from..to): committed at the start, completed by the end "+
			"(added work included), completion (share of the committed work). reached_by_half and reached_by_85_percent: what 50 %% and "+
			"85 %% of these sprints completed at least. Subtasks do not count.", velocitySprints),
		compute: computeVelocity,
	}
}

func computeVelocity(in *input, r *Report) error {
	closed := in.closedSprints()
	if len(closed) == 0 {
		return tenancy.Errorf(tenancy.InvalidValue, "%s has completed no sprint in this span, so it has no velocity.", in.projects[0].Key).
			WithNext("throughput works without sprints.")
	}
	r.Table = &Table{Columns: []string{"sprint", "ended", "committed", "added", "removed", "completed", "not_completed", "completion"}}
	r.Series = &Series{Lines: []Line{{Name: "committed"}, {Name: "completed"}}}
	var completed []float64
	worst, least := "", math.Inf(1)
	for _, s := range closed {
		sc, err := in.scopeOf(s, r)
		if err != nil {
			return err
		}
		sum := sc.sums()
		r.Table.Rows = append(r.Table.Rows, []any{s.Name, in.calendar.name(sc.end), sum.committed, sum.added, sum.removed, sum.completed,
			sum.scope - sum.completed, sum.completion()})
		r.Series.X = append(r.Series.X, s.Name)
		r.Series.Lines[0].Values = append(r.Series.Lines[0].Values, sum.committed)
		r.Series.Lines[1].Values = append(r.Series.Lines[1].Values, sum.completed)
		completed = append(completed, sum.completed)
		if sum.completion() < least {
			worst, least = s.Name, sum.completion()
		}
	}
	d := describe(completed)
	r.add("sprints", len(closed))
	r.add("mean", d.mean)
	r.add("median", d.median)
	r.add("deviation", d.deviation)
	r.add("reached_by_half", percentile(completed, 50))
	r.add("reached_by_85_percent", percentile(completed, 15))
	r.Headline = fmt.Sprintf("%s a sprint on average over %s; 85 %% of them completed %s or more.", in.amount(d.mean), plural(len(closed), "sprint"),
		number(percentile(completed, 15)))
	if worst != "" && least < 1 {
		r.add("least_completion", map[string]any{"sprint": worst, "completion": round(least)})
		r.Headline += fmt.Sprintf(" %s kept least of what was committed, %s.", worst, percent(least))
	}
	if len(closed) < 3 {
		r.warn("%s are too few to plan with.", plural(len(closed), "sprint"))
	}
	return nil
}

// closedSprints lists the sprints that were completed in the span, or the last
// ones, oldest first.
func (in *input) closedSprints() []*Sprint {
	var closed []*Sprint
	end := func(s *Sprint) time.Time {
		switch {
		case s.CompletedAt != nil:
			return *s.CompletedAt
		case s.EndsOn != nil:
			return in.calendar.Day(*s.EndsOn)
		default:
			return time.Time{}
		}
	}
	for n := range in.sprints {
		s := &in.sprints[n]
		if s.State == tracker.SprintCompleted && (s.StartedAt != nil || s.StartsOn != nil) && (!in.asked || in.within(end(s))) {
			closed = append(closed, s)
		}
	}
	slices.SortStableFunc(closed, func(a, b *Sprint) int { return end(a).Compare(end(b)) })
	if !in.asked {
		closed = closed[max(0, len(closed)-velocitySprints):]
	}
	return closed
}
