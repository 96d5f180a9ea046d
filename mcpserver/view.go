package mcpserver

import (
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// issueRow is an issue in a list: about 45 tokens with the default fields.
type issueRow struct {
	Key       string   `json:"key"`
	Title     string   `json:"title,omitempty"`
	Status    string   `json:"status,omitempty"`
	Category  string   `json:"category,omitempty"`
	Type      string   `json:"type,omitempty"`
	Priority  string   `json:"priority,omitempty"`
	Assignee  string   `json:"assignee,omitempty"`
	Reporter  string   `json:"reporter,omitempty"`
	Labels    []string `json:"labels,omitempty"`
	Points    *float64 `json:"points,omitempty"`
	Sprint    string   `json:"sprint,omitempty"`
	Parent    string   `json:"parent,omitempty"`
	DueDate   string   `json:"due_date,omitempty"`
	Blocked   bool     `json:"blocked,omitempty"`
	Created   string   `json:"created,omitempty"`
	Updated   string   `json:"updated,omitempty"`
	Completed string   `json:"completed,omitempty"`
	Version   int      `json:"version,omitempty"`
	URL       string   `json:"url,omitempty"`
}

// issueFieldNames are the columns that fields can pick, and the default ones.
const issueFieldNames = "title|status|category|type|priority|assignee|reporter|labels|points|sprint|parent|due_date|blocked|created|updated|completed|version|url"

var defaultIssueFields = []string{"title", "status", "priority", "assignee", "due_date", "blocked", "updated", "url"}

func (c *Call) issueRow(i tracker.Issue, fields []string) issueRow {
	row := issueRow{Key: i.Key.String()}
	if len(fields) == 0 {
		fields = defaultIssueFields
	}
	for _, f := range fields {
		switch f {
		case "title":
			row.Title = i.Title
		case "status":
			row.Status = i.Status
		case "category":
			row.Category = string(i.Category)
		case "type":
			row.Type = i.Type
		case "priority":
			row.Priority = i.Priority.String()
		case "assignee":
			row.Assignee = i.Assignee
		case "reporter":
			row.Reporter = i.Reporter
		case "labels":
			row.Labels = i.Labels
		case "points":
			row.Points = i.Points
		case "sprint":
			row.Sprint = i.Sprint
		case "parent":
			row.Parent = keyText(i.Parent)
		case "due_date":
			row.DueDate = day(i.DueDate)
		case "blocked":
			row.Blocked = i.Blocked
		case "created":
			row.Created = stamp(i.CreatedAt)
		case "updated":
			row.Updated = stamp(i.UpdatedAt)
		case "completed":
			row.Completed = stampOf(i.CompletedAt)
		case "version":
			row.Version = i.Version
		case "url":
			row.URL = c.links.issue(i.Key)
		}
	}
	return row
}

// allIssueFields is what a single issue shows.
var allIssueFields = []string{"title", "status", "category", "type", "priority", "assignee", "reporter", "labels", "points", "sprint",
	"parent", "due_date", "blocked", "created", "updated", "completed", "version", "url"}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func stampOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stamp(*t)
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func keyText(k *tracker.IssueKey) string {
	if k == nil {
		return ""
	}
	return k.String()
}
