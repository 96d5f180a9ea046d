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
	var contents []byte
	a, err := c.attachment(ctx, in.ID, &contents)
	if err != nil {
		return getAttachmentOut{}, err
	}
	c.touch(a.Key.String(), a.ProjectID)
	c.file = contents
	out := getAttachmentOut{Key: a.Key.String(), attachmentView: viewAttachment(a), SHA256: hex.EncodeToString(a.SHA256), URL: c.links.issue(a.Key)}
	switch {
	case a.IsText():
		if in.Offset >= a.Size {
			return out, tenancy.Errorf(tenancy.InvalidValue, "offset %d is behind the end: %s has %d bytes.", in.Offset, a.Name, a.Size)
		}
		out.Text, out.NextOffset = partOf(contents, in.Offset, maxText-2<<10)
	case in.Offset > 0:
		return out, tenancy.Errorf(tenancy.InvalidValue, "offset is for texts; %s is %s.", a.Name, a.Type).WithNext("Leave it out.")
	case a.IsImage():
		c.beside = append(c.beside, mcp.NewImageContent(base64.StdEncoding.EncodeToString(contents), a.Type))
	default:
		c.beside = append(c.beside, mcp.NewEmbeddedResource(mcp.BlobResourceContents{
			URI: "colaflow://attachments/" + a.ID.String(), MIMEType: a.Type, Blob: base64.StdEncoding.EncodeToString(contents)}))
	}
	return out, nil
}

// attachment finds the file that an id names, and reads its contents if they are asked for.
func (c *Call) attachment(ctx context.Context, text string, contents *[]byte) (a tracker.Attachment, err error) {
	if id, wrong := uuid.Parse(text); wrong == nil {
		queries := []store.Query{store.AttachmentByID(id, &a)}
		if contents != nil {
			queries = append(queries, store.AttachmentContents(id, contents))
		}
		if err := c.do(ctx, queries...); err != nil {
			return a, err
		}
	}
	if a.ID == uuid.Nil || a.ID.String() != text {
		return a, noAttachment(text)
	}
	return a, nil
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
