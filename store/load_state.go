package store

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// apply returns the issue in the state of a revision, with every name resolved.
func (l *loader) apply(from *dataset.Issue, row tracker.Issue, r dataset.Revision) tracker.Issue {
	row.Title, row.Description, row.Priority = r.Title, r.Body, r.Priority
	row.Type = l.issueType(from, r.Type)
	assignee := l.members[r.Assignee]
	row.AssigneeID, row.Assignee = assignee.ID, ""
	if r.Assignee != "" {
		row.Assignee = assignee.Label()
	}
	row.Labels = l.labels(r.Labels)
	row.Points, row.DueDate = r.Points, r.DueDate
	row.SprintID, row.Sprint = l.sprints[r.Sprint], r.Sprint
	row.ParentID, row.Parent = uuid.Nil, nil
	if parent := l.issues[r.Parent]; parent != nil {
		row.ParentID, row.Parent = parent.id, &tracker.IssueKey{Project: l.project.Key, Number: parent.number}
	}
	return row.Moved(l.status(from, r.Status), r.At)
}

// status is the project's status of this name, else its first of this category.
func (l *loader) status(from *dataset.Issue, s tracker.StatusValue) tracker.Status {
	if known, ok := l.project.Workflow.Status(s.Name); ok {
		return known
	}
	known, ok := l.project.Workflow.FirstOf(s.Category)
	if !ok && s.Category == tracker.Cancelled {
		known, ok = l.project.Workflow.FirstOf(tracker.Done)
	}
	if !ok {
		known = l.project.Workflow.Initial()
	}
	l.report.Notes.Add(from.Place, `Status "`+s.Name+`" is not in the project's workflow and became "`+known.Name+`".`)
	return known
}

func (l *loader) issueType(from *dataset.Issue, name string) string {
	known, err := l.project.IssueType(name)
	if err != nil && len(l.project.IssueTypes) > 0 {
		known = l.project.IssueTypes[0]
		l.report.Notes.Add(from.Place, `Type "`+name+`" is not known in the project and became "`+known+`".`)
	}
	return known
}

// labels spells labels as the project, or else the dataset, first spelled them.
func (l *loader) labels(names []string) []string {
	labels := make([]string, len(names))
	for n, name := range names {
		lower := strings.ToLower(name)
		if _, known := l.spelling[lower]; !known {
			l.spelling[lower] = name
		}
		labels[n] = l.spelling[lower]
	}
	slices.Sort(labels)
	return labels
}

func (l *loader) author(handle string, at time.Time) Author {
	return Author{MemberID: l.members[handle].ID, ChangeID: tenancy.NewID(), At: at}
}
