package mcpserver

import (
	"context"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type linkIssuesIn struct {
	Key      string   `json:"key" need:"true" doc:"Issue key"`
	Relation string   `json:"relation" need:"true" enum:"blocks|blocked_by|relates_to|duplicates|parent_of|child_of"`
	Targets  []string `json:"targets" need:"true" range:"1,20" doc:"Issue keys"`
	Remove   bool     `json:"remove,omitempty"`
	WriteOptions
}

type linkIssuesOut struct {
	Key       string   `json:"key"`
	Relation  string   `json:"relation"`
	Linked    []string `json:"linked,omitempty"`
	Removed   []string `json:"removed,omitempty"`
	Unchanged []string `json:"unchanged,omitempty"`
}

func linkIssues() Tool {
	return define(Tool{
		Name: "link_issues", Title: "Link issues", Idempotent: true, Permission: needs(tenancy.IssuesUpdate),
		Description: "Relate an issue to others, or remove the relation. Circles of blocks or parents are refused with their path.",
	}, linkIssuesHandler)
}

func linkIssuesHandler(ctx context.Context, c *Call, in linkIssuesIn) (linkIssuesOut, error) {
	keys, err := issueKeys(append([]string{in.Key}, in.Targets...))
	if err != nil {
		return linkIssuesOut{}, err
	}
	issues, _, err := c.writableIssues(ctx, keys)
	if err != nil {
		return linkIssuesOut{}, err
	}
	c.touch(issues[0].Key.String(), issues[0].ProjectID)
	out := linkIssuesOut{Key: issues[0].Key.String(), Relation: in.Relation}
	if len(issues) == 1 {
		return out, tenancy.Errorf(tenancy.InvalidValue, "%s cannot be linked to itself.", issues[0].Key)
	}
	apply, done := c.link, &out.Linked
	if in.Remove {
		apply, done = c.unlink, &out.Removed
	}
	for _, to := range issues[1:] {
		changed, err := apply(ctx, issues[0], tracker.Relation(in.Relation), to)
		if err != nil {
			return linkIssuesOut{}, err
		}
		if changed {
			*done = append(*done, to.Key.String())
			if tracker.Relation(in.Relation) == tracker.ChildOf && !in.Remove {
				issues[0].ParentID = to.ID
			}
		} else {
			out.Unchanged = append(out.Unchanged, to.Key.String())
		}
	}
	return out, nil
}
