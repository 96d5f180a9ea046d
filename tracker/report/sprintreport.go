package report

import (
	"fmt"
	"slices"
)

// sprintReport says what became of every issue of a sprint:
//
//	committed         in the sprint at its start, and not done then
//	completed         in scope and done at the end
//	not completed     in scope and not done at the end
//	removed           taken out or cancelled before the end
//	completed outside done before it came into the sprint
//	completion        committed and completed / committed, by the size at the start
//
// The scope at start and end is frozen: what happens later does not change it.
// The parts are those of the sprint report of Atlassian's Jira Software.
func sprintReport() Spec {
	return Spec{
		Type: "sprint_report", Title: "Sprint report", Units: []Unit{Points, Count}, Sprint: NeedsSprint, Frozen: true, Past: true,
		Definition: "Committed: in the sprint at its start and not done then. Added and removed: changes of scope since, new estimates included. " +
			"Completed: in the sprint and done at its end. Completion: share of the committed work that was completed. " +
			"Completed outside: done before it came in. Cancelled work is removed; subtasks do not count.",
		compute: reportSprint,
	}
}

// The outcomes of an issue.
const (
	outcomeCompleted = "completed"
	outcomeOpen      = "not completed"
	outcomeOutside   = "completed outside"
)

func reportSprint(in *input, r *Report) error {
	sc, err := in.scopeOf(in.sprint, r)
	if err != nil {
		return err
	}
	s := sc.sums()
	r.Table = &Table{Columns: []string{"key", "title", "outcome", "committed", "size", "assignee", "status"}}
	counts := map[string]int{}
	var open []string
	for _, l := range sc.lives {
		outcome := l.outcome()
		counts[outcome]++
		now := sc.stateAtEnd(l.issue)
		if outcome == outcomeOpen {
			open = append(open, l.issue.Key.String())
		}
		r.Table.Rows = append(r.Table.Rows, []any{l.issue.Key.String(), l.issue.Title, outcome, promise(l), l.size, now.Assignee, now.Status})
	}
	order := []string{outcomeOpen, outcomeCompleted, scopeRemoved, scopeCancelled, outcomeOutside}
	slices.SortStableFunc(r.Table.Rows, func(a, b []any) int {
		return slices.Index(order, a[2].(string)) - slices.Index(order, b[2].(string))
	})
	r.add("state", string(in.sprint.State))
	r.add("committed", s.committed)
	r.add("added", s.added)
	r.add("removed", s.removed)
	r.add("completed", s.completed)
	r.add("not_completed", s.scope-s.completed)
	r.add("completion", s.completion())
	r.add("issues", map[string]int{"completed": counts[outcomeCompleted], "not_completed": counts[outcomeOpen],
		"removed": counts[scopeRemoved] + counts[scopeCancelled], "completed_outside": counts[outcomeOutside]})
	if reasons := in.reasons(sc); len(reasons) > 0 {
		r.add("reasons", reasons)
	}
	if len(open) > 0 {
		r.add("open", open[:min(len(open), 12)])
	}
	r.warnUnestimated(s.unestimated, s.issues)
	r.Headline = sprintSentence(in, sc, s, counts[outcomeOpen])
	return nil
}

func promise(l life) string {
	if l.promised {
		return "committed"
	}
	return "added"
}

// outcome is what became of an issue.
func (l life) outcome() string {
	switch {
	case l.last.outside:
		return outcomeOutside
	case l.last.in() && l.last.done:
		return outcomeCompleted
	case l.last.in():
		return outcomeOpen
	case l.left != "":
		return l.left
	case l.last.cancelled:
		return scopeCancelled
	default:
		return scopeRemoved
	}
}

// stateAtEnd is an issue's state when the sprint ended, or now.
func (sc *scope) stateAtEnd(i *Issue) State {
	s, ok := i.At(sc.end)
	if sc.over {
		s, ok = i.Before(sc.end)
	}
	if !ok {
		return i.Steps[0].State
	}
	return s
}

func sprintSentence(in *input, sc *scope, s sums, open int) string {
	if s.committed == 0 {
		return fmt.Sprintf("%s: nothing was committed; %s completed.", in.sprint.Name, in.amount(s.completed))
	}
	verb := "were completed"
	if !sc.over {
		verb = "are completed so far"
	}
	text := fmt.Sprintf("%s: %s of %s committed %s (%s)", in.sprint.Name, number(s.kept), in.amount(s.committed), verb, percent(s.completion()))
	if s.added > 0 {
		text += fmt.Sprintf("; %s were added after the start", number(s.added))
	}
	if s.removed > 0 {
		text += fmt.Sprintf("; %s were removed", number(s.removed))
	}
	return fmt.Sprintf("%s; %s (%s) not completed.", text, plural(open, "issue"), number(s.scope-s.completed))
}
