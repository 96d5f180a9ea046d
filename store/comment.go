package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Comments lists the newest comments of issues, oldest first: at most limit, and of each
// issue those with at most so many bytes of text and the one that goes beyond.
func Comments(issues []uuid.UUID, limit, bytes int, into *[]tracker.Comment) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`with newest as (
			  select c.id, c.issue_id, c.author_id, c.token_id, c.body, c.reply_to, c.created_at,
			    sum(octet_length(c.body)) over (partition by c.issue_id order by c.created_at desc, c.id desc) - octet_length(c.body) as newer
			  from comments c where c.tenant_id = $1 and c.issue_id = any($2) order by c.created_at desc, c.id desc limit $3
			)
			select c.id, c.issue_id, coalesce(m.email, m.handle, ''), coalesce(t.name, ''), c.body, c.reply_to, c.created_at
			from newest c
			left join members m on m.tenant_id = $1 and m.id = c.author_id
			left join tokens t on t.tenant_id = $1 and t.id = c.token_id
			where c.newer < $4 order by c.created_at, c.id`, scope.Tenant, issues, limit, bytes).
			Query(collect(into, func(row pgx.Rows, c *tracker.Comment) error {
				var reply *uuid.UUID
				err := row.Scan(&c.ID, &c.IssueID, &c.Author, &c.Agent, &c.Body, &reply, &c.CreatedAt)
				c.ReplyTo = idOrNil(reply)
				return err
			}))
	}
}

// HasComment tells whether a comment belongs to an issue.
func HasComment(issue, comment uuid.UUID, into *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select exists (select from comments where tenant_id = $1 and issue_id = $2 and id = $3)`, scope.Tenant, issue, comment).
			QueryRow(scalar(into))
	}
}

// InsertComment adds a comment, records its event, and marks the issue updated.
func InsertComment(i tracker.Issue, c tracker.Comment, externalID string, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		if externalID == "" { // an import was looked at as a whole
			withinPlan(tenancy.QuotaText, 0)(b, scope)
		}
		b.Queue(`insert into comments (tenant_id, id, project_id, issue_id, author_id, token_id, body, reply_to, external_id, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10)`,
			scope.Tenant, c.ID, i.ProjectID, i.ID, nullID(by.MemberID), nullID(by.TokenID), c.Body, nullID(c.ReplyTo), externalID, by.At)
		InsertEvents(i.ProjectID, []tracker.Event{{IssueID: i.ID, Kind: tracker.EventCommented, After: c.ID}}, by)(b, scope)
		if externalID == "" {
			Touch([]uuid.UUID{i.ID}, by)(b, scope)
		}
	}
}

// Touch marks issues updated without a change of their fields.
func Touch(issues []uuid.UUID, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`update issues set updated_at = $3 where tenant_id = $1 and id = any($2)`, scope.Tenant, issues, by.At)
	}
}
