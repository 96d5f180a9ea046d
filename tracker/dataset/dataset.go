// Package dataset is the neutral form of one project's data on its way into
// ColaFlow: importers read files into it, the demo generates it, and
// store.LoadDataset writes it. Types and validation only; it performs no I/O.
package dataset

import (
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Dataset is one project with its people, sprints, issues and their history.
type Dataset struct {
	// Source names the system outside, such as github:owner/repo. External ids
	// are unique within it, so loading the same source twice adds nothing.
	Source  string
	Project Project
	People  []Person
	Sprints []Sprint
	Issues  []Issue
	Links   []Link
	Notes   Notes

	byHandle map[string]int // index into People
}

// Project is where the issues go. Only Key matters where the project exists
// already; the rest describes the project to create.
type Project struct {
	Key         string
	Name        string
	Description string
	Template    string            // "" means basic
	Workflow    *tracker.Workflow // nil means the template's
	IssueTypes  []string          // nil means the template's
	Lead        string            // handle
	Timezone    string            // "" means UTC
	CreatedAt   time.Time         // zero means when the first issue was created
}

// Person is somebody whom issues, comments or changes name by handle. Without a
// role and state they become a member who cannot sign in until invited.
type Person struct {
	Handle string
	Email  string
	Name   string
	Role   tenancy.Role
	State  tenancy.MemberState
}

// Sprint is a time box. Issues name it by its name.
type Sprint struct {
	Name        string
	Goal        string
	State       tracker.SprintState // "" means planned
	StartsOn    *time.Time
	EndsOn      *time.Time
	StartedAt   *time.Time
	CompletedAt *time.Time
}

// Issue is a piece of work as a series of states: as it was created, and after
// every change since. What it is now is the last of them.
type Issue struct {
	Place      string // where in the file it stands, for messages
	ExternalID string // unique in the source; parents and links name it
	Number     int    // in the source; 0 if it has none
	Reporter   string // handle; "" if unknown
	UpdatedAt  time.Time
	Revisions  []Revision
	Comments   []Comment
}

// Revision is the state of an issue from a time on, and who made it so.
type Revision struct {
	At time.Time
	By string // handle; "" if unknown
	State
}

// State is everything about an issue that may change.
type State struct {
	Title    string
	Body     string
	Type     string
	Status   tracker.StatusValue
	Priority tracker.Priority // 0 means medium
	Assignee string           // handle
	Labels   []string
	Points   *float64
	Sprint   string // name
	Parent   string // external id
	DueDate  *time.Time
}

// Comment is a remark on an issue. Without an id it gets one of author and time.
type Comment struct {
	ExternalID string
	Author     string // handle; "" if unknown
	Body       string
	At         time.Time
}

// Link is a relation between two issues, named by external id.
type Link struct {
	From     string
	Relation tracker.Relation // blocks, relates_to or duplicates
	To       string
	By       string
	At       time.Time // zero means when the younger issue was created
}

// CreatedAt is the time of the first revision.
func (i *Issue) CreatedAt() time.Time { return i.Revisions[0].At }

// Now is the state after the last revision.
func (i *Issue) Now() State { return i.Revisions[len(i.Revisions)-1].State }

// Revise appends a revision that differs from the last by what change does.
func (i *Issue) Revise(at time.Time, by string, change func(*State)) {
	next := Revision{At: at, By: by, State: i.Now()}
	change(&next.State)
	i.Revisions = append(i.Revisions, next)
}
