package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// projectStatus is a judgement by fixed rules, so that two readers come to the same:
//
//	off_track  the sprint's work will more likely than not be done after its end, or
//	           a fifth of the open work is overdue
//	at_risk    less than 85 % certain to be done by the sprint's end, or anything is
//	           overdue, or a tenth of the open work is blocked, or work in progress
//	           is older than 85 % of finished work took
//	on_track   otherwise
//
// Without an active sprint the rules about its end do not apply.
func projectStatus() Spec {
	return Spec{
		Type: "project_status", Title: "Project status", Units: []Unit{Count, Points}, Sprint: CurrentSprint, Weeks: sampleWeeks + 1, Blocked: true,
		Definition: "off_track: the sprint's work is more likely than not done after its end, or 20 % of the open work is overdue. at_risk: less than 85 % " +
			"certain to be done by its end, or anything overdue, 10 % blocked, or work in progress older than 85 % of finished work took. " +
			"Else on_track. Forecast as in the report forecast.",
		compute: computeStatus,
	}
}

// The states of a project.
const (
	onTrack  = "on_track"
	atRisk   = "at_risk"
	offTrack = "off_track"
)

// verdict collects reasons; the worst counts.
type verdict struct {
	state   string
	reasons []string
}

func (v *verdict) is(state, format string, args ...any) {
	order := []string{onTrack, atRisk, offTrack}
	if slices.Index(order, state) > slices.Index(order, v.state) {
		v.state = state
	}
	v.reasons = append(v.reasons, fmt.Sprintf(format, args...))
}

func computeStatus(in *input, r *Report) error {
	v := verdict{state: onTrack}
	left, open := in.openWork(r)
	r.add("state", "")
	r.add("reasons", []string{})
	in.judgeForecast(left, &v, r)
	overdue, blocked, stuck := in.troubles(r)
	switch {
	case open > 0 && overdue*5 >= open:
		v.is(offTrack, "%d of %s %s overdue", overdue, plural(open, "open issue"), are(overdue))
	case overdue > 0:
		v.is(atRisk, "%d of %s %s overdue", overdue, plural(open, "open issue"), are(overdue))
	}
	if blocked > 0 && blocked*10 >= open {
		v.is(atRisk, "%d of %s %s blocked", blocked, plural(open, "open issue"), are(blocked))
	}
	if stuck > 0 {
		v.is(atRisk, "%s in progress for longer than 85 %% of finished work took", plural(stuck, "issue"))
	}
	if len(v.reasons) == 0 {
		v.reasons = append(v.reasons, "nothing is overdue, blocked or stuck")
	}
	r.Summary[0].Value, r.Summary[1].Value = v.state, v.reasons
	r.add("left", left)
	r.add("open_issues", open)
	r.add("overdue", overdue)
	r.add("blocked", blocked)
	r.add("stuck", stuck)
	r.Headline = fmt.Sprintf("%s is %s: %s.", r.Project, map[string]string{onTrack: "on track", atRisk: "at risk", offTrack: "off track"}[v.state], v.reasons[0])
	return nil
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// judgeForecast compares the sprint's likely end with its planned one.
func (in *input) judgeForecast(left float64, v *verdict, r *Report) {
	var past Report
	o, err := in.foresee(left, &past)
	if err != nil {
		r.warn("No forecast: %s", publicText(err))
		return
	}
	if left > 0 {
		r.add("date_50", in.calendar.name(in.date(o.sure(50))))
		r.add("date_85", in.calendar.name(in.date(o.sure(85))))
	}
	if in.sprint == nil || in.sprint.EndsOn == nil {
		return
	}
	end := in.calendar.Day(*in.sprint.EndsOn)
	chance := in.chance(o, end)
	r.add("sprint_end", in.calendar.name(end))
	r.add("chance_by_sprint_end", chance)
	switch {
	case chance < 0.5:
		v.is(offTrack, "%s ends %s, and the chance to be done by then is %s (%s left)", in.sprint.Name, in.calendar.name(end), percent(chance), in.amount(left))
	case chance < 0.85:
		v.is(atRisk, "%s ends %s, and the chance to be done by then is %s (%s left)", in.sprint.Name, in.calendar.name(end), percent(chance), in.amount(left))
	}
}

// troubles lists the open issues that are overdue, blocked or stuck, the worst
// first. What is judged is the sprint, or the whole project without one.
func (in *input) troubles(r *Report) (overdue, blocked, stuck int) {
	var past Report
	days := *in
	days.unit = Days
	p85 := percentile(took(days.done(in.from, in.to, &past, (*Issue).Started)), 85)
	ages := map[*Issue]float64{}
	for _, a := range days.aging(&past) {
		ages[a.issue] = a.age
	}
	r.Table = &Table{Columns: []string{"key", "title", "assignee", "status", "overdue", "blocked", "days_in_progress"}}
	for n := range in.issues {
		i := &in.issues[n]
		s := i.Steps[len(i.Steps)-1].State
		if s.Category.Closed() || in.sprint != nil && s.Sprint != in.sprint.ID || i.kind() != Work {
			continue
		}
		late, old := in.overdue(i), ages[i] > p85
		overdue, blocked, stuck = overdue+boolean(late), blocked+boolean(i.Blocked), stuck+boolean(old)
		if late || i.Blocked || old {
			r.Table.Rows = append(r.Table.Rows, []any{i.Key.String(), i.Title, s.Assignee, s.Status, in.daysLate(i), i.Blocked, ages[i]})
		}
	}
	slices.SortStableFunc(r.Table.Rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(b[4].(int), a[4].(int)), cmp.Compare(b[6].(float64), a[6].(float64)))
	})
	return overdue, blocked, stuck
}

// daysLate is by how many days an issue is overdue.
func (in *input) daysLate(i *Issue) int {
	if !in.overdue(i) {
		return 0
	}
	return int(in.now.Sub(in.calendar.Day(*i.DueDate)) / (24 * time.Hour))
}
