package tracker

import (
	"maps"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// Template is a ready workflow and list of issue types for a new project.
type Template struct {
	Name       string
	Workflow   Workflow
	IssueTypes []string
}

// TemplateNames lists the templates; the first is the default.
func TemplateNames() []string {
	names := slices.Sorted(maps.Keys(templates()))
	slices.Reverse(names) // scrum, kanban, basic
	return names
}

// FindTemplate returns a template by name; "" means the default, scrum.
func FindTemplate(name string) (Template, error) {
	if name == "" {
		name = "scrum"
	}
	t, ok := templates()[strings.ToLower(name)]
	if !ok {
		return Template{}, tenancy.Errorf(tenancy.InvalidValue, "Template %q is not known.", name).
			WithNext("Use one of " + strings.Join(TemplateNames(), ", ") + ".")
	}
	return t, nil
}

func templates() map[string]Template {
	types := []string{"Task", "Bug", "Story", "Epic", "Subtask"}
	return map[string]Template{
		"scrum": {Name: "scrum", IssueTypes: types, Workflow: Workflow{Statuses: []Status{
			{"Backlog", Todo, []string{"To Do", "In Progress", "Cancelled"}},
			{"To Do", Todo, []string{"Backlog", "In Progress", "Cancelled"}},
			{"In Progress", InProgress, []string{"To Do", "In Review", "Done", "Cancelled"}},
			{"In Review", InProgress, []string{"In Progress", "Done", "Cancelled"}},
			{"Done", Done, []string{"To Do", "In Progress"}},
			{"Cancelled", Cancelled, []string{"Backlog", "To Do"}},
		}}},
		"kanban": {Name: "kanban", IssueTypes: types, Workflow: Workflow{Statuses: []Status{
			{"Backlog", Todo, []string{"Ready", "In Progress", "Cancelled"}},
			{"Ready", Todo, []string{"Backlog", "In Progress", "Cancelled"}},
			{"In Progress", InProgress, []string{"Ready", "Testing", "Done", "Cancelled"}},
			{"Testing", InProgress, []string{"In Progress", "Done", "Cancelled"}},
			{"Done", Done, []string{"Ready", "In Progress"}},
			{"Cancelled", Cancelled, []string{"Backlog", "Ready"}},
		}}},
		"basic": {Name: "basic", IssueTypes: []string{"Task", "Bug", "Subtask"}, Workflow: Workflow{Statuses: []Status{
			{Name: "To Do", Category: Todo},
			{Name: "In Progress", Category: InProgress},
			{Name: "Done", Category: Done},
			{Name: "Cancelled", Category: Cancelled},
		}}},
	}
}
