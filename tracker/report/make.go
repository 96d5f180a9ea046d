package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Question is what is asked. Days are at midnight UTC; zero fields leave the
// choice to the report.
type Question struct {
	Type   Type
	Sprint string // a name, or current, next or last
	From   *time.Time
	To     *time.Time // the last day
	Unit   Unit
	Now    time.Time
}

// Data is what is known of the projects that a question is about.
type Data struct {
	Projects []tracker.Project // at least one
	Sprints  []Sprint
	Issues   []Issue    // those closed before Question.Since may be missing
	First    *time.Time // when the first issue was created; nil: the first of Issues
	Untold   int        // issues whose history says nothing
}

// input is a question with its data, checked and completed, as formulas take it.
type input struct {
	spec     Spec
	projects []tracker.Project
	sprints  []Sprint
	issues   []Issue // as they were up to now
	calendar Calendar
	sprint   *Sprint
	from, to time.Time // [from, to), at the beginnings of days
	asked    bool      // the span was asked for, and is not the default
	unit     Unit
	now      time.Time
	began    *time.Time // Data.First

	bySprint map[uuid.UUID][]int // issues that were in a sprint, for everIn
	byID     map[uuid.UUID]int
}

// Make computes a report. What does not make sense is an InvalidValue error that
// says what would.
func Make(q Question, d Data) (Report, error) {
	in, r, err := prepare(q, d)
	if err != nil {
		return Report{}, err
	}
	if err := in.spec.compute(in, &r); err != nil {
		return Report{}, err
	}
	return r, nil
}

func prepare(q Question, d Data) (*input, Report, error) {
	spec, ok := Find(q.Type)
	if !ok {
		return nil, Report{}, tenancy.Errorf(tenancy.InvalidValue, "Report %q is not known.", tracker.CleanLine(string(q.Type))).
			WithNext("Use one of " + strings.Join(TypeNames(), ", ") + ".")
	}
	if len(d.Projects) > 1 && !spec.Many {
		return nil, Report{}, tenancy.Errorf(tenancy.InvalidValue, "%s is about one project.", spec.Type).WithNext("Pass one key as project.")
	}
	in := &input{spec: spec, projects: d.Projects, sprints: d.Sprints, now: q.Now, unit: q.Unit, began: d.First}
	if in.unit == "" {
		in.unit = spec.Units[0]
	}
	if !slices.Contains(spec.Units, in.unit) {
		return nil, Report{}, tenancy.Errorf(tenancy.InvalidValue, "%s is not counted in %s.", spec.Type, in.unit).
			WithNext("Leave unit out, or use " + unitNames(spec.Units) + ".")
	}
	known := true
	in.calendar, known = CalendarOf(d.Projects[0])
	r := Report{Type: spec.Type, Title: spec.Title, Definition: spec.Definition, Unit: in.unit, AsOf: q.Now.UTC(),
		Timezone: in.calendar.Location.String()}
	var keys []string
	for _, p := range d.Projects {
		keys = append(keys, p.Key)
	}
	r.Project = strings.Join(keys, ", ")
	if !known {
		r.warn("Time zone %q is not known here; days are those of UTC.", d.Projects[0].Timezone)
	}
	if slices.ContainsFunc(d.Projects, func(p tracker.Project) bool { return p.Timezone != d.Projects[0].Timezone }) {
		r.warn("The projects are in different time zones; days are those of %s.", d.Projects[0].Key)
	}
	in.issues = make([]Issue, 0, len(d.Issues))
	for _, n := range inOrder(d.Issues) {
		if i, born := d.Issues[n].until(q.Now); born {
			in.issues = append(in.issues, i)
		}
	}
	r.exclude("without history", d.Untold)
	if err := in.chooseSprint(q.Sprint, &r); err != nil {
		return nil, Report{}, err
	}
	if err := in.chooseSpan(q, &r); err != nil {
		return nil, Report{}, err
	}
	return in, r, nil
}

func unitNames(units []Unit) string {
	var names []string
	for _, u := range units {
		if u != Days {
			names = append(names, string(u))
		}
	}
	return strings.Join(names, " or ")
}

// chooseSpan resolves the days that the report is about.
func (in *input) chooseSpan(q Question, r *Report) error {
	in.asked = q.From != nil || q.To != nil
	if in.asked && in.spec.Weeks == 0 {
		return tenancy.Errorf(tenancy.InvalidValue, "%s is not about a span of days.", in.spec.Type).WithNext("Leave out from and to.")
	}
	if in.spec.Weeks == 0 || in.spec.Weeks == ifAsked && !in.asked {
		return nil
	}
	in.to = in.calendar.Next(in.now)
	if q.To != nil {
		if end := in.calendar.Next(in.calendar.Day(*q.To)); end.Before(in.to) {
			in.to = end
		}
	}
	weeks := in.spec.Weeks
	if weeks == ifAsked {
		weeks = maxDays / 7
	}
	in.from = in.calendar.plus(in.calendar.Monday(in.to.Add(-time.Nanosecond)), -7*(weeks-1))
	if q.From != nil {
		in.from = in.calendar.Day(*q.From)
	} else if first, any := in.first(); any && first.After(in.from) {
		in.from = in.calendar.Start(first) // before that there was nothing to count
	}
	if !in.from.Before(in.to) {
		return tenancy.Errorf(tenancy.InvalidValue, "from %s is not before the end, %s.", in.calendar.name(in.from), in.calendar.name(in.to.Add(-time.Nanosecond))).
			WithNext("Pass from as a day in the past, and to as a later one.")
	}
	if most := in.calendar.plus(in.from, maxDays); in.to.After(most) {
		return tenancy.Errorf(tenancy.TooLarge, "A report spans %d days at most.", maxDays).WithNext("Narrow from and to.")
	}
	r.From, r.To = in.calendar.name(in.from), in.calendar.name(in.to.Add(-time.Nanosecond))
	return nil
}

// maxDays bounds the span of a report: thirty years.
const maxDays = 30 * 366

// first is when the first issue was created.
func (in *input) first() (at time.Time, any bool) {
	if in.began != nil && !in.began.After(in.now) {
		return *in.began, true
	}
	for _, i := range in.issues {
		if !any || i.Created().Before(at) {
			at, any = i.Created(), true
		}
	}
	return at, any
}

// within reports whether t is in the report's span.
func (in *input) within(t time.Time) bool { return !t.Before(in.from) && t.Before(in.to) }

// size is what an issue in a state adds to a sum in the report's unit.
func (in *input) size(s State) float64 {
	if in.unit == Points {
		return s.Points
	}
	return 1
}

// work reports whether an issue counts; if it does not, the report says so.
func (r *Report) work(k Kind) bool {
	switch k {
	case Subtask:
		r.exclude("subtasks", 1)
	case Epic:
		r.exclude("epics", 1)
	}
	return k == Work
}

func (r *Report) exclude(reason string, n int) {
	if n == 0 {
		return
	}
	if r.Excluded == nil {
		r.Excluded = map[string]int{}
	}
	r.Excluded[reason] += n
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// add appends a figure to the summary.
func (r *Report) add(name string, value any) {
	r.Summary = append(r.Summary, Figure{name, value})
}

// warnUnestimated notes how much of what was counted has no points.
func (r *Report) warnUnestimated(without, of int) {
	if r.Unit == Points && without > 0 {
		r.warn("%d of %s without points counted as 0; unit count counts every issue.", without, plural(of, "issue"))
	}
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// amount writes a number with the unit that it is counted in.
func (in *input) amount(f float64) string {
	unit := string(in.unit)
	if in.unit == Count {
		unit = "issues"
	}
	if round(f) == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return number(f) + " " + unit
}

func number(f float64) string { return fmt.Sprintf("%g", round(f)) }

// percent writes a share for a sentence.
func percent(f float64) string { return fmt.Sprintf("%.0f %%", f*100) }

// publicText is an error's message without its code.
func publicText(err error) string {
	var known *tenancy.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}
