package store

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// stepEvents selects the events that report.ParseSteps reads, and stepLine writes
// one of them in its form. Both are of e, a row of issue_events.
const (
	stepEvents = `(e.kind = 'created' or e.kind = 'changed' and e.field in ('status', 'type', 'points', 'sprint', 'assignee'))`
	stepLine   = `(extract(epoch from e.at) * 1000000)::bigint || E'\t' || case
		when e.kind = 'created' then concat_ws(E'\t', 'created', e.after #>> '{status,category}', translate(e.after #>> '{status,name}', E'\t\n', '  '),
			translate(e.after ->> 'type', E'\t\n', '  '), coalesce(e.after ->> 'points', ''), coalesce(e.after #>> '{sprint,id}', ''),
			translate(coalesce(e.after ->> 'assignee', ''), E'\t\n', '  '))
		when e.field = 'status' then concat_ws(E'\t', 'status', e.after ->> 'category', translate(e.after ->> 'name', E'\t\n', '  '))
		when e.field = 'sprint' then concat_ws(E'\t', 'sprint', coalesce(e.after ->> 'id', ''))
		else concat_ws(E'\t', e.field, translate(coalesce(e.after #>> '{}', ''), E'\t\n', '  ')) end`
)

// catchUp writes the timelines of issues as their events tell them. What another
// transaction has written for a newer version stays.
func catchUp(issues []uuid.UUID) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into issue_timelines as t (tenant_id, project_id, issue_id, version, steps)
			select i.tenant_id, i.project_id, i.id, i.version, string_agg(`+stepLine+`, E'\n' order by e.at, e.id)
			from issues i join issue_events e on e.tenant_id = $1 and e.issue_id = i.id and `+stepEvents+`
			where i.tenant_id = $1 and i.id = any($2) group by i.tenant_id, i.id
			on conflict (tenant_id, issue_id) do update set version = excluded.version, steps = excluded.steps
			where t.version < excluded.version`, scope.Tenant, issues)
	}
}

// behind finds issues whose timelines do not tell their last change, or that have
// none, in the order of their ids. project may be zero: all.
func behind(project, after uuid.UUID, limit int, into *[]uuid.UUID) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select i.id from issues i left join issue_timelines t on t.tenant_id = $1 and t.issue_id = i.id
			where i.tenant_id = $1 and i.id > $2 and ($3::uuid is null or i.project_id = $3) and t.version is distinct from i.version
			order by i.id limit $4`, scope.Tenant, after, nullID(project), limit).
			Query(collect(into, func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) }))
	}
}

// timelineBatch is how many issues catch up in one statement.
const timelineBatch = 2000

// catchUpAll brings the timelines of a project up to date, or with a zero id those
// of all.
func (tx *Tx) catchUpAll(ctx context.Context, project uuid.UUID) error {
	after := uuid.Nil
	for {
		var late []uuid.UUID
		if err := tx.Do(ctx, behind(project, after, timelineBatch, &late)); err != nil || len(late) == 0 {
			return err
		}
		if err := tx.Do(ctx, catchUp(late)); err != nil || len(late) < timelineBatch {
			return err
		}
		after = late[len(late)-1]
	}
}

// catchUpTimelines is CatchUpTimelines for every active tenant.
func (s *Store) catchUpTimelines(ctx context.Context) error {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, t := range tenants {
		if t.State == tenancy.TenantActive && ctx.Err() == nil {
			problems = append(problems, s.CatchUpTimelines(ctx, t.ID))
		}
	}
	return errors.Join(problems...)
}

// CatchUpTimelines lets the timelines of a tenant tell what happened since the last
// time, unless another node is at it. Reports are right without it, and slower. It
// writes what the events say already, so it leaves no audit row.
func (s *Store) CatchUpTimelines(ctx context.Context, tenant tenancy.TenantID) error {
	tx := &Tx{store: s, scope: AsSystem(tenant, "cleanup"), begin: beginWrite, pinned: true}
	defer tx.release(ctx)
	var mine bool
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select pg_try_advisory_xact_lock(hashtextextended('colaflow timelines ' || $1::text, 0))`, scope.Tenant).QueryRow(scalar(&mine))
	})
	if err != nil || !mine {
		return err
	}
	if err := tx.catchUpAll(ctx, uuid.Nil); err != nil {
		return err
	}
	return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select hold($1)`, scope.Tenant)
		queueCommit(b)
	})
}
