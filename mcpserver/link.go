package mcpserver

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// linkByKey links a fresh issue to one that exists, which it changes: the token must be
// allowed to update issues, as for link_issues.
func (c *Call) linkByKey(ctx context.Context, from tracker.Issue, l linkIn) error {
	key, err := tracker.ParseIssueKey(l.Target)
	if err != nil {
		return err
	}
	if !c.May(tenancy.IssuesUpdate) {
		return forbidden(c.Principal, tenancy.IssuesUpdate, "")
	}
	to, _, err := c.writableIssues(ctx, []tracker.IssueKey{key})
	if err != nil {
		return err
	}
	_, err = c.link(ctx, from, tracker.Relation(l.Relation), to[0])
	return err
}

// link makes a relation between two issues and reports whether it is new. A
// circle of blocks is refused with its path. Both issues must be in reach.
func (c *Call) link(ctx context.Context, from tracker.Issue, relation tracker.Relation, to tracker.Issue) (bool, error) {
	if from.ID == to.ID {
		return false, tenancy.Errorf(tenancy.InvalidValue, "%s cannot be linked to itself.", from.Key)
	}
	switch relation {
	case tracker.BlockedBy, tracker.ParentOf:
		return c.link(ctx, to, relation.Inverse(), from)
	case tracker.ChildOf:
		after, err := c.withParent(ctx, from, to)
		if err != nil || after.ParentID == from.ParentID {
			return false, err
		}
		c.changed(from, after)
		return true, c.do(ctx, store.SaveIssue(from, after, c.author()))
	case tracker.Blocks:
		var path []string
		if err := c.do(ctx, store.HoldLinks(tracker.Blocks), store.BlockPath(to.ID, from.ID, &path)); err != nil {
			return false, err
		}
		if len(path) > 0 {
			return false, tenancy.Errorf(tenancy.InvalidValue, "%s cannot block %s: that would close a circle, %s.",
				from.Key, to.Key, strings.Join(append(path, to.Key.String()), " blocks ")).
				WithNext("Remove one of these links first.")
		}
	case tracker.RelatesTo:
		if from.ID.String() > to.ID.String() { // stored once, whichever way it was said
			from, to = to, from
		}
	}
	var made bool
	by := c.author()
	if err := c.do(ctx, store.InsertLink(from, relation, to, by, &made)); err != nil || !made {
		return false, err
	}
	return true, c.noteLink(ctx, tracker.EventLinked, from, relation, to, by)
}

// unlink removes a relation and reports whether there was one.
func (c *Call) unlink(ctx context.Context, from tracker.Issue, relation tracker.Relation, to tracker.Issue) (bool, error) {
	switch relation {
	case tracker.BlockedBy, tracker.ParentOf:
		return c.unlink(ctx, to, relation.Inverse(), from)
	case tracker.ChildOf:
		if from.ParentID != to.ID {
			return false, nil
		}
		after := from
		after.ParentID, after.Parent = [16]byte{}, nil
		c.changed(from, after)
		return true, c.do(ctx, store.SaveIssue(from, after, c.author()))
	case tracker.RelatesTo:
		if from.ID.String() > to.ID.String() {
			from, to = to, from
		}
	}
	var gone bool
	by := c.author()
	if err := c.do(ctx, store.DeleteLink(from.ID, relation, to.ID, &gone)); err != nil || !gone {
		return false, err
	}
	return true, c.noteLink(ctx, tracker.EventUnlinked, from, relation, to, by)
}

// noteLink records a link's event on both issues and marks them updated.
func (c *Call) noteLink(ctx context.Context, kind tracker.EventKind, from tracker.Issue, relation tracker.Relation, to tracker.Issue, by store.Author) error {
	c.changes = append(c.changes, change{Key: from.Key.String(), Field: string(kind) + " " + string(relation), After: to.Key.String()})
	here := []tracker.Event{{IssueID: from.ID, Kind: kind, Field: string(relation), After: to.Key.String()}}
	there := []tracker.Event{{IssueID: to.ID, Kind: kind, Field: string(relation.Inverse()), After: from.Key.String()}}
	return c.do(ctx, store.InsertEvents(from.ProjectID, here, by), store.InsertEvents(to.ProjectID, there, by),
		store.Touch(ids(from, to), by))
}

func unmarshal(text string, into any) bool { return json.Unmarshal([]byte(text), into) == nil }
