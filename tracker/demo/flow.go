package demo

import (
	"slices"
	"time"

	"github.com/colaflow/colaflow/tracker/dataset"
)

// runFlow plays a project without sprints: work comes in, waits, and is pulled
// when somebody is free.
func (s *simulation) runFlow() {
	const weeks = sprintWeeks*(pastSprints+1) + 1
	for week := range weeks {
		monday := s.begin.AddDate(0, 0, 7*week)
		focus := min(week*len(s.areas)/weeks, len(s.areas)-1)
		for range s.dice.between(int(s.arrivals)-1, int(s.arrivals)+1) {
			area := focus
			if s.dice.chance(0.35) {
				area = s.dice.IntN(focus + 1)
			}
			s.propose(s.dice.moment(monday.AddDate(0, 0, s.dice.IntN(5))), area, pick(s.dice, s.kinds()))
		}
	}
	queue := s.triage()
	free := map[string]time.Time{}
	for _, who := range s.team.makers {
		free[who] = later(s.begin, 2)
	}
	for _, w := range queue {
		who := s.team.makers[0]
		for _, other := range s.team.makers {
			if free[other].Before(free[who]) {
				who = other
			}
		}
		begin := later(latest(free[who], w.ready), s.dice.logNormal(0.8, 0.8))
		free[who] = s.make(w, who, begin, s.now.AddDate(1, 0, 0))
	}
}

func (s *simulation) kinds() []string {
	if s.template == "basic" {
		return []string{"Task", "Task", "Bug"}
	}
	return []string{"Story", "Story", "Task", "Bug", "Bug"}
}

// triage decides what becomes of new issues and returns those to work on, in
// the order in which they are ready.
func (s *simulation) triage() []*work {
	var queue []*work
	for _, w := range s.works {
		if w.Now().Type == "Epic" {
			continue
		}
		at := later(w.CreatedAt(), s.dice.logNormal(10, 1))
		if s.template == "kanban" && s.dice.chance(0.85) {
			points := s.points(w.Now().Type)
			w.set(at, s.team.lead, func(st *dataset.State) { st.Points = &points })
		}
		switch s.dice.weighted(82, 10, 8) {
		case 1: // stays where it is
		case 2:
			at = later(at, s.dice.logNormal(40, 0.8))
			w.move(at, s.team.lead, "Cancelled")
			w.say(at, s.team.lead, pick(s.dice, cancelRemarks))
		default:
			if s.template == "kanban" {
				at = later(at, s.dice.logNormal(8, 1))
				w.move(at, s.team.lead, "Ready")
			}
			w.ready = at
			queue = append(queue, w)
		}
	}
	slices.SortStableFunc(queue, func(a, b *work) int { return a.ready.Compare(b.ready) })
	return queue
}
