package mcpserver

import (
	"context"
	"strings"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

func readMe(_ context.Context, c *Call, _ variables) (any, error) { return c.me(), nil }

func readProjects(ctx context.Context, c *Call, _ variables) (any, error) {
	return listProjectsHandler(ctx, c, listProjectsIn{Limit: 100})
}

func readProject(ctx context.Context, c *Call, vars variables) (any, error) {
	return c.projectView(ctx, vars["project"], []string{"stats"})
}

func readWorkflow(ctx context.Context, c *Call, vars variables) (any, error) {
	view, err := c.projectView(ctx, vars["project"], []string{"workflow", "issue_types"})
	return struct {
		Project    string       `json:"project"`
		Workflow   []statusView `json:"workflow"`
		IssueTypes []string     `json:"issue_types"`
	}{view.Key, view.Workflow, view.IssueTypes}, err
}

func readProjectIssues(ctx context.Context, c *Call, vars variables) (any, error) {
	in := searchIssuesIn{issueFilter: issueFilter{Project: []string{vars["project"]}, Assignee: vars["assignee"], Sprint: vars["sprint"]},
		Limit: 50, Cursor: vars["cursor"]}
	if vars["status"] != "" {
		in.Status = []string{vars["status"]}
	}
	return searchIssuesHandler(ctx, c, in)
}

type currentSprint struct {
	Sprint sprintView `json:"sprint"`
	Issues []issueRow `json:"issues"`
	Total  int        `json:"total"`
}

func readCurrentSprint(ctx context.Context, c *Call, vars variables) (any, error) {
	c.Tx.Pin()
	p, err := c.projectByKey(ctx, vars["project"])
	if err != nil {
		return nil, err
	}
	s, err := c.sprint(ctx, p, "current")
	if err != nil {
		return nil, err
	}
	out := currentSprint{Sprint: viewSprint(s), Issues: []issueRow{}}
	if !c.May(tenancy.IssuesSearch) {
		return out, nil
	}
	var rows []tracker.Issue
	page := store.Page{Sort: tracker.SortKey, Limit: 100}
	if err := c.do(ctx, store.SearchIssues(tracker.Filter{SprintID: s.ID}, page, &rows, &out.Total)); err != nil {
		return nil, err
	}
	for _, i := range rows {
		out.Issues = append(out.Issues, c.issueRow(i, []string{"title", "status", "assignee", "points"}))
	}
	return out, nil
}

// reportType is the type of a report, in whatever case it is written.
func reportType(vars variables) string { return strings.ToLower(vars["type"]) }

func isReport(vars variables) bool {
	_, known := report.Find(report.Type(reportType(vars)))
	return known
}

// readReport has all the detail that fits.
func readReport(ctx context.Context, c *Call, vars variables) (any, error) {
	r, err := c.report(ctx, ReportArguments{Type: reportType(vars), Project: []string{vars["project"]}, Sprint: vars["sprint"]})
	return reportOut{Report: r}, err
}

func readIssue(ctx context.Context, c *Call, vars variables) (any, error) {
	include := []string{"relations", "children"}
	if c.May(tenancy.CommentsRead) {
		include = append(include, "comments")
	}
	return c.oneIssue(ctx, vars["key"], include)
}

func readIssueHistory(ctx context.Context, c *Call, vars variables) (any, error) {
	view, err := c.oneIssue(ctx, vars["key"], []string{"history", "time_in_status"})
	return struct {
		Key          string             `json:"key"`
		Title        string             `json:"title"`
		History      []eventView        `json:"history"`
		TimeInStatus map[string]float64 `json:"time_in_status_hours"`
	}{view.Key, view.Title, view.History, view.TimeInStatus}, err
}

// resourceComments bounds the text of an issue's comments in a resource, in bytes.
const resourceComments = 2 << 20

func (c *Call) oneIssue(ctx context.Context, text string, include []string) (issueView, error) {
	key, err := tracker.ParseIssueKey(text)
	if err != nil {
		return issueView{}, err
	}
	views, missing, err := c.issueViews(ctx, []tracker.IssueKey{key}, include, resourceComments)
	if err != nil {
		return issueView{}, err
	}
	if len(views) == 0 {
		return issueView{}, noIssues(missing)
	}
	return views[0], nil
}

const searchReference = `# Search

search_issues finds issues by text and filters; all filters must hold.

- query: words in title or description (English stemming). "exact phrase", -without, this or that.
- project: one or more keys. Left out: every project this token sees.
- status: names from the project's workflow. category: todo, in_progress, done, cancelled.
- Without status, category or completed, only open issues (todo, in_progress) are found.
- assignee, reporter: e-mail, handle, display name, me, or none.
- labels, type, priority: any of the given.
- sprint: current, next, none, or a name. parent: an issue key.
- created, updated, due, completed: {"after": ..., "before": ...}; after is inclusive, before exclusive.
- blocked: true for issues with an open blocker. overdue: true for open issues past their due date.
- sort: updated, created (newest first), priority (urgent first), due (soonest first), key, relevance (needs query).
- group_by: counts and points per value instead of issues. count_only: just the exact total.
- fields: columns to return; fewer columns, more rows per page. Follow next_cursor for the next page.
`

func readSearchReference(context.Context, *Call, variables) (any, error) { return searchReference, nil }
