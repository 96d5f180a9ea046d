package mcpserver_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// picture is a small PNG.
func picture(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))))
	return file.Bytes()
}

// besideText is the content of a tool's result that follows its data.
type besideText struct {
	Type, Data, MimeType string
	Resource             struct{ URI, MimeType, Blob string }
}

// file calls get_attachment and returns its data and what is beside it.
func (c *client) file(id any) (data map[string]any, beside []besideText) {
	c.t.Helper()
	raw, rpcError := c.rpc("tools/call", args{"name": "get_attachment", "arguments": args{"id": id}})
	require.Empty(c.t, rpcError)
	var result struct {
		Content           []besideText
		StructuredContent map[string]any
		IsError           bool
	}
	require.NoError(c.t, json.Unmarshal(raw, &result))
	require.False(c.t, result.IsError, string(raw))
	return result.StructuredContent, result.Content[1:]
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	c := b.client(t, acme.FullToken(t)).all()
	_, plain, err := b.db.CreateToken(t.Context(), acme.Scope(), acme.Slug, "test", store.NewToken{Name: "ben's", Owner: acme.Ben.Email,
		Grants: tenancy.Grants{Allow: tenancy.AllPermissions, Deny: tenancy.NewPermissionSet(tenancy.IssuesDelete)}})
	require.NoError(t, err)
	ben := b.client(t, plain).all()

	// A text, once however often it is sent; a picture; anything else.
	text := args{"key": "web-1", "name": `C:\logs\build.log`, "text": "\x1b[31mred\x1b[0m \u202etext\n", "idempotency_key": "one"}
	log := c.ok("add_attachment", text)
	require.Equal(t, []any{"build.log", "text/plain", "WEB-1"}, []any{log["name"], log["type"], log["key"]})
	require.Equal(t, true, c.ok("add_attachment", text)["replayed"], "once")
	raw := picture(t)
	digest := sha256.Sum256(raw)
	shot := ben.ok("add_attachment", args{"key": "WEB-1", "name": "shot.exe", "data": "data:image/png;base64," + base64.StdEncoding.EncodeToString(raw)})
	require.Equal(t, []any{"image/png", hex.EncodeToString(digest[:]), float64(len(raw))}, []any{shot["type"], shot["sha256"], shot["size"]})
	pdf := c.ok("add_attachment", args{"key": "WEB-1", "name": "a.pdf", "data": base64.RawURLEncoding.EncodeToString([]byte("%PDF-1.7\n\xff\xfe"))})
	require.Equal(t, true, c.ok("add_attachment", args{"key": "WEB-1", "name": "no.txt", "text": "no", "dry_run": true})["dry_run"])

	data, beside := c.file(log["id"])
	require.Equal(t, "[31mred[0m text\n", data["text"], "without what a terminal or a model might obey")
	require.Equal(t, []any{"build.log", "ada@acme.test", "full"}, []any{data["name"], data["author"], data["agent"]})
	require.Empty(t, beside)
	data, beside = c.file(shot["id"])
	require.NotContains(t, data, "text")
	require.Equal(t, []besideText{{Type: "image", MimeType: "image/png", Data: base64.StdEncoding.EncodeToString(raw)}}, beside)
	_, beside = ben.file(pdf["id"])
	require.Len(t, beside, 1)
	require.Equal(t, "resource", beside[0].Type)
	require.Equal(t, "application/pdf", beside[0].Resource.MimeType)
	require.Equal(t, base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n\xff\xfe")), beside[0].Resource.Blob)

	issue := c.ok("get_issue", args{"keys": "WEB-1", "include": []string{"attachments", "history"}})["issues"].([]any)[0].(map[string]any)
	files := issue["attachments"].([]any)
	require.Len(t, files, 3)
	require.Equal(t, []any{shot["id"], "shot.exe", "ben@acme.test"}, []any{files[1].(map[string]any)["id"], files[1].(map[string]any)["name"], files[1].(map[string]any)["author"]})
	require.Equal(t, "a.pdf", issue["history"].([]any)[0].(map[string]any)["after"])
	require.NotContains(t, c.ok("get_issue", args{"keys": "WEB-2", "include": "attachments"})["issues"].([]any)[0], "attachments")
	require.EqualValues(t, 3, c.ok("list_activity", args{"kinds": "attachment"})["total"])

	// Only one's own is taken away, unless one may delete issues; and nothing without asking.
	require.Contains(t, ben.fails("forbidden", "add_attachment", args{"key": "WEB-1", "remove_file": log["id"]}), "of ada@acme.test:")
	ben.agree("add_attachment", args{"key": "WEB-1", "remove_file": shot["id"]})
	ben.fails("not_found", "get_attachment", args{"id": shot["id"]})
	c.fails("not_found", "add_attachment", args{"key": "WEB-2", "remove_file": log["id"]})
	c.fails("confirmation_required", "add_attachment", args{"key": "WEB-1", "remove_file": log["id"]})
	c.file(log["id"])
	require.Equal(t, true, c.agree("add_attachment", args{"key": "WEB-1", "remove_file": log["id"]})["removed"])
	bens := ben.ok("add_attachment", args{"key": "WEB-1", "name": "of ben.txt", "text": "x"})
	require.Equal(t, true, c.agree("add_attachment", args{"key": "WEB-1", "remove_file": bens["id"]})["removed"], "who may delete issues")
	require.EqualValues(t, 7, c.ok("list_activity", args{"kinds": "attachment"})["total"])

	for code, refused := range map[string][]args{
		"missing": {{"key": "WEB-1"}, {"key": "WEB-1", "name": "a.txt"}, {"key": "WEB-1", "text": "x"}, {"key": "WEB-1", "name": "..", "text": "x"},
			{"key": "WEB-1", "name": "a.txt", "text": "x", "data": "eA=="}},
		"invalid_value": {{"key": "WEB-1", "name": "a.txt", "data": "?"}, {"key": "WEB-1", "name": "a.exe", "data": "TVqQAAM="},
			{"key": "WEB-1", "remove_file": pdf["id"], "name": "a.txt"}},
		"too_large": {{"key": "WEB-1", "name": "a.txt", "text": strings.Repeat("x", tracker.MaxAttachment+1)}, {"key": "WEB-1", "name": strings.Repeat("x", 121), "text": "x"}},
		"not_found": {{"key": "WEB-9", "name": "a.txt", "text": "x"}, {"key": "WEB-1", "remove_file": "nonsense"}, {"key": "WEB-1", "remove_file": strings.ToUpper(pdf["id"].(string))}},
	} {
		for _, a := range refused {
			c.fails(code, "add_attachment", a)
		}
	}
	require.Contains(t, c.fails("invalid_value", "get_attachment", args{"id": pdf["id"], "offset": 1}), "offset is for texts")
	for _, id := range []string{"nonsense", "019a0000-0000-7000-8000-000000000000", "{" + pdf["id"].(string) + "}"} {
		c.fails("not_found", "get_attachment", args{"id": id})
	}
	c.ok("update_project", args{"project": "WEB", "state": "archived"})
	c.fails("read_only", "add_attachment", args{"key": "WEB-1", "name": "a.txt", "text": "x"})
	c.file(pdf["id"])
}

// TestAttachments_Largest comes back byte by byte, within what a message may hold.
func TestAttachments_Largest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	c := b.client(t, acme.FullToken(t)).all()
	raw := append([]byte("\x1f\x8b\x08"), bytes.Repeat([]byte{0xff, 0, '<'}, tracker.MaxAttachment/3)...)[:tracker.MaxAttachment]
	made := c.ok("add_attachment", args{"key": "WEB-1", "name": "big.gz", "data": base64.StdEncoding.EncodeToString(raw)})
	_, beside := c.file(made["id"])
	got, err := base64.StdEncoding.DecodeString(beside[0].Resource.Blob)
	require.NoError(t, err)
	require.True(t, bytes.Equal(raw, got))
	require.Contains(t, c.fails("too_large", "add_attachment", args{"key": "WEB-1", "name": "big.gz", "data": base64.StdEncoding.EncodeToString(append(raw, 1))}), "The file has 716801 bytes")
	row := c.ok("search_audit_log", args{"tool": "add_attachment", "decision": "allowed"})["items"].([]any)[0]
	require.Less(t, len(fmt.Sprint(row)), 2000, "the audit keeps no contents")
}

// TestAttachments_LongText is read in parts, each within what an answer may hold, which
// make the whole again; they end after a line where there is one.
func TestAttachments_LongText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	c := b.client(t, acme.FullToken(t)).all()
	for name, want := range map[string]string{
		"lines":    strings.Repeat("A line of a log with <tags> & \"quotes\" — and dashes.\n", 2_000),
		"one line": strings.Repeat("日本", 20_000),
		"tags":     strings.Repeat("<", 50_000),
		"emoji":    "x" + strings.Repeat("👩‍💻", 6_000),
		"joiners":  strings.Repeat("x", 5) + strings.Repeat("👩‍💻", 6_000),
		"styles":   strings.Repeat("x", 4) + strings.Repeat("❤️", 6_000),
		"line end": strings.Repeat("x", 22<<10-1) + "\r\nend",
		"nothing":  "x" + strings.Repeat("\ufe0f", 20_000),
		"short":    "short",
	} {
		id := c.ok("add_attachment", args{"key": "WEB-1", "name": name, "text": want})["id"]
		got, offset := "", 0
		for range 200 {
			r := c.call("get_attachment", args{"id": id, "offset": offset})
			require.False(t, r.isError, r.text)
			require.LessOrEqual(t, len(r.text), 24<<10)
			part, _ := r.data["text"].(string)
			require.True(t, utf8.ValidString(part))
			got += part
			next, more := r.data["next_offset"].(float64)
			if !more {
				break
			}
			require.Greater(t, int(next), offset)
			if name == "lines" {
				require.True(t, strings.HasSuffix(part, "\n"))
			}
			offset = int(next)
		}
		require.Equal(t, tracker.CleanText(want), got, name)
		require.Contains(t, c.fails("invalid_value", "get_attachment", args{"id": id, "offset": len(want)}), "behind the end")
	}
	// An offset within a character is that of the character.
	id := c.ok("add_attachment", args{"key": "WEB-1", "name": "é", "text": "aéb"})["id"]
	require.Equal(t, "éb", c.ok("get_attachment", args{"id": id, "offset": 2})["text"])
}

// TestAttachments_Permissions: names and contents are for those who may read attachments.
func TestAttachments_Permissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	acme.Issues(t, acme.Project(t, "SEC", "Secret"), "Hidden")
	full := b.client(t, acme.FullToken(t)).all()
	id := full.ok("add_attachment", args{"key": "WEB-1", "name": secretMark + ".txt", "text": "x"})["id"]
	hidden := full.ok("add_attachment", args{"key": "SEC-1", "name": "hidden.txt", "text": "x"})["id"]

	_, plain := acme.Token(t, "reader", `{"issues":["*"],"comments":["*"]}`)
	c := b.client(t, plain).all()
	require.Contains(t, c.fails("forbidden", "get_attachment", args{"id": id}), "lacks attachments:read")
	require.Contains(t, c.fails("forbidden", "add_attachment", args{"key": "WEB-1", "name": "a", "text": "x"}), "lacks attachments:create")
	require.Contains(t, c.fails("forbidden", "get_issue", args{"keys": "WEB-1", "include": "attachments"}), "lacks attachments:read")
	full.ok("update_issue", args{"key": "WEB-1", "title": "Once more"})
	full.ok("add_attachment", args{"key": "WEB-1", "name": secretMark + ".log", "text": "x"})
	require.Contains(t, full.fails("conflict", "update_issue", args{"key": "WEB-1", "title": "Late", "expected_version": 1}),
		"WEB-1 changed (version 1 to 2) since you read it: title One to Once more.", "files make no version")
	for _, r := range []toolResult{c.call("get_issue", args{"keys": "WEB-1", "include": "history"}), c.call("list_activity", args{}),
		c.call("list_activity", args{"kinds": "attachment"}), c.call("update_issue", args{"key": "WEB-1", "title": "Late", "expected_version": 1})} {
		require.NotContains(t, r.text, secretMark)
	}
	require.EqualValues(t, 0, c.ok("list_activity", args{"kinds": "attachment"})["total"])

	_, plain = acme.Token(t, "limited", `{"issues":["*"],"attachments":["*"],"only_projects":["WEB"]}`)
	c = b.client(t, plain).all()
	c.file(id)
	unknown := c.fails("not_found", "get_attachment", args{"id": "019a0000-0000-7000-8000-000000000000"})
	require.Equal(t, strings.ReplaceAll(unknown, "019a0000-0000-7000-8000-000000000000", hidden.(string)), c.fails("not_found", "get_attachment", args{"id": hidden}))

	// Who may read the audit log of one project sees who read its files.
	_, plain = acme.Token(t, "auditor", `{"audit":["read"],"only_projects":["WEB"]}`)
	rows := b.client(t, plain).all().ok("search_audit_log", args{"tool": "get_attachment", "decision": "allowed"})
	require.EqualValues(t, 1, rows["total"])

	// A person gets the contents whole, under the same rules.
	answer, err := b.mcp.CallAs(t.Context(), person(acme.Tenant, acme.Ben), mcpserver.PersonCall{Tool: "get_attachment", Arguments: json.RawMessage(fmt.Sprintf(`{"id":%q}`, id))})
	require.NoError(t, err)
	require.Equal(t, "x", string(answer.File))
}

// TestAttachments_Most: an issue has so many files and no more, until one goes; each of
// them is listed.
func TestAttachments_Most(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	issues := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	b.exec(t, `insert into attachments (tenant_id, id, project_id, issue_id, author_id, name, type, size, sha256, content, created_at)
		select $1, gen_random_uuid(), $2, $3, $4, 'x.txt', 'text/plain', 1, sha256('x'), 'x', $5 from generate_series(1, $6::int)`,
		acme.ID, issues[0].ProjectID, issues[0].ID, acme.Ada.ID, storetest.Now, tracker.MaxAttachments-1)
	c := b.client(t, acme.FullToken(t)).all()
	last := c.ok("add_attachment", args{"key": "WEB-1", "name": "last.txt", "text": "x"})["id"]
	more := args{"key": "WEB-1", "name": "more.txt", "text": "x"}
	require.Contains(t, c.fails("too_large", "add_attachment", more), "WEB-1 has 100 files")
	c.ok("add_attachment", args{"key": "WEB-2", "name": "other.txt", "text": "x"})
	issue := c.ok("get_issue", args{"keys": "WEB-1", "include": "attachments"})["issues"].([]any)[0].(map[string]any)
	require.Len(t, issue["attachments"], tracker.MaxAttachments)
	c.agree("add_attachment", args{"key": "WEB-1", "remove_file": last})
	c.ok("add_attachment", more)
}

// TestAttachments_Deleted go with their issue, which says how many there are.
func TestAttachments_Deleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	c := b.client(t, acme.FullToken(t)).all()
	one := c.ok("add_attachment", args{"key": "WEB-1", "name": "a", "text": "x"})["id"]
	two := c.ok("add_attachment", args{"key": "WEB-2", "name": "b", "text": "x"})["id"]
	require.Contains(t, c.fails("confirmation_required", "delete_issue", args{"key": "WEB-1"}), "1 attachments")
	require.EqualValues(t, 1, c.agree("delete_issue", args{"key": "WEB-1"})["attachments"])
	c.fails("not_found", "get_attachment", args{"id": one})
	c.file(two)
	require.EqualValues(t, 1, c.agree("delete_project", args{"project": "WEB"})["attachments"])
	c.fails("not_found", "get_attachment", args{"id": two})
	var left int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), "select count(*) from attachments").Scan(&left))
	require.Zero(t, left)
}
