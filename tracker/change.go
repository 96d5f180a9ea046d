package tracker

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Moved returns the issue in another status, with its first start and last
// completion kept true. Reopened work has no completion.
func (i Issue) Moved(to Status, at time.Time) Issue {
	i.Status = to.Name
	if to.Category == i.Category {
		return i
	}
	if to.Category == InProgress && i.StartedAt == nil {
		i.StartedAt = &at
	}
	i.CompletedAt = nil
	if to.Category == Done {
		i.CompletedAt = &at
	}
	i.Category = to.Category
	return i
}

// Diff returns the events that turn before into after, in a fixed order of
// fields; empty when nothing changed. IDs, actor and time are the writer's.
func Diff(before, after Issue) []Event {
	var events []Event
	changed := func(field string, from, to any) {
		events = append(events, Event{IssueID: after.ID, Kind: EventChanged, Field: field, Before: from, After: to})
	}
	compare := func(field string, from, to string) {
		if from != to {
			changed(field, nullable(from), nullable(to))
		}
	}
	compare("title", before.Title, after.Title)
	compare("description", before.Description, after.Description)
	compare("type", before.Type, after.Type)
	if before.Status != after.Status {
		changed("status", StatusValue{before.Status, before.Category}, StatusValue{after.Status, after.Category})
	}
	compare("priority", before.Priority.String(), after.Priority.String())
	if before.AssigneeID != after.AssigneeID {
		changed("assignee", nullable(before.Assignee), nullable(after.Assignee))
	}
	if !slices.Equal(before.Labels, after.Labels) {
		changed("labels", before.Labels, after.Labels)
	}
	if !equalPtr(before.Points, after.Points) {
		changed("points", before.Points, after.Points)
	}
	if before.SprintID != after.SprintID {
		changed("sprint", sprintValue(before), sprintValue(after))
	}
	if before.ParentID != after.ParentID {
		changed("parent", keyValue(before.Parent), keyValue(after.Parent))
	}
	if !equalTime(before.DueDate, after.DueDate) {
		changed("due_date", dayValue(before.DueDate), dayValue(after.DueDate))
	}
	return events
}

// SprintValue is the before and after of a sprint event.
type SprintValue struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

func sprintValue(i Issue) any {
	if i.SprintID == uuid.Nil {
		return nil
	}
	return SprintValue{i.SprintID, i.Sprint}
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func keyValue(k *IssueKey) any {
	if k == nil {
		return nil
	}
	return k.String()
}

func dayValue(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.Format(time.DateOnly)
}

func equalPtr(a, b *float64) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func equalTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// MergeLabels returns the labels after adding and removing, in the spelling that
// known already has, sorted and unique ignoring case.
func MergeLabels(current, add, remove, known []string) []string {
	spelling := map[string]string{}
	for _, l := range known {
		spelling[strings.ToLower(l)] = l
	}
	set := map[string]string{}
	for _, l := range slices.Concat(current, add) {
		l = CleanLine(l)
		if s, ok := spelling[strings.ToLower(l)]; ok {
			l = s
		}
		if _, ok := set[strings.ToLower(l)]; !ok && l != "" {
			set[strings.ToLower(l)] = l
		}
	}
	for _, l := range remove {
		delete(set, strings.ToLower(CleanLine(l)))
	}
	return slices.Sorted(maps.Values(set))
}
