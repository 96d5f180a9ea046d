package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/colaflow/colaflow/tracker"
)

// workload is what each person has to do now: open issues and their points, and
// of them those in progress, overdue and blocked. Subtasks are somebody's work and
// count as issues, but never add points; the row of nobody is always there.
func workload() Spec {
	return Spec{
		Type: "workload", Title: "Workload", Units: []Unit{Points, Count}, Many: true, Blocked: true,
		Definition: "Per assignee: open issues (todo and in progress), their points, and of them in progress, overdue (due before today) and blocked " +
			"(by an open issue). Subtasks count as issues and add no points; epics do not count. Unassigned work has its own row.",
		compute: computeWorkload,
	}
}

// Unassigned names the row of work that nobody has.
const Unassigned = "unassigned"

// load is what one person has.
type load struct {
	who                                  string
	open, started, overdue, blocked      int
	points, startedPoints, todo, working float64
}

func computeWorkload(in *input, r *Report) error {
	loads := map[string]*load{Unassigned: {who: Unassigned}}
	total, unestimated := load{}, 0
	for n := range in.issues {
		i := &in.issues[n]
		s := i.Steps[len(i.Steps)-1].State
		kind := i.kind()
		if s.Category.Closed() || kind == Epic && !r.work(kind) {
			continue
		}
		if kind == Subtask {
			s.Points = 0
		} else if !s.Estimated {
			unestimated++
		}
		who := cmp.Or(s.Assignee, Unassigned)
		if loads[who] == nil {
			loads[who] = &load{who: who}
		}
		for _, l := range []*load{loads[who], &total} {
			l.count(i, s, in.size(s), in.overdue(i))
		}
	}
	r.Table = &Table{Columns: []string{"assignee", "open", "points", "in_progress", "in_progress_points", "overdue", "blocked"}}
	r.Series = &Series{Lines: []Line{{Name: "in progress"}, {Name: "todo"}}}
	var sorted []*load
	for _, l := range loads {
		sorted = append(sorted, l)
	}
	size := func(l *load) float64 { return l.working + l.todo }
	slices.SortFunc(sorted, func(a, b *load) int {
		return cmp.Or(boolean(a.who == Unassigned)-boolean(b.who == Unassigned), cmp.Compare(size(b), size(a)), cmp.Compare(b.open, a.open), cmp.Compare(a.who, b.who))
	})
	for _, l := range sorted {
		r.Table.Rows = append(r.Table.Rows, []any{l.who, l.open, l.points, l.started, l.startedPoints, l.overdue, l.blocked})
		r.Series.X = append(r.Series.X, l.who)
		r.Series.Lines[0].Values = append(r.Series.Lines[0].Values, l.working)
		r.Series.Lines[1].Values = append(r.Series.Lines[1].Values, l.todo)
	}
	r.add("people", len(loads)-1)
	r.add("open", total.open)
	r.add("points", total.points)
	r.add("in_progress", total.started)
	r.add("overdue", total.overdue)
	r.add("blocked", total.blocked)
	r.add("unassigned", loads[Unassigned].open)
	r.warnUnestimated(unestimated, total.open)
	r.Headline = fmt.Sprintf("%s open, %d of them unassigned", plural(total.open, "issue"), loads[Unassigned].open)
	if first := sorted[0]; first.who != Unassigned {
		r.Headline += fmt.Sprintf("; %s has most, %s", first.who, in.amount(size(first)))
	}
	r.Headline += fmt.Sprintf(". %d overdue, %d blocked.", total.overdue, total.blocked)
	return nil
}

func (l *load) count(i *Issue, s State, size float64, overdue bool) {
	l.open++
	l.points += s.Points
	if s.Category == tracker.InProgress {
		l.started++
		l.startedPoints += s.Points
		l.working += size
	} else {
		l.todo += size
	}
	l.overdue += boolean(overdue)
	l.blocked += boolean(i.Blocked)
}

// overdue reports whether an issue's day is over.
func (in *input) overdue(i *Issue) bool {
	return i.DueDate != nil && in.calendar.Day(*i.DueDate).Before(in.calendar.Start(in.now))
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
