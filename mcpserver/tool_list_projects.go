package mcpserver

import (
	"context"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type listProjectsIn struct {
	Query  string   `json:"query" doc:"Part of key or name"`
	State  string   `json:"state" enum:"active|archived|all" doc:"Default active"`
	Fields []string `json:"fields" enum:"name|description|state|lead|template|open|total|updated|url"`
	Limit  int      `json:"limit" range:"1,100" doc:"Default 25"`
	Cursor string   `json:"cursor"`
}

func (in listProjectsIn) alsoNeeds() (set tenancy.PermissionSet) {
	if in.Query != "" {
		set = tenancy.NewPermissionSet(tenancy.ProjectsSearch)
	}
	return set
}

type projectRow struct {
	Key         string `json:"key"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	State       string `json:"state,omitempty"`
	Lead        string `json:"lead,omitempty"`
	Template    string `json:"template,omitempty"`
	Open        *int   `json:"open,omitempty"`
	Total       *int   `json:"total,omitempty"`
	Updated     string `json:"updated,omitempty"`
	URL         string `json:"url,omitempty"`
}

func listProjects() Tool {
	return define(Tool{
		Name: "list_projects", Title: "List projects", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.ProjectsRead),
		Description: "Projects this token sees, with counts of open and all issues.",
	}, listProjectsHandler)
}

func listProjectsHandler(ctx context.Context, c *Call, in listProjectsIn) (list, error) {
	if in.Query != "" && !c.May(tenancy.ProjectsSearch) {
		return list{}, forbidden(c.Principal, tenancy.ProjectsSearch, "")
	}
	f := store.ProjectFilter{Text: tracker.CleanLine(in.Query), State: tracker.ProjectState(in.State), Limit: limitOr(in.Limit) + 1}
	applied := "state " + in.State
	switch in.State {
	case "":
		f.State, applied = tracker.ProjectActive, "state active (pass state all for archived ones)"
	case "all":
		f.State = ""
	}
	bound := struct{ Query, State string }{f.Text, string(f.State)}
	if _, err := c.resume(in.Cursor, bound, &f.After); err != nil {
		return list{}, err
	}
	var rows []store.ProjectRow
	out := list{FilterApplied: applied}
	if err := c.do(ctx, store.Projects(f, &rows, &out.Total)); err != nil {
		return list{}, err
	}
	views := make([]any, len(rows))
	for n, r := range rows {
		views[n] = c.projectRow(r, in.Fields)
	}
	if kept, more := out.fill(views, limitOr(in.Limit)); more {
		out.NextCursor = c.next(bound, rows[kept-1].Key)
	}
	return out, nil
}

func (c *Call) projectRow(r store.ProjectRow, fields []string) projectRow {
	row := projectRow{Key: r.Key}
	if len(fields) == 0 {
		fields = []string{"name", "state", "lead", "open", "total", "url"}
	}
	for _, f := range fields {
		switch f {
		case "name":
			row.Name = r.Name
		case "description":
			row.Description = r.Description
		case "state":
			row.State = string(r.State)
		case "lead":
			row.Lead = r.Lead
		case "template":
			row.Template = r.Template
		case "open":
			row.Open = &r.Open
		case "total":
			row.Total = &r.Total
		case "updated":
			row.Updated = stamp(r.UpdatedAt)
		case "url":
			row.URL = c.links.project(r.Key)
		}
	}
	return row
}

// limitOr is the page size of every list.
func limitOr(n int) int {
	if n == 0 {
		return 25
	}
	return n
}
