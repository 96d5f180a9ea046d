package mcpserver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type addAttachmentIn struct {
	Key    string `json:"key" need:"true" doc:"Issue key"`
	Name   string `json:"name,omitempty" doc:"File name with extension"`
	Text   string `json:"text,omitempty" doc:"Contents if they are text"`
	Data   string `json:"data,omitempty" doc:"Contents in base64; at most 700 KB"`
	Remove string `json:"remove_file,omitempty" doc:"Instead: id of a file to take away, your own unless you may delete issues"`
	Confirmation
	WriteOptions
}

type addAttachmentOut struct {
	Key     string `json:"key"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Size    int    `json:"size"`
	SHA256  string `json:"sha256"`
	Removed bool   `json:"removed,omitempty"`
	URL     string `json:"url"`
}

func addAttachment() Tool {
	return define(Tool{
		Name: "add_attachment", Title: "Attach a file", Toolset: ToolsetAttachments, Destructive: true, Permission: needs(tenancy.AttachmentsCreate),
		Description: "Attach a file to an issue, or take one away: text, PNG, JPEG, GIF, WebP, PDF, zip, gzip, Office documents. Names may repeat.",
	}, addAttachmentHandler)
}

func addAttachmentHandler(ctx context.Context, c *Call, in addAttachmentIn) (addAttachmentOut, error) {
	key, err := tracker.ParseIssueKey(in.Key)
	if err != nil {
		return addAttachmentOut{}, err
	}
	if in.Remove != "" {
		return c.removeAttachment(ctx, key, in)
	}
	if err := c.memory.Grow(2 * int64(len(in.Text)+len(in.Data))); err != nil { // the contents, and what PostgreSQL is sent
		return addAttachmentOut{}, err
	}
	a, contents, err := newAttachment(in)
	if err != nil {
		return addAttachmentOut{}, err
	}
	i, _, err := c.writableIssue(ctx, key)
	if err != nil {
		return addAttachmentOut{}, err
	}
	var there int
	if err := c.do(ctx, store.CountAttachments(i.ID, &there)); err != nil {
		return addAttachmentOut{}, err
	}
	if there >= tracker.MaxAttachments {
		return addAttachmentOut{}, tenancy.Errorf(tenancy.TooLarge, "%s has %d files, as many as an issue may have.", key, there).
			WithNext("Take some away first, or attach the file to another issue.")
	}
	a.IssueID, a.Key = i.ID, key
	c.changes = append(c.changes, change{Key: key.String(), Field: tracker.FieldAttachment, After: shorten(a.Name, maxAuditText)})
	c.Tx.Later(store.InsertAttachment(i, a, contents, c.author()))
	return c.viewAdded(a), nil
}

// newAttachment is the file that the arguments describe.
func newAttachment(in addAttachmentIn) (a tracker.Attachment, contents []byte, err error) {
	if (in.Text == "") == (in.Data == "") {
		return a, nil, tenancy.Errorf(tenancy.Missing, "add_attachment needs name, and text or data.")
	}
	if a.Name, err = tracker.CheckFileName(in.Name); err != nil {
		return a, nil, err
	}
	contents = []byte(in.Text)
	if in.Data != "" {
		if contents, err = tracker.DecodeBase64(in.Data); err != nil {
			return a, nil, err
		}
	}
	if err = tracker.CheckContents(contents); err != nil {
		return a, nil, err
	}
	digest := sha256.Sum256(contents)
	a.ID, a.Size, a.SHA256 = tenancy.NewID(), len(contents), digest[:]
	a.Type, err = tracker.TypeOf(a.Name, contents)
	return a, contents, err
}

// removeAttachment takes a file of the issue away.
func (c *Call) removeAttachment(ctx context.Context, key tracker.IssueKey, in addAttachmentIn) (addAttachmentOut, error) {
	if in.Name != "" || in.Text != "" || in.Data != "" {
		return addAttachmentOut{}, tenancy.Errorf(tenancy.InvalidValue, "Pass a file, or remove_file, not both.")
	}
	i, _, err := c.writableIssue(ctx, key)
	if err != nil {
		return addAttachmentOut{}, err
	}
	a, err := c.attachment(ctx, in.Remove)
	if err == nil && a.IssueID != i.ID {
		err = noAttachment(in.Remove)
	}
	if err != nil {
		return addAttachmentOut{}, err
	}
	if !a.IsOf(c.MemberID, c.TokenID) && !c.May(tenancy.IssuesDelete) {
		return addAttachmentOut{}, tenancy.Errorf(tenancy.Forbidden, "This file is of %s: only they, or who may delete issues, may take it away.", shorten(cmp.Or(a.Author, a.Agent), 80)).
			WithNext("Do not retry.")
	}
	if err := c.confirm(ctx, fmt.Sprintf("Take the file %q (%d bytes) away from %s for good.", a.Name, a.Size, key), a.ID.String()); err != nil {
		return addAttachmentOut{}, err
	}
	c.changes = append(c.changes, change{Key: key.String(), Field: tracker.FieldAttachment, Before: shorten(a.Name, maxAuditText)})
	c.Tx.Later(store.DeleteAttachment(i, a, c.author()))
	out := c.viewAdded(a)
	out.Removed = true
	return out, nil
}

func (c *Call) viewAdded(a tracker.Attachment) addAttachmentOut {
	return addAttachmentOut{Key: a.Key.String(), ID: a.ID.String(), Name: a.Name, Type: a.Type, Size: a.Size, SHA256: hex.EncodeToString(a.SHA256), URL: c.links.issue(a.Key)}
}
