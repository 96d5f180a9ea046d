package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// reportTries is how often each report is asked for, after some whose time does not count.
const reportTries, reportUnmeasured = 40, 5

// BenchmarkReports asks a whole server for every report on a project with 10,000
// events and on one with 100,000, one call at a time.
func BenchmarkReports(b *testing.B) {
	db := open(b)
	small, large := db.history(b, "small", 10_000), db.history(b, "large", 100_000)
	servers := contenders(b, db, []customer{small, large})
	ours := servers[len(servers)-1]
	out := newTable("Reports on a project of 10,000 and of 100,000 events", "get_report", "p50 ms", "p95 ms", "p50 ms of 100,000", "p95 ms", "ms of processor time")
	ask := func(name, arguments string) {
		cells, each := []any{name}, time.Duration(0)
		for _, c := range []customer{small, large} {
			took, used := db.repeat(b, ours.addr, legacy.call(c.token, "get_report", "%s", arguments))
			cells = append(cells, ms(took[len(took)/2]), ms(took[len(took)*95/100]))
			each = used.sum() / reportTries
		}
		out.row(append(cells, ms(each))...)
	}
	for _, t := range report.TypeNames() {
		ask(t, `{"project":["WEB"],"type":"`+t+`"}`)
	}
	ask("cumulative_flow of a year, every value", `{"project":["WEB"],"type":"cumulative_flow","from":"2000-01-01","detail":"series"}`)
	ask("cumulative_flow with a picture", `{"project":["WEB"],"type":"cumulative_flow","chart":"png"}`)
	_, err := db.Admin(b).Exec(b.Context(), "delete from issue_timelines")
	require.NoError(b, err)
	ask("throughput when no timeline is kept yet", `{"project":["WEB"],"type":"throughput"}`)
	b.ReportMetric(0, "ns/op") // means nothing here
	out.print()
}

// repeat makes one call after the other and returns how long each took, the shortest
// first, and the processor time of all.
func (db *database) repeat(b *testing.B, addr string, request []byte) ([]time.Duration, cpu) {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 32<<10)
	var body bytes.Buffer
	var took []time.Duration
	var before cpu
	for n := range reportUnmeasured + reportTries {
		if n == reportUnmeasured {
			before = db.used()
		}
		start := time.Now()
		require.NoError(b, exchange(conn, in, request, &body))
		if n >= reportUnmeasured {
			took = append(took, time.Since(start))
		}
	}
	used := db.used().since(before)
	slices.Sort(took)
	return took, used
}

// history makes a tenant with a project that has about so many events of a year:
// issues in sprints of two weeks, each with ten events once it is done.
func (db *database) history(b *testing.B, name string, events int) customer {
	b.Helper()
	tn := db.Tenant(b, name)
	p := tn.Project(b, "WEB", "Website")
	now := time.Now().UTC().Truncate(time.Second)
	begin := now.AddDate(-1, 0, 0)
	var sprints []store.Query
	for n, start := 1, begin; start.Before(now); n, start = n+1, start.AddDate(0, 0, 14) {
		end := start.AddDate(0, 0, 14)
		s := tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, Name: fmt.Sprintf("Sprint %d", n), State: tracker.SprintCompleted, StartsOn: &start, EndsOn: &end,
			StartedAt: &start, CompletedAt: &end, CreatedAt: begin}
		if end.After(now) {
			s.State, s.CompletedAt = tracker.SprintActive, nil
		}
		sprints = append(sprints, store.InsertSprint(s))
	}
	tn.Write(b, func(tx *store.Tx) error { return tx.Do(b.Context(), sprints...) })
	admin := db.Admin(b)
	for _, sql := range []string{historyIssues, historyEvents} {
		_, err := admin.Exec(b.Context(), sql, tn.ID, p.ID, tn.Ada.ID, begin, now, events/10)
		require.NoError(b, err)
	}
	require.NoError(b, db.CatchUpTimelines(b.Context(), tn.ID))
	spec, _ := report.Find("velocity")
	var d report.Data
	require.NoError(b, db.Read(b.Context(), tn.Scope(), func(tx *store.Tx) (err error) {
		d, err = tx.ReportData(b.Context(), spec, nil, time.Time{})
		return err
	}))
	for _, s := range d.Sprints {
		for moment, at := range map[string]*time.Time{"start": s.StartedAt, "end": s.CompletedAt} {
			if at == nil {
				continue
			}
			items, err := json.Marshal(report.Freeze(s.ID, d.Issues, *at, moment == "end").Items)
			require.NoError(b, err)
			_, err = admin.Exec(b.Context(), `insert into sprint_snapshots (tenant_id, project_id, sprint_id, moment, at, items) values ($1, $2, $3, $4, $5, $6)`,
				tn.ID, p.ID, s.ID, moment, *at, items)
			require.NoError(b, err)
		}
	}
	_, err := admin.Exec(b.Context(), "vacuum analyze")
	require.NoError(b, err)
	var made int
	require.NoError(b, admin.QueryRow(b.Context(), "select count(*) from issue_events where tenant_id = $1", tn.ID).Scan(&made))
	b.Logf("%s: %d issues, %d events", name, len(d.Issues), made)
	return customer{tn, tn.FullToken(b)}
}

// historyIssues makes the issues: $1 tenant, $2 project, $3 member, $4 the first
// day, $5 now, $6 how many. Each takes from 2 to 31 days from its creation on.
const historyIssues = `insert into issues (tenant_id, id, project_id, number, title, type, status, category, assignee_id, reporter_id, points, sprint_id, due_date,
	    version, created_at, updated_at, started_at, completed_at)
	select $1, gen_random_uuid(), $2, i, 'Issue ' || i, (array['Story', 'Task', 'Bug'])[1 + i % 3],
	  case when done <= $5 then 'Done' when at + (done - at) / 2 <= $5 then 'In Progress' else 'To Do' end,
	  case when done <= $5 then 'done' when at + (done - at) / 2 <= $5 then 'in_progress' else 'todo' end, $3, $3, 1 + i % 8,
	  (select s.id from sprints s where s.tenant_id = $1 and s.project_id = $2 and s.started_at <= at order by s.started_at desc limit 1),
	  case when i % 10 = 0 then done::date end, 10, at, least(done, $5), at + (done - at) / 2, case when done <= $5 then done end
	from (select i, at, at + make_interval(days => 2 + i % 30) as done
	  from generate_series(1, $6::int) i, lateral (select $4::timestamptz + ($5::timestamptz - $4::timestamptz) * (i::float8 / $6) as at) t) made`

// historyEvents makes what happened to them, up to now.
const historyEvents = `insert into issue_events (tenant_id, id, project_id, issue_id, change_id, kind, field, before, after, actor_id, at)
	select $1, gen_random_uuid(), $2, i.id, gen_random_uuid(), e.kind, e.field, e.before, e.after, $3, i.created_at + e.share * make_interval(days => 2 + i.number % 30)
	from issues i, lateral (values
	  (0.0, 'created', '', null::jsonb, jsonb_build_object('title', i.title, 'type', i.type, 'status', '{"name":"Backlog","category":"todo"}'::jsonb, 'priority', 'medium')),
	  (0.01, 'changed', 'points', null, to_jsonb(i.points)),
	  (0.02, 'changed', 'description', null, '"Text of several words"'::jsonb),
	  (0.03, 'changed', 'sprint', null, jsonb_build_object('id', i.sprint_id, 'name', 'Sprint')),
	  (0.04, 'changed', 'status', null, '{"name":"To Do","category":"todo"}'),
	  (0.05, 'changed', 'assignee', null, '"ada@acme.test"'),
	  (0.5, 'changed', 'status', null, '{"name":"In Progress","category":"in_progress"}'),
	  (0.6, 'changed', 'labels', null, '["one","two"]'),
	  (0.8, 'changed', 'status', null, '{"name":"In Review","category":"in_progress"}'),
	  (1.0, 'changed', 'status', null, '{"name":"Done","category":"done"}')) e (share, kind, field, before, after)
	where i.tenant_id = $1 and i.project_id = $2 and i.created_at + e.share * make_interval(days => 2 + i.number % 30) <= $5 and $4::timestamptz is not null and $6::int > 0`
