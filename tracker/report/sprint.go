package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Sprint is a sprint with its scope as it was frozen when it started and when it
// was completed. Without a frozen scope the history of the issues tells.
type Sprint struct {
	tracker.Sprint
	AtStart *Snapshot
	AtEnd   *Snapshot
}

// Snapshot is what was in a sprint at one moment. One from the database has Items
// only after Read, because most reports need few of many.
type Snapshot struct {
	At    time.Time
	Items map[uuid.UUID]Item // by issue
	Raw   []byte             // Items as JSON, until they are read
}

// Read fills Items.
func (s *Snapshot) Read() error {
	if s == nil || s.Raw == nil {
		return nil
	}
	if err := json.Unmarshal(s.Raw, &s.Items); err != nil {
		return fmt.Errorf("items of the scope frozen at %s: %w", stamp(s.At), err)
	}
	s.Raw = nil
	return nil
}

// Item is an issue in a snapshot.
type Item struct {
	Category tracker.Category `json:"category"`
	Type     string           `json:"type"`
	Points   *float64         `json:"points,omitempty"`
}

// state is the item as a state of its issue.
func (i Item) state(sprint uuid.UUID) State {
	s := State{Category: i.Category, Type: i.Type, Sprint: sprint}
	if i.Points != nil {
		s.Points, s.Estimated = *i.Points, true
	}
	return s
}

// Freeze takes the snapshot of a sprint at a moment from the history of issues:
// with what happened up to it if it is the start, without what happened in the
// very moment if it is the end, because completing moves open issues out.
func Freeze(sprint uuid.UUID, issues []Issue, at time.Time, end bool) Snapshot {
	snapshot := Snapshot{At: at.UTC(), Items: map[uuid.UUID]Item{}}
	for n := range issues {
		s, ok := issues[n].At(at)
		if end {
			s, ok = issues[n].Before(at)
		}
		if !ok || s.Sprint != sprint {
			continue
		}
		item := Item{Category: s.Category, Type: s.Type}
		if s.Estimated {
			item.Points = &s.Points
		}
		snapshot.Items[issues[n].ID] = item
	}
	return snapshot
}

// chooseSprint finds the sprint that the question names, for a report that is
// about one or may be narrowed to one.
func (in *input) chooseSprint(name string, r *Report) error {
	name = tracker.CleanLine(name)
	if in.spec.Sprint == NoSprint {
		if name == "" {
			return nil
		}
		return tenancy.Errorf(tenancy.InvalidValue, "%s is not about a sprint.", in.spec.Type).WithNext("Leave out sprint.")
	}
	s := in.findSprint(name)
	switch {
	case s == nil && name == "" && in.spec.Sprint != NeedsSprint:
		return nil
	case s == nil && len(in.sprints) == 0:
		return tenancy.Errorf(tenancy.NotFound, "%s has no sprints.", in.projects[0].Key).WithNext("save_sprint makes one; cumulative_flow and throughput need none.")
	case s == nil && name == "":
		return tenancy.Errorf(tenancy.NotFound, "%s has not started a sprint.", in.projects[0].Key).WithNext("save_sprint starts one.")
	case s == nil:
		return tenancy.Errorf(tenancy.NotFound, "%s has no sprint %q.", in.projects[0].Key, shorten(name)).
			WithNext("It has " + strings.Join(in.sprintNames(), ", ") + ".")
	}
	in.sprint, r.Sprint = s, s.Name
	return nil
}

// findSprint understands names, and current, next and last, which is the one that
// was completed last. Without a name the report's SprintUse decides.
func (in *input) findSprint(name string) *Sprint {
	var current, next, last *Sprint
	for n := range in.sprints {
		s := &in.sprints[n]
		switch s.State {
		case tracker.SprintActive:
			current = s
		case tracker.SprintPlanned:
			if next == nil || before(s.StartsOn, next.StartsOn) {
				next = s
			}
		case tracker.SprintCompleted:
			if last == nil || last.CompletedAt == nil || s.CompletedAt != nil && s.CompletedAt.After(*last.CompletedAt) {
				last = s
			}
		}
		if strings.EqualFold(s.Name, name) {
			return s
		}
	}
	switch strings.ToLower(name) {
	case "":
		switch {
		case in.spec.Sprint == AnySprint:
			return nil
		case in.spec.Sprint == NeedsSprint && current == nil:
			return last
		}
		return current
	case "current":
		return current
	case "next":
		return next
	case "last":
		return last
	}
	return nil
}

// before orders times, with none at the end.
func before(a, b *time.Time) bool { return a != nil && (b == nil || a.Before(*b)) }

// sprintNames lists the newest sprints for a hint.
func (in *input) sprintNames() []string {
	const most = 8
	var names []string
	for n := len(in.sprints) - 1; n >= 0 && len(names) < most; n-- {
		names = append(names, in.sprints[n].Name)
	}
	return names
}

func shorten(name string) string {
	const most = 60
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}
