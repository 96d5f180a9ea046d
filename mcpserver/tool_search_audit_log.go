package mcpserver

import (
	"context"
	"encoding/json"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type searchAuditLogIn struct {
	Since    string `json:"since,omitempty" doc:"Date or RFC 3339"`
	Until    string `json:"until,omitempty" doc:"Exclusive"`
	Tool     string `json:"tool,omitempty" doc:"Tool or method"`
	Token    string `json:"token,omitempty" doc:"Name or id"`
	Actor    string `json:"actor,omitempty" doc:"E-mail of a member, or an operator"`
	Decision string `json:"decision,omitempty" enum:"allowed|denied|failed"`
	Target   string `json:"target,omitempty" doc:"Such as WEB-12"`
	Details  bool   `json:"details,omitempty" doc:"Adds arguments, changes, client, address, request id"`
	Limit    int    `json:"limit,omitempty" range:"1,100" doc:"Default 25"`
	Cursor   string `json:"cursor,omitempty"`
}

// auditView is a row of the audit log, small unless details are asked for.
type auditView struct {
	At       string        `json:"at"`
	Actor    string        `json:"actor"`
	Token    string        `json:"token,omitempty"`
	What     string        `json:"what"`
	Target   string        `json:"target,omitempty"`
	Decision string        `json:"decision"`
	Why      string        `json:"why,omitempty"`
	Repeats  int           `json:"repeats,omitempty"`
	Details  *auditDetails `json:"details,omitempty"`
}

type auditDetails struct {
	TokenID   string          `json:"token_id,omitempty"`
	Client    string          `json:"client,omitempty"`
	ClientIP  string          `json:"client_ip,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Args      json.RawMessage `json:"arguments,omitempty"`
	Changes   json.RawMessage `json:"changes,omitempty"`
}

func searchAuditLog() Tool {
	return define(Tool{
		Name: "search_audit_log", Title: "Search the audit log", ReadOnly: true, Idempotent: true, Toolset: ToolsetAdmin,
		Permission:  needs(tenancy.AuditRead),
		Description: "Who did what, when, by which agent, and whether it was allowed; newest first. total is exact up to 10,000; beyond, total_is_minimum.",
	}, searchAuditLogHandler)
}

func searchAuditLogHandler(ctx context.Context, c *Call, in searchAuditLogIn) (list, error) {
	span, err := period{After: in.Since, Before: in.Until}.parse("since")
	if err != nil {
		return list{}, err
	}
	f := store.AuditFilter{Tool: in.Tool, Token: in.Token, Actor: in.Actor, Decision: in.Decision, Target: tracker.CleanLine(in.Target),
		Limit: limitOr(in.Limit) + 1}
	if span.After != nil {
		f.Since = *span.After
	}
	if span.Before != nil {
		f.Until = *span.Before
	}
	bound := in
	bound.Cursor, bound.Limit = "", 0
	var after store.AuditPosition
	if resumed, err := c.resume(in.Cursor, bound, &after); err != nil {
		return list{}, err
	} else if resumed {
		f.After = &after
	}
	var rows []store.AuditRow
	var out list
	var count store.AuditCount
	if err := c.do(ctx, store.AuditRows(f, &rows, &count)); err != nil {
		return list{}, err
	}
	out.Total, out.TotalIsMinimum = count.Total, count.TotalIsMinimum
	views := make([]any, len(rows))
	for n, r := range rows {
		views[n] = c.viewAudit(r, in.Details)
	}
	if kept, more := out.fill(views, limitOr(in.Limit)); more {
		out.NextCursor = c.next(bound, store.PositionOfAudit(rows[kept-1]))
	}
	return out, nil
}

// viewAudit shows a row. What a call said and changed may name issues of other
// projects, as a link does, so a token that is held to some does not see it.
func (c *Call) viewAudit(r store.AuditRow, details bool) auditView {
	v := auditView{At: stamp(r.WrittenAt), Actor: r.Actor, Token: r.TokenName, What: r.Method, Target: r.Target, Decision: r.Decision, Why: r.Rule}
	if r.Tool != "" {
		v.What = r.Tool
	}
	if r.Repeats > 1 {
		v.Repeats = r.Repeats
	}
	if details {
		v.Details = &auditDetails{Client: r.Client, ClientIP: r.ClientIP, RequestID: r.RequestID}
		if !c.Grants.Limited {
			v.Details.Args, v.Details.Changes = shown(r.Args), shown(r.Changes)
		}
		if r.TokenID != nil {
			v.Details.TokenID = r.TokenID.String()
		}
	}
	return v
}

// shown leaves out a null.
func shown(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}
