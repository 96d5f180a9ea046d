package report

import (
	"fmt"
	"math"
)

// sprintBurnup shows what is done beside what is in scope:
//
//	completed(t) = sum of what is in scope at t and done at t
//	scope(t)     = committed + added(t) - removed(t)
//	ideal(t)     = S0 w(t)/W, as in the burndown
//
// After Cockburn, Crystal Clear (2004), "burn charts".
func sprintBurnup() Spec {
	return Spec{
		Type: "sprint_burnup", Title: "Sprint burnup", Units: []Unit{Points, Count}, Sprint: NeedsSprint, Frozen: true, Past: true,
		Definition: "Completed: in the sprint and done, at the end of each day. Scope: in the sprint and not cancelled. The sprint is finished " +
			"where the two meet. Ideal: what was committed, rising evenly over the working days. Subtasks do not count.",
		compute: burnup,
	}
}

func burnup(in *input, r *Report) error {
	sc, err := in.scopeOf(in.sprint, r)
	if err != nil {
		return err
	}
	days := in.sprintDays(sc, r)
	r.Series = &Series{X: days.names, Lines: []Line{
		{"completed", days.each(sc, func(_, done float64) float64 { return done })},
		{"scope", days.each(sc, func(scope, _ float64) float64 { return scope })},
		{"ideal", days.ideal(sc.sums().committed, false)},
	}}
	in.sprintFigures(sc, days, r)
	s := sc.sums()
	share := s.completed / s.scope
	if s.scope == 0 {
		share = math.NaN()
	}
	r.add("share", share)
	r.Headline = fmt.Sprintf("%s: %s completed of %s in scope.", in.sprint.Name, in.amount(s.completed), number(s.scope)) + scopeSentence(s)
	return nil
}
