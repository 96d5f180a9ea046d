package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
)

// MaxMatches bounds how many issues one text search considers.
const MaxMatches = 20_000

// MatchText finds the issues that match the filter's text, a web-style query
// ("exact phrase", -without, or), within its projects and categories, best
// first: what belongs into the filter's IDs. It must precede every write of its
// transaction.
func MatchText(f tracker.Filter, into *[]uuid.UUID) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select match_issues($1, $2, $3, $4, $5)`, scope.Tenant, f.Text, f.Projects, f.Categories, MaxMatches).
			QueryRow(scalar(into))
	}
}

// SimilarTo finds open issues whose titles share about half of their words with
// this one, best first. It must precede every write of its transaction.
func SimilarTo(title string, limit int, into *[]uuid.UUID) Query {
	return func(b *pgx.Batch, _ Scope) {
		b.Queue(`select array(select similar_issue_ids($1, $2))`, title, limit).QueryRow(scalar(into))
	}
}

// Page is which part of the matches to read. After is the last row of the page
// before, as PositionOf gave it.
type Page struct {
	Sort  tracker.Sort
	Limit int
	After *Position
}

// Position is where a page ended: the sort value and the id that breaks ties.
type Position struct {
	Value string    `json:"v"`
	ID    uuid.UUID `json:"i"`
}

// order is how one sort compares. key and bound are SQL; value renders a row's key.
type order struct {
	key   string
	bound string
	desc  bool
	value func(tracker.Issue) string
}

func orderOf(s tracker.Sort) order {
	stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	switch s {
	case tracker.SortCreated:
		return order{"i.created_at", "?::timestamptz", true, func(i tracker.Issue) string { return stamp(i.CreatedAt) }}
	case tracker.SortPriority:
		return order{"i.priority", "?::text::smallint", false, func(i tracker.Issue) string { return fmt.Sprint(int(i.Priority)) }}
	case tracker.SortDue:
		return order{"coalesce(i.due_date, 'infinity')", "?::text::date", false, func(i tracker.Issue) string {
			if i.DueDate == nil {
				return "infinity"
			}
			return i.DueDate.Format(time.DateOnly)
		}}
	case tracker.SortKey:
		return order{"(select p.key from projects p where p.tenant_id = $1 and p.id = i.project_id) || lpad(i.number::text, 10, '0')", "?::text", false, func(i tracker.Issue) string {
			return fmt.Sprintf("%s%010d", i.Key.Project, i.Key.Number)
		}}
	default:
		return order{"i.updated_at", "?::timestamptz", true, func(i tracker.Issue) string { return stamp(i.UpdatedAt) }}
	}
}

// PositionOf returns where a page that ends with this issue ended.
func PositionOf(s tracker.Sort, last tracker.Issue) Position {
	if s == tracker.SortRelevance {
		return Position{ID: last.ID}
	}
	return Position{Value: orderOf(s).value(last), ID: last.ID}
}

// SearchIssues reads a page of the issues that match, and counts them all. A
// limit of zero only counts.
func SearchIssues(f tracker.Filter, page Page, into *[]tracker.Issue, total *int) Query {
	if page.Sort == tracker.SortRelevance && f.OnlyText() {
		*total = len(f.IDs)
		rest := f.IDs[placeAfter(f.IDs, page.After):]
		return IssuesByIDs(rest[:min(len(rest), page.Limit)], into)
	}
	return func(b *pgx.Batch, scope Scope) {
		from, w := filterIssues(scope, f)
		b.Queue(`select count(*)`+from+w.clause(), w.args...).QueryRow(scalar(total))
		if page.Limit > 0 {
			sorted := sortIssues(&w, f, page) + ` limit ` + strconv.Itoa(page.Limit)
			b.Queue(`select `+issueColumns+` from (select *`+from+w.clause()+sorted+`) i`+sorted, w.args...).Query(collect(into, scanIssue))
		}
	}
}

// IssuesByIDs reads issues in the order of their ids.
func IssuesByIDs(ids []uuid.UUID, into *[]tracker.Issue) Query {
	return func(b *pgx.Batch, scope Scope) {
		if len(ids) > 0 {
			b.Queue(`select `+issueColumns+` from unnest($2::uuid[]) with ordinality m(match, place)
				join issues i on i.tenant_id = $1 and i.id = m.match order by place`, scope.Tenant, ids).Query(collect(into, scanIssue))
		}
	}
}

// placeAfter is where a page begins in the matches: behind the one that ended
// the page before.
func placeAfter(ids []uuid.UUID, after *Position) int {
	if after == nil {
		return 0
	}
	return slices.Index(ids, after.ID) + 1
}

func sortIssues(w *where, f tracker.Filter, page Page) string {
	if page.Sort == tracker.SortRelevance {
		w.add("place > ?", placeAfter(f.IDs, page.After))
		return " order by place"
	}
	o := orderOf(page.Sort)
	direction, compare := "", ">"
	if o.desc {
		direction, compare = " desc", "<"
	}
	if page.After != nil {
		w.add("("+o.key+", i.id) "+compare+" ("+o.bound+", ?)", page.After.Value, page.After.ID)
	}
	return " order by " + o.key + direction + ", i.id" + direction
}

// CountIssues counts the issues that match by the values of one field, most
// first. They are counted by id before the ids get their names.
func CountIssues(f tracker.Filter, by string, into *[]tracker.Group) Query {
	field := map[string]struct{ key, name string }{
		"status": {"i.status", "key"}, "category": {"i.category", "key"}, "type": {"i.type", "key"}, "label": {"l.label", "key"},
		"priority": {"i.priority", "(array['urgent','high','medium','low'])[key]"},
		"assignee": {"i.assignee_id", "coalesce((select coalesce(m.email, m.handle) from members m where m.tenant_id = $1 and m.id = counted.key), '')"},
		"sprint":   {"i.sprint_id", "coalesce((select s.name from sprints s where s.tenant_id = $1 and s.id = counted.key), '')"},
		"project":  {"i.project_id", "(select p.key from projects p where p.tenant_id = $1 and p.id = counted.key)"},
	}[by]
	return func(b *pgx.Batch, scope Scope) {
		from, w := filterIssues(scope, f)
		if by == "label" {
			from += " join issue_labels l on l.tenant_id = $1 and l.issue_id = i.id"
		}
		b.Queue(`with counted as (select `+field.key+` as key, count(*) as issues, coalesce(sum(i.points), 0) as points`+from+w.clause()+` group by 1)
			select `+field.name+` as value, sum(issues)::bigint, sum(points) from counted group by 1 order by 2 desc, 1 limit 100`, w.args...).
			Query(collect(into, func(row pgx.Rows, g *tracker.Group) error { return row.Scan(&g.Value, &g.Count, &g.Points) }))
	}
}

// filterIssues turns a filter into conditions on the table issues, alias i, and
// where they are read from: with a text, its matches by their place.
func filterIssues(scope Scope, f tracker.Filter) (from string, w where) {
	w.bind(scope.Tenant)
	w.add("i.tenant_id = $1")
	from = " from issues i"
	if f.Text != "" {
		w.bind(f.IDs)
		from = " from unnest(" + w.last() + "::uuid[]) with ordinality m(match, place) join issues i on i.tenant_id = $1 and i.id = m.match"
	}
	switch len(f.Projects) {
	case 0:
	case 1: // keeps the order of the index
		w.add("i.project_id = (select q.id from projects q where q.tenant_id = $1 and q.key = ?)", f.Projects[0])
	default:
		w.add("i.project_id = any(array(select q.id from projects q where q.tenant_id = $1 and q.key = any(?)))", f.Projects)
	}
	if len(f.Keys) > 0 {
		projects, numbers := keyArrays(f.Keys)
		w.add(`(i.project_id, i.number) in (select q.id, k.number from unnest(?::text[], ?::int[]) k(key, number)
			join projects q on q.tenant_id = $1 and q.key = k.key)`, projects, numbers)
	}
	if len(f.Statuses) > 0 {
		w.add("i.status = any(?)", f.Statuses)
	}
	filterCategories(&w, f.Categories)
	filterPerson(&w, "i.assignee_id", f.Assignee)
	filterPerson(&w, "i.reporter_id", f.Reporter)
	if len(f.Labels) > 0 {
		w.add("i.id in (select l.issue_id from issue_labels l where l.tenant_id = $1 and l.folded = any(?))", lowered(f.Labels))
	}
	if len(f.Priorities) > 0 {
		numbers := make([]int16, len(f.Priorities))
		for n, p := range f.Priorities {
			numbers[n] = int16(p)
		}
		w.add("i.priority = any(?)", numbers)
	}
	if len(f.Types) > 0 {
		w.add("i.type = any(?)", f.Types)
	}
	filterSprint(&w, f)
	if f.ParentID != uuid.Nil {
		w.add("i.parent_id = ?", f.ParentID)
	}
	filterPeriod(&w, "i.created_at", f.Created)
	filterPeriod(&w, "i.updated_at", f.Updated)
	filterPeriod(&w, "i.due_date", f.Due)
	filterPeriod(&w, "i.completed_at", f.Completed)
	if f.Blocked != nil {
		w.add(`? = exists (select from issue_links k join issues x on x.tenant_id = $1 and x.id = k.from_id
			where k.tenant_id = $1 and k.to_id = i.id and k.relation = 'blocks' and x.open)`, *f.Blocked)
	}
	if f.Overdue {
		w.add("i.due_date < ? and i.open", f.Today)
	}
	return from, w
}

// filterCategories names open and closed work as the indexes do, which are
// ordered within each.
func filterCategories(w *where, categories []tracker.Category) {
	closed := 0
	for _, c := range categories {
		if c.Closed() {
			closed++
		}
	}
	switch {
	case len(categories) == 0:
		return
	case closed == len(categories):
		w.add("not i.open")
	case closed == 0:
		w.add("i.open")
		if slices.Contains(categories, tracker.Todo) && slices.Contains(categories, tracker.InProgress) {
			return
		}
	}
	w.add("i.category = any(?)", categories)
}

func filterPerson(w *where, column string, p tracker.Person) {
	switch {
	case p.Nobody:
		w.add(column + " is null")
	case p.ID != uuid.Nil:
		w.add(column+" = ?", p.ID)
	}
}

func filterPeriod(w *where, column string, p tracker.Period) {
	if p.After != nil {
		w.add(column+" >= ?", *p.After)
	}
	if p.Before != nil {
		w.add(column+" < ?", *p.Before)
	}
}

func filterSprint(w *where, f tracker.Filter) {
	if f.SprintID != uuid.Nil {
		w.add("i.sprint_id = ?", f.SprintID)
	}
	const in = "i.sprint_id in (select s.id from sprints s where s.tenant_id = $1 and "
	switch f.SprintIs {
	case tracker.SprintNone:
		w.add("i.sprint_id is null")
	case tracker.SprintCurrent:
		w.add(in + "s.state = 'active')")
	case tracker.SprintNext:
		w.add(`i.sprint_id in (select distinct on (s.project_id) s.id from sprints s where s.tenant_id = $1 and s.state = 'planned'
			order by s.project_id, s.starts_on nulls last, s.created_at, s.id)`)
	case tracker.SprintNamed:
		w.add(in+"fold(s.name) = fold(?))", f.Sprint)
	}
}

func lowered(list []string) []string {
	out := make([]string, len(list))
	for n, s := range list {
		out[n] = strings.ToLower(s)
	}
	return out
}
