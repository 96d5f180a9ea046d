package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

const selectAttachment = `select a.id, a.issue_id, a.author_id, a.token_id, coalesce(m.email, m.handle, ''), coalesce(t.name, ''),
	a.name, a.type, a.size, a.sha256, a.created_at, a.project_id, p.key, i.number
	from attachments a
	join issues i on i.tenant_id = $1 and i.id = a.issue_id
	join projects p on p.tenant_id = $1 and p.id = a.project_id
	left join members m on m.tenant_id = $1 and m.id = a.author_id
	left join tokens t on t.tenant_id = $1 and t.id = a.token_id
	where a.tenant_id = $1 and `

func scanAttachment(row pgx.Rows, a *tracker.Attachment) error {
	var author, token *uuid.UUID
	err := row.Scan(&a.ID, &a.IssueID, &author, &token, &a.Author, &a.Agent, &a.Name, &a.Type, &a.Size, &a.SHA256, &a.CreatedAt, &a.ProjectID, &a.Key.Project, &a.Key.Number)
	a.AuthorID, a.TokenID = idOrNil(author), idOrNil(token)
	return err
}

// Attachments lists the newest files of issues, oldest first, without their contents.
func Attachments(issues []uuid.UUID, limit int, into *[]tracker.Attachment) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select * from (`+selectAttachment+`a.issue_id = any($2) order by a.created_at desc, a.id desc limit $3) newest
			order by newest.created_at, newest.id`, scope.Tenant, issues, limit).
			Query(collect(into, scanAttachment))
	}
}

// CountAttachments counts the files of an issue.
func CountAttachments(issue uuid.UUID, into *int) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select count(*) from attachments where tenant_id = $1 and issue_id = $2`, scope.Tenant, issue).QueryRow(scalar(into))
	}
}

// AttachmentByID reads what is known of a file; its ID stays zero if there is none.
func AttachmentByID(id uuid.UUID, into *tracker.Attachment) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(selectAttachment+`a.id = $2`, scope.Tenant, id).Query(collectOne(into, scanAttachment))
	}
}

// AttachmentContents reads what is in a file; nil if there is none.
func AttachmentContents(id uuid.UUID, into *[]byte) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select content from attachments where tenant_id = $1 and id = $2`, scope.Tenant, id).
			Query(collectOne(into, func(row pgx.Rows, contents *[]byte) error { return row.Scan(contents) }))
	}
}

// InsertAttachment adds a file to a locked issue, records the event, and marks the issue
// updated. It fails with PlanLimit beyond what the plan allows.
func InsertAttachment(i tracker.Issue, a tracker.Attachment, contents []byte, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into attachments (tenant_id, id, project_id, issue_id, author_id, token_id, name, type, size, sha256, content, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			scope.Tenant, a.ID, i.ProjectID, i.ID, nullID(by.MemberID), nullID(by.TokenID), a.Name, a.Type, a.Size, a.SHA256, contents, by.At)
		b.Queue(`insert into tenant_usage as u (tenant_id, text_bytes, attachment_bytes, counted_at) values ($1, 0, $2, '-infinity')
			on conflict (tenant_id) do update set attachment_bytes = u.attachment_bytes + excluded.attachment_bytes`, scope.Tenant, a.Size)
		withinPlan(tenancy.QuotaAttachments, 0)(b, scope)
		attachmentsChanged(i, "", a.Name, by)(b, scope)
	}
}

// DeleteAttachment takes a file of a locked issue away.
func DeleteAttachment(i tracker.Issue, a tracker.Attachment, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(withoutAttachments(`id = $2`), scope.Tenant, a.ID)
		b.Queue(`delete from attachments where tenant_id = $1 and id = $2`, scope.Tenant, a.ID)
		attachmentsChanged(i, a.Name, "", by)(b, scope)
	}
}

// withoutAttachments takes those that are deleted next off what the tenant holds.
func withoutAttachments(which string) string {
	return `update tenant_usage set attachment_bytes = greatest(0, attachment_bytes -
		(select coalesce(sum(size), 0) from attachments where tenant_id = $1 and ` + which + `)) where tenant_id = $1`
}

func attachmentsChanged(i tracker.Issue, before, after string, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		InsertEvents(i.ProjectID, []tracker.Event{tracker.AttachmentChanged(i.ID, before, after)}, by)(b, scope)
		Touch([]uuid.UUID{i.ID}, by)(b, scope)
	}
}
