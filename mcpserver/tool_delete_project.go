package mcpserver

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// maxDelete is how many issues go in one transaction, which nothing else waits for long.
const maxDelete = 2000

type deleteProjectIn struct {
	Project string `json:"project" need:"true" doc:"Key"`
	Confirmation
	WriteOptions
}

func deleteProject() Tool {
	return define(Tool{
		Name: "delete_project", Title: "Delete a project", Toolset: ToolsetAdmin, Destructive: true, Permission: needs(tenancy.ProjectsDelete),
		Description: "Delete a project for good, with its issues, comments, attachments, sprints and history. To keep it out of the way, archive it with update_project.",
	}, deleteProjectHandler)
}

func deleteProjectHandler(ctx context.Context, c *Call, in deleteProjectIn) (deletedOut, error) {
	var p tracker.Project
	if err := c.do(ctx, store.LockProject(projectKey(in.Project), &p)); err != nil {
		return deletedOut{}, err
	}
	if err := c.foundProject(ctx, p, in.Project); err != nil {
		return deletedOut{}, err
	}
	c.touch(p.Key, p.ID)
	var with store.Belongings
	if err := c.do(ctx, store.CountBelongings(p.ID, uuid.Nil, &with)); err != nil {
		return deletedOut{}, err
	}
	if with.Issues > maxDelete {
		return deletedOut{}, tenancy.Errorf(tenancy.TooLarge, "%s has %d issues; a project with more than %d cannot be deleted.", p.Key, with.Issues, maxDelete).
			WithNext("Archive it with update_project.")
	}
	text := fmt.Sprintf("Delete project %s %q for good, with %d issues, %d comments, %d attachments and its history.", p.Key, p.Name, with.Issues, with.Comments, with.Attachments)
	if err := c.confirm(ctx, text, fmt.Sprint(p.Version)); err != nil {
		return deletedOut{}, err
	}
	c.changes = append(c.changes, change{Key: p.Key, Field: "deleted", Before: shorten(p.Name, maxAuditText)})
	return deletedOut{Deleted: p.Key, Issues: with.Issues, Comments: with.Comments, Links: with.Links, Files: with.Attachments}, c.do(ctx, store.DeleteProject(p, c.author()))
}
