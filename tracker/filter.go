package tracker

import (
	"reflect"
	"time"

	"github.com/google/uuid"
)

// Period is a half-open span of time: After <= t < Before. Nil ends are open.
type Period struct {
	After  *time.Time
	Before *time.Time
}

// IsZero reports whether the period restricts nothing.
func (p Period) IsZero() bool { return p.After == nil && p.Before == nil }

// SprintChoice selects issues by sprint without naming one.
type SprintChoice string

// The choices. SprintNamed goes with Filter.Sprint.
const (
	SprintAny     SprintChoice = ""
	SprintCurrent SprintChoice = "current"
	SprintNext    SprintChoice = "next"
	SprintNone    SprintChoice = "none"
	SprintNamed   SprintChoice = "named"
)

// Filter selects issues, with every name resolved but labels and sprints, which
// compare case-insensitively. Empty fields do not restrict.
type Filter struct {
	Text       string
	IDs        []uuid.UUID // with Text: its matches within Projects and Categories, best first
	Projects   []string    // keys
	Keys       []IssueKey
	Statuses   []string // as the projects spell them
	Categories []Category
	Assignee   Person
	Reporter   Person
	Labels     []string // any of them
	Priorities []Priority
	Types      []string // as the projects spell them
	SprintIs   SprintChoice
	Sprint     string
	SprintID   uuid.UUID
	ParentID   uuid.UUID
	Created    Period
	Updated    Period
	Due        Period
	Completed  Period
	Blocked    *bool
	Overdue    bool
	Today      time.Time // for Overdue
}

// OnlyText reports whether a text, projects and categories are all that
// restricts: then IDs are exactly the issues that match.
func (f Filter) OnlyText() bool {
	rest := f
	rest.Text, rest.IDs, rest.Projects, rest.Categories, rest.Today = "", nil, nil, nil, time.Time{}
	return f.Text != "" && reflect.ValueOf(rest).IsZero()
}

// Person selects a member, or issues that have nobody.
type Person struct {
	ID     uuid.UUID
	Nobody bool
}

// Sort is an order of issues; ties go by id.
type Sort string

// The orders. Relevance needs a text and is then the default.
const (
	SortUpdated   Sort = "updated"
	SortCreated   Sort = "created"
	SortPriority  Sort = "priority"
	SortDue       Sort = "due"
	SortKey       Sort = "key"
	SortRelevance Sort = "relevance"
)

// SortNames lists the orders.
func SortNames() []string {
	return []string{"updated", "created", "priority", "due", "key", "relevance"}
}

// GroupFields lists what search results can be counted by.
func GroupFields() []string {
	return []string{"status", "category", "assignee", "priority", "type", "sprint", "project", "label"}
}

// Group is one row of a count by a field. Value is empty for issues without one.
type Group struct {
	Value  string  `json:"value"`
	Count  int     `json:"count"`
	Points float64 `json:"points,omitempty"`
}
