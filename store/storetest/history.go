package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker"
)

// History gives a project about n events over the year before Now: an issue for
// every eight of them, each created, estimated, assigned, planned into one of 26
// sprints and moved through the workflow. They are made inside the database, and
// statistics are up to date after it.
func (tn *Tenant) History(t testing.TB, p tracker.Project, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, tn.db.AdminDSN)
	require.NoError(t, err)
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{`insert into sprints (tenant_id, id, project_id, name, state, starts_on, ends_on, started_at, completed_at, created_at)
			select $1, gen_random_uuid(), $2, 'Sprint ' || k, case when k < 26 then 'completed' else 'active' end,
			  $3::date - 371 + k * 14, $3::date - 360 + k * 14, $3::timestamptz - interval '371 days' + k * interval '14 days',
			  case when k < 26 then $3::timestamptz - interval '360 days' + k * interval '14 days' end, $3
			from generate_series(1, 26) k`, []any{tn.ID, p.ID, Now}},
		{`insert into issues (tenant_id, id, project_id, number, title, type, status, category, assignee_id, points, sprint_id, version, created_at, updated_at)
			select $1, gen_random_uuid(), $2, i, 'Issue of which the title has about fifty letters ' || i, (array['Story', 'Bug', 'Task'])[1 + i % 3],
			  'Done', 'done', case when i % 5 > 0 then $4::uuid end, i % 6,
			  (select s.id from sprints s where s.tenant_id = $1 and s.project_id = $2 and s.name = 'Sprint ' || 1 + i * 26 / $3), 8,
			  $5::timestamptz - interval '1 year' + i * (interval '1 year' / $3), $5
			from generate_series(1, $3::int - 1) i`, []any{tn.ID, p.ID, n / 8, tn.Ada.ID, Now}},
		// The newest are still on their way.
		{`update issues set status = (array['Backlog', 'In Progress', 'In Review'])[1 + number % 3], version = 7,
			category = (array['todo', 'in_progress', 'in_progress'])[1 + number % 3]
			where tenant_id = $1 and project_id = $2 and number > $3::int * 19 / 20`, []any{tn.ID, p.ID, n / 8}},
		{`insert into issue_events (tenant_id, id, project_id, issue_id, change_id, kind, field, after, at)
			select i.tenant_id, gen_random_uuid(), i.project_id, i.id, gen_random_uuid(), case when k = 0 then 'created' else 'changed' end, field, after,
			  least(i.created_at + k * k * (1 + i.number % 7) * interval '3 hours', $3::timestamptz - interval '1 minute')
			from issues i, lateral (values
			  (0, '', jsonb_build_object('title', i.title, 'type', i.type, 'priority', 'medium', 'status', jsonb_build_object('name', 'Backlog', 'category', 'todo'))),
			  (1, 'points', to_jsonb(i.points)), (2, 'sprint', jsonb_build_object('id', i.sprint_id, 'name', 'Sprint')), (3, 'assignee', to_jsonb('ada@example.test'::text)),
			  (4, 'status', jsonb_build_object('name', 'In Progress', 'category', 'in_progress')), (5, 'status', jsonb_build_object('name', 'In Review', 'category', 'in_progress')),
			  (6, 'status', jsonb_build_object('name', 'In Progress', 'category', 'in_progress')),
			  (7, 'status', jsonb_build_object('name', i.status, 'category', i.category))) e(k, field, after)
			where i.tenant_id = $1 and i.project_id = $2`, []any{tn.ID, p.ID, Now}},
		{`update projects set next_number = $3 where tenant_id = $1 and id = $2`, []any{tn.ID, p.ID, n / 8}},
		{`vacuum analyze issues, issue_events, sprints, projects`, nil},
	} {
		_, err := admin.Exec(ctx, s.sql, s.args...)
		require.NoError(t, err)
	}
}
