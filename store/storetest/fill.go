package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Fill gives the tenant five projects, P0 to P4, ten more members, and n issues
// over them, numbered from 1 in each project. They are made inside the database,
// tens of thousands a second: words as frequent as in real trackers, a third of
// the issues open, with labels, sprints, parents and links. Statistics are up to date
// after it.
func (tn *Tenant) Fill(t testing.TB, n int) []tracker.Project {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var projects []tracker.Project
	var people []tenancy.Member
	for i := range 5 {
		projects = append(projects, tn.Project(t, fmt.Sprintf("P%d", i), fmt.Sprintf("Project %d", i)))
	}
	for i := range 10 {
		handle := fmt.Sprintf("person%d", i)
		people = append(people, tenancy.Member{ID: tenancy.NewID(), Handle: handle, Email: handle + "@" + tn.Slug + ".test",
			Name: "Person " + handle, Role: tenancy.RoleMember, State: tenancy.MemberActive, CreatedAt: Now})
	}
	tn.Write(t, func(tx *store.Tx) error {
		queries := []store.Query{store.InsertMembers(people)}
		for _, p := range projects {
			for i, state := range []tracker.SprintState{tracker.SprintCompleted, tracker.SprintActive, tracker.SprintPlanned} {
				queries = append(queries, store.InsertSprint(tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID,
					Name: fmt.Sprintf("Sprint %d", i+1), State: state, CreatedAt: Now}))
			}
		}
		return tx.Do(ctx, queries...)
	})
	admin, err := pgx.Connect(ctx, tn.db.AdminDSN)
	require.NoError(t, err)
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	var projectIDs, memberIDs []uuid.UUID
	for _, p := range projects {
		projectIDs = append(projectIDs, p.ID)
	}
	for _, m := range people {
		memberIDs = append(memberIDs, m.ID)
	}
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{fillIssues, []any{tn.ID, projectIDs, memberIDs, n, Now}},
		{`insert into issue_labels (tenant_id, project_id, issue_id, label, folded)
			select tenant_id, project_id, id, 'label ' || (number * 7 + k) % 20, 'label ' || (number * 7 + k) % 20 from issues, generate_series(0, 1) k
			where tenant_id = $1 and number % 3 > k`, []any{tn.ID}},
		{`insert into issue_links (tenant_id, project_id, from_id, relation, to_project_id, to_id, created_at)
			select a.tenant_id, a.project_id, a.id, 'blocks', b.project_id, b.id, $2
			from issues a join issues b on b.tenant_id = a.tenant_id and b.project_id = a.project_id and b.number = a.number + 1
			where a.tenant_id = $1 and a.number % 25 = 0`, []any{tn.ID, Now}},
		{`update projects p set next_number = 1 + (select count(*) from issues i where i.tenant_id = $1 and i.project_id = p.id)
			where tenant_id = $1`, []any{tn.ID}},
		{`analyze issues, issue_labels, issue_links, projects, members, sprints`, nil},
	} {
		_, err := admin.Exec(ctx, s.sql, s.args...)
		require.NoError(t, err)
	}
	return projects
}

// fillIssues makes issues of one tenant: $1 tenant, $2 projects, $3 members, $4
// how many, $5 now. Words follow the law of Zipf and Mandelbrot, as in the
// archives of real trackers: the most frequent one is in every third issue.
const fillIssues = `
	with sizes as materialized (select array_agg(word::name order by rank) as words, count(*)::float8 as known from (
	    select r as rank, case when r <= 60 then (string_to_array('login page user error button fails when export import ' ||
	      'search list issue report mobile slow crash save dialog filter sort column table menu link title label sprint board ' ||
	      'token access project email invite member role password session cookie cache index query database server timeout retry ' ||
	      'upload download file image attachment comment history status workflow release version upgrade migration backup restore', ' '))[r]
	    else (array['ba','de','fi','go','ku','la','me','ni','po','ru','sa','te','vi','wo','xa','ze','cha','dri','fle','gra'])[1 + r % 20] ||
	      (array['lan','mer','nip','dok','tuf','gal','sem','rin','bol','cut','wan','pes','kil','tom','hub','zar','vex','lim','jot','nud'])[1 + r / 20 % 20] ||
	      (array['ta','ro','ne','ki','us','or','el','im','an','et','os','ul','am','ir','ex'])[1 + r / 400 % 15] end as word
	    from generate_series(1, 5000) r) w),
	made as (select i, $5::timestamptz - make_interval(mins => ($4 - i) * 20) as at, $2::uuid[] as projects, random() as luck
	  from generate_series(1, $4::int) i)
	insert into issues (tenant_id, id, project_id, number, title, description, type, status, category, priority, assignee_id, reporter_id,
	  points, sprint_id, due_date, created_at, updated_at, started_at, completed_at)
	select $1, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' ||
	    substr(md5(random()::text), 1, 15))::uuid,
	  project, 1 + (i - 1) / cardinality(projects),
	  array_to_string(array(select words[floor(30 * power(1 + known / 30, random()))::int - 29] from generate_series(1, 6 + i % 4)), ' '),
	  array_to_string(array(select words[floor(30 * power(1 + known / 30, random()))::int - 29] from generate_series(1, 40 + i % 40)), ' '),
	  (array['Task', 'Bug', 'Story'])[1 + i % 3], status, category, 1 + i % 4,
	  case when i % 5 > 0 then ($3::uuid[])[1 + i % cardinality($3::uuid[])] end, ($3::uuid[])[1 + i / 7 % cardinality($3::uuid[])],
	  case when i % 2 = 0 then i % 9 end,
	  case when i % 6 = 0 then (select s.id from sprints s where s.tenant_id = $1 and s.project_id = project order by s.name offset i / 6 % 3 limit 1) end,
	  case when i % 5 = 1 then at::date + 30 end, at, at + luck * interval '20 days',
	  case when category <> 'todo' then at + interval '1 day' end, case when category = 'done' then at + luck * interval '20 days' end
	from sizes, made, lateral (select projects[1 + (i - 1) % cardinality(projects)] as project,
	  case when luck < 0.1 then 'Backlog' when luck < 0.2 then 'To Do' when luck < 0.3 then 'In Progress' when luck < 0.34 then 'In Review'
	    when luck < 0.94 then 'Done' else 'Cancelled' end as status,
	  case when luck < 0.2 then 'todo' when luck < 0.34 then 'in_progress' when luck < 0.94 then 'done' else 'cancelled' end as category) s`

// Calls gives the tenant n rows of calls in its audit log, one a second until now. They
// bear no MACs.
func (tn *Tenant) Calls(t testing.TB, n int) {
	t.Helper()
	_, err := tn.db.Admin(t).Exec(t.Context(), `insert into audit_log (tenant_id, id, at, written_at, kind, actor, method, tool, decision, target, mac)
		select $1, gen_random_uuid(), now() - n * interval '1 second', now() - n * interval '1 second', 'call', 'ada', 'tools/call', 'update_issue', 'allowed', 'P0-' || n, ''
		from generate_series(1, $2::int) n`, tn.ID, n)
	require.NoError(t, err)
}
