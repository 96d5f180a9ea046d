package mcpserver

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type searchIssuesIn struct {
	issueFilter
	Sort      string   `json:"sort,omitempty" enum:"updated|created|priority|due|key|relevance" doc:"Default updated; relevance with query"`
	GroupBy   string   `json:"group_by,omitempty" enum:"status|category|assignee|priority|type|sprint|project|label" doc:"Counts instead of issues"`
	CountOnly bool     `json:"count_only,omitempty"`
	Fields    []string `json:"fields,omitempty" enum:"title|status|category|type|priority|assignee|reporter|labels|points|sprint|parent|due_date|blocked|created|updated|completed|version|url"`
	Limit     int      `json:"limit,omitempty" range:"1,100" doc:"Default 25"`
	Cursor    string   `json:"cursor,omitempty"`
}

// issueFilter is how tools select issues.
type issueFilter struct {
	Query     string   `json:"query,omitempty" doc:"Words, \"phrase\", -not, or"`
	Project   []string `json:"project,omitempty" doc:"Keys"`
	Status    []string `json:"status,omitempty"`
	Category  []string `json:"category,omitempty" enum:"todo|in_progress|done|cancelled"`
	Assignee  string   `json:"assignee,omitempty" doc:"E-mail, name, me or none"`
	Reporter  string   `json:"reporter,omitempty"`
	Labels    []string `json:"labels,omitempty" doc:"Any of"`
	Priority  []string `json:"priority,omitempty" enum:"urgent|high|medium|low"`
	Type      []string `json:"type,omitempty"`
	Sprint    string   `json:"sprint,omitempty" doc:"current, next, none or a name"`
	Parent    string   `json:"parent,omitempty" doc:"Issue key"`
	Created   period   `json:"created,omitzero"`
	Updated   period   `json:"updated,omitzero"`
	Due       period   `json:"due,omitzero"`
	Completed period   `json:"completed,omitzero"`
	Blocked   *bool    `json:"blocked,omitempty"`
	Overdue   bool     `json:"overdue,omitempty"`
}

type period struct {
	After  string `json:"after,omitempty"`
	Before string `json:"before,omitempty"`
}

type searchIssuesOut struct {
	list
	Groups []tracker.Group `json:"groups,omitempty"`
}

func searchIssues() Tool {
	return define(Tool{
		Name: "search_issues", Title: "Search issues", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.IssuesSearch),
		Description: "Find issues by text and filters. Open issues only unless category, status or completed is given. " +
			"total is exact. Dates: 2026-01-31, or RFC 3339, after inclusive, before exclusive.",
	}, searchIssuesHandler)
}

func searchIssuesHandler(ctx context.Context, c *Call, in searchIssuesIn) (searchIssuesOut, error) {
	var out searchIssuesOut
	c.Tx.Pin()
	f, applied, err := c.resolveFilter(ctx, in.issueFilter)
	if err != nil {
		return out, err
	}
	out.FilterApplied = applied
	page := store.Page{Sort: tracker.Sort(in.Sort), Limit: limitOr(in.Limit) + 1}
	if page.Sort == "" || page.Sort == tracker.SortRelevance && f.Text == "" {
		page.Sort = tracker.SortUpdated
		if f.Text != "" {
			page.Sort = tracker.SortRelevance
		}
	}
	if in.CountOnly || in.GroupBy != "" {
		page.Limit = 0
	}
	bound := struct {
		Filter issueFilter
		Sort   tracker.Sort
	}{in.issueFilter, page.Sort}
	var after store.Position
	if resumed, err := c.resume(in.Cursor, bound, &after); err != nil {
		return out, err
	} else if resumed {
		page.After = &after
	}
	var rows []tracker.Issue
	var more []store.Query
	if in.GroupBy != "" {
		more = append(more, store.CountIssues(f, in.GroupBy, &out.Groups))
	}
	c.Tx.Unpin()
	if err := c.search(ctx, f, page, &rows, &out.Total, more...); err != nil {
		return out, err
	}
	views := make([]any, len(rows))
	for n, i := range rows {
		views[n] = c.issueRow(i, in.Fields)
	}
	if kept, more := out.fill(views, limitOr(in.Limit)); more {
		out.NextCursor = c.next(bound, store.PositionOf(page.Sort, rows[kept-1]))
	}
	if len(f.IDs) >= store.MaxMatches {
		out.Hint = "The text matches very many issues; totals count the best 20,000. Add words or filters."
	}
	return out, nil
}

// search reads a page of a resolved filter, and more, in one trip, which also
// tells whether the filter's projects are there.
func (c *Call) search(ctx context.Context, f tracker.Filter, page store.Page, rows *[]tracker.Issue, total *int, more ...store.Query) error {
	var visible []string
	queries := append(more, store.SearchIssues(f, page, rows, total))
	if len(f.Projects) > 0 {
		queries = append(queries, store.ExistingProjects(f.Projects, &visible))
	}
	if err := c.do(ctx, queries...); err != nil {
		return err
	}
	for _, key := range f.Projects {
		if !slices.Contains(visible, key) {
			return c.foundProject(ctx, tracker.Project{}, key)
		}
	}
	return nil
}

// maxQuery bounds the words of one search, in characters: each costs the database time.
const maxQuery = 1_000

// resolveFilter turns names into ids, checks the values, and says in words what
// was applied, defaults included. Text is matched last, within what bounds it.
// Projects are checked by search.
func (c *Call) resolveFilter(ctx context.Context, in issueFilter) (f tracker.Filter, applied string, err error) {
	f = tracker.Filter{Text: strings.TrimSpace(tracker.CleanLine(in.Query)), Labels: in.Labels, Blocked: in.Blocked, Overdue: in.Overdue, Today: c.Now.UTC().Truncate(24 * time.Hour)}
	if n := utf8.RuneCountInString(f.Text); n > maxQuery {
		return f, "", tenancy.Errorf(tenancy.TooLarge, "query has %d characters; at most %d are searched for.", n, maxQuery).WithNext("Search for fewer words.")
	}
	for _, key := range in.Project {
		f.Projects = append(f.Projects, projectKey(key))
	}
	if err = c.resolveWords(ctx, in, &f); err != nil {
		return f, "", err
	}
	for _, p := range in.Priority {
		priority, _ := tracker.ParsePriority(p) // the schema's enum has checked it
		f.Priorities = append(f.Priorities, priority)
	}
	for _, category := range in.Category {
		f.Categories = append(f.Categories, tracker.Category(category))
	}
	if f.Assignee, err = c.person(ctx, in.Assignee); err != nil {
		return f, "", err
	}
	if f.Reporter, err = c.person(ctx, in.Reporter); err != nil {
		return f, "", err
	}
	if err = c.resolveParent(ctx, in.Parent, &f); err != nil {
		return f, "", err
	}
	switch choice := strings.ToLower(strings.TrimSpace(in.Sprint)); choice {
	case "", "current", "next", "none":
		f.SprintIs = tracker.SprintChoice(choice)
	default:
		f.SprintIs, f.Sprint = tracker.SprintNamed, tracker.CleanLine(in.Sprint)
	}
	for _, p := range []struct {
		name string
		in   period
		out  *tracker.Period
	}{{"created", in.Created, &f.Created}, {"updated", in.Updated, &f.Updated}, {"due", in.Due, &f.Due}, {"completed", in.Completed, &f.Completed}} {
		if *p.out, err = p.in.parse(p.name); err != nil {
			return f, "", err
		}
	}
	applied = "as given"
	if len(f.Statuses)+len(f.Categories) == 0 && f.Completed.IsZero() {
		f.Categories = []tracker.Category{tracker.Todo, tracker.InProgress}
		applied = "open issues only (pass category or status for others)"
	}
	if f.Text != "" {
		err = c.do(ctx, store.MatchText(f, &f.IDs))
	}
	return f, applied, err
}

// resolveWords finds the statuses and types that a filter names, as the projects
// spell them, and refuses those that none of its projects knows.
func (c *Call) resolveWords(ctx context.Context, in issueFilter, f *tracker.Filter) error {
	if len(in.Status)+len(in.Type) == 0 {
		return nil
	}
	var words []tracker.Vocabulary
	if err := c.do(ctx, store.Vocabularies(f.Projects, &words)); err != nil {
		return err
	}
	if len(words) == 0 {
		return nil // search says which projects are missing; without any there are no issues
	}
	all := tracker.JoinVocabularies(words)
	var err error
	if f.Statuses, err = all.FindStatuses(in.Status); err != nil {
		return err
	}
	f.Types, err = all.FindTypes(in.Type)
	return err
}

func (c *Call) person(ctx context.Context, name string) (tracker.Person, error) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "":
		return tracker.Person{}, nil
	case "none":
		return tracker.Person{Nobody: true}, nil
	}
	m, err := c.member(ctx, name)
	return tracker.Person{ID: m.ID}, err
}

func (c *Call) resolveParent(ctx context.Context, text string, f *tracker.Filter) error {
	if text == "" {
		return nil
	}
	key, err := tracker.ParseIssueKey(text)
	if err != nil {
		return err
	}
	var found []tracker.Issue
	if err := c.do(ctx, store.IssuesByKeys([]tracker.IssueKey{key}, &found)); err != nil {
		return err
	}
	if len(found) == 0 {
		return noIssues([]string{key.String()})
	}
	f.ParentID = found[0].ID
	return nil
}

func (p period) parse(field string) (tracker.Period, error) {
	var out tracker.Period
	for _, end := range []struct {
		name, text string
		into       **time.Time
	}{{"after", p.After, &out.After}, {"before", p.Before, &out.Before}} {
		if end.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(end.text))
		if err != nil {
			if t, err = tracker.ParseDay(field+"."+end.name, end.text); err != nil {
				return out, err
			}
		}
		*end.into = &t
	}
	return out, nil
}
