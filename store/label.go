package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
)

// Labels counts the labels in use, most used first. A zero project means all in reach.
func Labels(project uuid.UUID, limit int, into *[]tracker.Group) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select l.label, count(*) from issue_labels l where l.tenant_id = $1 and ($2::uuid is null or l.project_id = $2)
			group by 1 order by 2 desc, 1 limit $3`, scope.Tenant, nullID(project), limit).
			Query(collect(into, func(row pgx.Rows, g *tracker.Group) error { return row.Scan(&g.Value, &g.Count) }))
	}
}

// LabelSpellings finds the labels of a project that equal the given ones ignoring case.
func LabelSpellings(project uuid.UUID, labels []string, into *[]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select distinct l.label from issue_labels l where l.tenant_id = $1 and l.project_id = $2 and l.folded = any($3)
			order by 1`, scope.Tenant, project, lowered(labels)).
			Query(collect(into, func(row pgx.Rows, s *string) error { return row.Scan(s) }))
	}
}
