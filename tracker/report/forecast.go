package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// forecast says when the open work, or that of a sprint, will be done if the coming
// weeks are like the past ones: a Monte Carlo simulation. Each of 10,000 draws adds
// up weeks of past throughput, chosen at random with repeats, until they reach what
// is left; within its last week, work is done evenly. The dates are those by which
// 50, 85 and 95 % of the draws are done. The seed is fixed, so that the same data
// give the same answer. After Magennis, Forecasting and Simulating Software
// Development Projects (2011), and Vacanti, When Will It Be Done? (2020).
func forecast() Spec {
	return Spec{
		Type: "forecast", Title: "Forecast", Units: []Unit{Count, Points}, Sprint: AnySprint, Weeks: sampleWeeks + 1,
		Definition: fmt.Sprintf("Monte Carlo: %d draws of whole weeks of past throughput (zero weeks included) until the open work, or that of the sprint, "+
			"is done. Dates by which 50, 85 and 95 %% of the draws are. Seeded, at least %d whole weeks. New work is not foreseen.", draws, leastWeeks),
		compute: computeForecast,
	}
}

const (
	draws       = 10_000
	seed        = 2026
	sampleWeeks = 12 // looked at unless a span is asked for
	leastWeeks  = 8
	leastActive = 4       // of them in which something was done
	longest     = 10 * 52 // weeks that a draw may take
	fanDraws    = 2_000
	fanWeeks    = 52
)

// outlook is what a simulation says of some work.
type outlook struct {
	weekly []float64 // throughput of past weeks
	left   float64
	took   []float64 // weeks that the draws took, sorted
}

// foresee simulates how long work takes. Too little to go by is an InvalidValue error.
func (in *input) foresee(left float64, r *Report) (outlook, error) {
	weeks := in.calendar.Weeks(in.from, in.to)
	weekly := in.wholeWeeks(weeks, in.doneByWeek(weeks, r))
	active := 0
	for _, w := range weekly {
		active += boolean(w > 0)
	}
	if len(weekly) < leastWeeks || active < leastActive {
		return outlook{}, tenancy.Errorf(tenancy.InvalidValue, "%s has %s of history in the span, and finished something in %d of them: too little for a forecast.",
			in.projects[0].Key, plural(len(weekly), "whole week"), active).
			WithNext(fmt.Sprintf("It takes %d weeks, and something finished in %d of them; throughput shows what there is.", leastWeeks, leastActive))
	}
	return outlook{weekly, left, simulate(weekly, left, draws, seed)}, nil
}

// simulate returns how many weeks each draw took, sorted. At least one week must
// have a throughput above 0.
func simulate(weekly []float64, left float64, draws int, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 0))
	took := make([]float64, draws)
	for n := range took {
		rest, weeks := left, 0.0
		for rest > 0 && weeks < longest {
			done := weekly[random.IntN(len(weekly))]
			if done >= rest {
				weeks += rest / done
				break
			}
			rest -= done
			weeks++
		}
		took[n] = weeks
	}
	slices.Sort(took)
	return took
}

// sure is within how many weeks a share of the draws are done.
func (o outlook) sure(percent float64) float64 {
	return o.took[min(int(math.Ceil(percent/100*float64(len(o.took)))), len(o.took))-1]
}

// date is the working day on which so many weeks from now are over.
func (in *input) date(weeks float64) time.Time {
	perWeek := len(in.calendar.Week.Names())
	if weeks == 0 {
		return in.calendar.Start(in.now)
	}
	return in.calendar.AfterWork(in.calendar.Next(in.now), int(math.Ceil(weeks*float64(perWeek)-1e-9)))
}

// openWork sums the work that is open now, in a sprint or in the whole project.
func (in *input) openWork(r *Report) (left float64, issues int) {
	unestimated := 0
	for n := range in.issues {
		i := &in.issues[n]
		s := i.Steps[len(i.Steps)-1].State
		if s.Category.Closed() || in.sprint != nil && s.Sprint != in.sprint.ID || !r.work(i.kind()) {
			continue
		}
		left += in.size(s)
		issues++
		unestimated += boolean(!s.Estimated)
	}
	r.warnUnestimated(unestimated, issues)
	return left, issues
}

func computeForecast(in *input, r *Report) error {
	if in.sprint != nil && in.sprint.State == tracker.SprintCompleted {
		return tenancy.Errorf(tenancy.InvalidValue, "Sprint %q is completed.", in.sprint.Name).WithNext("sprint_report says how it went.")
	}
	left, issues := in.openWork(r)
	var past Report
	o, err := in.foresee(left, &past)
	if err != nil {
		return err
	}
	d := describe(o.weekly)
	r.add("left", left)
	r.add("issues_left", issues)
	r.add("weeks_of_history", len(o.weekly))
	r.add("throughput_per_week", d.mean)
	arriving := in.arrivals()
	r.add("arrival_per_week", arriving)
	what := "The open work"
	if in.sprint != nil {
		what = in.sprint.Name
	}
	if left == 0 {
		r.Headline = what + " has nothing left to do."
		return nil
	}
	for _, percent := range []float64{50, 85, 95} {
		r.add(fmt.Sprintf("date_%g", percent), in.calendar.name(in.date(o.sure(percent))))
	}
	if o.took[len(o.took)-1] >= longest {
		r.warn("Some draws were not done after ten years; throughput is too low for the work that is left.")
	}
	if in.sprint == nil && arriving >= d.mean {
		r.warn("%s arrive a week and %s are done: with new work the open work does not end.", number(arriving), number(d.mean))
	}
	r.Headline = fmt.Sprintf("%s (%s) will be done by %s with 50 %%, by %s with 85 %% and by %s with 95 %% certainty.", what, in.amount(left),
		r.Summary.Get("date_50"), r.Summary.Get("date_85"), r.Summary.Get("date_95"))
	if in.sprint != nil && in.sprint.EndsOn != nil {
		end := in.calendar.Day(*in.sprint.EndsOn)
		chance := in.chance(o, end)
		r.add("sprint_end", in.calendar.name(end))
		r.add("chance_by_sprint_end", chance)
		r.Headline += fmt.Sprintf(" The chance to be done by its end, %s, is %s.", in.calendar.name(end), percent(chance))
	}
	in.fan(o, r)
	return nil
}

// chance is the share of the draws that are done by the end of a day.
func (in *input) chance(o outlook, day time.Time) float64 {
	n := 0
	for n < len(o.took) && !in.date(o.took[n]).After(day) {
		n++
	}
	return float64(n) / float64(len(o.took))
}

// arrivals is how much new work came in each whole week of the span, on average.
func (in *input) arrivals() float64 {
	weeks := in.calendar.Weeks(in.from, in.to)
	line := make(Values, len(weeks))
	for n := range in.issues {
		i := &in.issues[n]
		if in.within(i.Created()) && i.kind() == Work {
			line[weekOf(weeks, i.Created())] += in.size(i.Steps[len(i.Steps)-1].State)
		}
	}
	return describe(in.wholeWeeks(weeks, line)).mean
}

// fan is the past weeks' throughput summed up, and the range in which it may go on.
func (in *input) fan(o outlook, r *Report) {
	ahead := min(int(math.Ceil(o.sure(95)))+1, fanWeeks)
	s := &Series{Lines: []Line{{Name: "done"}, {Name: "50 %"}, {Name: "85 %"}, {Name: "95 %"}, {Name: "all work"}}}
	point := func(at time.Time, done, half, most, nearly, all float64) {
		s.X = append(s.X, in.calendar.name(at))
		for n, v := range []float64{done, half, most, nearly, all} {
			s.Lines[n].Values = append(s.Lines[n].Values, v)
		}
	}
	none, sum := math.NaN(), 0.0
	start := in.calendar.Monday(in.now)
	for n, w := range o.weekly {
		point(in.calendar.plus(start, -7*(len(o.weekly)-n)), sum, none, none, none, none)
		sum += w
	}
	all := sum + o.left
	point(in.now, sum, sum, sum, sum, all)
	random := rand.New(rand.NewPCG(seed, 1))
	reached := make([]float64, fanDraws)
	for n := range reached {
		reached[n] = sum
	}
	for w := range ahead {
		for n := range reached {
			reached[n] += o.weekly[random.IntN(len(o.weekly))]
		}
		at := func(p float64) float64 { return min(percentile(reached, p), all) }
		point(in.calendar.plus(in.now, 7*(w+1)), none, at(50), at(15), at(5), all)
	}
	r.Series = s
	r.Table = &Table{Columns: []string{"certainty", "weeks", "date"}}
	for _, p := range []float64{5, 15, 25, 50, 75, 85, 95} {
		r.Table.Rows = append(r.Table.Rows, []any{p / 100, o.sure(p), in.calendar.name(in.date(o.sure(p)))})
	}
}
