package report

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// scope is the work of one sprint from its start to its end, or to now while it
// runs. It is what all reports about sprints are computed from:
//
//	committed: in the sprint at its start, and not over then
//	in scope:  in the sprint, not cancelled, and not done already when it came in
//	scope(t) = remaining(t) + completed(t) = committed + added(t) - removed(t)
//
// A change of points is scope that was added or removed, and so are cancelling
// and leaving the sprint.
type scope struct {
	sprint     *Sprint
	start, end time.Time
	over       bool // the sprint was completed, and end is when
	lives      []life
	changes    []scopeChange // by time
}

// life is what an issue meant to the sprint.
type life struct {
	issue     *Issue
	promised  bool    // it was committed
	committed float64 // its size then
	last      part    // at the end
	size      float64 // when it was last in the sprint
	left      string  // how it left, if it is not in scope at the end
}

// part is what an issue is to the sprint in a state.
type part struct {
	member    bool // it is in the sprint
	outside   bool // and was done when it came in
	cancelled bool
	done      bool
	estimated bool
	size      float64
}

// in reports whether it is in scope.
func (p part) in() bool { return p.member && !p.outside && !p.cancelled }

// sums are the part's shares of what is in scope, and of what of that is done.
func (p part) sums() (scope, done float64) {
	switch {
	case !p.in():
		return 0, 0
	case p.done:
		return p.size, p.size
	default:
		return p.size, 0
	}
}

// scopeChange is a change of scope, or of what of it is done.
type scopeChange struct {
	at    time.Time
	life  int     // index of the issue's life
	kind  string  // one of the kinds below
	scope float64 // how much more is in scope
	done  float64 // how much more of it is completed
}

// The kinds of changes.
const (
	scopeAdded     = "added"
	scopeRemoved   = "removed"
	scopeCancelled = "cancelled"
	scopeEstimated = "re-estimated"
	scopeCompleted = "completed"
	scopeReopened  = "reopened"
)

// scopeOf follows a sprint's issues. Issues that are never work are noted in r.
func (in *input) scopeOf(s *Sprint, r *Report) (*scope, error) {
	sc := &scope{sprint: s, end: in.now}
	switch {
	case s.State == tracker.SprintPlanned:
		return nil, tenancy.Errorf(tenancy.InvalidValue, "Sprint %q has not started.", s.Name).
			WithNext("search_issues with its name shows what is planned; forecast needs no start.")
	case s.StartedAt != nil:
		sc.start = *s.StartedAt
	case s.StartsOn != nil:
		sc.start = in.calendar.Day(*s.StartsOn)
	default:
		return nil, tenancy.Errorf(tenancy.InvalidValue, "Sprint %q has no start.", s.Name).WithNext("Set its start with save_sprint.")
	}
	if s.State == tracker.SprintCompleted {
		sc.over = true
		switch {
		case s.CompletedAt != nil:
			sc.end = *s.CompletedAt
		case s.EndsOn != nil:
			sc.end = in.calendar.Next(in.calendar.Day(*s.EndsOn))
		}
		sc.end = latest(sc.end, sc.start)
	}
	if err := errors.Join(s.AtStart.Read(), s.AtEnd.Read()); err != nil {
		return nil, err
	}
	for _, n := range in.everIn(s) {
		in.follow(sc, &in.issues[n], r)
	}
	slices.SortStableFunc(sc.changes, func(a, b scopeChange) int { return a.at.Compare(b.at) })
	return sc, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// everIn lists the indices of the issues that ever were in the sprint, in order: by
// their history, or by what was frozen.
func (in *input) everIn(s *Sprint) []int {
	if in.bySprint == nil {
		in.bySprint, in.byID = map[uuid.UUID][]int{}, make(map[uuid.UUID]int, len(in.issues))
		for n := range in.issues {
			in.byID[in.issues[n].ID] = n
			last := uuid.Nil
			for k := range in.issues[n].Steps {
				if sprint := in.issues[n].Steps[k].Sprint; sprint != last && sprint != uuid.Nil {
					in.bySprint[sprint] = append(in.bySprint[sprint], n)
				}
				last = in.issues[n].Steps[k].Sprint
			}
		}
	}
	list := slices.Clone(in.bySprint[s.ID])
	for _, frozen := range []*Snapshot{s.AtStart, s.AtEnd} {
		if frozen == nil {
			continue
		}
		for id := range frozen.Items {
			if n, known := in.byID[id]; known {
				list = append(list, n)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// follow adds an issue's life in the sprint. What never was in it as work of its
// own, such as a subtask, is noted in r.
func (in *input) follow(sc *scope, i *Issue, r *Report) {
	l, index := life{issue: i}, len(sc.lives)
	member, kind := false, Work
	for n, m := range sc.moments(i) {
		before := l.last
		l.last = in.partOf(sc, before, m.State)
		if m.Sprint == sc.sprint.ID && KindOf(m.Type) != Work {
			kind = KindOf(m.Type)
		}
		if l.last.member {
			member, l.size = true, l.last.size
		}
		if n > 0 {
			sc.note(index, m.At, before, &l)
		} else if l.promised = l.last.in() && !l.last.done; l.promised {
			l.committed = l.last.size
		}
	}
	if member {
		sc.lives = append(sc.lives, l)
	} else {
		r.work(kind)
	}
}

// moments lists the states of an issue that matter to the sprint: the one at its
// start, those until its end, and the frozen ones. What differs from the scope that
// was frozen at the start happened right after it.
func (sc *scope) moments(i *Issue) []Step {
	frozen := func(s *Snapshot, at time.Time) Step {
		if item, ok := s.Items[i.ID]; ok {
			return Step{at, item.state(sc.sprint.ID)}
		}
		return Step{At: at}
	}
	var list []Step
	if sc.sprint.AtStart != nil {
		list = append(list, frozen(sc.sprint.AtStart, sc.start))
	}
	first, _ := i.At(sc.start)
	list = append(list, Step{sc.start, first})
	for _, s := range i.Steps {
		if s.At.After(sc.start) && (s.At.Before(sc.end) || !sc.over) {
			list = append(list, s)
		}
	}
	if sc.over && sc.sprint.AtEnd != nil {
		list = append(list, frozen(sc.sprint.AtEnd, sc.end))
	}
	return list
}

// partOf is what an issue is to the sprint in a state, after what it was before.
func (in *input) partOf(sc *scope, before part, s State) part {
	p := part{member: s.Sprint == sc.sprint.ID && KindOf(s.Type) == Work, cancelled: s.Category == tracker.Cancelled,
		done: s.Category == tracker.Done, estimated: s.Estimated, size: in.size(s)}
	p.outside = p.member && p.done && (!before.member || before.outside)
	return p
}

// note records what changed between a part before and the last one.
func (sc *scope) note(index int, at time.Time, before part, l *life) {
	was, wasDone := before.sums()
	is, isDone := l.last.sums()
	change := scopeChange{at: at, life: index, scope: is - was, done: isDone - wasDone}
	switch {
	case !before.in() && l.last.in():
		change.kind, l.left = scopeAdded, ""
	case before.in() && !l.last.in():
		change.kind = scopeRemoved
		if l.last.member {
			change.kind = scopeCancelled
		}
		l.left = change.kind
	case !l.last.in():
		return
	case !before.done && l.last.done:
		change.kind = scopeCompleted
	case before.done && !l.last.done:
		change.kind = scopeReopened
	case change.scope != 0:
		change.kind = scopeEstimated
	default:
		return
	}
	sc.changes = append(sc.changes, change)
}

// sums of the whole sprint at the end.
type sums struct {
	committed, added, removed, scope, completed, kept float64 // kept: what was committed and is completed
	unestimated, issues                               int
}

func (sc *scope) sums() sums {
	var s sums
	for _, l := range sc.lives {
		s.committed += l.committed
		scope, done := l.last.sums()
		s.scope, s.completed = s.scope+scope, s.completed+done
		if l.promised && l.last.in() && l.last.done {
			s.kept += l.committed
		}
		if l.last.in() {
			s.issues++
			if !l.last.estimated {
				s.unestimated++
			}
		}
	}
	for _, c := range sc.changes {
		if c.scope > 0 {
			s.added += c.scope
		} else {
			s.removed -= c.scope
		}
	}
	return s
}

// completion is what of the committed work was completed; NaN of nothing.
func (s sums) completion() float64 { return s.kept / s.committed }

// at are the sums at a moment.
func (sc *scope) at(t time.Time) (scope, done float64) {
	for _, l := range sc.lives {
		scope += l.committed
	}
	for _, c := range sc.changes {
		if c.at.After(t) {
			break
		}
		scope, done = scope+c.scope, done+c.done
	}
	return scope, done
}
