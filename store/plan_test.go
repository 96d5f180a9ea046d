package store_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
)

// planner runs the store's own queries as the runtime role and keeps the plans that
// PostgreSQL made for them, and for what functions ask within.
type planner struct {
	conn  *pgx.Conn
	scope store.Scope
	mu    sync.Mutex
	plans []string
}

func newPlanner(t *testing.T, db *storetest.DB, tn *storetest.Tenant) *planner {
	t.Helper()
	p := &planner{scope: tn.Scope()}
	cfg, err := pgx.ParseConfig(db.AdminDSN)
	require.NoError(t, err)
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.plans = append(p.plans, n.Message)
	}
	p.conn, err = pgx.ConnectConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.conn.Close(t.Context()) })
	for _, sql := range []string{
		"load 'auto_explain'", "set auto_explain.log_min_duration = 0", "set auto_explain.log_nested_statements = on",
		"set plan_cache_mode = force_generic_plan", // as the runtime role has it
		"set session authorization " + store.AppRole, "set client_min_messages = log",
	} {
		_, err := p.conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	return p
}

// of runs queries and returns the plans that read issues.
func (p *planner) of(t *testing.T, queries ...store.Query) []string {
	t.Helper()
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue("select set_config('app.tenant_id', $1, true), set_config('app.only_projects', 'all', true)", p.scope.Tenant.String())
	for _, q := range queries {
		q(b, p.scope)
	}
	b.Queue("commit")
	p.mu.Lock()
	p.plans = nil
	p.mu.Unlock()
	require.NoError(t, p.conn.SendBatch(t.Context(), b).Close())
	p.mu.Lock()
	defer p.mu.Unlock()
	var about []string
	for _, plan := range p.plans {
		if strings.Contains(plan, " on issues") {
			about = append(about, plan)
		}
	}
	require.NotEmpty(t, about, "nothing read issues")
	return about
}

// TestAttack060_Plan holds the product's own searches, as the runtime role runs them
// under row-level security, to indexes that lead with the tenant.
func TestAttack060_Plan(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	var tn *storetest.Tenant
	for _, slug := range []string{"acme", "beta", "gamma"} {
		tn = db.Tenant(t, slug)
		tn.Fill(t, 1500)
	}
	var person uuid.UUID
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), "select id from members where tenant_id = $1 and handle = 'person3'", tn.ID).Scan(&person))
	p := newPlanner(t, db, tn)

	open := []tracker.Category{tracker.Todo, tracker.InProgress}
	page := store.Page{Sort: tracker.SortUpdated, Limit: 26}
	var rows []tracker.Issue
	var groups []tracker.Group
	var ids []uuid.UUID
	var total int
	search := func(f tracker.Filter) store.Query { return store.SearchIssues(f, page, &rows, &total) }
	for name, query := range map[string]store.Query{
		"open":          search(tracker.Filter{Categories: open}),
		"project":       search(tracker.Filter{Categories: open, Projects: []string{"P1"}}),
		"assignee":      search(tracker.Filter{Categories: open, Assignee: tracker.Person{ID: person}}),
		"label":         search(tracker.Filter{Categories: open, Labels: []string{"Label 3"}}),
		"status":        search(tracker.Filter{Projects: []string{"P1"}, Statuses: []string{"In Progress"}}),
		"overdue":       search(tracker.Filter{Categories: open, Overdue: true, Today: time.Now()}),
		"grouped":       store.CountIssues(tracker.Filter{Projects: []string{"P1"}}, "status", &groups),
		"one":           store.IssueByKey(tracker.IssueKey{Project: "P1", Number: 7}, &rows, new(tracker.Workflow)),
		"text":          store.MatchText(tracker.Filter{Text: "timeout", Categories: open}, &ids),
		"text, closed":  store.MatchText(tracker.Filter{Text: "timeout"}, &ids),
		"similar title": store.SimilarTo("Upload fails after a retry of the export", 20, &ids),
	} {
		for _, plan := range p.of(t, query) {
			require.NotContains(t, plan, "Seq Scan on issues", name)
			for _, condition := range regexp.MustCompile(`(?m)^.*Index Cond: .*$`).FindAllString(plan, -1) {
				require.Contains(t, condition, "tenant_id", "%s: %s", name, plan)
			}
		}
	}
	for query, index := range map[string]string{"text": "issues_search_open", "closed": "issues_search ", "title": "issues_title_open"} {
		q := map[string]store.Query{"text": store.MatchText(tracker.Filter{Text: "timeout", Categories: open}, &ids),
			"closed": store.MatchText(tracker.Filter{Text: "timeout"}, &ids), "title": store.SimilarTo("Upload fails again", 20, &ids)}[query]
		require.Contains(t, strings.Join(p.of(t, q), "\n"), index, query)
	}
}
