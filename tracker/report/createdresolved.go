package report

import (
	"fmt"

	"github.com/colaflow/colaflow/tracker"
)

// createdVsResolved sets the work that came in each week against the work that was
// closed, done or cancelled, by the last time it was closed:
//
//	net(w) = created(w) - resolved(w), and its running sum from the start of the span
//
// What was reopened is not resolved. The running sum is how the open work changed.
func createdVsResolved() Spec {
	return Spec{
		Type: "created_vs_resolved", Title: "Created vs resolved", Units: []Unit{Count, Points}, Weeks: 12, Many: true,
		Definition: "Per week (Monday to Sunday): created, and resolved, which is done or cancelled and not reopened; net is created - resolved, " +
			"summed up from the start of the span. Subtasks and epics do not count.",
		compute: computeCreatedResolved,
	}
}

func computeCreatedResolved(in *input, r *Report) error {
	weeks := in.calendar.Weeks(in.from, in.to)
	created, done, cancelled := make(Values, len(weeks)), make(Values, len(weeks)), make(Values, len(weeks))
	unestimated, counted, open := 0, 0, 0.0
	for n := range in.issues {
		i := &in.issues[n]
		last := i.Steps[len(i.Steps)-1].State
		at, as := i.Finished(in.now)
		isNew, isOver := in.within(i.Created()), as.Closed() && in.within(at)
		if !isNew && !isOver && as.Closed() || !r.work(i.kind()) {
			continue
		}
		if !as.Closed() {
			open += in.size(last)
		}
		counted++
		if !last.Estimated {
			unestimated++
		}
		if isNew {
			created[weekOf(weeks, i.Created())] += in.size(last)
		}
		switch {
		case isOver && as == tracker.Done:
			done[weekOf(weeks, at)] += in.size(last)
		case isOver:
			cancelled[weekOf(weeks, at)] += in.size(last)
		}
	}
	resolved, net := make(Values, len(weeks)), make(Values, len(weeks))
	r.Series = &Series{}
	for n, w := range weeks {
		r.Series.X = append(r.Series.X, in.calendar.name(w))
		resolved[n] = done[n] + cancelled[n]
		net[n] = created[n] - resolved[n]
	}
	r.Series.Lines = []Line{{"created", created}, {"resolved", resolved}, {"cumulative net", cumulative(net)}}
	r.Table = tableOf("week", &Series{X: r.Series.X, Lines: []Line{{"created", created}, {"done", done}, {"cancelled", cancelled}, {"net", net},
		{"cumulative net", cumulative(net)}}})
	last := len(weeks) - 1
	in1, out := cumulative(created)[last], cumulative(resolved)[last]
	r.add("created", in1)
	r.add("resolved", out)
	r.add("done", cumulative(done)[last])
	r.add("cancelled", cumulative(cancelled)[last])
	r.add("net", in1-out)
	r.add("open_now", open)
	r.warnUnestimated(unestimated, counted)
	r.Headline = fmt.Sprintf("%s created, %s resolved: the open work %s by %s. %s open now.", in.amount(in1), number(out), grew(in1-out),
		number(max(in1-out, out-in1)), number(open))
	return nil
}

func grew(net float64) string {
	if net < 0 {
		return "shrank"
	}
	return "grew"
}
