package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// cycleTime is how long work took from its first time in progress to its last time
// done, in elapsed time, for what was done in the span:
//
//	cycle time = last done - first in progress
//
// Percentiles are nearest ranks; outliers lie above Tukey's fence, the third
// quartile + 1.5 times the middle half; the rolling mean is that of the last ten.
// Percentiles instead of means after Vacanti, Actionable Agile Metrics (2015).
func cycleTime() Spec {
	return Spec{
		Type: "cycle_time", Title: "Cycle time", Units: []Unit{Days, Hours}, Weeks: 12,
		Definition: "Elapsed time from the first time in progress to the last time done, for work done in the span and not reopened. " +
			"Percentiles by nearest rank; outliers above the third quartile + 1.5 times the interquartile range; rolling mean of the last ten. " +
			"Cancelled work, subtasks and epics do not count, nor does work that was never in progress.",
		compute: func(in *input, r *Report) error { return in.times(r, "cycle time", (*Issue).Started) },
	}
}

// leadTime is cycleTime from the creation of the issue on.
func leadTime() Spec {
	return Spec{
		Type: "lead_time", Title: "Lead time", Units: []Unit{Days, Hours}, Weeks: 12,
		Definition: "Elapsed time from creation to the last time done, for work done in the span and not reopened. Percentiles by nearest rank; " +
			"outliers above the third quartile + 1.5 times the interquartile range; rolling mean of the last ten. " +
			"Cancelled work, subtasks and epics do not count.",
		compute: func(in *input, r *Report) error {
			return in.times(r, "lead time", func(i *Issue, _ time.Time) (time.Time, bool) { return i.Created(), true })
		},
	}
}

// rolling is how many values the rolling mean is of.
const rolling = 10

// finished is a piece of work that was done in the span.
type finished struct {
	issue *Issue
	began time.Time
	ended time.Time
	took  float64
}

// done lists the work that was done in [from, to), oldest first, and how long it
// took from where began says. What never began is left out, and r says so.
func (in *input) done(from, to time.Time, r *Report, began func(*Issue, time.Time) (time.Time, bool)) []finished {
	var list []finished
	for n := range in.issues {
		i := &in.issues[n]
		at, as := i.Finished(in.now)
		if !as.Closed() || at.Before(from) || !at.Before(to) || !r.work(i.kind()) {
			continue
		}
		start, ok := began(i, at)
		switch {
		case as == tracker.Cancelled:
			r.exclude("cancelled", 1)
		case !ok:
			r.exclude("never in progress", 1)
		default:
			list = append(list, finished{i, start, at, in.duration(at.Sub(start))})
		}
	}
	slices.SortStableFunc(list, func(a, b finished) int { return a.ended.Compare(b.ended) })
	return list
}

func took(list []finished) []float64 {
	values := make([]float64, len(list))
	for n, f := range list {
		values[n] = f.took
	}
	return values
}

// duration is a span of time in the report's unit.
func (in *input) duration(d time.Duration) float64 {
	if in.unit == Hours {
		return d.Hours()
	}
	return d.Hours() / 24
}

func (in *input) times(r *Report, name string, began func(*Issue, time.Time) (time.Time, bool)) error {
	list := in.done(in.from, in.to, r, began)
	values := took(list)
	limit := fence(values)
	r.Series = &Series{Lines: []Line{{Name: name}, {Name: "rolling mean"}}}
	r.Table = &Table{Columns: []string{"key", "title", "began", "done", string(in.unit), "outlier"}}
	outliers := 0
	for n, f := range list {
		r.Series.X = append(r.Series.X, f.ended.In(in.calendar.Location).Format("2006-01-02T15:04"))
		r.Series.Lines[0].Values = append(r.Series.Lines[0].Values, f.took)
		r.Series.Lines[1].Values = append(r.Series.Lines[1].Values, describe(values[max(0, n+1-rolling):n+1]).mean)
		if f.took > limit {
			outliers++
		}
		r.Table.Rows = append(r.Table.Rows, []any{f.issue.Key.String(), f.issue.Title, stamp(f.began), stamp(f.ended), f.took, f.took > limit})
	}
	slices.SortStableFunc(r.Table.Rows, func(a, b []any) int { return cmp.Compare(b[4].(float64), a[4].(float64)) })
	r.add("issues", len(list))
	p50, p85, p95 := percentile(values, 50), percentile(values, 85), percentile(values, 95)
	r.add("p50", p50)
	r.add("p85", p85)
	r.add("p95", p95)
	r.add("mean", describe(values).mean)
	r.add("outliers", outliers)
	if n := r.Excluded["never in progress"]; n > 0 {
		r.warn("%s went to done without being in progress, so nobody knows when the work began; lead_time counts from creation.", plural(n, "issue"))
	}
	if len(list) == 0 {
		r.Headline = "Nothing was done in this span that counts."
		return nil
	}
	if half := len(values) / 2; half >= 5 {
		before, after := percentile(values[:half], 50), percentile(values[half:], 50)
		r.add("p50_first_half", before)
		r.add("p50_second_half", after)
	}
	r.Headline = fmt.Sprintf("Half of %s took %s %s or less, 85 %% %s or less.", plural(len(list), "issue"), number(p50), in.unit, number(p85))
	if outliers > 0 {
		r.Headline += fmt.Sprintf(" %s took unusually long, over %s.", plural(outliers, "issue"), number(limit))
	}
	return nil
}

// shareOf is a part of a whole; NaN of nothing.
func shareOf(part, whole float64) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return part / whole
}
