package mcpserver

import (
	"context"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type addCommentIn struct {
	Key     string `json:"key" need:"true" doc:"Issue key"`
	Body    string `json:"body" need:"true" doc:"Markdown"`
	ReplyTo string `json:"reply_to,omitempty" doc:"Comment id"`
	WriteOptions
}

type addCommentOut struct {
	Key string `json:"key"`
	ID  string `json:"id"`
	At  string `json:"at"`
	URL string `json:"url"`
}

func addComment() Tool {
	return define(Tool{
		Name: "add_comment", Title: "Comment on an issue", Permission: needs(tenancy.CommentsCreate),
		Description: "Add a comment to an issue.",
	}, addCommentHandler)
}

func addCommentHandler(ctx context.Context, c *Call, in addCommentIn) (addCommentOut, error) {
	key, err := tracker.ParseIssueKey(in.Key)
	if err != nil {
		return addCommentOut{}, err
	}
	body, err := tracker.CheckText("body", in.Body, tracker.MaxBody)
	if err != nil {
		return addCommentOut{}, err
	}
	if body == "" {
		return addCommentOut{}, tenancy.Errorf(tenancy.Missing, "body is empty.")
	}
	i, _, err := c.writableIssue(ctx, key)
	if err != nil {
		return addCommentOut{}, err
	}
	m := tracker.Comment{ID: tenancy.NewID(), IssueID: i.ID, Body: body}
	if in.ReplyTo != "" {
		if m.ReplyTo, err = c.commentOf(ctx, i, in.ReplyTo); err != nil {
			return addCommentOut{}, err
		}
	}
	c.changes = append(c.changes, change{Key: key.String(), Field: "comment", After: m.ID})
	if err := c.do(ctx, store.InsertComment(i, m, "", c.author())); err != nil {
		return addCommentOut{}, err
	}
	return addCommentOut{Key: key.String(), ID: m.ID.String(), At: stamp(c.Now), URL: c.links.issue(key)}, nil
}

// commentOf checks that a comment id names a comment of the issue.
func (c *Call) commentOf(ctx context.Context, i tracker.Issue, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err == nil {
		var exists bool
		if err := c.do(ctx, store.HasComment(i.ID, id, &exists)); err != nil {
			return uuid.Nil, err
		}
		if exists {
			return id, nil
		}
	}
	return uuid.Nil, tenancy.Errorf(tenancy.NotFound, "%s has no comment %q.", i.Key, shorten(tracker.CleanLine(text), 40)).
		WithNext("get_issue with include comments lists their ids.")
}
