package demo

import (
	"fmt"
	"time"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// simulation is a project in the making. It runs past now; what would happen
// later is cut off at the end, so that the present is as unfinished as a real one.
type simulation struct {
	project
	now, begin, active time.Time
	workflow           tracker.Workflow
	dice               dice
	used               map[string]bool // titles
	works              []*work
	epics              []*work // by area; nil until its first issue
	sprints            []dataset.Sprint
	links              []related
}

// work is an issue whose life is being made up.
type work struct {
	dataset.Issue
	s     *simulation
	area  int
	thing thing
	ready time.Time // to be pulled, in a project without sprints
	begun time.Time // of the work on it
	ended time.Time
}

// add creates an issue and its first state. Later states come from set and move.
func (s *simulation) add(at time.Time, by string, area int, t thing, state dataset.State) *work {
	initial := s.workflow.Initial()
	state.Status = tracker.StatusValue{Name: initial.Name, Category: initial.Category}
	w := &work{s: s, area: area, thing: t, Issue: dataset.Issue{ExternalID: fmt.Sprintf("%s-%04d", s.key, len(s.works)+1), Reporter: by,
		Revisions: []dataset.Revision{{At: at, By: by, State: state}}}}
	s.works = append(s.works, w)
	return w
}

// set changes an issue. A time that is not after its last change becomes a few
// minutes after that.
func (w *work) set(at time.Time, by string, change func(*dataset.State)) {
	if last := w.Revisions[len(w.Revisions)-1].At; !at.After(last) {
		at = later(last, float64(w.s.dice.between(2, 9))/60)
	}
	w.Revise(at, by, change)
}

// move brings an issue into another status.
func (w *work) move(at time.Time, by, status string, more ...func(*dataset.State)) {
	to, ok := w.s.workflow.Status(status)
	if !ok {
		panic("demo: no status " + status)
	}
	w.set(at, by, func(s *dataset.State) {
		s.Status = tracker.StatusValue{Name: to.Name, Category: to.Category}
		for _, change := range more {
			change(s)
		}
	})
}

func assignTo(who string) func(*dataset.State) { return func(s *dataset.State) { s.Assignee = who } }
func planFor(sprint string) func(*dataset.State) {
	return func(s *dataset.State) { s.Sprint = sprint }
}

// open reports whether the work is not over, as far as it is simulated.
func (w *work) open() bool { return !w.Now().Status.Category.Closed() }

// say adds a comment.
func (w *work) say(at time.Time, by, text string) {
	w.Comments = append(w.Comments, dataset.Comment{Author: by, At: working(at), Body: fill(text, w.thing)})
}

// last is when the issue last changed.
func (w *work) last() time.Time { return w.Revisions[len(w.Revisions)-1].At }
