package report

import (
	"slices"
	"time"
)

// Type names a report.
type Type string

// Unit is what the numbers of a report are.
type Unit string

// The units. Days is that of reports about time, unless hours are asked for.
const (
	Points Unit = "points"
	Count  Unit = "count"
	Hours  Unit = "hours"
	Days   Unit = "days"
)

// Spec is one type of report: what it says, and its formula.
type Spec struct {
	Type       Type
	Title      string
	Definition string
	Units      []Unit // the first is the default
	Sprint     SprintUse
	Weeks      int  // about a span of time: so many weeks unless asked otherwise; 0: about none
	Many       bool // may span several projects
	Blocked    bool // needs to know which issues are blocked
	Frozen     bool // needs the frozen scopes of sprints
	Past       bool // needs work that was closed before the span, too

	compute func(*input, *Report) error
}

// Since is from when on work must have changed to matter to the answer, if it is
// closed; zero means that all of it matters. In which time zone days begin does not
// count for it: it is some days too early.
func (q Question) Since() time.Time {
	spec, ok := Find(q.Type)
	if !ok || spec.Past {
		return time.Time{}
	}
	const margin = 3 * 24 * time.Hour
	if q.From != nil {
		return q.From.Add(-margin)
	}
	end := q.Now
	if q.To != nil && q.To.Before(end) {
		end = *q.To
	}
	return end.AddDate(0, 0, -7*spec.Weeks).Add(-margin)
}

// SprintUse says what a report has to do with sprints.
type SprintUse int

// The uses: about no sprint, or about one. The last three differ where none is
// named: the active one or else the last; the active one or none; none.
const (
	NoSprint SprintUse = iota
	NeedsSprint
	CurrentSprint
	AnySprint
)

// ifAsked as Spec.Weeks is for a span that matters only if it is asked for.
const ifAsked = -1

// Specs lists every type of report, in the order of the documentation.
func Specs() []Spec {
	return []Spec{
		sprintBurndown(), sprintBurnup(), sprintReport(), velocity(), cumulativeFlow(), cycleTime(), leadTime(), timeInStatus(),
		throughput(), createdVsResolved(), agingWIP(), workload(), forecast(), projectStatus(),
	}
}

// TypeNames lists the types.
func TypeNames() []string {
	var names []string
	for _, s := range Specs() {
		names = append(names, string(s.Type))
	}
	return names
}

// Find returns the spec of a type; ok is false if there is none.
func Find(t Type) (s Spec, ok bool) {
	specs := Specs()
	n := slices.IndexFunc(specs, func(s Spec) bool { return s.Type == t })
	if n < 0 {
		return Spec{}, false
	}
	return specs[n], true
}
