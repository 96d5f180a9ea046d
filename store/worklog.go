package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

const selectWorklog = `select w.id, w.issue_id, w.author_id, w.token_id, coalesce(m.email, m.handle, ''), coalesce(t.name, ''), w.minutes, w.started_on, w.comment, w.created_at
	from worklogs w
	left join members m on m.tenant_id = $1 and m.id = w.author_id
	left join tokens t on t.tenant_id = $1 and t.id = w.token_id
	where w.tenant_id = $1 and `

func scanWorklog(row pgx.Rows, w *tracker.Worklog) error {
	var author, token *uuid.UUID
	err := row.Scan(&w.ID, &w.IssueID, &author, &token, &w.Author, &w.Agent, &w.Minutes, &w.StartedOn, &w.Comment, &w.CreatedAt)
	w.AuthorID, w.TokenID = idOrNil(author), idOrNil(token)
	return err
}

// Worklogs lists the time spent on issues, oldest first.
func Worklogs(issues []uuid.UUID, limit int, into *[]tracker.Worklog) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(selectWorklog+`w.issue_id = any($2) order by w.started_on, w.id limit $3`, scope.Tenant, issues, limit).Query(collect(into, scanWorklog))
	}
}

// WorklogByID reads an entry of an issue; its ID stays zero if there is none.
func WorklogByID(issue, id uuid.UUID, into *tracker.Worklog) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(selectWorklog+`w.issue_id = $2 and w.id = $3`, scope.Tenant, issue, id).Query(collectOne(into, scanWorklog))
	}
}

// TimeSpent sums the minutes spent on each of the issues that have any.
func TimeSpent(issues []uuid.UUID, into *map[uuid.UUID]int) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select issue_id, sum(minutes)::int from worklogs where tenant_id = $1 and issue_id = any($2) group by issue_id`, scope.Tenant, issues).
			Query(func(rows pgx.Rows) error {
				*into = map[uuid.UUID]int{}
				for rows.Next() {
					var issue uuid.UUID
					var minutes int
					if err := rows.Scan(&issue, &minutes); err != nil {
						return err
					}
					(*into)[issue] = minutes
				}
				return rows.Err()
			})
	}
}

// InsertWorklog adds time to a locked issue on which so much was spent before, records
// the event, and marks the issue updated.
func InsertWorklog(i tracker.Issue, w tracker.Worklog, before int, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		withinPlan(tenancy.QuotaText, 0)(b, scope)
		b.Queue(`insert into worklogs (tenant_id, id, project_id, issue_id, author_id, token_id, minutes, started_on, comment, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			scope.Tenant, w.ID, i.ProjectID, i.ID, nullID(by.MemberID), nullID(by.TokenID), w.Minutes, w.StartedOn, w.Comment, by.At)
		workChanged(i, before, before+w.Minutes, by)(b, scope)
	}
}

// DeleteWorklog takes an entry of a locked issue back.
func DeleteWorklog(i tracker.Issue, w tracker.Worklog, before int, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`delete from worklogs where tenant_id = $1 and issue_id = $2 and id = $3`, scope.Tenant, i.ID, w.ID)
		workChanged(i, before, before-w.Minutes, by)(b, scope)
	}
}

func workChanged(i tracker.Issue, before, after int, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		InsertEvents(i.ProjectID, []tracker.Event{tracker.WorkChanged(i.ID, before, after)}, by)(b, scope)
		Touch([]uuid.UUID{i.ID}, by)(b, scope)
	}
}
