package demo

import (
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// related is a link that is made when both issues are there.
type related struct {
	from, to *work
	relation tracker.Relation
	at       time.Time
	by       string
}

// blockedNow is how many issues of a project wait for others at now.
const blockedNow = 3

// link relates issues of the same area: older work blocks younger work that
// waited for it, and some bugs turn out to be known.
func (s *simulation) link() {
	for n, b := range s.works {
		if b.Now().Type == "Epic" || b.Now().Type == "Subtask" {
			continue
		}
		a := s.neighbour(n, func(*work) bool { return true })
		if a == nil {
			continue
		}
		at := later(b.CreatedAt(), s.dice.logNormal(2, 0.8))
		switch {
		case b.Now().Type == "Bug" && b.Now().Status.Name == "Cancelled" && s.dice.chance(0.6):
			s.relate(related{b, a, tracker.Duplicates, b.last(), s.team.lead})
			b.say(b.last(), s.team.lead, "That is the same cause, see the link.")
		case s.dice.chance(0.3) && (b.begun.IsZero() || a.closedBy(b.begun)) && (a.ended.IsZero() || a.ended.After(at)):
			s.relate(related{a, b, tracker.Blocks, at, b.Reporter})
		case s.dice.chance(0.08):
			s.relate(related{b, a, tracker.RelatesTo, at, b.Reporter})
		}
	}
	s.block()
}

// block makes a few issues that nobody has begun wait for open ones.
func (s *simulation) block() {
	blocked := 0
	for n := len(s.works) - 1; n >= 0 && blocked < blockedNow; n-- {
		b := s.works[n]
		state := b.stateAt(s.now)
		at := later(b.CreatedAt(), 1)
		if state.Type == "Epic" || state.Type == "Subtask" || state.Status.Category != tracker.Todo || at.After(s.now) {
			continue
		}
		if a := s.neighbour(n, func(a *work) bool { return isOpen(a.stateAt(s.now)) }); a != nil {
			s.relate(related{a, b, tracker.Blocks, at, b.Reporter})
			blocked++
		}
	}
}

// neighbour is a somewhat older issue of the same area that fits; nil if there is none.
func (s *simulation) neighbour(n int, fits func(*work) bool) *work {
	b := s.works[n]
	var found []*work
	for _, a := range s.works {
		age := b.CreatedAt().Sub(a.CreatedAt())
		if a.area == b.area && a.Now().Type != "Epic" && a.Now().Type != "Subtask" && age > time.Hour && age < 40*24*time.Hour && fits(a) {
			found = append(found, a)
		}
	}
	if found == nil {
		return nil
	}
	return pick(s.dice, found)
}

func (s *simulation) relate(r related) { s.links = append(s.links, r) }
