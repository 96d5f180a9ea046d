package mcpserver

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type getAttachmentIn struct {
	ID     string `json:"id" need:"true" doc:"From get_issue with include attachments"`
	Offset int    `json:"offset" range:"0,716800" doc:"Of a text: next_offset of the part before"`
}

type getAttachmentOut struct {
	Key string `json:"key"`
	attachmentView
	SHA256 string `json:"sha256"`
	// Text is a part of the contents, if they are text.
	Text       string `json:"text,omitempty"`
	NextOffset int    `json:"next_offset,omitempty"`
	URL        string `json:"url"`
}

// attachmentView is a file without its contents.
type attachmentView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"`
	Author string `json:"author,omitempty"`
	Agent  string `json:"agent,omitempty"`
	At     string `json:"at"`
}

func viewAttachment(a tracker.Attachment) attachmentView {
	return attachmentView{a.ID.String(), a.Name, a.Type, a.Size, a.Author, a.Agent, stamp(a.CreatedAt)}
}

func getAttachment() Tool {
	return define(Tool{
		Name: "get_attachment", Title: "Read an attachment", ReadOnly: true, Idempotent: true, Toolset: ToolsetAttachments, Permission: needs(tenancy.AttachmentsRead),
		Description: "Read a file of an issue: text in parts, a picture as an image, anything else as an embedded resource in base64.",
	}, getAttachmentHandler)
}

func getAttachmentHandler(ctx context.Context, c *Call, in getAttachmentIn) (getAttachmentOut, error) {
	a, err := c.attachment(ctx, in.ID)
	if err != nil {
		return getAttachmentOut{}, err
	}
	c.touch(a.Key.String(), a.ProjectID)
	out := getAttachmentOut{Key: a.Key.String(), attachmentView: viewAttachment(a), SHA256: hex.EncodeToString(a.SHA256), URL: c.links.issue(a.Key)}
	switch {
	case in.Offset > 0 && !a.IsText():
		return out, tenancy.Errorf(tenancy.InvalidValue, "offset is for texts; %s is %s.", a.Name, a.Type).WithNext("Leave it out.")
	case in.Offset > 0 && in.Offset >= a.Size:
		return out, tenancy.Errorf(tenancy.InvalidValue, "offset %d is behind the end: %s has %d bytes.", in.Offset, a.Name, a.Size)
	}
	if c.file, err = c.readFile(ctx, a); err != nil {
		return out, err
	}
	if a.IsText() {
		out.Text, out.NextOffset = partOf(c.file.contents, in.Offset, maxText-2<<10)
	}
	return out, nil
}

// attachment finds the file that an id names.
func (c *Call) attachment(ctx context.Context, text string) (a tracker.Attachment, err error) {
	if id, wrong := uuid.Parse(text); wrong == nil {
		if err := c.do(ctx, store.AttachmentByID(id, &a)); err != nil {
			return a, err
		}
	}
	if a.ID == uuid.Nil || a.ID.String() != text {
		return a, noAttachment(text)
	}
	return a, nil
}

// file is an attachment with its contents.
type file struct {
	tracker.Attachment
	contents []byte
}

// fileCopies times its size is what a file takes until its answer is buffered, which is
// charged by itself: as it is, in base64, and in base64 within the answer.
const fileCopies = 4

// readFile reads the contents of a file, once the tenant's memory has room for them.
func (c *Call) readFile(ctx context.Context, a tracker.Attachment) (*file, error) {
	if err := c.memory.Grow(fileCopies * int64(a.Size)); err != nil {
		return nil, err
	}
	f := &file{Attachment: a}
	if err := c.do(ctx, store.AttachmentContents(a.ID, &f.contents)); err != nil {
		return nil, err
	}
	if len(f.contents) != a.Size { // it was taken away just now
		return nil, noAttachment(a.ID.String())
	}
	return f, nil
}

// content is the file as agents are shown it, beside what is said of it; a text is there.
func (f *file) content() []mcp.Content {
	switch {
	case f == nil || f.IsText():
		return nil
	case f.IsImage():
		return []mcp.Content{mcp.NewImageContent(base64.StdEncoding.EncodeToString(f.contents), f.Type)}
	default:
		return []mcp.Content{mcp.NewEmbeddedResource(mcp.BlobResourceContents{
			URI: "colaflow://attachments/" + f.ID.String(), MIMEType: f.Type, Blob: base64.StdEncoding.EncodeToString(f.contents)})}
	}
}

// noAttachment is the one answer to an id that names nothing visible.
func noAttachment(text string) error {
	return tenancy.Errorf(tenancy.NotFound, "Attachment %q not found or not visible to this token.", shorten(tracker.CleanLine(text), 40)).
		WithNext("get_issue with include attachments lists their ids.")
}

// partOf is the part of a text from an offset that takes at most so many bytes of JSON,
// cleaned, and where the next one begins: after a line if there is one, and 0 at the end.
func partOf(contents []byte, offset, most int) (part string, next int) {
	for offset > 0 && !utf8.RuneStart(contents[offset]) {
		offset--
	}
	end := min(len(contents), offset+most)
	for {
		end = beforeCharacter(contents, end)
		raw := string(contents[offset:end])
		if line := strings.LastIndexByte(raw, '\n') + 1; end < len(contents) && line > 0 {
			raw = raw[:line]
		}
		part = tracker.CleanText(raw)
		if len(mustJSON(part)) <= most {
			if next = offset + len(raw); next == len(contents) {
				next = 0
			}
			return part, next
		}
		end = offset + len(raw)*3/4
	}
}

// maxCharacter bounds how far before an end a character that spans it is looked for, in bytes.
const maxCharacter = 32

// beforeCharacter is the last place up to an end where a text can be cut, so that its parts
// are cleaned to what the whole is: not within a rune or a line end, nor before what joins
// or styles the rune before.
func beforeCharacter(text []byte, end int) int {
	for at := end; at > max(0, end-maxCharacter); at-- {
		if at == len(text) {
			return at
		}
		r, _ := utf8.DecodeRune(text[at:])
		within := r == '\u200d' || unicode.Is(unicode.Variation_Selector, r) || r == '\n' && text[at-1] == '\r'
		if utf8.RuneStart(text[at]) && !within {
			return at
		}
	}
	for end > 0 && !utf8.RuneStart(text[end]) { // a heap of those alone
		end--
	}
	return end
}
