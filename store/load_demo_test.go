package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/demo"
)

// replayed is an issue as its events alone tell it.
type replayed struct {
	Title, Type, Priority, Assignee, Parent string
	Status, Category                        string
	Points                                  *float64
	Sprint                                  string
	Labels                                  []string
	DueDate                                 string
	Created                                 time.Time
	Started, Completed                      *time.Time
}

// apply takes over one field of an event, as the JSON that is stored.
func (r *replayed) apply(t *testing.T, field string, after json.RawMessage, at time.Time) {
	t.Helper()
	text := map[string]*string{"title": &r.Title, "type": &r.Type, "priority": &r.Priority, "assignee": &r.Assignee, "parent": &r.Parent, "due_date": &r.DueDate}
	read := func(into any) {
		if after != nil {
			require.NoError(t, json.Unmarshal(after, into), field)
		}
	}
	switch field {
	case "status":
		var s tracker.StatusValue
		read(&s)
		if r.Category != string(s.Category) {
			if s.Category == tracker.InProgress && r.Started == nil {
				r.Started = &at
			}
			r.Completed = nil
			if s.Category == tracker.Done {
				r.Completed = &at
			}
		}
		r.Status, r.Category = s.Name, string(s.Category)
	case "sprint":
		var s tracker.SprintValue
		read(&s)
		r.Sprint = s.Name
	case "points":
		r.Points = nil
		read(&r.Points)
	case "labels":
		r.Labels = nil
		read(&r.Labels)
		if len(r.Labels) == 0 {
			r.Labels = nil
		}
	case "description":
	default:
		require.Contains(t, text, field)
		*text[field] = ""
		read(text[field])
	}
}

// replay reads all events of a tenant, behind the store's back, oldest first.
func replay(t *testing.T, admin *pgx.Conn) map[string]*replayed {
	t.Helper()
	rows, err := admin.Query(t.Context(), `select e.tenant_id::text || p.key || i.number, e.kind, e.field, e.after, e.at from issue_events e
		join issues i on i.id = e.issue_id join projects p on p.id = i.project_id order by e.at, e.id`)
	require.NoError(t, err)
	defer rows.Close()
	issues := map[string]*replayed{}
	for rows.Next() {
		var key, kind, field string
		var after json.RawMessage
		var at time.Time
		require.NoError(t, rows.Scan(&key, &kind, &field, &after, &at))
		switch tracker.EventKind(kind) {
		case tracker.EventCreated:
			require.Nil(t, issues[key], "created once, and first")
			issues[key] = &replayed{Created: at}
			var first map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(after, &first))
			for field, value := range first {
				issues[key].apply(t, field, value, at)
			}
		case tracker.EventChanged:
			issues[key].apply(t, field, after, at)
		}
	}
	require.NoError(t, rows.Err())
	return issues
}

func TestLoadDataset_Demo(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	tenants := demo.Tenants(storetest.Now)
	var took time.Duration
	total, events := 0, 0
	for _, tenant := range tenants {
		created, err := db.CreateTenant(t.Context(), tenant.Slug, tenant.Name, "test")
		require.NoError(t, err)
		start := time.Now()
		for _, d := range tenant.Datasets {
			r, err := db.LoadDataset(t.Context(), store.AsSystem(created.ID, "test"), d, store.LoadOptions{})
			require.NoError(t, err)
			require.Empty(t, r.Notes)
			require.Equal(t, len(d.Issues), r.Issues.Added)
			require.Equal(t, len(d.Links), r.Links.Added)
			require.True(t, r.NumbersKept)
			total, events = total+r.Issues.Added, events+r.Events
		}
		took += time.Since(start)
	}
	t.Logf("%d issues with %d events of %d tenants in %s", total, events, len(tenants), took.Round(time.Millisecond))

	admin := db.Admin(t)
	var active int
	require.NoError(t, admin.QueryRow(t.Context(), "select count(*) from members where state = 'active' and email is not null").Scan(&active))
	require.Equal(t, 16, active)
	requireEventsTellAll(t, admin, total)
}

// requireEventsTellAll asserts that the events of every issue lead to the state
// that its row has.
func requireEventsTellAll(t *testing.T, admin *pgx.Conn, total int) {
	t.Helper()
	issues := replay(t, admin)
	require.Len(t, issues, total)
	rows, err := admin.Query(t.Context(), `select i.tenant_id::text || p.key || i.number, i.title, i.type, (array['urgent','high','medium','low'])[i.priority],
		coalesce(a.email, a.handle, ''), coalesce(p.key || '-' || up.number, ''), i.status, i.category, i.points, coalesce(s.name, ''),
		array(select label from issue_labels l where l.issue_id = i.id order by 1), coalesce(i.due_date::text, ''), i.created_at, i.started_at, i.completed_at
		from issues i join projects p on p.id = i.project_id left join members a on a.id = i.assignee_id
		left join sprints s on s.id = i.sprint_id left join issues up on up.id = i.parent_id`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var key string
		var r replayed
		require.NoError(t, rows.Scan(&key, &r.Title, &r.Type, &r.Priority, &r.Assignee, &r.Parent, &r.Status, &r.Category, &r.Points, &r.Sprint,
			&r.Labels, &r.DueDate, &r.Created, &r.Started, &r.Completed))
		if len(r.Labels) == 0 {
			r.Labels = nil
		}
		require.Equal(t, r, *issues[key], key)
	}
	require.NoError(t, rows.Err())
}
