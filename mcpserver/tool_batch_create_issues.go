package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type batchCreateIssuesIn struct {
	Project string     `json:"project" need:"true" doc:"Key"`
	Issues  []newIssue `json:"issues" need:"true" range:"1,50"`
	WriteOptions
}

// alsoNeeds: a link to an issue that is there changes it.
func (in batchCreateIssuesIn) alsoNeeds() (set tenancy.PermissionSet) {
	refs, err := batchRefs(in.Issues)
	for _, item := range in.Issues {
		for _, l := range item.Links {
			if _, local := refs[ref(l.Target)]; !local && err == nil {
				set = tenancy.NewPermissionSet(tenancy.IssuesUpdate)
			}
		}
	}
	return set
}

type newIssue struct {
	Ref         string `json:"ref,omitempty" doc:"Local name, usable as parent or link target in this call"`
	Title       string `json:"title" need:"true"`
	Description string `json:"description,omitempty"`
	issueFields
	Links []linkIn `json:"links,omitempty" range:"0,20"`
}

type batchOut struct {
	Issues []issueRow `json:"issues"`
	Count  int        `json:"count"`
}

func batchCreateIssues() Tool {
	return define(Tool{
		Name: "batch_create_issues", Title: "Create many issues", Permission: needs(tenancy.IssuesCreate),
		Description: "Make up to 50 issues at once, all or nothing. Give items a ref to use as parent or link target of others.",
	}, batchCreateIssuesHandler)
}

func batchCreateIssuesHandler(ctx context.Context, c *Call, in batchCreateIssuesIn) (batchOut, error) {
	p, err := c.writableProject(ctx, in.Project)
	if err != nil {
		return batchOut{}, err
	}
	refs, err := batchRefs(in.Issues)
	if err != nil {
		return batchOut{}, err
	}
	patcher := newPatcher(c, p)
	issues := make([]tracker.Issue, len(in.Issues))
	for n, item := range in.Issues {
		fields := item.issueFields
		if _, local := refs[ref(fields.Parent.Value)]; local {
			fields.Parent = tracker.Optional[string]{}
		}
		title, err := tracker.CheckLine("title", item.Title, tracker.MaxTitle)
		if err == nil {
			issues[n], err = c.newIssue(ctx, patcher, title, item.Description, fields)
		}
		if err != nil {
			return batchOut{}, atIndex("issues", n, err)
		}
	}
	if err := adoptRefs(in.Issues, refs, issues); err != nil {
		return batchOut{}, err
	}
	if err := c.Tx.CreateIssues(ctx, p, issues, c.author()); err != nil {
		return batchOut{}, err
	}
	out := batchOut{Issues: []issueRow{}, Count: len(issues)}
	for n, i := range issues {
		c.changes = append(c.changes, change{Key: i.Key.String(), Field: "created", After: shorten(i.Title, maxAuditText)})
		for _, l := range in.Issues[n].Links {
			if to, local := refs[ref(l.Target)]; local {
				_, err = c.link(ctx, i, tracker.Relation(l.Relation), issues[to])
			} else {
				err = c.linkByKey(ctx, i, l)
			}
			if err != nil {
				return batchOut{}, atIndex("issues", n, err)
			}
		}
		out.Issues = append(out.Issues, c.issueRow(i, []string{"title", "status", "parent", "version", "url"}))
	}
	return out, nil
}

func ref(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// batchRefs indexes the local names. A name may not look like an issue key.
func batchRefs(items []newIssue) (map[string]int, error) {
	refs := map[string]int{}
	for n, item := range items {
		name := ref(item.Ref)
		if name == "" {
			continue
		}
		if _, err := tracker.ParseIssueKey(name); err == nil {
			return nil, atIndex("issues", n, tenancy.Errorf(tenancy.InvalidValue, "ref %q looks like an issue key.", item.Ref).WithNext("Use a word, such as epic."))
		}
		if _, twice := refs[name]; twice {
			return nil, atIndex("issues", n, tenancy.Errorf(tenancy.InvalidValue, "ref %q is given twice.", item.Ref))
		}
		refs[name] = n
	}
	return refs, nil
}

// adoptRefs sets parents that are of this batch, and refuses circles.
func adoptRefs(items []newIssue, refs map[string]int, issues []tracker.Issue) error {
	parents := make([]int, len(items))
	for n, item := range items {
		parents[n] = -1
		if to, local := refs[ref(item.Parent.Value)]; local {
			parents[n] = to
			issues[n].ParentID, issues[n].Parent = issues[to].ID, &issues[to].Key
		}
	}
	for n := range items {
		path := []int{n}
		for up := parents[n]; up >= 0; up = parents[up] {
			if slices.Contains(path, up) {
				return atIndex("issues", n, tenancy.Errorf(tenancy.InvalidValue, "parent %q closes a circle.", items[n].Parent.Value))
			}
			path = append(path, up)
		}
	}
	return nil
}

// atIndex names the item of a batch that failed.
func atIndex(list string, n int, err error) error {
	return prefixed(fmt.Sprintf("%s[%d]", list, n), err)
}

// prefixed puts a place before the message of a tenancy error.
func prefixed(place string, err error) error {
	var e *tenancy.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", place, err)
	}
	at := *e
	at.Message = place + ": " + e.Message
	return &at
}
