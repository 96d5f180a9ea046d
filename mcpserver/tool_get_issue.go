package mcpserver

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type getIssueIn struct {
	Keys    []string `json:"keys" need:"true" range:"1,20" doc:"Such as WEB-12"`
	Include []string `json:"include" enum:"comments|history|relations|children|time_in_status|attachments|worklog"`
}

func (in getIssueIn) alsoNeeds() (set tenancy.PermissionSet) {
	for what, p := range detailNeeds {
		if slices.Contains(in.Include, what) {
			set |= tenancy.NewPermissionSet(p)
		}
	}
	return set
}

// detailNeeds are the permissions that parts of include need beside issues:read.
var detailNeeds = map[string]tenancy.Permission{"comments": tenancy.CommentsRead, "attachments": tenancy.AttachmentsRead}

type getIssueOut struct {
	Issues  []issueView `json:"issues"`
	Missing []string    `json:"missing,omitempty"`
	Hint    string      `json:"hint,omitempty"`
}

// issueView is an issue read whole.
type issueView struct {
	issueRow
	Description  string             `json:"description,omitempty"`
	Next         []string           `json:"next_statuses,omitempty"`
	Comments     []commentView      `json:"comments,omitempty"`
	History      []eventView        `json:"history,omitempty"`
	Relations    []relatedView      `json:"relations,omitempty"`
	Children     []issueRow         `json:"children,omitempty"`
	TimeInStatus map[string]float64 `json:"time_in_status_hours,omitempty"`
	Attachments  []attachmentView   `json:"attachments,omitempty"`
	Worklog      *worklogView       `json:"worklog,omitempty"`
}

type commentView struct {
	ID      string `json:"id"`
	Author  string `json:"author,omitempty"`
	Agent   string `json:"agent,omitempty"`
	At      string `json:"at"`
	ReplyTo string `json:"reply_to,omitempty"`
	Body    string `json:"body"`
}

type eventView struct {
	At     string `json:"at"`
	Actor  string `json:"actor,omitempty"`
	Agent  string `json:"agent,omitempty"`
	Kind   string `json:"kind"`
	Field  string `json:"field,omitempty"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

type relatedView struct {
	Relation string `json:"relation"`
	Key      string `json:"key"`
	Title    string `json:"title"`
	Status   string `json:"status"`
}

func getIssue() Tool {
	return define(Tool{
		Name: "get_issue", Title: "Get issues", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.IssuesRead),
		Description: "Read 1 to 20 issues whole; include adds comments, history, relations, children, time in status, attachments, time spent.",
	}, func(ctx context.Context, c *Call, in getIssueIn) (getIssueOut, error) {
		keys, err := issueKeys(in.Keys)
		if err != nil {
			return getIssueOut{}, err
		}
		views, missing, err := c.issueViews(ctx, keys, in.Include, maxText)
		if err != nil {
			return getIssueOut{}, err
		}
		if len(views) == 0 {
			return getIssueOut{}, noIssues(missing)
		}
		c.target = in.Keys[0]
		return getIssueOut{Issues: views, Missing: missing}, nil
	})
}

// maxDetails is how many comments, events and the like one answer is made from.
const maxDetails = 1000

// issueDetails is what include asks for, read in one trip.
type issueDetails struct {
	workflow  tracker.Workflow // of the project, if one issue is asked for
	comments  []tracker.Comment
	related   []tracker.Related
	children  []tracker.Issue
	history   []store.EventRow
	statuses  []store.EventRow
	files     []tracker.Attachment
	work      []tracker.Worklog
	spent     map[uuid.UUID]int // minutes
	requested []string
}

// issueViews reads issues in the order of their keys with what include asks for, and of
// each the newest comments until they have more than so many bytes.
func (c *Call) issueViews(ctx context.Context, keys []tracker.IssueKey, include []string, comments int) ([]issueView, []string, error) {
	for _, what := range include {
		if p, more := detailNeeds[what]; more && !c.May(p) {
			return nil, nil, forbidden(c.Principal, p, "")
		}
	}
	if len(include) > 0 {
		c.Tx.Pin()
	}
	var found []tracker.Issue
	d := issueDetails{requested: include}
	read := store.IssuesByKeys(keys, &found)
	if len(keys) == 1 {
		read = store.IssueByKey(keys[0], &found, &d.workflow)
	}
	if err := c.do(ctx, read); err != nil {
		return nil, nil, err
	}
	issues, missing := inOrder(keys, found)
	if len(issues) > 0 && len(include) > 0 {
		if err := c.readDetails(ctx, issues, comments, &d); err != nil {
			return nil, nil, err
		}
	}
	views := make([]issueView, len(issues))
	for n, i := range issues {
		views[n] = c.issueView(i, d)
	}
	return views, missing, nil
}

func (c *Call) readDetails(ctx context.Context, issues []tracker.Issue, comments int, d *issueDetails) error {
	const most = maxDetails
	ids := ids(issues...)
	var queries []store.Query
	for _, what := range d.requested {
		switch what {
		case "comments":
			queries = append(queries, store.Comments(ids, most, comments, &d.comments))
		case "relations":
			queries = append(queries, store.RelatedTo(ids, most, &d.related))
		case "children":
			queries = append(queries, store.Children(ids, most, &d.children))
		case "history":
			queries = append(queries, store.Events(c.visibleEvents(store.EventFilter{IssueIDs: ids, Limit: most}), &d.history, nil))
		case "attachments":
			queries = append(queries, store.Attachments(ids, most, &d.files))
		case "worklog":
			queries = append(queries, store.Worklogs(ids, most, &d.work), store.TimeSpent(ids, &d.spent))
		case "time_in_status":
			queries = append(queries, store.Events(store.EventFilter{IssueIDs: ids, Kinds: []string{"created"}, Fields: []string{"status"}, Limit: most},
				&d.statuses, nil))
		}
	}
	return c.do(ctx, queries...)
}

func (c *Call) issueView(i tracker.Issue, d issueDetails) issueView {
	v := issueView{issueRow: c.issueRow(i, allIssueFields), Description: i.Description}
	if len(d.workflow.Statuses) > 0 {
		v.Next = d.workflow.NextOf(i.Status)
	}
	for _, m := range d.comments {
		if m.IssueID == i.ID {
			v.Comments = append(v.Comments, viewComment(m))
		}
	}
	for _, r := range d.related {
		if r.IssueID == i.ID {
			v.Relations = append(v.Relations, relatedView{string(r.Relation), r.Key.String(), r.Title, r.Status})
		}
	}
	for _, child := range d.children {
		if child.ParentID == i.ID {
			v.Children = append(v.Children, c.issueRow(child, []string{"title", "status", "assignee"}))
		}
	}
	for _, e := range d.history {
		if e.IssueID == i.ID {
			v.History = append(v.History, c.viewEvent(e.Event))
		}
	}
	for _, a := range d.files {
		if a.IssueID == i.ID {
			v.Attachments = append(v.Attachments, viewAttachment(a))
		}
	}
	v.Worklog = viewWorklog(i.ID, d.work, d.spent[i.ID])
	if slices.Contains(d.requested, "time_in_status") {
		v.TimeInStatus = timeInStatus(i, d.statuses, c.Now)
	}
	return v
}

// timeInStatus sums hours per status from an issue's own events (newest first).
func timeInStatus(i tracker.Issue, events []store.EventRow, now time.Time) map[string]float64 {
	var own []tracker.Event
	for _, e := range slices.Backward(events) {
		if e.IssueID == i.ID {
			own = append(own, e.Event)
		}
	}
	hours := map[string]float64{}
	for status, spent := range tracker.TimeInStatus(own, now) {
		hours[status] = float64(int(spent.Hours()*100+0.5)) / 100
	}
	return hours
}

func viewComment(m tracker.Comment) commentView {
	v := commentView{ID: m.ID.String(), Author: m.Author, Agent: m.Agent, At: stamp(m.CreatedAt), Body: m.Body}
	if m.ReplyTo != uuid.Nil {
		v.ReplyTo = m.ReplyTo.String()
	}
	return v
}

// fit keeps the answer within the response's size: whole issues first, then, if
// one alone is too long, its oldest details and the end of its text.
func (out getIssueOut) fit(most int) any {
	all, size := out.Issues, 0
	for n, v := range all {
		if size += len(mustJSON(v)) + 1; n > 0 && size+len(v.Key)*len(all) > most-1_000 {
			out.Issues = all[:n]
			for _, left := range all[n:] {
				out.Missing = append(out.Missing, left.Key)
			}
			out.Hint = "Cut to fit: ask for the keys in missing again, fewer at a time."
			break
		}
	}
	if len(mustJSON(out)) <= most {
		return out
	}
	v := &out.Issues[0]
	out.Hint = "Cut to fit. The resource colaflow://issues/" + v.Key + " has the whole text; leave out parts of include for the rest."
	for len(v.History) > 0 && len(mustJSON(out)) > most {
		v.History = v.History[:len(v.History)/2]
	}
	for len(v.Comments) > 0 && len(mustJSON(out)) > most {
		v.Comments = v.Comments[(len(v.Comments)+1)/2:]
	}
	for len(v.Attachments) > 0 && len(mustJSON(out)) > most {
		v.Attachments = v.Attachments[(len(v.Attachments)+1)/2:]
	}
	for v.Worklog != nil && len(v.Worklog.Entries) > 0 && len(mustJSON(out)) > most {
		v.Worklog.Entries = v.Worklog.Entries[(len(v.Worklog.Entries)+1)/2:]
	}
	if over := len(mustJSON(out)) - most; over > 0 {
		full := v.Description
		keep := max(0, len(full)-over-200)
		for keep > 0 && !utf8.RuneStart(full[keep]) {
			keep--
		}
		v.Description = full[:keep] + fmt.Sprintf("… [%d of %d bytes]", keep, len(full))
	}
	return out
}
