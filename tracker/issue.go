package tracker

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Priority orders issues by urgency; a smaller number is more urgent.
type Priority int16

// The priorities.
const (
	Urgent Priority = iota + 1
	High
	Medium
	Low
)

var priorityNames = []string{"urgent", "high", "medium", "low"}

// PriorityNames lists the priorities from most to least urgent.
func PriorityNames() []string { return slices.Clone(priorityNames) }

// String returns the name, such as high.
func (p Priority) String() string {
	if p < Urgent || p > Low {
		return "unknown"
	}
	return priorityNames[p-1]
}

// ParsePriority reads a name, case-insensitively.
func ParsePriority(s string) (Priority, error) {
	if i := slices.Index(priorityNames, strings.ToLower(strings.TrimSpace(s))); i >= 0 {
		return Priority(i + 1), nil
	}
	return 0, tenancy.Errorf(tenancy.InvalidValue, "Priority %q is not known.", s).
		WithNext("Use urgent, high, medium or low.")
}

// IssueKey is PROJECT-number, such as ACME-12: how people and agents name an issue.
type IssueKey struct {
	Project string
	Number  int
}

var issueKeyPattern = regexp.MustCompile(`^([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,8})$`)

// ParseIssueKey reads KEY-n, case-insensitively.
func ParseIssueKey(s string) (IssueKey, error) {
	m := issueKeyPattern.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
	if m == nil {
		return IssueKey{}, tenancy.Errorf(tenancy.InvalidValue, "%q is not an issue key.", CleanLine(s)).
			WithNext("Use the project key, a hyphen and the number, such as WEB-12; search_issues finds keys.")
	}
	n, _ := strconv.Atoi(m[2]) // at most 9 digits
	return IssueKey{Project: m[1], Number: n}, nil
}

// String returns KEY-n.
func (k IssueKey) String() string { return k.Project + "-" + strconv.Itoa(k.Number) }

// Issue is one piece of work. Points, estimate and dates are nil when unset.
type Issue struct {
	ID          uuid.UUID
	ProjectID   uuid.UUID
	Key         IssueKey
	Title       string
	Description string
	Type        string
	Status      string
	Category    Category
	Priority    Priority
	AssigneeID  uuid.UUID
	ReporterID  uuid.UUID
	Assignee    string // label of the member: e-mail, else handle
	Reporter    string
	Labels      []string
	Points      *float64
	SprintID    uuid.UUID
	Sprint      string
	ParentID    uuid.UUID
	Parent      *IssueKey
	DueDate     *time.Time // a day, at midnight UTC
	Blocked     bool
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time
	StartedAt   *time.Time // first time in progress
	CompletedAt *time.Time // last time done
}

// IssueDraft is a new issue, with every name already resolved.
type IssueDraft struct {
	Title       string
	Description string
	Type        string
	Status      Status
	Priority    Priority
	AssigneeID  uuid.UUID
	ReporterID  uuid.UUID
	Labels      []string
	Points      *float64
	SprintID    uuid.UUID
	Sprint      string // name, for the event
	ParentID    uuid.UUID
	DueDate     *time.Time
}

// CheckPoints returns an InvalidValue error unless points are 0 to 1,000.
func CheckPoints(points float64) error {
	if points >= 0 && points <= 1000 {
		return nil
	}
	return tenancy.Errorf(tenancy.InvalidValue, "Points must be from 0 to 1000.")
}

// ParseDay reads a date of the form 2026-01-31.
func ParseDay(field, s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(s))
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, tenancy.Errorf(tenancy.InvalidValue, "%s %q is not a date.", field, CleanLine(s)).
			WithNext("Use the form 2026-01-31.")
	}
	return t, nil
}
