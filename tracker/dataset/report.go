package dataset

import (
	"fmt"
	"io"
)

// Report says what loading a dataset did, or would do.
type Report struct {
	Project        string `json:"project"`
	ProjectCreated bool   `json:"project_created"`
	DryRun         bool   `json:"dry_run"`
	NumbersKept    bool   `json:"numbers_kept"` // every new issue has its number of the source
	People         Count  `json:"people"`
	Sprints        Count  `json:"sprints"`
	Issues         Count  `json:"issues"`
	Comments       Count  `json:"comments"`
	Links          Count  `json:"links"`
	Open           int    `json:"open"`   // of the issues added
	Closed         int    `json:"closed"` // of the issues added
	Labels         int    `json:"labels"` // distinct ones on the issues added
	Events         int    `json:"events"`
	Notes          Notes  `json:"notes,omitempty"`
}

// Count tells what was added from what was there already.
type Count struct {
	Added   int `json:"added"`
	Present int `json:"present"`
}

// WriteTo prints the report for a person.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	verb, project := "Imported into", "existing"
	if r.DryRun {
		verb = "Would import into"
	}
	if r.ProjectCreated {
		project = "new"
	}
	text := fmt.Sprintf("%s %s project %s:\n", verb, project, r.Project)
	for _, line := range []struct {
		name string
		Count
		more string
	}{
		{"issues", r.Issues, fmt.Sprintf("%d open, %d closed, %d labels", r.Open, r.Closed, r.Labels)},
		{"comments", r.Comments, ""},
		{"people", r.People, ""},
		{"sprints", r.Sprints, ""},
		{"links", r.Links, ""},
	} {
		if line.Count == (Count{}) {
			continue
		}
		text += fmt.Sprintf("  %6d %s", line.Added, line.name)
		if line.more != "" && line.Added > 0 {
			text += " (" + line.more + ")"
		}
		if line.Present > 0 {
			text += fmt.Sprintf(", %d were there already", line.Present)
		}
		text += "\n"
	}
	for _, note := range r.Notes {
		text += "Note: " + note.String() + "\n"
	}
	n, err := io.WriteString(w, text)
	return int64(n), err
}
