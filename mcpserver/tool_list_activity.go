package mcpserver

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type listActivityIn struct {
	Project string   `json:"project" doc:"Key"`
	Issue   string   `json:"issue" doc:"Key"`
	Actor   string   `json:"actor" doc:"E-mail, name or me"`
	Since   string   `json:"since" doc:"Date or RFC 3339"`
	Kinds   []string `json:"kinds" enum:"created|commented|linked|unlinked|title|description|type|status|priority|assignee|labels|points|sprint|parent|due_date|attachment|time_spent"`
	Limit   int      `json:"limit" range:"1,100" doc:"Default 25"`
	Cursor  string   `json:"cursor"`
}

type activityRow struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	eventView
}

func listActivity() Tool {
	return define(Tool{
		Name: "list_activity", Title: "List activity", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.IssuesRead),
		Description: "What changed, newest first: field changes with before and after, comments, links; who and which agent.",
	}, listActivityHandler)
}

func listActivityHandler(ctx context.Context, c *Call, in listActivityIn) (list, error) {
	c.Tx.Pin()
	f, err := c.activityFilter(ctx, in)
	if err != nil {
		return list{}, err
	}
	bound := in
	bound.Cursor, bound.Limit = "", 0
	var after struct {
		At time.Time
		ID uuid.UUID
	}
	if resumed, err := c.resume(in.Cursor, bound, &after); err != nil {
		return list{}, err
	} else if resumed {
		f.AfterAt, f.AfterID = after.At, after.ID
	}
	var rows []store.EventRow
	var out list
	if err := c.do(ctx, store.Events(f, &rows, &out.Total)); err != nil {
		return list{}, err
	}
	views := make([]any, len(rows))
	for n, e := range rows {
		views[n] = activityRow{e.Key.String(), e.Title, c.viewEvent(e.Event)}
	}
	if kept, more := out.fill(views, limitOr(in.Limit)); more {
		after.At, after.ID = rows[kept-1].At, rows[kept-1].ID
		out.NextCursor = c.next(bound, after)
	}
	return out, nil
}

func (c *Call) activityFilter(ctx context.Context, in listActivityIn) (store.EventFilter, error) {
	f := c.visibleEvents(store.EventFilter{Limit: limitOr(in.Limit) + 1})
	if in.Project != "" {
		p, err := c.projectByKey(ctx, in.Project)
		if err != nil {
			return f, err
		}
		f.ProjectIDs = []uuid.UUID{p.ID}
		c.touch(p.Key, p.ID)
	}
	if in.Issue != "" {
		var of tracker.Filter
		if err := c.resolveParent(ctx, in.Issue, &of); err != nil {
			return f, err
		}
		f.IssueIDs = []uuid.UUID{of.ParentID}
	}
	if in.Actor != "" {
		m, err := c.member(ctx, in.Actor)
		if err != nil {
			return f, err
		}
		f.ActorID = m.ID
	}
	since, err := period{After: in.Since}.parse("since")
	if err != nil {
		return f, err
	}
	if since.After != nil {
		f.Since = *since.After
	}
	for _, kind := range in.Kinds {
		if slices.Contains([]string{"created", "commented", "linked", "unlinked"}, kind) {
			f.Kinds = append(f.Kinds, kind)
		} else {
			f.Fields = append(f.Fields, kind)
		}
	}
	return f, nil
}

// visibleEvents leaves out the events that say what the caller may not read.
func (c *Call) visibleEvents(f store.EventFilter) store.EventFilter {
	f.NoComments, f.NoAttachments = !c.May(tenancy.CommentsRead), !c.May(tenancy.AttachmentsRead)
	return f
}

// viewEvent shows an event, its long texts shortened and keys of issues that
// are out of the token's reach left out.
func (c *Call) viewEvent(e tracker.Event) eventView {
	v := eventView{At: stamp(e.At), Actor: e.Actor, Agent: e.Agent, Kind: string(e.Kind), Field: e.Field, Before: e.Before, After: e.After}
	switch {
	case e.Kind == tracker.EventLinked || e.Kind == tracker.EventUnlinked:
		key, err := tracker.ParseIssueKey(strings.Trim(string(mustJSON(e.After)), `"`))
		if err != nil || !c.Grants.CoversProject(key.Project) {
			v.After = nil
		}
	case e.Field == "description":
		v.Before, v.After = brief(e.Before), brief(e.After)
	}
	return v
}
