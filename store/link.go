package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
)

// RelatedTo lists the issues that stand in a relation to the given ones, seen
// from those. Parents and children are relations too.
func RelatedTo(issues []uuid.UUID, limit int, into *[]tracker.Related) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select r.self, r.relation, p.key, x.number, x.title, x.status, x.category from (
			  select from_id as self, relation, to_id as other from issue_links where tenant_id = $1 and from_id = any($2)
			  union all
			  select to_id, case relation when 'blocks' then 'blocked_by' when 'duplicates' then 'duplicated_by' else relation end, from_id
			  from issue_links where tenant_id = $1 and to_id = any($2)
			  union all
			  select id, 'child_of', parent_id from issues where tenant_id = $1 and id = any($2) and parent_id is not null
			  union all
			  select parent_id, 'parent_of', id from issues where tenant_id = $1 and parent_id = any($2)
			) r
			join issues x on x.tenant_id = $1 and x.id = r.other
			join projects p on p.tenant_id = $1 and p.id = x.project_id
			order by r.self, r.relation, p.key, x.number limit $3`, scope.Tenant, issues, limit).
			Query(collect(into, func(row pgx.Rows, r *tracker.Related) error {
				return row.Scan(&r.IssueID, &r.Relation, &r.Key.Project, &r.Key.Number, &r.Title, &r.Status, &r.Category)
			}))
	}
}

// InsertLink stores a link; one that exists already stays. made tells which.
func InsertLink(from tracker.Issue, relation tracker.Relation, to tracker.Issue, by Author, made *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`with l as (insert into issue_links (tenant_id, project_id, from_id, relation, to_project_id, to_id, created_at)
			values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1) select count(*) > 0 from l`,
			scope.Tenant, from.ProjectID, from.ID, relation, to.ProjectID, to.ID, by.At).QueryRow(scalar(made))
	}
}

// DeleteLink removes a link; gone tells whether there was one.
func DeleteLink(from uuid.UUID, relation tracker.Relation, to uuid.UUID, gone *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`with l as (delete from issue_links where tenant_id = $1 and from_id = $2 and relation = $3 and to_id = $4 returning 1)
			select count(*) > 0 from l`, scope.Tenant, from, relation, to).QueryRow(scalar(gone))
	}
}

// BlockPath finds a chain of blocks from one issue to another, as keys; empty
// if there is none. A new link back would close a cycle.
func BlockPath(from, to uuid.UUID, into *[]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`with recursive chain(id, path) as (
			  select $2::uuid, array[$2::uuid]
			  union all
			  select k.to_id, c.path || k.to_id from chain c
			  join issue_links k on k.tenant_id = $1 and k.from_id = c.id and k.relation = 'blocks'
			  where not k.to_id = any(c.path) and array_length(c.path, 1) < 100
			)
			select p.key || '-' || i.number from (select path from chain where id = $3 limit 1) found,
			  unnest(found.path) with ordinality step(id, n)
			join issues i on i.tenant_id = $1 and i.id = step.id
			join projects p on p.tenant_id = $1 and p.id = i.project_id
			order by step.n`, scope.Tenant, from, to).
			Query(collect(into, func(row pgx.Rows, key *string) error { return row.Scan(key) }))
	}
}

// HoldLinks lets one transaction of the tenant at a time look for circles of a relation
// and close the gap: two links that are fine alone can make a circle together.
func HoldLinks(relation tracker.Relation) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select pg_advisory_xact_lock(hashtextextended('colaflow links ' || $1::text || ' ' || $2::text, 0))`, scope.Tenant, string(relation))
	}
}

// AncestorPath lists the keys from an issue up through its parents.
func AncestorPath(issue uuid.UUID, into *[]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`with recursive up(id, parent_id, depth) as (
			  select i.id, i.parent_id, 0 from issues i where i.tenant_id = $1 and i.id = $2
			  union all
			  select i.id, i.parent_id, u.depth + 1 from up u
			  join issues i on i.tenant_id = $1 and i.id = u.parent_id where u.depth < 50
			)
			select p.key || '-' || i.number from up u
			join issues i on i.tenant_id = $1 and i.id = u.id
			join projects p on p.tenant_id = $1 and p.id = i.project_id
			order by u.depth`, scope.Tenant, issue).
			Query(collect(into, func(row pgx.Rows, key *string) error { return row.Scan(key) }))
	}
}
