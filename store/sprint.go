package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
)

// SprintFilter selects sprints of one project, or of all in reach. After is the
// sprint that the page follows; wherever it has moved, each other comes once.
type SprintFilter struct {
	ProjectID uuid.UUID
	State     tracker.SprintState // empty: all
	Name      string              // empty: all; compared ignoring case
	After     uuid.UUID
	Limit     int
}

// HoldSprint reads a sprint's state and keeps it from changing until the write commits.
func HoldSprint(id uuid.UUID, into *tracker.SprintState) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select s.state from sprints s where s.tenant_id = $1 and s.id = $2 for share`, scope.Tenant, id).QueryRow(scalar(into))
	}
}

// LockSprint keeps issues from being put into a sprint until the write commits.
func LockSprint(id uuid.UUID) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select from sprints s where s.tenant_id = $1 and s.id = $2 for update`, scope.Tenant, id)
	}
}

// Sprints lists sprints with their counts: active first, then planned by start,
// then completed, newest first. total counts all that match.
func Sprints(f SprintFilter, into *[]tracker.Sprint, total *int) Query {
	return func(b *pgx.Batch, scope Scope) {
		var w where
		w.bind(scope.Tenant)
		w.add("s.tenant_id = $1")
		if f.ProjectID != uuid.Nil {
			w.add("s.project_id = ?", f.ProjectID)
		}
		if f.State != "" {
			w.add("s.state = ?", f.State)
		}
		if f.Name != "" {
			w.add("fold(s.name) = fold(?)", f.Name)
		}
		if total != nil {
			b.Queue(`select count(*) from sprints s where `+w.String(), w.args...).QueryRow(scalar(total))
		}
		w.bind(nullID(f.After))
		after := w.last()
		w.bind(f.Limit)
		b.Queue(`with place as (select s.id, row_number() over (order by array_position(array['active', 'planned', 'completed'], s.state),
				s.completed_at desc, s.starts_on nulls last, s.name, s.id) as n from sprints s where `+w.String()+`)
			select s.id, s.project_id, p.key, s.name, s.goal, s.state, s.starts_on, s.ends_on, s.started_at, s.completed_at,
				s.version, s.created_at, count(i.id), count(i.id) filter (where i.open),
				coalesce(sum(i.points) filter (where i.category <> 'cancelled'), 0),
				coalesce(sum(i.points) filter (where i.category = 'done'), 0)
			from place l
			join sprints s on s.tenant_id = $1 and s.id = l.id
			join projects p on p.tenant_id = $1 and p.id = s.project_id
			left join issues i on i.tenant_id = $1 and i.sprint_id = s.id
			where l.n > coalesce((select n from place where id = `+after+`), 0)
			group by s.tenant_id, s.id, p.key, l.n order by l.n limit `+w.last(), w.args...).
			Query(collect(into, func(row pgx.Rows, s *tracker.Sprint) error {
				return row.Scan(&s.ID, &s.ProjectID, &s.ProjectKey, &s.Name, &s.Goal, &s.State, &s.StartsOn, &s.EndsOn, &s.StartedAt,
					&s.CompletedAt, &s.Version, &s.CreatedAt, &s.Issues, &s.Open, &s.Points, &s.PointsDone)
			}))
	}
}

// InsertSprint adds a planned sprint. A taken name is a conflict.
func InsertSprint(s tracker.Sprint) Query {
	return func(b *pgx.Batch, scope Scope) {
		scope.changesWork()
		b.Queue(`insert into sprints (tenant_id, id, project_id, name, goal, state, starts_on, ends_on, started_at, completed_at, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			scope.Tenant, s.ID, s.ProjectID, s.Name, s.Goal, s.State, s.StartsOn, s.EndsOn, s.StartedAt, s.CompletedAt, s.CreatedAt)
	}
}

// SaveSprint writes a locked sprint's fields and raises its version.
func SaveSprint(before, s tracker.Sprint) Query {
	return func(b *pgx.Batch, scope Scope) {
		scope.changesWork()
		b.Queue(`update sprints set name = $3, goal = $4, state = $5, starts_on = $6, ends_on = $7, started_at = $8, completed_at = $9,
			version = version + 1, field_versions = field_versions || $10, tx = pg_current_xact_id()::text::bigint where tenant_id = $1 and id = $2`,
			scope.Tenant, s.ID, s.Name, s.Goal, s.State, s.StartsOn, s.EndsOn, s.StartedAt, s.CompletedAt,
			fieldVersions(before.Fields(), s.Fields(), before.Version+1))
	}
}
