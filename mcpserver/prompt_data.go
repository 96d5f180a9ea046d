package mcpserver

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// What prompts embed comes from the handlers of tools, so that it looks the same and
// holds to the same permissions. Without one of them a part is missing; what the
// prompt is about must be there.

func triageData(ctx context.Context, c *Call, vars variables) (promptData, error) {
	d, issue, err := c.promptIssue(ctx, vars)
	if err != nil {
		return nil, err
	}
	if c.May(tenancy.IssuesSearch) {
		similar, err := c.similarTo(ctx, issue)
		if err != nil {
			return nil, err
		}
		d = append(d, promptPart{"similar", similar})
	}
	return c.withProject(ctx, d, issue, "workflow", "issue_types", "labels", "members")
}

func planData(ctx context.Context, c *Call, vars variables) (promptData, error) {
	c.Tx.Pin()
	p, err := c.projectByKey(ctx, vars["project"])
	if err != nil {
		return nil, err
	}
	c.touch(p.Key, p.ID)
	var d promptData
	for _, name := range []string{"velocity", "workload", "project_status"} {
		if d, err = c.withReport(ctx, d, ReportArguments{Type: name, Project: []string{p.Key}}, "summary"); err != nil {
			return nil, err
		}
	}
	if c.May(tenancy.SprintsRead) {
		current, err := readCurrentSprint(ctx, c, variables{"project": p.Key})
		switch {
		case err == nil:
			d = append(d, promptPart{"current_sprint", current})
		case tenancy.CodeOf(err) != tenancy.NotFound:
			return nil, err
		}
		planned, err := listSprintsHandler(ctx, c, listSprintsIn{Project: p.Key, State: "planned", Limit: 10})
		if err != nil {
			return nil, err
		}
		d = append(d, promptPart{"planned_sprints", excerpt(planned)})
	}
	return c.withIssues(ctx, d, "backlog", searchIssuesIn{issueFilter: issueFilter{Project: []string{p.Key}, Sprint: "none"}, Limit: 60, Sort: "priority"})
}

func reviewData(ctx context.Context, c *Call, vars variables) (promptData, error) {
	project := []string{vars["project"]}
	r, err := c.report(ctx, ReportArguments{Type: "sprint_report", Project: project, Sprint: vars["sprint"]})
	if err != nil {
		return nil, err
	}
	return c.withReport(ctx, promptData{{"sprint_report", reportOut{Report: detailed(r, "table")}}}, ReportArguments{Type: "velocity", Project: project}, "table")
}

func standupData(ctx context.Context, c *Call, vars variables) (promptData, error) {
	c.Tx.Pin()
	p, err := c.projectByKey(ctx, vars["project"])
	if err != nil {
		return nil, err
	}
	since := cmp.Or(vars["since"], stamp(workingDayBefore(p, c.Now)))
	moved, err := listActivityHandler(ctx, c, listActivityIn{Project: p.Key, Since: since, Limit: 60})
	if err != nil {
		return nil, err
	}
	d := promptData{{"since", since}, {"activity", excerpt(moved)}}
	d, err = c.withIssues(ctx, d, "in_progress", searchIssuesIn{issueFilter: issueFilter{Project: []string{p.Key}, Category: []string{"in_progress"}}, Limit: 50})
	if err != nil {
		return nil, err
	}
	return c.withReport(ctx, d, ReportArguments{Type: "project_status", Project: []string{p.Key}}, "summary")
}

// workingDayBefore is the same time on the last day before on which the project worked.
func workingDayBefore(p tracker.Project, now time.Time) time.Time {
	location, err := time.LoadLocation(p.Timezone)
	if err != nil {
		location = time.UTC // as reports
	}
	day := now.In(location).AddDate(0, 0, -1)
	for !p.WorkingDays.Works(day.Weekday()) {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

func epicData(ctx context.Context, c *Call, vars variables) (promptData, error) {
	d, issue, err := c.promptIssue(ctx, vars)
	if err != nil {
		return nil, err
	}
	return c.withProject(ctx, d, issue, "issue_types", "labels", "members")
}

func bugData(ctx context.Context, c *Call, vars variables) (promptData, error) {
	project, err := c.projectView(ctx, vars["project"], []string{"issue_types", "labels"})
	if err != nil {
		return nil, err
	}
	f, name := issueFilter{Project: []string{project.Key}}, "open_issues"
	if n := slices.IndexFunc(project.IssueTypes, func(t string) bool { return strings.EqualFold(t, "bug") }); n >= 0 {
		f.Type, name = project.IssueTypes[n:n+1], "open_bugs"
	}
	return c.withIssues(ctx, promptData{{"project", project}}, name, searchIssuesIn{issueFilter: f, Limit: 40})
}

// promptIssue is the issue that a prompt is about.
func (c *Call) promptIssue(ctx context.Context, vars variables) (promptData, issueView, error) {
	read, err := readIssue(ctx, c, vars)
	if err != nil {
		return nil, issueView{}, err
	}
	issue := read.(issueView)
	return promptData{{"issue", getIssueOut{Issues: []issueView{issue}}}}, issue, nil
}

// similarTo lists up to five issues with words of the issue's title, the closest first.
func (c *Call) similarTo(ctx context.Context, issue issueView) ([]issueRow, error) {
	c.Tx.Pin()
	var ids []uuid.UUID
	var rows []tracker.Issue
	if err := c.do(ctx, store.SimilarTo(issue.Title, maxSimilar, &ids)); err != nil {
		return nil, err
	}
	if err := c.do(ctx, store.IssuesByIDs(ids, &rows)); err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(i tracker.Issue) bool { return i.Key.String() == issue.Key })
	slices.SortStableFunc(rows, func(a, b tracker.Issue) int {
		return cmp.Compare(sharedWords(b.Title, issue.Title), sharedWords(a.Title, issue.Title))
	})
	similar := []issueRow{}
	for _, row := range rows[:min(len(rows), 5)] {
		similar = append(similar, c.issueRow(row, []string{"title", "status", "type", "labels", "created"}))
	}
	return similar, nil
}

// withProject adds the issue's project.
func (c *Call) withProject(ctx context.Context, d promptData, issue issueView, include ...string) (promptData, error) {
	if !c.May(tenancy.ProjectsRead) {
		return d, nil
	}
	key, _, _ := strings.Cut(issue.Key, "-")
	view, err := c.projectView(ctx, key, include)
	return append(d, promptPart{"project", view}), err
}

// withIssues adds issues with what planning asks of them.
func (c *Call) withIssues(ctx context.Context, d promptData, name string, in searchIssuesIn) (promptData, error) {
	if !c.May(tenancy.IssuesSearch) {
		return d, nil
	}
	in.Fields = []string{"title", "status", "type", "priority", "assignee", "labels", "points", "due_date", "blocked", "updated"}
	found, err := searchIssuesHandler(ctx, c, in)
	return append(d, promptPart{name, excerpt(found.list)}), err
}

// withReport adds a report. That there is none, as without sprints, is an answer too.
func (c *Call) withReport(ctx context.Context, d promptData, in ReportArguments, detail string) (promptData, error) {
	if !c.May(tenancy.ReportsRead) {
		return d, nil
	}
	r, err := c.report(ctx, in)
	switch tenancy.CodeOf(err) {
	case tenancy.InvalidValue, tenancy.NotFound:
		return append(d, promptPart{in.Type, tenancy.Public(err, "").Error()}), nil
	}
	return append(d, promptPart{in.Type, reportOut{Report: detailed(r, detail)}}), err
}

// excerpt is the first page of a list. Its cursor is of no use in a prompt, which does
// not say what was asked.
type excerpt list

// MarshalJSON writes the list without its cursor.
func (e excerpt) MarshalJSON() ([]byte, error) {
	e.NextCursor = ""
	if e.Truncated = e.Returned < e.Total; e.Truncated {
		e.Hint = "Not all; the tools list the rest."
	}
	return json.Marshal(list(e))
}

// fit leaves out the last items.
func (e excerpt) fit(most int) any {
	for len(e.Items) > 0 && len(mustJSON(e)) > most {
		e.Items = e.Items[:len(e.Items)*3/4]
		e.Returned = len(e.Items)
	}
	return e
}
