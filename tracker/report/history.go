package report

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tracker"
)

// State is what reports look at of an issue at a moment.
type State struct {
	Status    string
	Category  tracker.Category
	Type      string
	Assignee  string // label of the member; "" for nobody
	Sprint    uuid.UUID
	Points    float64
	Estimated bool // false: no points were given, and Points is 0
}

// Step is the state of an issue from a time on.
type Step struct {
	At time.Time
	State
}

// Issue is an issue and what became of it over time.
type Issue struct {
	ID      uuid.UUID
	Key     tracker.IssueKey
	Title   string
	DueDate *time.Time // a day, at midnight UTC
	Blocked bool       // by an open issue, now
	Steps   []Step     // by time; the first is its creation
}

// Created is when the issue was created.
func (i *Issue) Created() time.Time { return i.Steps[0].At }

// At is the state after all that happened up to t, t included; ok is false
// before the issue was created.
func (i *Issue) At(t time.Time) (s State, ok bool) {
	n := sort.Search(len(i.Steps), func(n int) bool { return i.Steps[n].At.After(t) })
	return i.before(n)
}

// Before is At without what happened at t itself.
func (i *Issue) Before(t time.Time) (s State, ok bool) {
	n := sort.Search(len(i.Steps), func(n int) bool { return !i.Steps[n].At.Before(t) })
	return i.before(n)
}

func (i *Issue) before(n int) (State, bool) {
	if n == 0 {
		return State{}, false
	}
	return i.Steps[n-1].State, true
}

// Started is the first time in progress up to t; ok is false if there is none.
func (i *Issue) Started(t time.Time) (at time.Time, ok bool) {
	for _, s := range i.Steps {
		if s.At.After(t) {
			break
		}
		if s.Category == tracker.InProgress {
			return s.At, true
		}
	}
	return time.Time{}, false
}

// Finished is when the issue came into the category that it has at t, if that is
// done or cancelled: what was reopened is not finished, and work that was done
// twice was finished the second time.
func (i *Issue) Finished(t time.Time) (at time.Time, as tracker.Category) {
	for _, s := range i.Steps {
		if s.At.After(t) {
			break
		}
		if s.Category != as {
			at, as = s.At, s.Category
		}
	}
	if !as.Closed() {
		return time.Time{}, as
	}
	return at, as
}

// until cuts off what happened after t, or the whole issue if it was created later.
func (i Issue) until(t time.Time) (Issue, bool) {
	if last := len(i.Steps) - 1; !i.Steps[last].At.After(t) {
		return i, true
	}
	n := sort.Search(len(i.Steps), func(n int) bool { return i.Steps[n].At.After(t) })
	i.Steps = i.Steps[:n:n]
	return i, n > 0
}

// Kind tells what counts as work from what is only a part or a heading of it.
type Kind int

// The kinds. A subtask is part of its parent's work, an epic is the sum of its
// children's: counting them too would count work twice.
const (
	Work Kind = iota
	Subtask
	Epic
)

// KindOf returns the kind of an issue type.
func KindOf(issueType string) Kind {
	switch {
	case strings.EqualFold(issueType, "subtask") || strings.EqualFold(issueType, "sub-task"):
		return Subtask
	case strings.EqualFold(issueType, "epic"):
		return Epic
	default:
		return Work
	}
}

// kind is the kind that the issue has in the end.
func (i *Issue) kind() Kind { return KindOf(i.Steps[len(i.Steps)-1].Type) }

// inOrder lists the indices of issues by project and number.
func inOrder(issues []Issue) []int {
	order := make([]int, len(issues))
	for n := range order {
		order[n] = n
	}
	slices.SortFunc(order, func(a, b int) int {
		one, other := &issues[a].Key, &issues[b].Key
		return cmp.Or(strings.Compare(one.Project, other.Project), one.Number-other.Number)
	})
	return order
}
