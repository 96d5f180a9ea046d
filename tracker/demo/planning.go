package demo

import (
	"slices"
	"time"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// focus is the area that a sprint is mostly about.
func (s *simulation) focus(k int) int {
	focus := min(k*len(s.areas)/(pastSprints+1), len(s.areas)-1)
	switch s.dice.weighted(60, 20, 20) {
	case 1:
		return min(focus+1, len(s.areas)-1)
	case 2:
		return s.dice.IntN(focus + 1)
	}
	return focus
}

// growBacklog writes the issues that come in before a sprint.
func (s *simulation) growBacklog(sp *sprint) {
	for range s.dice.between(int(s.arrivals*sprintWeeks)-2, int(s.arrivals*sprintWeeks)+2) {
		at := s.dice.moment(sp.start.AddDate(0, 0, -s.dice.between(1, 14)))
		kind := []string{"Story", "Task", "Bug"}[s.dice.weighted(50, 24, 26)]
		w := s.propose(at, s.focus(sp.number), kind)
		if s.dice.chance(0.93) {
			points := s.points(kind)
			w.set(later(at, s.dice.logNormal(4, 0.7)), s.team.lead, func(st *dataset.State) { st.Points = &points })
		}
	}
	for _, w := range s.backlog(sp.start) {
		if age := sp.start.Sub(w.CreatedAt()); age > 60*24*time.Hour && s.dice.chance(0.25) {
			at := s.dice.moment(sp.start.AddDate(0, 0, -s.dice.between(3, 5)))
			w.move(at, s.team.lead, "Cancelled")
			w.say(at, s.team.lead, pick(s.dice, cancelRemarks))
		}
	}
}

func (s *simulation) points(kind string) float64 {
	if kind == "Story" {
		return []float64{1, 2, 3, 5, 8}[s.dice.weighted(8, 24, 34, 26, 8)]
	}
	return []float64{1, 2, 3, 5}[s.dice.weighted(32, 36, 24, 8)]
}

// backlog is what could be planned at a time, most urgent first.
func (s *simulation) backlog(at time.Time) []*work {
	var free []*work
	for _, w := range s.works {
		now := w.Now()
		if now.Type != "Epic" && now.Type != "Subtask" && now.Sprint == "" && w.open() && w.last().Before(at) {
			free = append(free, w)
		}
	}
	slices.SortStableFunc(free, func(a, b *work) int { return int(a.Now().Priority) - int(b.Now().Priority) })
	return free
}

// plan fills a sprint on its first morning up to what the team can carry.
func (s *simulation) plan(sp *sprint, carried []*work) {
	sp.works = append(sp.works, carried...)
	sp.works = append(sp.works, sp.early...)
	capacity := 34 + 5*s.dice.NormFloat64()
	for _, w := range sp.works {
		capacity -= pointsOf(w)
	}
	at := sp.start.Add(-time.Hour)
	for _, w := range s.backlog(at) {
		if capacity <= 0 {
			break
		}
		if s.dice.chance(0.25) { // not everything urgent is ready
			continue
		}
		at = at.Add(time.Duration(s.dice.between(60, 170)) * time.Second)
		capacity -= pointsOf(w)
		w.move(at, s.team.lead, "To Do", planFor(sp.name))
		sp.works = append(sp.works, w)
	}
}

func pointsOf(w *work) float64 {
	if p := w.Now().Points; p != nil {
		return *p
	}
	return 2
}

// refine puts a few issues into the next sprint while this one is young.
func (s *simulation) refine(sp, next *sprint) {
	at, most := s.dice.moment(sp.start.AddDate(0, 0, s.dice.between(1, 2))), s.dice.between(4, 5)
	for _, w := range s.backlog(at) {
		if len(next.early) == most {
			return
		}
		if s.dice.chance(0.5) {
			at = later(at, 0.05)
			w.move(at, s.team.lead, "To Do", planFor(next.name))
			next.early = append(next.early, w)
		}
	}
}

// addInMidSprint is scope change: urgent work comes in, other work is taken out.
func (s *simulation) addInMidSprint(sp *sprint) {
	for range s.dice.between(1, 3) {
		at := s.dice.moment(sp.start.AddDate(0, 0, s.dice.between(1, 7)))
		w := s.propose(at, s.focus(sp.number), "Bug")
		points := s.points("Bug")
		w.move(later(at, 0.5), s.team.lead, "To Do", planFor(sp.name), func(st *dataset.State) {
			st.Points, st.Priority = &points, min(st.Priority, tracker.High)
		})
		sp.works = append(sp.works, w)
	}
}
