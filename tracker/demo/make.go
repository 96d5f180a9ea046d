package demo

import (
	"slices"
	"time"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// stages are the names of a workflow's steps on the way to done.
type stages struct{ doing, checking string }

func (s *simulation) stages() stages {
	switch s.template {
	case "scrum":
		return stages{"In Progress", "In Review"}
	case "kanban":
		return stages{"In Progress", "Testing"}
	default:
		return stages{doing: "In Progress"}
	}
}

// make works on an issue from a time on, until it is done or the time is up, and
// returns when its maker can take other work. It goes on where it stopped.
func (s *simulation) make(w *work, who string, at, until time.Time) time.Time {
	step := s.stages()
	if w.begun.IsZero() {
		w.begun = at
		w.move(at, who, step.doing, assignTo(who))
		s.remark(w, at, who, 0.25, beginRemarks)
	}
	hours := s.dice.logNormal(map[float64]float64{0: 8, 1: 5, 2: 10, 3: 17, 5: 30, 8: 48}[pointsOf(w)], 0.75)
	free := later(at, hours)
	if !free.Before(until) {
		return free
	}
	ended := free
	if step.checking != "" {
		reviewer := s.other(who)
		if w.Now().Status.Name != step.checking {
			w.move(free, who, step.checking)
			s.remark(w, free, who, 0.2, offerRemarks)
			s.remark(w, free, reviewer, 0.2, reviewRemarks)
		}
		ended = later(w.last(), s.dice.logNormal(4, 0.9))
		if s.dice.chance(0.13) && ended.Before(until) {
			w.move(ended, reviewer, step.doing)
			s.remark(w, ended, reviewer, 0.8, againRemarks)
			free = later(ended, hours/3+0.5)
			if !free.Before(until) {
				return free
			}
			w.move(free, who, step.checking)
			ended = later(free, s.dice.logNormal(2, 0.7))
		}
	}
	if !ended.Before(until) {
		return free
	}
	w.move(ended, who, "Done")
	w.ended = w.last()
	s.remark(w, ended, who, 0.3, doneRemarks)
	return free
}

func (s *simulation) remark(w *work, at time.Time, by string, chance float64, remarks []string) {
	if s.dice.chance(chance) {
		w.say(later(at, s.dice.logNormal(0.4, 0.8)), by, pick(s.dice, remarks))
	}
}

// other is one of the makers who is not who.
func (s *simulation) other(who string) string {
	for {
		if other := pick(s.dice, s.team.makers); other != who {
			return other
		}
	}
}

// split gives some stories that were done within the sprint the subtasks that
// they were done in.
func (s *simulation) split(sp *sprint) {
	for _, w := range slices.Clone(sp.works) {
		if w.Now().Type != "Story" || w.ended.IsZero() || w.begun.Before(sp.start) || !s.dice.chance(0.22) {
			continue
		}
		at, who := w.begun, w.Now().Assignee
		span := w.ended.Sub(w.begun)
		for n, part := range []string{"Interface", "Server side", "Tests and notes"}[:s.dice.between(2, 3)] {
			title := part + " of: " + w.Now().Title
			at = later(at, 0.05)
			sub := s.add(at, who, w.area, w.thing, dataset.State{Title: title, Type: "Subtask", Priority: w.Now().Priority,
				Labels: w.Now().Labels, Parent: w.ExternalID, Sprint: sp.name, Assignee: who})
			sub.begun = working(w.begun.Add(time.Duration(n) * span / 4))
			sub.move(sub.begun, who, "In Progress")
			sub.move(working(w.begun.Add(time.Duration(n+1)*span/4)), who, "Done")
			sub.ended = sub.last()
		}
	}
}

// closedBy reports whether the issue was done when another began.
func (w *work) closedBy(at time.Time) bool { return !w.ended.IsZero() && !w.ended.After(at) }

// stateAt is the state at a time: the zero state before the issue was created.
func (w *work) stateAt(at time.Time) (state dataset.State) {
	for _, r := range w.Revisions {
		if r.At.After(at) {
			break
		}
		state = r.State
	}
	return state
}

func isOpen(s dataset.State) bool {
	return s.Status.Category == tracker.Todo || s.Status.Category == tracker.InProgress
}
