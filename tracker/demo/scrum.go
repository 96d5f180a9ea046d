package demo

import (
	"fmt"
	"time"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// sprint is one time box of the simulation: planned on its first Monday,
// completed on its last Friday.
type sprint struct {
	number       int
	name         string
	start, end   time.Time
	early        []*work              // picked when the sprint before was young
	works        []*work              // in it, while it runs
	free         map[string]time.Time // when each maker can take new work
	removedSoFar int
}

// runSprints plays all sprints up to the active one, and plans the next.
func (s *simulation) runSprints() {
	var carried []*work
	next := s.newSprint(0)
	for k := 0; k <= pastSprints; k++ {
		current := next
		next = s.newSprint(k + 1)
		s.growBacklog(current)
		s.plan(current, carried)
		s.refine(current, next)
		s.addInMidSprint(current)
		s.execute(current)
		carried = s.complete(current, next)
	}
}

func (s *simulation) newSprint(k int) *sprint {
	monday := s.begin.AddDate(0, 0, 7*sprintWeeks*k)
	sp := &sprint{number: k, name: fmt.Sprintf("%s Sprint %d", s.key, k+1), start: monday.Add(10 * time.Hour),
		end: monday.AddDate(0, 0, 11).Add(16 * time.Hour), free: map[string]time.Time{}}
	last := midnight(sp.end)
	row := dataset.Sprint{Name: sp.name, Goal: s.goals[k%len(s.goals)], State: tracker.SprintPlanned, StartsOn: &monday, EndsOn: &last}
	if !sp.start.After(s.now) {
		row.State, row.StartedAt = tracker.SprintActive, &sp.start
	}
	if k < pastSprints {
		row.State, row.CompletedAt = tracker.SprintCompleted, &sp.end
	}
	s.sprints = append(s.sprints, row)
	return sp
}

// execute lets every maker work through what is planned, one after the other.
func (s *simulation) execute(sp *sprint) {
	for _, who := range s.team.makers {
		sp.free[who] = later(sp.start, s.dice.logNormal(1.5, 0.6))
		if s.dice.chance(0.15) { // away for most of a week
			sp.free[who] = later(sp.start, float64(s.dice.between(25, 40)))
		}
	}
	for _, w := range sp.works {
		who := w.Now().Assignee
		if _, known := sp.free[who]; !known {
			who = s.nextFree(sp)
		}
		begin := later(latest(sp.free[who], w.last()), s.dice.logNormal(1, 0.9))
		switch {
		case !w.open():
		case w.begun.IsZero() && begin.After(sp.start.AddDate(0, 0, 4)) && sp.removedSoFar < 2 && s.dice.chance(0.15):
			sp.removedSoFar++
			w.move(s.dice.moment(sp.start.AddDate(0, 0, s.dice.between(7, 9))), s.team.lead, "Backlog", planFor(""))
		case w.begun.IsZero() && s.dice.chance(0.03):
			w.move(later(sp.start, 20), s.team.lead, "Cancelled")
			w.say(w.last(), s.team.lead, pick(s.dice, cancelRemarks))
		case begin.Before(sp.end):
			sp.free[who] = s.make(w, who, begin, sp.end)
		}
	}
	s.split(sp)
}

func (s *simulation) nextFree(sp *sprint) string {
	best := s.team.makers[0]
	for _, who := range s.team.makers {
		if sp.free[who].Before(sp.free[best]) {
			best = who
		}
	}
	return best
}

// complete ends a sprint: what is open goes on in the next one, or back.
func (s *simulation) complete(sp, next *sprint) (carried []*work) {
	at := sp.end
	for _, w := range sp.works {
		if !w.open() || w.Now().Sprint != sp.name {
			continue
		}
		at = at.Add(time.Second)
		if w.begun.IsZero() && s.dice.chance(0.25) {
			w.move(at, s.team.lead, "Backlog", planFor(""))
			continue
		}
		w.set(at, s.team.lead, planFor(next.name))
		if !w.begun.IsZero() && s.dice.chance(0.6) {
			w.say(at, s.team.lead, pick(s.dice, carryRemarks))
		}
		carried = append(carried, w)
	}
	return carried
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
