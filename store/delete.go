package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// DeleteIssue removes a locked issue that has no children, with its comments, labels,
// links, attachments and history.
func DeleteIssue(i tracker.Issue, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		noteDeletion(b, scope, i.ProjectID, i.Key.Project, &i.ID, by)
		b.Queue(withoutAttachments(`issue_id = $2`), scope.Tenant, i.ID)
		b.Queue(`delete from issues where tenant_id = $1 and id = $2`, scope.Tenant, i.ID)
	}
}

// DeleteProject removes a locked project with everything in it.
func DeleteProject(p tracker.Project, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		noteDeletion(b, scope, p.ID, p.Key, nil, by)
		b.Queue(`select from issues where tenant_id = $1 and project_id = $2 order by id for update`, scope.Tenant, p.ID) // nobody adds a file from here on
		b.Queue(withoutAttachments(`project_id = $2`), scope.Tenant, p.ID)
		b.Queue(`delete from issues where tenant_id = $1 and project_id = $2`, scope.Tenant, p.ID)
		b.Queue(`delete from sprints where tenant_id = $1 and project_id = $2`, scope.Tenant, p.ID)
		b.Queue(`delete from projects where tenant_id = $1 and id = $2`, scope.Tenant, p.ID)
	}
}

// noteDeletion leaves what open streams read instead of the history that is gone.
func noteDeletion(b *pgx.Batch, scope Scope, project uuid.UUID, key string, issue *uuid.UUID, by Author) {
	scope.changesWork()
	b.Queue(`insert into deletions (tenant_id, id, project_id, project_key, issue_id, deleted_at) values ($1, $2, $3, $4, $5, $6)`,
		scope.Tenant, tenancy.NewID(), project, key, issue, by.At)
}

// Belongings counts what goes with issues when they are deleted: of one, or with
// issue zero of all in a project.
type Belongings struct {
	Issues, Children, Comments, Links, Attachments int
}

// CountBelongings counts what would be deleted with an issue or a project.
func CountBelongings(project, issue uuid.UUID, into *Belongings) Query {
	return func(b *pgx.Batch, scope Scope) {
		const of = `tenant_id = $1 and project_id = $2 and ($3::uuid is null or `
		b.Queue(`select (select count(*) from issues where `+of+`id = $3)),
			(select count(*) from issues where `+of+`parent_id = $3)),
			(select count(*) from comments where `+of+`issue_id = $3)),
			(select count(*) from issue_links where tenant_id = $1 and ($3::uuid is null and $2 in (project_id, to_project_id) or $3 in (from_id, to_id))),
			(select count(*) from attachments where `+of+`issue_id = $3))`,
			scope.Tenant, project, nullID(issue)).
			QueryRow(func(row pgx.Row) error {
				return row.Scan(&into.Issues, &into.Children, &into.Comments, &into.Links, &into.Attachments)
			})
	}
}
