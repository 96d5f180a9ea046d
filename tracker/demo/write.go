package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// fill puts a thing's name into a text.
func fill(text string, t thing) string {
	first := []rune(t.name)
	first[0] = unicode.ToUpper(first[0])
	return strings.ReplaceAll(strings.ReplaceAll(text, "{thing}", t.name), "{Thing}", string(first))
}

// propose makes up a new issue of an area: no two have the same title.
func (s *simulation) propose(at time.Time, areaNumber int, kinds ...string) *work {
	p, t := s.idea(areaNumber, kinds)
	a := s.areas[areaNumber]
	state := dataset.State{Title: fill(p.title, t), Type: p.kind, Priority: s.priority(p.kind), Labels: []string{a.label}}
	var body strings.Builder
	fmt.Fprintf(&body, "%s %s\n\n", fill(t.about, t), fill(p.text, t))
	heading := map[string]string{"Bug": "**To see it**", "Task": "**To do**"}[p.kind]
	if heading == "" {
		heading = "**Done when**"
	}
	fmt.Fprintf(&body, "%s\n", heading)
	for n, check := range p.checks {
		mark := "-"
		if p.kind == "Bug" {
			mark = fmt.Sprintf("%d.", n+1)
		}
		fmt.Fprintf(&body, "%s %s\n", mark, fill(check, t))
	}
	state.Body = strings.TrimSpace(body.String())
	if p.kind == "Bug" && s.dice.chance(0.4) {
		state.Labels = append(state.Labels, "customer-report")
	}
	if s.dice.chance(0.25) {
		state.Labels = append(state.Labels, pick(s.dice, []string{"performance", "accessibility", "security", "quick-win"}))
	}
	slices.Sort(state.Labels)
	if s.dice.chance(0.25) {
		due := midnight(working(at.AddDate(0, 0, s.dice.between(9, 50))))
		state.DueDate = &due
	}
	epic := s.epic(areaNumber, at)
	if epic != nil && s.dice.chance(0.8) {
		state.Parent = epic.ExternalID
	}
	w := s.add(at, pick(s.dice, s.team.reporters), areaNumber, t, state)
	if s.dice.chance(0.25) {
		w.say(later(at, s.dice.logNormal(6, 0.8)), pick(s.dice, s.team.makers), pick(s.dice, append(slices.Clone(s.remarks), newRemarks...)))
	}
	return w
}

// idea draws a pattern and a thing of the area that have not met yet.
func (s *simulation) idea(areaNumber int, kinds []string) (pattern, thing) {
	for range 10_000 {
		p, t := pick(s.dice, s.patterns), pick(s.dice, s.areas[areaNumber].things)
		title := fill(p.title, t)
		if slices.Contains(kinds, p.kind) && !s.used[title] {
			s.used[title] = true
			return p, t
		}
	}
	panic("demo: " + s.key + " has run out of ideas for " + s.areas[areaNumber].label)
}

func (s *simulation) priority(kind string) tracker.Priority {
	if kind == "Bug" {
		return tracker.Priority(1 + s.dice.weighted(8, 34, 43, 15))
	}
	return tracker.Priority(1 + s.dice.weighted(2, 20, 53, 25))
}

// epic returns the epic of an area, which it creates for its first issue; nil
// where the project knows no epics.
func (s *simulation) epic(number int, at time.Time) *work {
	if s.template == "basic" {
		return nil
	}
	if s.epics == nil {
		s.epics = make([]*work, len(s.areas))
	}
	if s.epics[number] == nil {
		a := s.areas[number]
		s.epics[number] = s.add(working(at.Add(-72*time.Hour)), s.team.lead, number, thing{name: a.epic}, dataset.State{
			Title: a.epic, Body: a.goal, Type: "Epic", Priority: tracker.High, Labels: []string{a.label}, Assignee: s.team.lead})
	}
	return s.epics[number]
}

// finishEpics starts each epic with its first child and ends it with its last,
// unless children are still open at now or may still come.
func (s *simulation) finishEpics() {
	for number, e := range s.epics {
		if e == nil {
			continue
		}
		var first, last time.Time
		open := number >= len(s.areas)-2
		for _, w := range s.works {
			if w.Now().Parent != e.ExternalID || w.CreatedAt().After(s.now) {
				continue
			}
			if !w.begun.IsZero() && (first.IsZero() || w.begun.Before(first)) {
				first = w.begun
			}
			if w.last().After(last) {
				last = w.last()
			}
			open = open || w.open() || w.last().After(s.now)
		}
		if first.IsZero() {
			continue
		}
		e.move(later(first, 0.2), s.team.lead, "In Progress")
		if !open {
			e.move(later(last, 4), s.team.lead, "Done")
		}
	}
}
