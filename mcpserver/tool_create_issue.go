package mcpserver

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// maxSimilar is how many issues are looked at for possible duplicates.
const maxSimilar = 20

type createIssueIn struct {
	Project     string `json:"project" need:"true" doc:"Key"`
	Title       string `json:"title" need:"true"`
	Description string `json:"description,omitempty" doc:"Markdown"`
	issueFields
	Links []linkIn `json:"links,omitempty" range:"0,20"`
	WriteOptions
}

// alsoNeeds: a link changes the issue at its other end.
func (in createIssueIn) alsoNeeds() (set tenancy.PermissionSet) {
	if len(in.Links) > 0 {
		set = tenancy.NewPermissionSet(tenancy.IssuesUpdate)
	}
	return set
}

type linkIn struct {
	Relation string `json:"relation" need:"true" enum:"blocks|blocked_by|relates_to|duplicates|parent_of|child_of"`
	Target   string `json:"target" need:"true" doc:"Issue key"`
}

type createIssueOut struct {
	issueRow
	PossibleDuplicates []issueRow `json:"possible_duplicates,omitempty"`
}

func createIssue() Tool {
	return define(Tool{
		Name: "create_issue", Title: "Create an issue", Permission: needs(tenancy.IssuesCreate),
		Description: "Make an issue. Shows up to 3 open issues that it may duplicate. Types and statuses: get_project with issue_types, workflow.",
	}, createIssueHandler)
}

func createIssueHandler(ctx context.Context, c *Call, in createIssueIn) (createIssueOut, error) {
	var similar []uuid.UUID
	var p tracker.Project
	title, err := tracker.CheckLine("title", in.Title, tracker.MaxTitle)
	if err != nil {
		return createIssueOut{}, err
	}
	queries := []store.Query{store.ProjectByKey(projectKey(in.Project), &p)}
	if c.May(tenancy.IssuesSearch) {
		queries = append(queries, store.SimilarTo(title, maxSimilar, &similar))
	}
	if err := c.do(ctx, queries...); err != nil {
		return createIssueOut{}, err
	}
	if err := c.foundProject(ctx, p, in.Project); err != nil {
		return createIssueOut{}, err
	}
	c.touch(p.Key, p.ID)
	if err := p.CheckWritable(); err != nil {
		return createIssueOut{}, err
	}
	issue, err := c.newIssue(ctx, newPatcher(c, p), title, in.Description, in.issueFields)
	if err != nil {
		return createIssueOut{}, err
	}
	duplicates, err := c.duplicatesOf(ctx, title, similar) // before the project is locked
	if err != nil {
		return createIssueOut{}, err
	}
	issues := []tracker.Issue{issue}
	if err := c.Tx.CreateIssues(ctx, p, issues, c.author()); err != nil {
		return createIssueOut{}, err
	}
	issue = issues[0]
	c.touch(issue.Key.String(), p.ID)
	c.changes = append(c.changes, change{Key: issue.Key.String(), Field: "created", After: shorten(issue.Title, maxAuditText)})
	for _, l := range in.Links {
		if err := c.linkByKey(ctx, issue, l); err != nil {
			return createIssueOut{}, err
		}
	}
	return createIssueOut{issueRow: c.issueRow(issue, allIssueFields), PossibleDuplicates: duplicates}, nil
}

// newIssue checks the text and fields of an issue that does not exist yet.
func (c *Call) newIssue(ctx context.Context, p *patcher, title, description string, f issueFields) (tracker.Issue, error) {
	description, err := tracker.CheckText("description", description, tracker.MaxBody)
	if err != nil {
		return tracker.Issue{}, err
	}
	i := tracker.Issue{ID: tenancy.NewID(), ProjectID: p.project.ID, Title: title, Description: description,
		Type: p.project.IssueTypes[0], Priority: tracker.Medium, ReporterID: c.MemberID, Reporter: c.MemberEmail}
	return p.apply(ctx, i, f)
}

// duplicatesOf picks from similar issues those that share at least half of
// their title's words with the new one.
func (c *Call) duplicatesOf(ctx context.Context, title string, similar []uuid.UUID) ([]issueRow, error) {
	if len(similar) == 0 {
		return nil, nil
	}
	var rows []tracker.Issue
	if err := c.do(ctx, store.IssuesByIDs(similar, &rows)); err != nil {
		return nil, err
	}
	var out []issueRow
	for _, row := range rows {
		if len(out) < 3 && sharedWords(row.Title, title) >= 0.5 {
			out = append(out, c.issueRow(row, []string{"title", "status", "url"}))
		}
	}
	return out, nil
}

// sharedWords is the Jaccard index of two titles' words: 0 none, 1 all.
func sharedWords(a, b string) float64 {
	in := map[string]int{}
	for n, text := range []string{a, b} {
		for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !isWord(r) }) {
			in[w] |= n + 1
		}
	}
	both := 0
	for _, sides := range in {
		if sides == 3 {
			both++
		}
	}
	if len(in) == 0 {
		return 0
	}
	return float64(both) / float64(len(in))
}
