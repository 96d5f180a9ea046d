package tracker

import (
	"time"

	"github.com/google/uuid"
)

// EventKind says what happened to an issue.
type EventKind string

// The kinds of events. Changed carries a field with before and after.
const (
	EventCreated   EventKind = "created"
	EventChanged   EventKind = "changed"
	EventCommented EventKind = "commented"
	EventLinked    EventKind = "linked"
	EventUnlinked  EventKind = "unlinked"
)

// StatusValue is the before and after of a status event: reports need the
// category even after a workflow has changed.
type StatusValue struct {
	Name     string   `json:"name"`
	Category Category `json:"category"`
}

// Event is one change of one field of one issue. Events are append-only;
// history, activity and reports are computed from them alone. All events of one
// write share ChangeID.
type Event struct {
	ID       uuid.UUID `json:"id"`
	IssueID  uuid.UUID `json:"-"`
	ChangeID uuid.UUID `json:"change_id"`
	Kind     EventKind `json:"kind"`
	Field    string    `json:"field,omitempty"`
	Before   any       `json:"before,omitempty"`
	After    any       `json:"after,omitempty"`
	Actor    string    `json:"actor,omitempty"` // label of the member
	Agent    string    `json:"agent,omitempty"` // name of the token
	At       time.Time `json:"at"`
}

// OfVersion reports whether a change made a new version of its issue. Work and files
// stand beside an issue: nobody overwrites them by changing it.
func (e Event) OfVersion() bool {
	return e.Kind == EventChanged && e.Field != FieldTimeSpent && e.Field != FieldAttachment
}

// Created is the event of a new issue. After holds what reports need of its
// first state; later states come from the changes.
func Created(i Issue) Event {
	after := map[string]any{"title": i.Title, "type": i.Type, "status": StatusValue{i.Status, i.Category}, "priority": i.Priority.String()}
	if i.Points != nil {
		after["points"] = *i.Points
	}
	if i.Assignee != "" {
		after["assignee"] = i.Assignee
	}
	if s := sprintValue(i); s != nil {
		after["sprint"] = s
	}
	if i.Parent != nil {
		after["parent"] = i.Parent.String()
	}
	if len(i.Labels) > 0 {
		after["labels"] = i.Labels
	}
	if i.DueDate != nil {
		after["due_date"] = dayValue(i.DueDate)
	}
	return Event{IssueID: i.ID, Kind: EventCreated, After: after}
}
