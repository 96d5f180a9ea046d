package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// maxWork is how many items one reading lists; of more, it says only that there are more.
const maxWork = 2000

// WorkPosition is how far a reader of a tenant's work has come: a snapshot, in
// PostgreSQL's words. What commits after it was taken, in whatever order, is not
// visible in it; so nothing is lost between two readings and nothing comes twice.
type WorkPosition string

// WorkItem is an issue that changed or was deleted, or without IssueID a project or its
// sprints.
type WorkItem struct {
	ProjectID  uuid.UUID
	ProjectKey string
	IssueID    uuid.UUID
}

// Work is what changed in a tenant between two positions.
type Work struct {
	Position WorkPosition
	Items    []WorkItem
	// More tells that there was too much to list: anything may have changed.
	More bool
	// Epochs holds those of the tokens that were asked about and worked in the very
	// snapshot that shows the items; a token that is not there did not.
	Epochs map[uuid.UUID]int64
}

// ReadWork reads what changed since a position, on any node, and which tokens work.
// Without a position it only takes one.
func (s *Store) ReadWork(ctx context.Context, tenant tenancy.TenantID, since WorkPosition, tokens []uuid.UUID) (Work, error) {
	var w Work
	err := s.Read(ctx, AsSystem(tenant, "subscriptions"), func(tx *Tx) error {
		tx.Pin() // the snapshot is named first: on Citus, a worker's own would be another
		err := tx.Do(ctx, func(b *pgx.Batch, _ Scope) {
			b.Queue(`select pg_current_snapshot()::text`).QueryRow(scalar(&w.Position))
		})
		if err != nil || since == "" {
			return err
		}
		tx.Unpin()
		return tx.Do(ctx, workSince(since, w.Position, &w.Items), epochsOf(tokens, &w.Epochs))
	})
	if err != nil {
		return Work{}, fmt.Errorf("read changes: %w", err)
	}
	if len(w.Items) > maxWork {
		w.Items, w.More = nil, true
	}
	return w, nil
}

// workSince lists what one snapshot shows and an earlier one did not. Rows that a
// backup brought from another server's future are beyond the upper bound.
func workSince(since, until WorkPosition, into *[]WorkItem) Query {
	return func(b *pgx.Batch, scope Scope) {
		from, _ := since.bounds()
		_, to := until.bounds()
		const fresh = `.tenant_id = $1 and t.tx >= $2 and t.tx < $3 and not pg_visible_in_snapshot(t.tx::text::xid8, $4::text::pg_snapshot)`
		b.Queue(`select w.project_id, p.key, w.issue_id from (
			  select distinct t.project_id, t.issue_id from issue_events t where t`+fresh+`
			  union all select t.id, null from projects t where t`+fresh+`
			  union all select distinct t.project_id, null::uuid from sprints t where t`+fresh+`
			) w join projects p on p.tenant_id = $1 and p.id = w.project_id
			union all select t.project_id, t.project_key, t.issue_id from deletions t where t`+fresh+`
			limit $5`,
			scope.Tenant, from, to, string(since), maxWork+1).
			Query(collect(into, func(row pgx.Rows, w *WorkItem) error {
				var issue *uuid.UUID
				err := row.Scan(&w.ProjectID, &w.ProjectKey, &issue)
				w.IssueID = idOrNil(issue)
				return err
			}))
	}
}

// bounds are the first transaction that may have been running when the position was
// taken, and the first that had not begun.
func (p WorkPosition) bounds() (first, next int64) {
	parts := strings.SplitN(string(p), ":", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	first, _ = strconv.ParseInt(parts[0], 10, 64) // PostgreSQL wrote it
	next, _ = strconv.ParseInt(parts[1], 10, 64)
	return first, next
}

// epochsOf tells which of the tokens work, by the same rules as enter().
func epochsOf(tokens []uuid.UUID, into *map[uuid.UUID]int64) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select t.id, t.epoch + coalesce(m.epoch, 0) from tokens t
			left join members m on m.tenant_id = $1 and m.id = t.member_id
			where t.tenant_id = $1 and t.id = any($2) and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
			  and (t.member_id is null or m.state = 'active')`, scope.Tenant, tokens).
			Query(func(rows pgx.Rows) error {
				epochs := map[uuid.UUID]int64{}
				var id uuid.UUID
				var epoch int64
				_, err := pgx.ForEachRow(rows, []any{&id, &epoch}, func() error { epochs[id] = epoch; return nil })
				*into = epochs
				return err
			})
	}
}

// Place is where a project or an issue is.
type Place struct {
	Key       tracker.IssueKey // of a project: without a number
	ProjectID uuid.UUID
	IssueID   uuid.UUID // of a project: zero
}

// Locate finds the projects and issues with these keys that are in reach. A key
// without a number is a project's.
func Locate(keys []tracker.IssueKey, projects, issues *[]Place) Query {
	return func(b *pgx.Batch, scope Scope) {
		names, numbers := keyArrays(keys)
		b.Queue(`select p.key, p.id from projects p where p.tenant_id = $1 and p.key = any($2)`, scope.Tenant, names).
			Query(collect(projects, func(row pgx.Rows, p *Place) error { return row.Scan(&p.Key.Project, &p.ProjectID) }))
		b.Queue(`select (select p.key from projects p where p.tenant_id = $1 and p.id = i.project_id), i.number, i.project_id, i.id`+byKeys,
			scope.Tenant, names, numbers).
			Query(collect(issues, func(row pgx.Rows, p *Place) error {
				return row.Scan(&p.Key.Project, &p.Key.Number, &p.ProjectID, &p.IssueID)
			}))
	}
}
