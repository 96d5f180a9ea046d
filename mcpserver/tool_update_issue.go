package mcpserver

import (
	"context"
	"strings"
	"unicode"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type updateIssueIn struct {
	Key   string `json:"key" need:"true" doc:"Such as WEB-12"`
	Title string `json:"title,omitempty"`
	issueFields
	AddLabels         []string                 `json:"add_labels,omitempty"`
	RemoveLabels      []string                 `json:"remove_labels,omitempty"`
	Description       tracker.Optional[string] `json:"description,omitzero"`
	DescriptionEdits  []textEdit               `json:"description_edits,omitempty" range:"0,50"`
	AppendDescription string                   `json:"append_description,omitempty"`
	Comment           string                   `json:"comment,omitempty"`
	ExpectedVersion   int                      `json:"expected_version,omitempty" range:"1,1000000000"`
	WriteOptions
}

func (in updateIssueIn) alsoNeeds() (set tenancy.PermissionSet) {
	if in.Comment != "" {
		set = tenancy.NewPermissionSet(tenancy.CommentsCreate)
	}
	return set
}

type textEdit struct {
	OldText string `json:"old_text" need:"true" doc:"Must occur once"`
	NewText string `json:"new_text" need:"true"`
}

type updateIssueOut struct {
	issueRow
	Changed []string `json:"changed"`
	Comment string   `json:"comment_id,omitempty"`
}

func updateIssue() Tool {
	return define(Tool{
		Name: "update_issue", Title: "Update an issue", Permission: needs(tenancy.IssuesUpdate),
		Description: "Change fields of one issue; null clears, left out keeps. expected_version refuses stale writes. " +
			"Statuses: get_project with workflow.",
	}, updateIssueHandler)
}

func updateIssueHandler(ctx context.Context, c *Call, in updateIssueIn) (updateIssueOut, error) {
	key, err := tracker.ParseIssueKey(in.Key)
	if err != nil {
		return updateIssueOut{}, err
	}
	if in.Comment != "" && !c.May(tenancy.CommentsCreate) {
		return updateIssueOut{}, forbidden(c.Principal, tenancy.CommentsCreate, key.Project)
	}
	before, p, err := c.writableIssue(ctx, key)
	if err != nil {
		return updateIssueOut{}, err
	}
	if in.ExpectedVersion != 0 && in.ExpectedVersion != before.Version {
		return updateIssueOut{}, c.staleIssue(ctx, before, in.ExpectedVersion)
	}
	patcher := newPatcher(c, p)
	after, err := patcher.apply(ctx, before, in.issueFields)
	if err != nil {
		return updateIssueOut{}, err
	}
	if after, err = c.applyText(after, in); err != nil {
		return updateIssueOut{}, err
	}
	if len(in.AddLabels)+len(in.RemoveLabels) > 0 {
		if after.Labels, err = patcher.labels(ctx, after.Labels, in.AddLabels, in.RemoveLabels); err != nil {
			return updateIssueOut{}, err
		}
	}
	return c.saveIssue(before, after, in.Comment)
}

// saveIssue writes what differs, and the comment, if any.
func (c *Call) saveIssue(before, after tracker.Issue, comment string) (updateIssueOut, error) {
	by := c.author()
	events := tracker.Diff(before, after)
	var queries []store.Query
	if len(events) > 0 {
		after.Version, after.UpdatedAt = before.Version+1, by.At
		queries = append(queries, store.SaveIssue(before, after, by))
		c.changed(before, after)
	}
	out := updateIssueOut{Changed: []string{}}
	if comment != "" {
		body, err := tracker.CheckText("comment", comment, tracker.MaxBody)
		if err != nil {
			return updateIssueOut{}, err
		}
		m := tracker.Comment{ID: tenancy.NewID(), IssueID: after.ID, Body: body}
		queries = append(queries, store.InsertComment(after, m, "", by))
		c.changes = append(c.changes, change{Key: after.Key.String(), Field: "comment", After: m.ID})
		out.Comment = m.ID.String()
	}
	c.Tx.Later(queries...)
	for _, e := range events {
		out.Changed = append(out.Changed, e.Field)
	}
	out.issueRow = c.issueRow(after, allIssueFields)
	return out, nil
}

// applyText sets title and description in their three ways.
func (c *Call) applyText(i tracker.Issue, in updateIssueIn) (tracker.Issue, error) {
	var err error
	if in.Title != "" {
		if i.Title, err = tracker.CheckLine("title", in.Title, tracker.MaxTitle); err != nil {
			return i, err
		}
	}
	text := i.Description
	if in.Description.Given {
		text = in.Description.Value
	}
	for n, e := range in.DescriptionEdits {
		old := tracker.CleanText(e.OldText)
		switch count := strings.Count(text, old); {
		case old == "" || count == 0:
			return i, tenancy.Errorf(tenancy.EditNoMatch, "description_edits[%d].old_text does not occur in the description of %s.", n, i.Key).
				WithNext("Read the issue again and copy the text exactly.")
		case count > 1:
			return i, tenancy.Errorf(tenancy.EditMultipleMatch, "description_edits[%d].old_text occurs %d times in the description of %s.", n, count, i.Key).
				WithNext("Pass a longer piece that occurs once.")
		}
		text = strings.Replace(text, old, e.NewText, 1)
	}
	if in.AppendDescription != "" {
		text = strings.TrimSpace(text + "\n\n" + in.AppendDescription)
	}
	if text != i.Description {
		i.Description, err = tracker.CheckText("description", text, tracker.MaxBody)
	}
	return i, err
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
