package tracker

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// MaxAttachment bounds the contents of an attachment, in bytes: as base64 they fit
// into a message of 1 MiB.
const MaxAttachment = 700 << 10

// MaxAttachments is how many files an issue may have.
const MaxAttachments = 100

// FieldAttachment is the field of events about attachments, which name the file: they
// are for those who may read attachments.
const FieldAttachment = "attachment"

// Attachment is a file that belongs to an issue, without its contents.
type Attachment struct {
	ID        uuid.UUID
	IssueID   uuid.UUID
	Key       IssueKey
	ProjectID uuid.UUID
	AuthorID  uuid.UUID // zero: a service token
	TokenID   uuid.UUID // zero: a signed-in person
	Author    string
	Agent     string // name of the token
	Name      string // of the file, without a folder
	Type      string // media type, found out from the contents
	Size      int    // of the contents, in bytes
	SHA256    []byte // of the contents
	CreatedAt time.Time
}

// IsOf reports whether a file is of this member, or where there is none of this token.
func (a Attachment) IsOf(member, token uuid.UUID) bool {
	return isOf(a.AuthorID, a.TokenID, member, token)
}

// IsText reports whether the contents are UTF-8 text.
func (a Attachment) IsText() bool { return strings.HasPrefix(a.Type, "text/") || a.Type == typeJSON }

// IsImage reports whether the contents are a picture that models and browsers can show.
func (a Attachment) IsImage() bool { return strings.HasPrefix(a.Type, "image/") }

const (
	typeText = "text/plain"
	typeJSON = "application/json"
	typePDF  = "application/pdf"
	typeZip  = "application/zip"
)

// binaryTypes are the media types of contents that are not text, as net/http finds them
// out (WHATWG MIME Sniffing), beside PDF.
var binaryTypes = map[string]string{
	"image/png": "image/png", "image/jpeg": "image/jpeg", "image/gif": "image/gif", "image/webp": "image/webp",
	typeZip: typeZip, "application/x-gzip": "application/gzip",
}

// namedTypes are what a name may add to what the contents say: kinds of text, and of zip.
var namedTypes = map[string]map[string]string{
	typeText: {".md": "text/markdown", ".markdown": "text/markdown", ".csv": "text/csv", ".json": typeJSON},
	typeZip: {
		".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	},
}

// TypeOf finds out the media type of an attachment. The contents decide; a name only
// tells kinds of the same apart. Whatever a browser or a system might run, such as HTML,
// SVG or scripts, is plain text; what is neither text nor a known kind is refused.
func TypeOf(name string, contents []byte) (string, error) {
	kind := ""
	switch {
	case bytes.HasPrefix(contents, []byte("%PDF-")):
		kind = typePDF
	case isText(contents):
		kind = typeText
	default:
		kind = binaryTypes[http.DetectContentType(contents)]
	}
	if kind == "" {
		return "", tenancy.Errorf(tenancy.InvalidValue, "%q is not of a kind that can be attached.", name).
			WithNext("Attach text in UTF-8, PNG, JPEG, GIF, WebP, PDF, zip, gzip, or an Office document.")
	}
	named := namedTypes[kind][extension(name)]
	if named == typeJSON && !json.Valid(contents) {
		named = ""
	}
	return cmp.Or(named, kind), nil
}

// isText reports whether contents are UTF-8 without control characters that no text
// has. Escapes are let through for the sake of coloured logs: readers get them removed.
func isText(contents []byte) bool {
	if !utf8.Valid(contents) {
		return false
	}
	return !bytes.ContainsFunc(contents, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\v\f\r\b\x1b", r)
	})
}

// extension is the lower-case end of a name, from the last dot.
func extension(name string) string { return strings.ToLower(path.Ext(name)) }

// CheckContents refuses a file that is empty or larger than MaxAttachment.
func CheckContents(contents []byte) error {
	switch n := len(contents); {
	case n == 0:
		return tenancy.Errorf(tenancy.Missing, "The file is empty.").WithNext("Give its contents.")
	case n > MaxAttachment:
		return tenancy.Errorf(tenancy.TooLarge, "The file has %d bytes; at most %d can be attached.", n, MaxAttachment).
			WithNext("Attach the part that matters, or link to where all of it is.")
	}
	return nil
}

// DecodeBase64 reads contents in base64 (RFC 4648, either alphabet, with or without
// padding, in lines or not), also behind the head of a data: URL (RFC 2397).
func DecodeBase64(text string) ([]byte, error) {
	if head, data, is := strings.Cut(text, ","); is && strings.HasPrefix(head, "data:") && strings.HasSuffix(head, ";base64") {
		text = data
	}
	text = strings.TrimRight(strings.Join(strings.Fields(text), ""), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	contents, err := encoding.DecodeString(text)
	if err != nil {
		return nil, tenancy.Errorf(tenancy.InvalidValue, "data is not base64.").WithNext("Encode the bytes of the file, or pass a text as text.")
	}
	return contents, nil
}

// MaxFileName bounds the name of an attachment, in characters.
const MaxFileName = 120

// CheckFileName returns the name of a file fit for every system: in one line, without a
// folder, reserved characters, or dots and spaces at its ends.
func CheckFileName(name string) (string, error) {
	name = CleanLine(strings.ReplaceAll(name, `\`, "/"))
	name = name[strings.LastIndex(name, "/")+1:]
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	name, err := CheckLine("name", strings.Trim(name, ". "), MaxFileName)
	if err != nil {
		return "", err
	}
	stem, _, _ := strings.Cut(name, ".")
	if slices.Contains(devices, strings.ToUpper(strings.TrimSpace(stem))) {
		name = "_" + name
	}
	return name, nil
}

// devices are names that Windows keeps for itself, whatever follows their dot.
var devices = []string{"CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
	"LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9"}

// savedAs are the extensions with which a file of a type may be saved: none of them is
// run, or opened as a page, by a system.
var savedAs = map[string][]string{
	typeText: {".txt", ".log", ".yaml", ".yml", ".toml", ".diff", ".patch", ".tsv", ".jsonl", ".sql", ".go", ".java", ".c", ".h", ".rs"},
	typeJSON: {".json"}, "text/markdown": {".md", ".markdown"}, "text/csv": {".csv"},
	"image/png": {".png"}, "image/jpeg": {".jpg", ".jpeg"}, "image/gif": {".gif"}, "image/webp": {".webp"},
	typePDF: {".pdf"}, typeZip: {".zip"}, "application/gzip": {".gz", ".tgz"},
	namedTypes[typeZip][".docx"]: {".docx"}, namedTypes[typeZip][".xlsx"]: {".xlsx"}, namedTypes[typeZip][".pptx"]: {".pptx"},
}

// SaveName is the name under which a person's browser keeps the file: with an extension
// of its type, so that page.html is kept as page.html.txt.
func (a Attachment) SaveName() string {
	allowed := savedAs[a.Type]
	switch {
	case len(allowed) == 0: // of a release that knew more
		return a.Name + ".bin"
	case slices.Contains(allowed, extension(a.Name)):
		return a.Name
	}
	return a.Name + allowed[0]
}

// AttachmentChanged is the event of a file that was attached (after is its name) or taken
// away (before is).
func AttachmentChanged(issue uuid.UUID, before, after string) Event {
	e := Event{IssueID: issue, Kind: EventChanged, Field: FieldAttachment}
	if before != "" {
		e.Before = before
	}
	if after != "" {
		e.After = after
	}
	return e
}
