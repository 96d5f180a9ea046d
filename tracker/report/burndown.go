package report

import (
	"fmt"
	"math"
	"time"
)

// sprintBurndown shows what is left to do, day by day:
//
//	remaining(t) = sum of what is in scope at t and not done at t
//	ideal(t)     = S0 (1 - w(t)/W)
//
// where S0 is what was committed, w(t) the working days that are over at t, and W
// all working days of the sprint. Scope is a series of its own, so that work that
// was added does not look like work that was not done.
// After Schwaber and Beedle, Agile Software Development with Scrum (2001), chapter 4.
func sprintBurndown() Spec {
	return Spec{
		Type: "sprint_burndown", Title: "Sprint burndown", Units: []Unit{Points, Count}, Sprint: NeedsSprint, Frozen: true, Past: true,
		Definition: "Remaining: in the sprint, not done and not cancelled, at the end of each day. Ideal: what was committed at the start, " +
			"falling evenly over the working days. Scope is shown apart, so that added work does not hide finished work. Subtasks do not count.",
		compute: burndown,
	}
}

func burndown(in *input, r *Report) error {
	sc, err := in.scopeOf(in.sprint, r)
	if err != nil {
		return err
	}
	days := in.sprintDays(sc, r)
	r.Series = &Series{X: days.names, Lines: []Line{
		{"remaining", days.each(sc, func(scope, done float64) float64 { return scope - done })},
		{"ideal", days.ideal(sc.sums().committed, true)},
		{"scope", days.each(sc, func(scope, _ float64) float64 { return scope })},
	}}
	in.sprintFigures(sc, days, r)
	s := sc.sums()
	left, behind := s.scope-s.completed, 0.0
	if n := days.last; n >= 0 && !math.IsNaN(r.Series.Line("ideal")[n]) {
		behind = left - r.Series.Line("ideal")[n]
	}
	r.Headline = fmt.Sprintf("%s: %s remain of %s in scope", in.sprint.Name, in.amount(left), number(s.scope))
	switch {
	case sc.over:
		r.Headline += ", and the sprint is over."
	case days.working == 0:
		r.Headline += "."
	default:
		r.Headline += fmt.Sprintf(" with %s left; the ideal line is %s %s.", plural(days.left, "working day"), number(math.Abs(behind)), side(behind))
		r.add("behind_ideal", behind)
	}
	r.Headline += scopeSentence(s)
	return nil
}

func side(behind float64) string {
	if behind > 0 {
		return "below that"
	}
	return "above that"
}

func scopeSentence(s sums) string {
	if s.added == 0 && s.removed == 0 {
		return " Scope did not change."
	}
	return fmt.Sprintf(" Since the start %s were added and %s removed.", number(s.added), number(s.removed))
}

// sprintDays are the moments of a sprint's charts: its start, and the end of every
// day until its planned end, or until it was completed if that came later.
type sprintDays struct {
	names   []string
	moments []time.Time // when each value is taken; zero: in the future
	done    []int       // working days over
	working int         // of the whole sprint as planned
	left    int         // of them not over, today included
	last    int         // the latest moment that is not in the future
}

func (in *input) sprintDays(sc *scope, r *Report) sprintDays {
	end := sc.end
	if on := sc.sprint.EndsOn; on != nil {
		end = latest(end, in.calendar.Next(in.calendar.Day(*on)).Add(-time.Nanosecond))
	} else {
		r.warn("The sprint has no end day, so there is no ideal line.")
	}
	days := sprintDays{names: []string{"start"}, moments: []time.Time{sc.start}, done: []int{0}}
	over := 0
	for _, day := range in.calendar.Days(sc.start, end.Add(time.Nanosecond)) {
		if sc.over && day.After(sc.end) {
			break
		}
		next := in.calendar.Next(day)
		planned := sc.sprint.EndsOn != nil && !day.After(in.calendar.Day(*sc.sprint.EndsOn))
		if planned && in.calendar.Works(day) {
			over++
			if next.After(in.now) {
				days.left++
			}
		}
		at := next.Add(-time.Microsecond) // finer than events are
		if !at.Before(sc.end) {
			at = sc.end
		}
		if day.After(sc.end) {
			at = time.Time{}
		} else {
			days.last = len(days.names)
		}
		days.names, days.moments, days.done = append(days.names, in.calendar.name(day)), append(days.moments, at), append(days.done, over)
	}
	if sc.sprint.EndsOn != nil {
		days.working = in.calendar.WorkingDays(sc.start, in.calendar.Next(in.calendar.Day(*sc.sprint.EndsOn)))
	}
	return days
}

// each takes a value of the sums at every moment; of the future there is none.
func (d sprintDays) each(sc *scope, value func(scope, done float64) float64) Values {
	values := make(Values, len(d.moments))
	for n, at := range d.moments {
		values[n] = math.NaN()
		if n == 0 {
			values[n] = value(sc.sums().committed, 0)
		} else if !at.IsZero() {
			values[n] = value(sc.at(at))
		}
	}
	return values
}

// ideal is the even line from or to an amount over the working days.
func (d sprintDays) ideal(amount float64, down bool) Values {
	values := make(Values, len(d.moments))
	for n, over := range d.done {
		values[n] = amount * float64(over) / float64(d.working) // NaN without working days
		if down {
			values[n] = amount - values[n]
		}
	}
	return values
}

// sprintFigures is the summary that burndown and burnup share, and the table of
// everything that changed the scope.
func (in *input) sprintFigures(sc *scope, days sprintDays, r *Report) {
	s := sc.sums()
	r.add("committed", s.committed)
	r.add("added", s.added)
	r.add("removed", s.removed)
	r.add("scope", s.scope)
	r.add("completed", s.completed)
	r.add("remaining", s.scope-s.completed)
	r.add("working_days", days.working)
	r.add("working_days_left", days.left)
	r.Table = &Table{Columns: []string{"at", "key", "title", "change", "scope", "completed"}}
	for _, c := range sc.changes {
		i := sc.lives[c.life].issue
		r.Table.Rows = append(r.Table.Rows, []any{stamp(c.at), i.Key.String(), i.Title, c.kind, c.scope, c.done})
	}
	outside := 0
	for _, l := range sc.lives {
		if l.last.outside {
			outside++
		}
	}
	r.exclude("done before they came in", outside)
	r.warnUnestimated(s.unestimated, s.issues)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
