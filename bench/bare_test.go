package bench

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// bare is what the product is measured against: mcp-go and pgx with the same
// SQL and the same answers, and nothing else. It believes every token, connects
// as superuser, so that no row is checked, and leaves no audit.
type bare struct {
	pool    *pgxpool.Pool
	tenants map[string]tenant // by Authorization header
}

type tenant struct {
	id    tenancy.TenantID
	slug  string
	owner uuid.UUID
}

type tenantKey struct{}

func (s *bare) handler() http.Handler {
	m := server.NewMCPServer("bare", "1", server.WithToolCapabilities(false))
	for name, tool := range map[string]func(context.Context, tenant, map[string]any) (any, error){
		"get_issue": s.getIssue, "search_issues": s.searchIssues, "create_issue": s.createIssue,
	} {
		m.AddTool(mcp.NewTool(name), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			out, err := tool(ctx, ctx.Value(tenantKey{}).(tenant), req.GetArguments())
			if err != nil {
				return mcp.NewToolResultError(err.Error()), nil
			}
			data, err := json.Marshal(out)
			return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(string(data))}, RawStructuredContent: data}, err
		})
	}
	return server.NewStreamableHTTPServer(m, server.WithStateLess(true), server.WithDisableStreaming(true),
		server.WithStreamableHTTPLogger(slog.New(slog.DiscardHandler)),
		server.WithHTTPContextFunc(func(ctx context.Context, r *http.Request) context.Context {
			return context.WithValue(ctx, tenantKey{}, s.tenants[r.Header.Get("Authorization")])
		}))
}

// do sends the product's own queries in one round trip, without enter().
func (s *bare) do(ctx context.Context, t tenant, queries ...store.Query) error {
	b := &pgx.Batch{}
	for _, q := range queries {
		q(b, store.Scope{Tenant: t.id})
	}
	return s.pool.SendBatch(ctx, b).Close()
}

type row struct {
	Key         string   `json:"key"`
	Title       string   `json:"title,omitempty"`
	Status      string   `json:"status,omitempty"`
	Category    string   `json:"category,omitempty"`
	Type        string   `json:"type,omitempty"`
	Priority    string   `json:"priority,omitempty"`
	Assignee    string   `json:"assignee,omitempty"`
	Reporter    string   `json:"reporter,omitempty"`
	Labels      []string `json:"labels,omitempty"`
	Points      *float64 `json:"points,omitempty"`
	Sprint      string   `json:"sprint,omitempty"`
	Parent      string   `json:"parent,omitempty"`
	DueDate     string   `json:"due_date,omitempty"`
	Blocked     bool     `json:"blocked,omitempty"`
	Created     string   `json:"created,omitempty"`
	Updated     string   `json:"updated,omitempty"`
	Completed   string   `json:"completed,omitempty"`
	Version     int      `json:"version,omitempty"`
	URL         string   `json:"url,omitempty"`
	Description string   `json:"description,omitempty"`
	Next        []string `json:"next_statuses,omitempty"`
	Possible    []row    `json:"possible_duplicates,omitempty"`
}

func listRow(t tenant, i tracker.Issue) row {
	r := row{Key: i.Key.String(), Title: i.Title, Status: i.Status, Priority: i.Priority.String(), Assignee: i.Assignee, Blocked: i.Blocked,
		Updated: i.UpdatedAt.UTC().Format(time.RFC3339), URL: publicURL + "/i/" + i.Key.String() + "?tenant=" + t.slug}
	if i.DueDate != nil {
		r.DueDate = i.DueDate.Format(time.DateOnly)
	}
	return r
}

func wholeRow(t tenant, i tracker.Issue) row {
	r := listRow(t, i)
	r.Category, r.Type, r.Reporter, r.Labels, r.Points, r.Sprint = string(i.Category), i.Type, i.Reporter, i.Labels, i.Points, i.Sprint
	r.Created, r.Version, r.Description = i.CreatedAt.UTC().Format(time.RFC3339), i.Version, i.Description
	if i.CompletedAt != nil {
		r.Completed = i.CompletedAt.UTC().Format(time.RFC3339)
	}
	return r
}

func (s *bare) getIssue(ctx context.Context, t tenant, args map[string]any) (any, error) {
	key, err := tracker.ParseIssueKey(args["keys"].(string))
	if err != nil {
		return nil, err
	}
	var found []tracker.Issue
	var workflow tracker.Workflow
	if err := s.do(ctx, t, store.IssueByKey(key, &found, &workflow)); err != nil {
		return nil, err
	}
	out := wholeRow(t, found[0])
	out.Next = workflow.NextOf(found[0].Status)
	return map[string]any{"issues": []row{out}}, nil
}

const open25 = 25

func (s *bare) searchIssues(ctx context.Context, t tenant, args map[string]any) (any, error) {
	f := tracker.Filter{Categories: []tracker.Category{tracker.Todo, tracker.InProgress}}
	page := store.Page{Sort: tracker.SortUpdated, Limit: open25 + 1}
	var visible []string
	var found []tracker.Issue
	var total int
	if text, ok := args["query"].(string); ok {
		f.Text, page.Sort = text, tracker.SortRelevance
		if err := s.pool.QueryRow(ctx, matchText, t.id, text, f.Categories, store.MaxMatches).Scan(&f.IDs); err != nil {
			return nil, err
		}
	}
	queries := []store.Query{store.SearchIssues(f, page, &found, &total)}
	if project, ok := args["project"].(string); ok {
		f.Projects = []string{project}
		queries = []store.Query{store.SearchIssues(f, page, &found, &total), store.ExistingProjects(f.Projects, &visible)}
	}
	if err := s.do(ctx, t, queries...); err != nil {
		return nil, err
	}
	out := struct {
		Items    []row  `json:"items"`
		Total    int    `json:"total"`
		Returned int    `json:"returned"`
		Cursor   string `json:"next_cursor,omitempty"`
		Applied  string `json:"filter_applied"`
	}{Items: []row{}, Total: total, Applied: "open issues only (pass category or status for others)"}
	for _, i := range found[:min(len(found), open25)] {
		out.Items = append(out.Items, listRow(t, i))
	}
	if out.Returned = len(out.Items); len(found) > open25 {
		cursor, err := json.Marshal(store.PositionOf(page.Sort, found[open25-1]))
		if err != nil {
			return nil, err
		}
		out.Cursor = string(cursor)
	}
	return out, nil
}

// matchText is what search_issue_ids does, as one would write it without
// row-level security.
const matchText = `select array(select id from issues where tenant_id = $1 and search @@ websearch_to_tsquery('english', $2) and category = any($3)
	order by ts_rank(search, websearch_to_tsquery('english', $2)) desc, id desc limit $4)`

func (s *bare) createIssue(ctx context.Context, t tenant, args map[string]any) (any, error) {
	title, now := args["title"].(string), time.Now()
	var p tracker.Project
	var similar []uuid.UUID
	asTenant := func(b *pgx.Batch, _ store.Scope) { // what SimilarTo reads
		b.Queue(`select set_config('app.tenant_id', $1, true), set_config('app.only_projects', 'all', true)`, t.id.String())
	}
	if err := s.do(ctx, t, store.ProjectByKey(args["project"].(string), &p), asTenant, store.SimilarTo(title, 20, &similar)); err != nil {
		return nil, err
	}
	var found []tracker.Issue
	if err := s.do(ctx, t, store.IssuesByIDs(similar, &found)); err != nil {
		return nil, err
	}
	i := tracker.Issue{ID: tenancy.NewID(), ProjectID: p.ID, Title: title, Type: p.IssueTypes[0], Status: p.Workflow.Initial().Name,
		Category: tracker.Todo, Priority: tracker.Medium, ReporterID: t.owner, Version: 1, CreatedAt: now, UpdatedAt: now}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `update projects set next_number = next_number + 1 where tenant_id = $1 and id = $2 returning next_number - 1`,
			t.id, p.ID).Scan(&i.Key.Number)
		if err != nil {
			return err
		}
		i.Key.Project = p.Key
		b := &pgx.Batch{}
		by := store.Author{MemberID: t.owner, ChangeID: tenancy.NewID(), At: now}
		store.InsertIssues([]store.NewIssue{{Issue: i}})(b, store.Scope{Tenant: t.id})
		store.InsertEvents(p.ID, []tracker.Event{tracker.Created(i)}, by)(b, store.Scope{Tenant: t.id})
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, err
	}
	out := wholeRow(t, i)
	for _, other := range found[:min(len(found), 3)] {
		out.Possible = append(out.Possible, listRow(t, other))
	}
	return out, nil
}
