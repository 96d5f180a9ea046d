package mcpserver

import (
	"context"
	"fmt"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type deleteIssueIn struct {
	Key             string `json:"key" need:"true"`
	ExpectedVersion int    `json:"expected_version,omitempty" range:"1,1000000000"`
	Confirmation
	WriteOptions
}

type deletedOut struct {
	Deleted  string `json:"deleted"`
	Issues   int    `json:"issues,omitempty"`
	Comments int    `json:"comments"`
	Links    int    `json:"links"`
	Files    int    `json:"attachments"`
}

func deleteIssue() Tool {
	return define(Tool{
		Name: "delete_issue", Title: "Delete an issue", Toolset: ToolsetAdmin, Destructive: true, Permission: needs(tenancy.IssuesDelete),
		Description: "Delete an issue for good, with its comments, links, attachments and history; reports forget it too. To drop work, move it to a cancelled status instead.",
	}, deleteIssueHandler)
}

func deleteIssueHandler(ctx context.Context, c *Call, in deleteIssueIn) (deletedOut, error) {
	key, err := tracker.ParseIssueKey(in.Key)
	if err != nil {
		return deletedOut{}, err
	}
	i, p, err := c.writableIssue(ctx, key)
	if err != nil {
		return deletedOut{}, err
	}
	if in.ExpectedVersion != 0 && in.ExpectedVersion != i.Version {
		return deletedOut{}, c.staleIssue(ctx, i, in.ExpectedVersion)
	}
	var with store.Belongings
	if err := c.do(ctx, store.CountBelongings(p.ID, i.ID, &with)); err != nil {
		return deletedOut{}, err
	}
	if with.Children > 0 {
		return deletedOut{}, tenancy.Errorf(tenancy.Conflict, "%s has %d sub-issues.", key, with.Children).WithNext("Delete them first, or give them another parent.")
	}
	text := fmt.Sprintf("Delete %s %q for good, with %d comments, %d links, %d attachments and its history.", key, i.Title, with.Comments, with.Links, with.Attachments)
	if err := c.confirm(ctx, text, fmt.Sprint(i.Version)); err != nil {
		return deletedOut{}, err
	}
	c.changes = append(c.changes, change{Key: key.String(), Field: "deleted", Before: shorten(i.Title, maxAuditText)})
	return deletedOut{Deleted: key.String(), Comments: with.Comments, Links: with.Links, Files: with.Attachments}, c.do(ctx, store.DeleteIssue(i, c.author()))
}
