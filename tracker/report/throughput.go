package report

import (
	"fmt"
	"math"
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// throughput counts what was done each week, by when it was done last. Weeks in
// which nothing was done count as 0, because leaving them out would promise more
// than there is (Vacanti, When Will It Be Done?, 2020).
func throughput() Spec {
	return Spec{
		Type: "throughput", Title: "Throughput", Units: []Unit{Count, Points}, Weeks: 12, Many: true,
		Definition: "Work done per week (Monday to Sunday), by the last time done; weeks of nothing count as 0. Mean and median are of whole weeks; " +
			"reached_by_85_percent is what 85 % of the weeks reached. Cancelled work, subtasks and epics do not count.",
		compute: computeThroughput,
	}
}

func computeThroughput(in *input, r *Report) error {
	weeks := in.calendar.Weeks(in.from, in.to)
	line := in.doneByWeek(weeks, r)
	r.Series = &Series{Lines: []Line{{"done", line}}}
	for _, w := range weeks {
		r.Series.X = append(r.Series.X, in.calendar.name(w))
	}
	whole := in.wholeWeeks(weeks, line)
	d := describe(whole)
	r.Table = tableOf("week", r.Series)
	total := 0.0
	for _, v := range line {
		total += v
	}
	r.add("total", total)
	r.add("whole_weeks", len(whole))
	r.add("mean_per_week", d.mean)
	r.add("median_per_week", d.median)
	r.add("deviation", d.deviation)
	r.add("reached_by_85_percent", percentile(whole, 15))
	switch {
	case len(whole) == 0:
		r.Headline = fmt.Sprintf("%s done; no week of the span is over yet.", in.amount(total))
	default:
		r.Headline = fmt.Sprintf("%s done in all, %s a week on average over %s; 85 %% of the weeks reached %s.", in.amount(total), number(d.mean),
			plural(len(whole), "whole week"), number(percentile(whole, 15)))
	}
	if len(whole) < len(weeks) {
		r.warn("The first or last week is not whole, and is left out of mean and median.")
	}
	return nil
}

// doneByWeek sums what was done in each week of the span.
func (in *input) doneByWeek(weeks []time.Time, r *Report) Values {
	line := make(Values, len(weeks))
	unestimated, counted := 0, 0
	for n := range in.issues {
		i := &in.issues[n]
		at, as := i.Finished(in.now)
		if !as.Closed() || !in.within(at) || !r.work(i.kind()) {
			continue
		}
		if as == tracker.Cancelled {
			r.exclude("cancelled", 1)
			continue
		}
		last := i.Steps[len(i.Steps)-1].State
		line[weekOf(weeks, at)] += in.size(last)
		counted++
		if !last.Estimated {
			unestimated++
		}
	}
	r.warnUnestimated(unestimated, counted)
	return line
}

// weekOf is the index of the week that t is in.
func weekOf(weeks []time.Time, t time.Time) int {
	n := 0
	for n+1 < len(weeks) && !t.Before(weeks[n+1]) {
		n++
	}
	return n
}

// wholeWeeks leaves out the weeks that the span only touches or that are not over.
func (in *input) wholeWeeks(weeks []time.Time, values Values) []float64 {
	var whole []float64
	for n, w := range weeks {
		end := in.calendar.plus(w, 7)
		if !w.Before(in.from) && !end.After(in.to) && !end.After(in.now) {
			whole = append(whole, values[n])
		}
	}
	return whole
}

// cumulative sums values up.
func cumulative(values Values) Values {
	sums, sum := make(Values, len(values)), 0.0
	for n, v := range values {
		if !math.IsNaN(v) {
			sum += v
		}
		sums[n] = sum
	}
	return sums
}
