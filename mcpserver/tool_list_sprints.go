package mcpserver

import (
	"context"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type listSprintsIn struct {
	Project string `json:"project" doc:"Key; all if left out"`
	State   string `json:"state" enum:"planned|active|completed|all" doc:"Default all"`
	Limit   int    `json:"limit" range:"1,100" doc:"Default 25"`
	Cursor  string `json:"cursor"`
}

func listSprints() Tool {
	return define(Tool{
		Name: "list_sprints", Title: "List sprints", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.SprintsRead),
		Description: "Sprints with their dates and counts: active first, then planned, then completed.",
	}, listSprintsHandler)
}

func listSprintsHandler(ctx context.Context, c *Call, in listSprintsIn) (list, error) {
	f := store.SprintFilter{State: tracker.SprintState(in.State), Limit: limitOr(in.Limit) + 1}
	if in.State == "all" {
		f.State = ""
	}
	bound := struct{ Project, State string }{projectKey(in.Project), string(f.State)}
	if _, err := c.resume(in.Cursor, bound, &f.After); err != nil {
		return list{}, err
	}
	c.Tx.Pin()
	if in.Project != "" {
		p, err := c.projectByKey(ctx, in.Project)
		if err != nil {
			return list{}, err
		}
		f.ProjectID = p.ID
		c.touch(p.Key, p.ID)
	}
	var rows []tracker.Sprint
	var out list
	if err := c.do(ctx, store.Sprints(f, &rows, &out.Total)); err != nil {
		return list{}, err
	}
	views := make([]any, len(rows))
	for n, s := range rows {
		views[n] = viewSprint(s)
	}
	if kept, more := out.fill(views, limitOr(in.Limit)); more {
		out.NextCursor = c.next(bound, rows[kept-1].ID)
	}
	return out, nil
}
