package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// ReportData reads what a report needs of the projects with these keys, or without
// any of all active ones in reach: the state of one moment, in one trip, and in a
// second one the events of issues whose timelines are behind. It ends a read.
func (tx *Tx) ReportData(ctx context.Context, spec report.Spec, keys []string) (report.Data, error) {
	tx.Pin()
	var d report.Data
	var rows []timelineRow
	timelines := map[uuid.UUID]timeline{}
	queries := []Query{reportProjects(keys, &d.Projects), reportSprints(keys, &d.Sprints), reportIssues(keys, spec.Blocked, &rows), reportTimelines(keys, timelines)}
	frozen := map[uuid.UUID]*report.Sprint{}
	if spec.Frozen {
		queries = append(queries, reportSnapshots(keys, frozen))
	}
	if err := tx.Do(ctx, queries...); err != nil {
		return d, err
	}
	var late []uuid.UUID
	for _, r := range rows {
		if timelines[r.ID].version != r.version {
			late = append(late, r.ID)
		}
	}
	tx.Unpin()
	var last []Query
	if len(late) > 0 {
		last = append(last, reportEvents(late, timelines))
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
	for _, r := range rows {
		text := timelines[r.ID].steps
		if text == "" {
			d.Untold++
			continue
		}
		var err error
		if r.Steps, err = report.ParseSteps(text); err != nil {
			return d, fmt.Errorf("history of %s: %w", r.Key, err)
		}
		d.Issues = append(d.Issues, r.Issue)
	}
	return d, nil
}

// timelineRow is an issue, and the version that its timeline must have.
type timelineRow struct {
	report.Issue
	version int
}

type timeline struct {
	version int
	steps   string
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
					if err := rows.Scan(&id, &moment, &frozen.At, &frozen.Items); err != nil {
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

func reportIssues(keys []string, blocked bool, into *[]timelineRow) Query {
	isBlocked := "false"
	if blocked {
		isBlocked = `i.open and exists (select from issue_links k join issues x on x.tenant_id = $1 and x.id = k.from_id
			where k.tenant_id = $1 and k.to_id = i.id and k.relation = 'blocks' and x.open)`
	}
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select i.id, p.key, i.number, i.title, i.due_date, `+isBlocked+`, i.version from issues i
			join projects p on p.tenant_id = $1 and p.id = i.project_id
			where i.tenant_id = $1 and i.project_id`+ofProjects, scope.Tenant, keys).
			Query(collect(into, func(row pgx.Rows, r *timelineRow) error {
				return row.Scan(&r.ID, &r.Key.Project, &r.Key.Number, &r.Title, &r.DueDate, &r.Blocked, &r.version)
			}))
	}
}

func reportTimelines(keys []string, into map[uuid.UUID]timeline) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select t.issue_id, t.version, t.steps from issue_timelines t where t.tenant_id = $1 and t.project_id`+ofProjects, scope.Tenant, keys).
			Query(eachTimeline(into))
	}
}

// reportEvents writes timelines anew from the events.
func reportEvents(issues []uuid.UUID, into map[uuid.UUID]timeline) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select e.issue_id, 0, string_agg(`+stepLine+`, E'\n' order by e.at, e.id) from issue_events e
			where e.tenant_id = $1 and e.issue_id = any($2) and `+stepEvents+` group by e.issue_id`, scope.Tenant, issues).
			Query(eachTimeline(into))
	}
}

func eachTimeline(into map[uuid.UUID]timeline) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			var id uuid.UUID
			var t timeline
			if err := rows.Scan(&id, &t.version, &t.steps); err != nil {
				return err
			}
			into[id] = t
		}
		return rows.Err()
	}
}
