package report

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// cumulativeFlow counts the issues in each status at the end of every day. The
// bands of a day add up to all that were created so far, cancelled ones included.
// Arrival rate and throughput are per week over the span, and
//
//	time in progress ~ average work in progress / throughput
//
// is Little's law (Little, A Proof for the Queuing Formula L = λW, 1961), which
// holds as far as the flow is stable.
func cumulativeFlow() Spec {
	return Spec{
		Type: "cumulative_flow", Title: "Cumulative flow", Units: []Unit{Count, Points}, Weeks: 12, Past: true,
		Definition: "Issues in each status at the end of each day (of each week in spans over 26 weeks), in workflow order; the bands add up to all " +
			"created so far. Arrival and throughput per week; time in progress by Little's law: average work in progress / throughput. " +
			"Subtasks and epics do not count.",
		compute: computeFlow,
	}
}

// dailyWeeks is the longest span that is shown day by day.
const dailyWeeks = 26

func computeFlow(in *input, r *Report) error {
	bands := in.bands()
	moments := in.flowMoments()
	r.Series = &Series{}
	for _, m := range moments {
		r.Series.X = append(r.Series.X, in.calendar.name(m.Add(-time.Nanosecond)))
	}
	place := map[string]int{}
	for n, b := range bands {
		place[b.Name] = n
		r.Series.Lines = append(r.Series.Lines, Line{b.Name, make(Values, len(moments))})
	}
	var arrived, done, unestimated, counted int
	var doneSize, arrivedSize float64
	active := make(Values, len(moments))
	for n := range in.issues {
		i := &in.issues[n]
		if !r.work(i.kind()) {
			continue
		}
		in.addToBands(i, moments, place, r.Series, active)
		last := i.Steps[len(i.Steps)-1].State
		counted++
		if !last.Estimated {
			unestimated++
		}
		if in.within(i.Created()) {
			arrived, arrivedSize = arrived+1, arrivedSize+in.size(last)
		}
		if at, as := i.Finished(in.now); as == tracker.Done && in.within(at) {
			done, doneSize = done+1, doneSize+in.size(last)
		}
	}
	weeks := in.weeks()
	wip := 0.0
	for _, v := range active {
		wip += v / float64(len(active))
	}
	little := math.NaN()
	if doneSize > 0 {
		little = wip / (doneSize / weeks) * 7
	}
	r.add("work_in_progress_now", active[len(active)-1])
	r.add("work_in_progress_average", wip)
	r.add("arrival_per_week", arrivedSize/weeks)
	r.add("throughput_per_week", doneSize/weeks)
	r.add("days_in_progress_by_little", little)
	now := map[string]float64{}
	for _, l := range r.Series.Lines {
		now[l.Name] = round(l.Values[len(moments)-1])
	}
	r.add("now", now)
	r.Table = tableOf("day", r.Series)
	r.warnUnestimated(unestimated, counted)
	r.Headline = fmt.Sprintf("%s in progress now, %s on average; %s arrive and %s are done a week.", in.amount(active[len(active)-1]), number(wip),
		number(arrivedSize/weeks), number(doneSize/weeks))
	if arrived > done && done > 0 {
		r.Headline += " More arrives than is done."
	}
	return nil
}

// weeks is how long the span is, up to now, in weeks.
func (in *input) weeks() float64 {
	end := in.to
	if in.now.Before(end) {
		end = in.now
	}
	return max(end.Sub(in.from).Hours(), 24) / (7 * 24)
}

// bands lists the statuses in workflow order. What the workflow no longer has
// stands before the first status of the next category.
func (in *input) bands() []tracker.Status {
	bands := slices.Clone(in.projects[0].Workflow.Statuses)
	known := map[string]bool{}
	for _, b := range bands {
		known[b.Name] = true
	}
	order := tracker.Categories()
	var old []tracker.Status
	for _, i := range in.issues {
		for _, s := range i.Steps {
			if !known[s.Status] {
				known[s.Status] = true
				old = append(old, tracker.Status{Name: s.Status, Category: s.Category})
			}
		}
	}
	slices.SortFunc(old, func(a, b tracker.Status) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range old {
		at := slices.IndexFunc(bands, func(b tracker.Status) bool {
			return slices.Index(order, b.Category) > slices.Index(order, s.Category)
		})
		if at < 0 {
			at = len(bands)
		}
		bands = slices.Insert(bands, at, s)
	}
	return bands
}

// flowMoments are the ends of the days of the span, or of its weeks if it is long;
// the last is now if the span has not ended.
func (in *input) flowMoments() []time.Time {
	days := in.calendar.Days(in.from, in.to)
	step := 1
	if len(days) > dailyWeeks*7 {
		step = 7
	}
	var moments []time.Time
	for n := len(days) - 1; n >= 0; n -= step {
		moments = append(moments, in.calendar.Next(days[n]))
	}
	slices.Reverse(moments)
	return moments
}

// addToBands counts an issue in the band of its status at every moment. What
// happens at midnight belongs to the day that begins.
func (in *input) addToBands(i *Issue, moments []time.Time, place map[string]int, s *Series, active Values) {
	for n, step := range i.Steps {
		from := sort.Search(len(moments), func(m int) bool { return moments[m].After(step.At) })
		to := len(moments)
		if n+1 < len(i.Steps) {
			next := i.Steps[n+1].At
			to = sort.Search(len(moments), func(m int) bool { return moments[m].After(next) })
		}
		values, size := s.Lines[place[step.Status]].Values, in.size(step.State)
		for m := from; m < to; m++ {
			values[m] += size
			if step.Category == tracker.InProgress {
				active[m] += size
			}
		}
	}
}

// tableOf writes a series as a table.
func tableOf(x string, s *Series) *Table {
	t := &Table{Columns: []string{x}}
	for _, l := range s.Lines {
		t.Columns = append(t.Columns, l.Name)
	}
	for n, name := range s.X {
		row := []any{name}
		for _, l := range s.Lines {
			row = append(row, l.Values[n])
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
