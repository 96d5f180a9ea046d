package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/colaflow/colaflow/tracker"
)

// reasons tells, the weightiest first, what kept a sprint from completing what was
// committed. Each is counted from the history; none is a guess.
func (in *input) reasons(sc *scope) []string {
	found := findings{}
	half := sc.start.Add(sc.end.Sub(sc.start) / 2)
	for _, l := range sc.lives {
		switch outcome := l.outcome(); {
		case outcome == outcomeOpen:
			started, begun := l.issue.Started(sc.end)
			found.note(unfinished(sc.stateAtEnd(l.issue), begun), l.last.size)
			if begun && started.After(half) {
				found.note("begun only in the second half", l.last.size)
			}
		case l.promised && outcome == scopeRemoved:
			found.note("taken out", l.committed)
		case l.promised && outcome == scopeCancelled:
			found.note("cancelled", l.committed)
		}
	}
	for _, c := range sc.changes {
		switch {
		case c.kind == scopeAdded:
			found.note("added after the start", c.scope)
		case c.kind == scopeEstimated && c.scope > 0:
			found.note("estimated higher", c.scope)
		}
	}
	list := found.list(in.unit)
	if on := sc.sprint.StartsOn; on != nil && sc.sprint.StartedAt != nil {
		if days := in.calendar.WorkingDays(in.calendar.Day(*on), in.calendar.Start(sc.start)); days > 0 {
			list = append(list, "started "+plural(days, "working day")+" late")
		}
	}
	return list
}

func unfinished(s State, begun bool) string {
	switch {
	case !begun:
		return "never begun"
	case s.Category == tracker.Todo:
		return "begun and put back"
	default:
		return "unfinished in " + s.Status
	}
}

// finding is how many issues a reason holds for, and how large they are together.
type finding struct {
	text   string
	issues int
	size   float64
}

// findings are reasons by their text.
type findings map[string]*finding

func (f findings) note(text string, size float64) {
	if f[text] == nil {
		f[text] = &finding{text: text}
	}
	f[text].issues++
	f[text].size += size
}

// list writes the findings, the largest first.
func (f findings) list(unit Unit) []string {
	var all []finding
	for _, one := range f {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(b.issues, a.issues), cmp.Compare(a.text, b.text))
	})
	var texts []string
	for _, one := range all {
		text := plural(one.issues, "issue")
		if unit == Points {
			text += " (" + number(one.size) + ")"
		}
		texts = append(texts, fmt.Sprintf("%s %s", text, one.text))
	}
	return texts
}
