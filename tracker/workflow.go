package tracker

import (
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// Category is what a status means to reports, whatever its name.
type Category string

// The categories. Cancelled work leaves scope; done work is completed.
const (
	Todo       Category = "todo"
	InProgress Category = "in_progress"
	Done       Category = "done"
	Cancelled  Category = "cancelled"
)

// Categories lists the categories in the order in which work moves.
func Categories() []Category { return []Category{Todo, InProgress, Done, Cancelled} }

// Closed reports whether work in this category is over.
func (c Category) Closed() bool { return c == Done || c == Cancelled }

// Status is one named step of a workflow. Next lists the statuses that may
// follow it; empty means any.
type Status struct {
	Name     string   `json:"name"`
	Category Category `json:"category"`
	Next     []string `json:"next,omitempty"`
}

// Workflow is a project's statuses in order; the first is where new issues start.
type Workflow struct {
	Statuses []Status `json:"statuses"`
}

// Initial returns the status of a new issue.
func (w Workflow) Initial() Status { return w.Statuses[0] }

// Names lists the statuses in workflow order.
func (w Workflow) Names() []string {
	names := make([]string, len(w.Statuses))
	for i, s := range w.Statuses {
		names[i] = s.Name
	}
	return names
}

// Status finds a status by name, case-insensitively.
func (w Workflow) Status(name string) (Status, bool) {
	for _, s := range w.Statuses {
		if strings.EqualFold(s.Name, strings.TrimSpace(name)) {
			return s, true
		}
	}
	return Status{}, false
}

// FirstOf returns the first status of a category, if the workflow has one.
func (w Workflow) FirstOf(c Category) (Status, bool) {
	i := slices.IndexFunc(w.Statuses, func(s Status) bool { return s.Category == c })
	if i < 0 {
		return Status{}, false
	}
	return w.Statuses[i], true
}

// NextOf lists the statuses that an issue may move to from the named one.
func (w Workflow) NextOf(from string) []string {
	s, ok := w.Status(from)
	if ok && len(s.Next) > 0 {
		return s.Next
	}
	return slices.DeleteFunc(w.Names(), func(n string) bool { return strings.EqualFold(n, from) })
}

// Find returns the named status of the project, or an InvalidValue error that
// lists the workflow.
func (p *Project) FindStatus(name string) (Status, error) {
	if s, ok := p.Workflow.Status(name); ok {
		return s, nil
	}
	return Status{}, tenancy.Errorf(tenancy.InvalidValue, "Status %q is not in %s's workflow.", name, p.Key).
		WithNext("Use one of " + strings.Join(p.Workflow.Names(), ", ") + ".")
}

// Transition returns the status that an issue in from moves to, or an
// InvalidValue error that lists where it may go.
func (p *Project) Transition(from, to string) (Status, error) {
	s, ok := p.Workflow.Status(to)
	if ok && (strings.EqualFold(from, s.Name) || slices.ContainsFunc(p.Workflow.NextOf(from), func(n string) bool {
		return strings.EqualFold(n, s.Name)
	})) {
		return s, nil
	}
	problem := "is not in " + p.Key + "'s workflow."
	if ok {
		problem = "does not follow " + `"` + from + `" in ` + p.Key + "'s workflow."
	}
	return Status{}, tenancy.Errorf(tenancy.InvalidValue, "Status %q %s", to, problem).
		WithNext(`Allowed from "` + from + `": ` + strings.Join(p.Workflow.NextOf(from), ", ") + ".")
}
