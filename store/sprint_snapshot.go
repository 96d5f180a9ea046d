package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// SprintMoment is when a sprint's scope is frozen.
type SprintMoment string

// The moments.
const (
	SprintStart SprintMoment = "start"
	SprintEnd   SprintMoment = "end"
)

// FreezeSprint keeps what is in a sprint now, as its scope at its start or end. It
// belongs into the transaction that starts or completes the sprint, before open
// issues move out. What is frozen stays as it is.
func FreezeSprint(s tracker.Sprint, moment SprintMoment) Query {
	at := s.StartedAt
	if moment == SprintEnd {
		at = s.CompletedAt
	}
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into sprint_snapshots as f (tenant_id, project_id, sprint_id, moment, at, items)
			select $1, $2, $3, $4, $5, coalesce(jsonb_object_agg(i.id, jsonb_strip_nulls(jsonb_build_object(
				'category', i.category, 'type', i.type, 'points', i.points))), '{}')
			from issues i where i.tenant_id = $1 and i.sprint_id = $3 on conflict do nothing`,
			scope.Tenant, s.ProjectID, s.ID, moment, at)
	}
}

func insertSnapshot(s report.Sprint, moment SprintMoment, frozen report.Snapshot) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into sprint_snapshots (tenant_id, project_id, sprint_id, moment, at, items) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
			scope.Tenant, s.ProjectID, s.ID, moment, frozen.At, asJSON(frozen.Items))
	}
}

// freezePast freezes what the history says of sprints that started or ended without
// being frozen, such as imported ones.
func (tx *Tx) freezePast(ctx context.Context, p tracker.Project) error {
	spec, _ := report.Find("sprint_report") // exists
	d, err := tx.ReportData(ctx, spec, []string{p.Key}, time.Time{})
	if err != nil {
		return err
	}
	var queries []Query
	for _, s := range d.Sprints {
		if s.StartedAt != nil && s.AtStart == nil {
			queries = append(queries, insertSnapshot(s, SprintStart, report.Freeze(s.ID, d.Issues, *s.StartedAt, false)))
		}
		if s.CompletedAt != nil && s.AtEnd == nil {
			queries = append(queries, insertSnapshot(s, SprintEnd, report.Freeze(s.ID, d.Issues, *s.CompletedAt, true)))
		}
	}
	if len(queries) == 0 {
		return nil
	}
	return tx.Do(ctx, queries...)
}

// keepHistory makes reports on a project that was loaded as fast and as firm as on
// one that grew here.
func (l *loader) keepHistory(ctx context.Context) error {
	if err := l.tx.catchUpAll(ctx, l.project.ID); err != nil {
		return err
	}
	return l.tx.freezePast(ctx, l.project)
}
