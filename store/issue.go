package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// issueColumns are those of a list row; the description is read only where one
// issue is read whole. $1 is the tenant everywhere. What other tables add comes
// by subqueries, not joins: they run for the rows of a page only, after its limit.
// With exists, PostgreSQL may rather collect every blocked issue of the tenant.
const issueColumns = `i.id, i.project_id, (select p.key from projects p where p.tenant_id = $1 and p.id = i.project_id),
	i.number, i.title, i.type, i.status, i.category, i.priority,
	i.assignee_id, coalesce((select coalesce(m.email, m.handle) from members m where m.tenant_id = $1 and m.id = i.assignee_id), ''),
	i.reporter_id, coalesce((select coalesce(m.email, m.handle) from members m where m.tenant_id = $1 and m.id = i.reporter_id), ''),
	array(select l.label from issue_labels l where l.tenant_id = $1 and l.issue_id = i.id order by l.label),
	i.points, i.sprint_id, coalesce((select s.name from sprints s where s.tenant_id = $1 and s.id = i.sprint_id), ''),
	i.parent_id, coalesce((select up.number from issues up where up.tenant_id = $1 and up.id = i.parent_id), 0), i.due_date,
	coalesce((select true from issue_links k join issues x on x.tenant_id = $1 and x.id = k.from_id
	  where k.tenant_id = $1 and k.to_id = i.id and k.relation = 'blocks' and x.open limit 1), false),
	i.version, i.created_at, i.updated_at, i.started_at, i.completed_at`

func scanIssue(row pgx.Rows, i *tracker.Issue) error { return scanIssueWith(row, i) }

func scanFullIssue(row pgx.Rows, i *tracker.Issue) error {
	return scanIssueWith(row, i, &i.Description)
}

func scanIssueWith(row pgx.Rows, i *tracker.Issue, more ...any) error {
	var assignee, reporter, sprint, parent *uuid.UUID
	var parentNumber int
	err := row.Scan(append([]any{&i.ID, &i.ProjectID, &i.Key.Project, &i.Key.Number, &i.Title, &i.Type, &i.Status, &i.Category,
		&i.Priority, &assignee, &i.Assignee, &reporter, &i.Reporter, &i.Labels, &i.Points, &sprint, &i.Sprint,
		&parent, &parentNumber, &i.DueDate, &i.Blocked, &i.Version, &i.CreatedAt, &i.UpdatedAt, &i.StartedAt, &i.CompletedAt}, more...)...)
	if err != nil {
		return err
	}
	i.AssigneeID, i.ReporterID, i.SprintID, i.ParentID = idOrNil(assignee), idOrNil(reporter), idOrNil(sprint), idOrNil(parent)
	if parentNumber > 0 {
		i.Parent = &tracker.IssueKey{Project: i.Key.Project, Number: parentNumber}
	}
	return nil
}

func idOrNil(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

// keyArrays splits keys for byKeys and its like.
func keyArrays(keys []tracker.IssueKey) (projects []string, numbers []int32) {
	for _, k := range keys {
		projects, numbers = append(projects, k.Project), append(numbers, int32(k.Number))
	}
	return projects, numbers
}

// byKeys selects issues by the arrays of keyArrays, $2 and $3.
const byKeys = ` from issues i where i.tenant_id = $1 and (i.project_id, i.number) in (
	select p.id, k.number from unnest($2::text[], $3::int[]) k(key, number) join projects p on p.tenant_id = $1 and p.key = k.key)`

// IssuesByKeys reads whole issues, in no order. Keys that do not exist or are
// out of reach are simply not there.
func IssuesByKeys(keys []tracker.IssueKey, into *[]tracker.Issue) Query {
	return func(b *pgx.Batch, scope Scope) {
		projects, numbers := keyArrays(keys)
		b.Queue(`select `+issueColumns+`, i.description`+byKeys, scope.Tenant, projects, numbers).
			Query(collect(into, scanFullIssue))
	}
}

// IssueByKey is IssuesByKeys for one, with the workflow that it follows.
func IssueByKey(key tracker.IssueKey, into *[]tracker.Issue, workflow *tracker.Workflow) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+issueColumns+`, i.description, own.workflow from projects own
			join issues i on i.tenant_id = $1 and i.project_id = own.id and i.number = $3
			where own.tenant_id = $1 and own.key = $2`, scope.Tenant, key.Project, key.Number).
			Query(collect(into, func(row pgx.Rows, i *tracker.Issue) error { return scanIssueWith(row, i, &i.Description, workflow) }))
	}
}

// IssueKeys lists keys that begin with prefix, most recently changed first.
func IssueKeys(prefix string, limit int, into *[]string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select p.key || '-' || i.number from issues i join projects p on p.tenant_id = $1 and p.id = i.project_id
			where i.tenant_id = $1 and starts_with(p.key || '-' || i.number, $2) order by i.updated_at desc, i.id desc limit $3`,
			scope.Tenant, prefix, limit).
			Query(collect(into, func(row pgx.Rows, key *string) error { return row.Scan(key) }))
	}
}

// LockIssues is IssuesByKeys that holds the rows until the write commits. Rows
// are locked in the order of their ids, so that two writes cannot deadlock.
func LockIssues(keys []tracker.IssueKey, into *[]tracker.Issue) Query {
	return func(b *pgx.Batch, scope Scope) {
		projects, numbers := keyArrays(keys)
		b.Queue(`select i.id`+byKeys+` order by i.id for update of i`, scope.Tenant, projects, numbers)
		IssuesByKeys(keys, into)(b, scope)
	}
}

// Children lists the issues whose parent is one of the given.
func Children(parents []uuid.UUID, limit int, into *[]tracker.Issue) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+issueColumns+` from issues i where i.tenant_id = $1 and i.parent_id = any($2) order by i.project_id, i.number limit $3`,
			scope.Tenant, parents, limit).Query(collect(into, scanIssue))
	}
}

// NewIssue is an issue to insert. Number 0 takes the project's next one. Imports
// give the source, the times and the events themselves.
type NewIssue struct {
	tracker.Issue
	ExternalSource string
	ExternalID     string
}

// CreateIssues inserts issues of one project with their labels, takes their
// numbers, and records that they were created. It fills ID and Key of each. The
// rows are written in the next trip, so that nobody waits long for a number.
func (tx *Tx) CreateIssues(ctx context.Context, p tracker.Project, issues []tracker.Issue, by Author) error {
	first, err := tx.takeNumbers(ctx, p.ID, len(issues))
	if err != nil {
		return err
	}
	events := make([]tracker.Event, 0, len(issues))
	rows := make([]NewIssue, len(issues))
	for n := range issues {
		issues[n].Key = tracker.IssueKey{Project: p.Key, Number: first + n}
	}
	for n := range issues { // parents may be of the same batch: keys first
		i := &issues[n]
		i.ProjectID, i.Version, i.CreatedAt, i.UpdatedAt = p.ID, 1, by.At, by.At
		rows[n] = NewIssue{Issue: *i}
		events = append(events, tracker.Created(*i))
	}
	tx.Later(withinPlan(tenancy.QuotaText, 0), InsertIssues(parentsFirst(rows)), InsertEvents(p.ID, events, by))
	return nil
}

// parentsFirst orders issues so that a parent of the same batch is inserted
// before its children. There are no circles.
func parentsFirst(issues []NewIssue) []NewIssue {
	index := make(map[uuid.UUID]int, len(issues))
	for n, i := range issues {
		index[i.ID] = n
	}
	ordered, placed := make([]NewIssue, 0, len(issues)), make([]bool, len(issues))
	var place func(n int)
	place = func(n int) {
		if placed[n] {
			return
		}
		placed[n] = true
		if up, ok := index[issues[n].ParentID]; ok {
			place(up)
		}
		ordered = append(ordered, issues[n])
	}
	for n := range issues {
		place(n)
	}
	return ordered
}

// InsertIssues inserts issues with their labels. IDs, numbers and times are given.
func InsertIssues(issues []NewIssue) Query {
	return func(b *pgx.Batch, scope Scope) {
		for _, i := range issues {
			b.Queue(`insert into issues (tenant_id, id, project_id, number, title, description, type, status, category, priority,
				assignee_id, reporter_id, points, sprint_id, parent_id, due_date, version, external_source, external_id,
				created_at, updated_at, started_at, completed_at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, nullif($18, ''), nullif($19, ''), $20, $21, $22, $23)`,
				scope.Tenant, i.ID, i.ProjectID, i.Key.Number, i.Title, i.Description, i.Type, i.Status, i.Category, int16(i.Priority),
				nullID(i.AssigneeID), nullID(i.ReporterID), i.Points, nullID(i.SprintID), nullID(i.ParentID), i.DueDate, i.Version,
				i.ExternalSource, i.ExternalID, i.CreatedAt, i.UpdatedAt, i.StartedAt, i.CompletedAt)
			queueLabels(b, scope, i.Issue, i.Labels, nil)
		}
	}
}

// SaveIssue writes every field of a locked issue, raises its version, and
// records the events that before and after differ by.
func SaveIssue(before, after tracker.Issue, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`update issues set title = $3, description = $4, type = $5, status = $6, category = $7, priority = $8,
			assignee_id = $9, points = $10, sprint_id = $11, parent_id = $12, due_date = $13, started_at = $14, completed_at = $15,
			updated_at = $16, version = version + 1 where tenant_id = $1 and id = $2`,
			scope.Tenant, after.ID, after.Title, after.Description, after.Type, after.Status, after.Category, int16(after.Priority),
			nullID(after.AssigneeID), after.Points, nullID(after.SprintID), nullID(after.ParentID), after.DueDate,
			after.StartedAt, after.CompletedAt, by.At)
		add, remove := difference(after.Labels, before.Labels), difference(before.Labels, after.Labels)
		queueLabels(b, scope, after, add, remove)
		InsertEvents(after.ProjectID, tracker.Diff(before, after), by)(b, scope)
	}
}

func queueLabels(b *pgx.Batch, scope Scope, i tracker.Issue, add, remove []string) {
	for _, label := range add {
		b.Queue(`insert into issue_labels (tenant_id, project_id, issue_id, label, folded) values ($1, $2, $3, $4, $5) on conflict do nothing`,
			scope.Tenant, i.ProjectID, i.ID, label, strings.ToLower(label))
	}
	if len(remove) > 0 {
		b.Queue(`delete from issue_labels where tenant_id = $1 and issue_id = $2 and label = any($3)`, scope.Tenant, i.ID, remove)
	}
}

func difference(a, without []string) []string {
	drop := make(map[string]bool, len(without))
	for _, s := range without {
		drop[s] = true
	}
	var rest []string
	for _, s := range a {
		if !drop[s] {
			rest = append(rest, s)
		}
	}
	return rest
}

// Author is who makes a change, and when: it stamps events and comments.
type Author struct {
	MemberID uuid.UUID // zero for a service token
	TokenID  uuid.UUID // zero for a person or an import
	ChangeID uuid.UUID
	At       time.Time
}
