package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tracker"
)

// tries is how often each question is asked, of tenants by chance, after some whose
// time does not count because they prepare statements.
const tries, unmeasured = 300, 20

// question is one typical use of search_issues on a tenant.
type question struct {
	name string
	ask  func(s scaled, n int) (tracker.Filter, store.Page, string)
}

// scaled is a tenant of the large database.
type scaled struct {
	customer
	people  []uuid.UUID
	sprints []uuid.UUID
}

var openWork = []tracker.Category{tracker.Todo, tracker.InProgress}

func questions() []question {
	page := store.Page{Sort: tracker.SortUpdated, Limit: 26}
	on := func(edit func(f *tracker.Filter, s scaled, n int)) func(scaled, int) (tracker.Filter, store.Page, string) {
		return func(s scaled, n int) (tracker.Filter, store.Page, string) {
			f := tracker.Filter{Categories: openWork, Today: time.Now()}
			edit(&f, s, n)
			p := page
			if f.Text != "" {
				p.Sort = tracker.SortRelevance
			}
			return f, p, ""
		}
	}
	project := func(f *tracker.Filter, _ scaled, n int) { f.Projects = []string{fmt.Sprintf("P%d", n%5)} }
	text := func(words ...string) func(scaled, int) (tracker.Filter, store.Page, string) {
		return on(func(f *tracker.Filter, _ scaled, n int) { f.Text = words[n%len(words)] })
	}
	return []question{
		{"open issues of the tenant", on(func(*tracker.Filter, scaled, int) {})},
		{"open issues of a project", on(project)},
		{"of an assignee", on(func(f *tracker.Filter, s scaled, n int) { f.Assignee.ID = s.people[n%len(s.people)] })},
		{"of a label in a project", on(func(f *tracker.Filter, s scaled, n int) {
			project(f, s, n)
			f.Labels = []string{fmt.Sprintf("label %d", n%20)}
		})},
		{"of a sprint", on(func(f *tracker.Filter, s scaled, n int) { f.SprintID = s.sprints[n%len(s.sprints)] })},
		{"in a status", on(func(f *tracker.Filter, s scaled, n int) {
			project(f, s, n)
			f.Categories, f.Statuses = nil, []string{"In Progress"}
		})},
		{"closed, by priority", on(func(f *tracker.Filter, _ scaled, n int) {
			f.Categories, f.Priorities = []tracker.Category{tracker.Done}, []tracker.Priority{tracker.Urgent}
		})},
		{"overdue", on(func(f *tracker.Filter, _ scaled, _ int) { f.Overdue = true })},
		{"a rare word", text("kujotro", "zenipel", "dribolus", "fletomki", "grazarne")},
		{"a frequent word", text("login", "page", "error", "export", "button")},
		{"two words", text("upload retry", "cookie session", "search filter")},
		{"a phrase", text(`"export import"`, `"login page"`)},
		{"a word in a project", on(func(f *tracker.Filter, s scaled, n int) {
			project(f, s, n)
			f.Text = "timeout"
		})},
		{"counted by status", func(s scaled, n int) (tracker.Filter, store.Page, string) {
			f := tracker.Filter{Projects: []string{fmt.Sprintf("P%d", n%5)}}
			return f, store.Page{Sort: tracker.SortUpdated}, "status"
		}},
		{"a page in the middle", func(s scaled, n int) (tracker.Filter, store.Page, string) {
			f := tracker.Filter{Categories: []tracker.Category{tracker.Done}}
			p := page
			p.After = &store.Position{Value: time.Now().UTC().AddDate(0, -2, 0).Format(time.RFC3339Nano), ID: uuid.Max}
			return f, p, ""
		}},
	}
}

// BenchmarkSearch asks a database of 100 tenants with 10,000 issues each, as the
// runtime role, one question at a time. COLAFLOW_BENCH_TENANTS makes it smaller.
func BenchmarkSearch(b *testing.B) {
	db := open(b)
	all := db.scale(b, cmpInt(os.Getenv("COLAFLOW_BENCH_TENANTS"), 100))
	out := newTable(fmt.Sprintf("Search among %d issues of %d tenants", len(all)*issues, len(all)), "question", "matches", "p50 ms", "p95 ms", "p99 ms")
	for _, q := range questions() {
		took, found := make([]time.Duration, 0, tries), 0
		for n := range tries + unmeasured {
			s := all[rand.IntN(len(all))]
			start := time.Now()
			found += db.search(b, s, q, n)
			if n >= unmeasured {
				took = append(took, time.Since(start))
			}
		}
		slices.Sort(took)
		out.row(q.name, found/(tries+unmeasured), ms(took[tries/2]), ms(took[tries*95/100]), ms(took[tries*99/100]))
	}
	b.ReportMetric(0, "ns/op") // means nothing here
	out.print()
}

// search asks as search_issues does, and returns the total.
func (db *database) search(b *testing.B, s scaled, q question, n int) (total int) {
	f, page, by := q.ask(s, n)
	var rows []tracker.Issue
	var groups []tracker.Group
	require.NoError(b, db.Read(b.Context(), s.Scope(), func(tx *store.Tx) error {
		if f.Text != "" {
			tx.Pin()
			if err := tx.Do(b.Context(), store.MatchText(f, &f.IDs)); err != nil {
				return err
			}
			tx.Unpin()
		}
		queries := []store.Query{store.SearchIssues(f, page, &rows, &total)}
		if by != "" {
			queries = append(queries, store.CountIssues(f, by, &groups))
		}
		return tx.Do(b.Context(), queries...)
	}))
	return total
}

// scale fills so many tenants with 10,000 issues each. The text indexes are made
// afterwards, which is several times faster.
func (db *database) scale(b *testing.B, tenants int) []scaled {
	b.Helper()
	admin := db.Admin(b)
	run := func(sql string) {
		_, err := admin.Exec(b.Context(), sql)
		require.NoError(b, err, sql)
	}
	rows, err := admin.Query(b.Context(), `select indexdef from pg_indexes where tablename = 'issues' and indexdef like '% USING gin %'`)
	require.NoError(b, err)
	indexes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b, err)
	for _, index := range indexes {
		run("drop index " + strings.Fields(index)[2])
	}
	run(`alter system set synchronous_commit = off`)
	run(`select pg_reload_conf()`)
	all := make([]scaled, tenants)
	for n := range all {
		tn := db.Tenant(b, fmt.Sprintf("t%d", n))
		tn.Fill(b, issues)
		all[n] = scaled{customer: customer{Tenant: tn}, people: db.ids(b, admin, `select id from members where tenant_id = $1`, tn.ID),
			sprints: db.ids(b, admin, `select id from sprints where tenant_id = $1`, tn.ID)}
	}
	run(`set maintenance_work_mem = '1GB'`)
	for _, index := range indexes {
		run(index)
	}
	run(`vacuum analyze`)
	return all
}

func (db *database) ids(b *testing.B, admin *pgx.Conn, sql string, args ...any) []uuid.UUID {
	b.Helper()
	rows, err := admin.Query(b.Context(), sql, args...)
	require.NoError(b, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	require.NoError(b, err)
	return list
}

// cmpInt reads a number, or returns what else.
func cmpInt(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}
