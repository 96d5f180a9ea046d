package store

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// InsertEvents records events of one project's issues. Events without an id,
// change or time of their own get the author's.
func InsertEvents(project uuid.UUID, events []tracker.Event, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		scope.changesWork()
		for _, e := range events {
			at, change := e.At, e.ChangeID
			if at.IsZero() {
				at = by.At
			}
			if change == uuid.Nil {
				change = by.ChangeID
			}
			b.Queue(`insert into issue_events (tenant_id, id, project_id, issue_id, change_id, kind, field, before, after, actor_id, token_id, at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
				scope.Tenant, tenancy.NewID(), project, e.IssueID, change, e.Kind, e.Field, jsonOrNull(e.Before), jsonOrNull(e.After),
				nullID(by.MemberID), nullID(by.TokenID), at)
		}
	}
}

func jsonOrNull(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	data := asJSON(v)
	if string(data) == "null" {
		return nil
	}
	return data
}

// EventFilter selects events. After is the event that the page follows
// (newest first); its time and id are both needed.
type EventFilter struct {
	ProjectIDs []uuid.UUID
	IssueIDs   []uuid.UUID
	ActorID    uuid.UUID
	TokenID    uuid.UUID
	Kinds      []string
	Fields     []string
	NoComments bool
	// NoAttachments leaves out events that name files.
	NoAttachments bool
	Since         time.Time
	AfterAt       time.Time
	AfterID       uuid.UUID
	Limit         int
}

// EventRow is an event in a list, with the issue that it belongs to.
type EventRow struct {
	tracker.Event
	Key   tracker.IssueKey
	Title string
}

// Events lists a page of events, newest first, with the start of long descriptions, and
// counts all that match.
func Events(f EventFilter, into *[]EventRow, total *int) Query {
	return func(b *pgx.Batch, scope Scope) {
		var w where
		w.bind(scope.Tenant)
		w.add("e.tenant_id = $1")
		if len(f.ProjectIDs) > 0 {
			w.add("e.project_id = any(?)", f.ProjectIDs)
		}
		if len(f.IssueIDs) > 0 {
			w.add("e.issue_id = any(?)", f.IssueIDs)
		}
		if f.ActorID != uuid.Nil {
			w.add("e.actor_id = ?", f.ActorID)
		}
		if f.TokenID != uuid.Nil {
			w.add("e.token_id = ?", f.TokenID)
		}
		if len(f.Kinds) > 0 || len(f.Fields) > 0 {
			w.add("(e.kind = any(?) or e.kind = 'changed' and e.field = any(?))", f.Kinds, f.Fields)
		}
		if f.NoComments {
			w.add("e.kind <> 'commented'")
		}
		if f.NoAttachments {
			w.add("e.field <> '" + tracker.FieldAttachment + "'")
		}
		if !f.Since.IsZero() {
			w.add("e.at >= ?", f.Since)
		}
		if total != nil {
			b.Queue(`select count(*) from issue_events e where `+w.String(), w.args...).QueryRow(scalar(total))
		}
		if f.AfterID != uuid.Nil {
			w.add("(e.at, e.id) < (?, ?)", f.AfterAt, f.AfterID)
		}
		w.bind(f.Limit)
		b.Queue(`select e.id, e.issue_id, e.change_id, e.kind, e.field, `+startOf("e.before")+`, `+startOf("e.after")+`, coalesce(m.email, m.handle, ''),
				coalesce(t.name, ''), e.at, p.key, i.number, i.title
			from issue_events e
			join issues i on i.tenant_id = $1 and i.id = e.issue_id
			join projects p on p.tenant_id = $1 and p.id = e.project_id
			left join members m on m.tenant_id = $1 and m.id = e.actor_id
			left join tokens t on t.tenant_id = $1 and t.id = e.token_id
			where `+w.String()+` order by e.at desc, e.id desc limit `+w.last(), w.args...).Query(collect(into, scanEvent))
	}
}

// startOf is the start of a before or after that is long: nobody is shown the whole
// description of every change.
func startOf(column string) string {
	return `case when e.field = 'description' then to_jsonb(left(` + column + ` #>> '{}', 200)) else ` + column + ` end`
}

func scanEvent(row pgx.Rows, e *EventRow) error {
	var before, after *json.RawMessage
	err := row.Scan(&e.ID, &e.IssueID, &e.ChangeID, &e.Kind, &e.Field, &before, &after, &e.Actor, &e.Agent, &e.At,
		&e.Key.Project, &e.Key.Number, &e.Title)
	if before != nil {
		e.Before = *before
	}
	if after != nil {
		e.After = *after
	}
	return err
}
