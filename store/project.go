package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

const projectColumns = `p.id, p.key, p.name, p.description, p.state, coalesce(p.lead_id, '00000000-0000-0000-0000-000000000000'),
	p.template, p.timezone, p.working_days, p.workflow, p.issue_types, p.version, p.created_at, p.updated_at`

func scanProject(row pgx.Rows, p *tracker.Project) error {
	return row.Scan(&p.ID, &p.Key, &p.Name, &p.Description, &p.State, &p.LeadID,
		&p.Template, &p.Timezone, &p.WorkingDays, &p.Workflow, &p.IssueTypes, &p.Version, &p.CreatedAt, &p.UpdatedAt)
}

// ProjectByKey finds a project that is in reach; into becomes zero if there is none.
func ProjectByKey(key string, into *tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+projectColumns+` from projects p where p.tenant_id = $1 and p.key = $2`, scope.Tenant, key).
			Query(collectOne(into, scanProject))
	}
}

// ProjectsByKeys finds the projects with these keys that are in reach.
func ProjectsByKeys(keys []string, into *[]tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+projectColumns+` from projects p where p.tenant_id = $1 and p.key = any($2)`, scope.Tenant, keys).
			Query(collect(into, scanProject))
	}
}

// LockProject is ProjectByKey that holds the row until the write commits.
func LockProject(key string, into *tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+projectColumns+` from projects p where p.tenant_id = $1 and p.key = $2 for update`, scope.Tenant, key).
			Query(collectOne(into, scanProject))
	}
}

// ProjectKeys lists the keys in reach, for hints in errors and completions.
func ProjectKeys(prefix string, limit int, into *[]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select p.key from projects p where p.tenant_id = $1 and starts_with(p.key, $2) order by p.key limit $3`,
			scope.Tenant, prefix, limit).
			Query(collect(into, func(row pgx.Rows, key *string) error { return row.Scan(key) }))
	}
}

// ExistingProjects tells which of the keys are in reach.
func ExistingProjects(keys []string, into *[]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select p.key from projects p where p.tenant_id = $1 and p.key = any($2)`, scope.Tenant, keys).
			Query(collect(into, func(row pgx.Rows, key *string) error { return row.Scan(key) }))
	}
}

// ProjectName is a project's key and name.
type ProjectName struct{ Key, Name string }

// RecentProjects lists the active projects whose issues changed last.
func RecentProjects(limit int, into *[]ProjectName) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select p.key, p.name from projects p where p.tenant_id = $1 and p.state = 'active'
			order by coalesce((select max(i.updated_at) from issues i where i.tenant_id = $1 and i.project_id = p.id), p.updated_at) desc, p.key
			limit $2`, scope.Tenant, limit).
			Query(collect(into, func(row pgx.Rows, p *ProjectName) error { return row.Scan(&p.Key, &p.Name) }))
	}
}

// ProjectFilter selects projects. Text matches key and name; After is the key
// that the page follows.
type ProjectFilter struct {
	Text  string
	State tracker.ProjectState // empty: all
	After string
	Limit int
}

// ProjectRow is a project in a list, with its counts.
type ProjectRow struct {
	tracker.Project
	Lead     string
	Open     int
	Total    int
	LastMove time.Time
}

// Projects lists a page of projects by key, and counts all that match.
func Projects(f ProjectFilter, into *[]ProjectRow, total *int) Query {
	const matching = ` from projects p where p.tenant_id = $1 and ($2 = '' or p.state = $2)
		and ($3 = '' or strpos(fold(p.name), fold($3)) > 0 or strpos(lower(p.key), lower($3)) > 0)`
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select count(*)`+matching, scope.Tenant, f.State, f.Text).QueryRow(scalar(total))
		b.Queue(`select `+projectColumns+`,
			coalesce((select coalesce(m.email, m.handle) from members m where m.tenant_id = $1 and m.id = p.lead_id), ''),
			(select count(*) from issues i where i.tenant_id = $1 and i.project_id = p.id and i.open),
			(select count(*) from issues i where i.tenant_id = $1 and i.project_id = p.id)`+matching+`
			and p.key > $4 order by p.key limit $5`, scope.Tenant, f.State, f.Text, f.After, f.Limit).
			Query(collect(into, func(row pgx.Rows, r *ProjectRow) error {
				p := &r.Project
				return row.Scan(&p.ID, &p.Key, &p.Name, &p.Description, &p.State, &p.LeadID, &p.Template, &p.Timezone, &p.WorkingDays,
					&p.Workflow, &p.IssueTypes, &p.Version, &p.CreatedAt, &p.UpdatedAt, &r.Lead, &r.Open, &r.Total)
			}))
	}
}

// ProjectKeyState tells of a key whether a project has it, or had it until it was deleted.
func ProjectKeyState(key string, taken, retired *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select exists (select from projects where tenant_id = $1 and key = $2),
			exists (select from deletions where tenant_id = $1 and project_key = $2 and issue_id is null)`, scope.Tenant, key).
			QueryRow(func(row pgx.Row) error { return row.Scan(taken, retired) })
	}
}

// CheckRetired refuses the key of a deleted project: tokens, links and resources that
// named it must not reach another one.
func CheckRetired(key string, retired bool) error {
	if !retired {
		return nil
	}
	return tenancy.Errorf(tenancy.Conflict, "Project key %s belonged to a project that was deleted, and is not given out again.", key).
		WithNext("Choose another key.")
}

// InsertProject adds a project. A key that is taken, or was, is a conflict.
func InsertProject(p tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		scope.changesWork()
		holdQuota(tenancy.QuotaProjects)(b, scope)
		b.Queue(`insert into projects (tenant_id, id, key, name, description, state, lead_id, template, timezone, workflow,
			issue_types, created_at, updated_at, working_days) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)`,
			scope.Tenant, p.ID, p.Key, p.Name, p.Description, p.State, nullID(p.LeadID), p.Template, p.Timezone,
			asJSON(p.Workflow), asJSON(p.IssueTypes), p.CreatedAt, asJSON(p.WorkingDays))
		// After the insert, which waits for a deletion that is under way.
		b.Queue(`select exists (select from deletions where tenant_id = $1 and project_key = $2 and issue_id is null)`, scope.Tenant, p.Key).
			QueryRow(func(row pgx.Row) error {
				var retired bool
				if err := row.Scan(&retired); err != nil {
					return err
				}
				return CheckRetired(p.Key, retired)
			})
		withinPlan(tenancy.QuotaProjects, 0)(b, scope)
	}
}

// SaveProject writes a locked project's editable fields and raises its version.
func SaveProject(before, p tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		scope.changesWork()
		withinPlanIfRevived(p)(b, scope)
		b.Queue(`update projects set name = $3, description = $4, state = $5, lead_id = $6, timezone = $7,
			version = version + 1, updated_at = $8, working_days = $9, field_versions = field_versions || $10,
			tx = pg_current_xact_id()::text::bigint where tenant_id = $1 and id = $2`,
			scope.Tenant, p.ID, p.Name, p.Description, p.State, nullID(p.LeadID), p.Timezone, p.UpdatedAt, asJSON(p.WorkingDays),
			fieldVersions(before.Fields(), p.Fields(), before.Version+1))
	}
}

// takeNumbers reserves n consecutive issue numbers of a project and returns the first.
func (tx *Tx) takeNumbers(ctx context.Context, project uuid.UUID, n int) (int, error) {
	var next int
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`update projects set next_number = next_number + $3 where tenant_id = $1 and id = $2 returning next_number`,
			scope.Tenant, project, n).QueryRow(scalar(&next))
	})
	if err != nil {
		return 0, fmt.Errorf("take issue numbers: %w", err)
	}
	return next - n, nil
}

// nullID is id, or SQL null for the zero id.
func nullID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func asJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: a value of ours does not marshal: %v", err))
	}
	return data
}

// Vocabularies reads what projects in reach call statuses and types: those with
// these keys, or all.
func Vocabularies(keys []string, into *[]tracker.Vocabulary) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select distinct p.workflow, p.issue_types from projects p
			where p.tenant_id = $1 and (cardinality($2::text[]) = 0 or p.key = any($2))`, scope.Tenant, append([]string{}, keys...)).
			Query(collect(into, func(row pgx.Rows, v *tracker.Vocabulary) error {
				var w tracker.Workflow
				err := row.Scan(&w, &v.Types)
				v.Statuses = w.Names()
				return err
			}))
	}
}
