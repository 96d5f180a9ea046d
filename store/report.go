package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// ReportData reads what a report needs of the projects with these keys, or without
// any of all active ones in reach: the state of one moment, in one trip, and in a
// second one the events of issues whose timelines are behind. Work that is closed and
// has not changed since then is left out; zero leaves out nothing. It ends a read.
func (tx *Tx) ReportData(ctx context.Context, spec report.Spec, keys []string, since time.Time) (report.Data, error) {
	tx.Pin()
	var d report.Data
	var rows []timelineRow
	queries := []Query{reportProjects(keys, &d.Projects), reportSprints(keys, &d.Sprints), reportIssues(keys, spec.Blocked, since, &rows)}
	if !since.IsZero() {
		queries = append(queries, reportFirst(keys, &d.First))
	}
	frozen := map[uuid.UUID]*report.Sprint{}
	if spec.Frozen {
		queries = append(queries, reportSnapshots(keys, frozen))
	}
	if err := tx.Do(ctx, queries...); err != nil {
		return d, err
	}
	var late []uuid.UUID
	for _, r := range rows {
		if r.kept != r.version {
			late = append(late, r.ID)
		}
	}
	tx.Unpin()
	var last []Query
	told := map[uuid.UUID]string{}
	if len(late) > 0 {
		last = append(last, reportEvents(late, told))
	}
	if len(last) > 0 || !tx.pinned {
		if err := tx.Do(ctx, last...); err != nil {
			return d, err
		}
	}
	for n := range d.Sprints {
		if f := frozen[d.Sprints[n].ID]; f != nil {
			d.Sprints[n].AtStart, d.Sprints[n].AtEnd = f.AtStart, f.AtEnd
		}
	}
	d.Issues = make([]report.Issue, 0, len(rows))
	for n := range rows {
		r := &rows[n]
		if r.kept != r.version {
			r.steps = told[r.ID]
		}
		if r.steps == "" {
			d.Untold++
			continue
		}
		var err error
		if r.Steps, err = report.ParseSteps(r.steps); err != nil {
			return d, fmt.Errorf("history of %s: %w", r.Key, err)
		}
		d.Issues = append(d.Issues, r.Issue)
	}
	return d, nil
}

// timelineRow is an issue with its timeline, which tells all if the version that it
// was kept at is the issue's.
type timelineRow struct {
	report.Issue
	version, kept int
	steps         string
}

// ofProjects is a condition on a project's id: one of those with the keys $2, or
// without keys any active one.
const ofProjects = ` in (select p.id from projects p where p.tenant_id = $1 and (p.key = any($2) or $2::text[] is null and p.state = 'active'))`

func reportProjects(keys []string, into *[]tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+projectColumns+` from projects p where p.tenant_id = $1 and p.id`+ofProjects+` order by p.key`, scope.Tenant, keys).
			Query(collect(into, scanProject))
	}
}

// reportSprints lists sprints in the order in which they come, without counts.
func reportSprints(keys []string, into *[]report.Sprint) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select s.id, s.project_id, s.name, s.goal, s.state, s.starts_on, s.ends_on, s.started_at, s.completed_at from sprints s
			where s.tenant_id = $1 and s.project_id`+ofProjects+` order by coalesce(s.started_at, s.starts_on::timestamptz) nulls last, s.created_at, s.id`,
			scope.Tenant, keys).
			Query(collect(into, func(row pgx.Rows, s *report.Sprint) error {
				return row.Scan(&s.ID, &s.ProjectID, &s.Name, &s.Goal, &s.State, &s.StartsOn, &s.EndsOn, &s.StartedAt, &s.CompletedAt)
			}))
	}
}

func reportSnapshots(keys []string, into map[uuid.UUID]*report.Sprint) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select f.sprint_id, f.moment, f.at, f.items from sprint_snapshots f where f.tenant_id = $1 and f.project_id`+ofProjects, scope.Tenant, keys).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var id uuid.UUID
					var moment string
					var frozen report.Snapshot
					if err := rows.Scan(&id, &moment, &frozen.At, &frozen.Raw); err != nil {
						return err
					}
					if into[id] == nil {
						into[id] = &report.Sprint{}
					}
					if moment == string(SprintStart) {
						into[id].AtStart = &frozen
					} else {
						into[id].AtEnd = &frozen
					}
				}
				return rows.Err()
			})
	}
}

// reportFirst finds when the first issue was created.
func reportFirst(keys []string, into **time.Time) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select min(i.created_at) from issues i where i.tenant_id = $1 and i.project_id`+ofProjects, scope.Tenant, keys).
			QueryRow(scalar(into))
	}
}

func reportIssues(keys []string, blocked bool, since time.Time, into *[]timelineRow) Query {
	isBlocked := "false"
	if blocked {
		isBlocked = `i.open and exists (select from issue_links k join issues x on x.tenant_id = $1 and x.id = k.from_id
			where k.tenant_id = $1 and k.to_id = i.id and k.relation = 'blocks' and x.open)`
	}
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select i.id, p.key, i.number, i.title, i.due_date, `+isBlocked+`, i.version, coalesce(t.version, 0), coalesce(t.steps, '') from issues i
			join projects p on p.tenant_id = $1 and p.id = i.project_id
			left join issue_timelines t on t.tenant_id = $1 and t.issue_id = i.id
			where i.tenant_id = $1 and (i.open or i.updated_at >= $3) and i.project_id`+ofProjects, scope.Tenant, keys, since).
			Query(collect(into, func(row pgx.Rows, r *timelineRow) error {
				return row.Scan(&r.ID, &r.Key.Project, &r.Key.Number, &r.Title, &r.DueDate, &r.Blocked, &r.version, &r.kept, &r.steps)
			}))
	}
}

// reportEvents writes timelines anew from the events.
func reportEvents(issues []uuid.UUID, into map[uuid.UUID]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select e.issue_id, string_agg(`+stepLine+`, E'\n' order by e.at, e.id) from issue_events e
			where e.tenant_id = $1 and e.issue_id = any($2) and `+stepEvents+` group by e.issue_id`, scope.Tenant, issues).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var id uuid.UUID
					var steps string
					if err := rows.Scan(&id, &steps); err != nil {
						return err
					}
					into[id] = steps
				}
				return rows.Err()
			})
	}
}
