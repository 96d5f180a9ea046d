package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

const maxBatchUpdate = 100

type batchUpdateIssuesIn struct {
	Keys          []string     `json:"keys,omitempty" range:"0,100"`
	Filter        *issueFilter `json:"filter,omitempty" doc:"As in search_issues; needs expected_count"`
	ExpectedCount int          `json:"expected_count,omitempty" range:"0,100"`
	Changes       batchChanges `json:"changes" need:"true"`
	Confirmation
	WriteOptions
}

func (in batchUpdateIssuesIn) alsoNeeds() (set tenancy.PermissionSet) {
	if in.Changes.Comment != "" {
		set = tenancy.NewPermissionSet(tenancy.CommentsCreate)
	}
	return set
}

type batchChanges struct {
	issueFields
	AddLabels    []string `json:"add_labels,omitempty"`
	RemoveLabels []string `json:"remove_labels,omitempty"`
	Comment      string   `json:"comment,omitempty"`
}

type batchUpdateOut struct {
	Changed   []issueRow `json:"changed"`
	Unchanged []string   `json:"unchanged,omitempty"`
	Count     int        `json:"count"`
}

func batchUpdateIssues() Tool {
	return define(Tool{
		Name: "batch_update_issues", Title: "Update many issues", Permission: needs(tenancy.IssuesUpdate),
		Description: "Apply the same changes to up to 100 issues, all or nothing. Select by keys, or by filter with expected_count " +
			"(count them first with search_issues).",
	}, batchUpdateIssuesHandler)
}

func batchUpdateIssuesHandler(ctx context.Context, c *Call, in batchUpdateIssuesIn) (batchUpdateOut, error) {
	if in.Changes.Comment != "" && !c.May(tenancy.CommentsCreate) {
		return batchUpdateOut{}, forbidden(c.Principal, tenancy.CommentsCreate, "")
	}
	keys, filter, err := c.batchKeys(ctx, in)
	if err != nil {
		return batchUpdateOut{}, err
	}
	issues, projects, err := c.writableIssues(ctx, keys)
	if err != nil {
		return batchUpdateOut{}, err
	}
	patchers := map[uuid.UUID]*patcher{}
	for _, p := range projects {
		patchers[p.ID] = newPatcher(c, p)
		c.touch(p.Key, p.ID)
	}
	if err := c.stillMatch(ctx, filter, keys); err != nil {
		return batchUpdateOut{}, err
	}
	if err := c.confirmBatch(ctx, issues, in.Changes); err != nil {
		return batchUpdateOut{}, err
	}
	out := batchUpdateOut{Changed: []issueRow{}}
	for _, before := range issues {
		p := patchers[before.ProjectID]
		after, err := p.apply(ctx, before, in.Changes.issueFields)
		if err == nil && len(in.Changes.AddLabels)+len(in.Changes.RemoveLabels) > 0 {
			after.Labels, err = p.labels(ctx, after.Labels, in.Changes.AddLabels, in.Changes.RemoveLabels)
		}
		if err != nil {
			return batchUpdateOut{}, prefixed(before.Key.String(), err)
		}
		saved, err := c.saveIssue(before, after, in.Changes.Comment)
		if err != nil {
			return batchUpdateOut{}, prefixed(before.Key.String(), err)
		}
		if len(saved.Changed) == 0 && saved.Comment == "" {
			out.Unchanged = append(out.Unchanged, before.Key.String())
			continue
		}
		after.Version = saved.Version
		out.Changed = append(out.Changed, c.issueRow(after, []string{"status", "assignee", "version"}))
	}
	out.Count = len(out.Changed)
	return out, nil
}

// confirmBatch has a large batch confirmed.
func (c *Call) confirmBatch(ctx context.Context, issues []tracker.Issue, changes batchChanges) error {
	if len(issues) <= confirmOver {
		return nil
	}
	keys := make([]string, len(issues))
	for n, i := range issues {
		keys[n] = i.Key.String()
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(mustJSON(changes), &fields) // it was just made
	const shown = 10
	return c.confirm(ctx, fmt.Sprintf("Change %s of %d issues: %s and %d more.", strings.Join(slices.Sorted(maps.Keys(fields)), ", "), len(keys),
		strings.Join(keys[:shown], ", "), len(keys)-shown), keys...)
}

// stillMatch refuses a batch by filter if an issue ceased to match while we waited for its
// lock: somebody else changed it, and would be overwritten.
func (c *Call) stillMatch(ctx context.Context, f *tracker.Filter, keys []tracker.IssueKey) error {
	if f == nil {
		return nil
	}
	var rows []tracker.Issue
	var total int
	f.Keys = keys
	if err := c.search(ctx, *f, store.Page{Sort: tracker.SortKey, Limit: 1}, &rows, &total); err != nil {
		return err
	}
	if total != len(keys) {
		return tenancy.Errorf(tenancy.Conflict, "%d of the %d issues changed meanwhile and match no more.", len(keys)-total, len(keys)).
			WithNext("Look at them with search_issues, then retry with the right count.")
	}
	return nil
}

// batchKeys lists the issues that a batch is about: the given keys, or exactly
// as many as expected that match the filter, which it returns too.
func (c *Call) batchKeys(ctx context.Context, in batchUpdateIssuesIn) ([]tracker.IssueKey, *tracker.Filter, error) {
	if (len(in.Keys) > 0) == (in.Filter != nil) {
		return nil, nil, tenancy.Errorf(tenancy.Missing, "batch_update_issues needs either keys or filter.")
	}
	if len(in.Keys) > 0 {
		keys, err := issueKeys(in.Keys)
		return keys, nil, err
	}
	f, _, err := c.resolveFilter(ctx, *in.Filter)
	if err != nil {
		return nil, nil, err
	}
	var rows []tracker.Issue
	var total int
	page := store.Page{Sort: tracker.SortKey, Limit: maxBatchUpdate}
	if err := c.search(ctx, f, page, &rows, &total); err != nil {
		return nil, nil, err
	}
	switch {
	case total > maxBatchUpdate:
		return nil, nil, tenancy.Errorf(tenancy.TooLarge, "The filter matches %d issues; at most %d can change at once.", total, maxBatchUpdate).
			WithNext("Narrow the filter.")
	case total != in.ExpectedCount:
		return nil, nil, tenancy.Errorf(tenancy.Conflict, "The filter matches %d issues, expected_count is %d.", total, in.ExpectedCount).
			WithNext("Look at them with search_issues, then retry with the right count.")
	case total == 0:
		return nil, nil, tenancy.Errorf(tenancy.NotFound, "The filter matches no issue.")
	}
	keys := make([]tracker.IssueKey, len(rows))
	for n, i := range rows {
		keys[n] = i.Key
	}
	return keys, &f, nil
}

func projectsOf(keys []tracker.IssueKey) []string {
	list := make([]string, len(keys))
	for n, k := range keys {
		list[n] = k.Project
	}
	return list
}
