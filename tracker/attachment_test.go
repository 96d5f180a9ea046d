package tracker_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// The starts of files, as their formats define them.
const (
	png  = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF\x00"
	gif  = "GIF89a\x01\x00\x01\x00\x80\x00\x00"
	webp = "RIFF\x1a\x00\x00\x00WEBPVP8L"
	zip  = "PK\x03\x04\x14\x00\x08\x00"
	gz   = "\x1f\x8b\x08\x00\x00\x00\x00\x00"
)

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, contents, want string }{
		{"a.png", png, "image/png"},
		{"a.exe", png, "image/png"},
		{"a.jpg", jpeg, "image/jpeg"},
		{"a.gif", gif, "image/gif"},
		{"a.webp", webp, "image/webp"},
		{"a.pdf", "%PDF-1.7\n", "application/pdf"},
		{"a.txt", "%PDF-1.7\n", "application/pdf"},
		{"a.zip", zip, "application/zip"},
		{"a.docx", zip, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"A.XLSX", zip, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"a.jar", zip, "application/zip"},
		{"a.tgz", gz, "application/gzip"},
		{"a.txt", "plain", "text/plain"},
		{"notes.md", "# Notes", "text/markdown"},
		{"notes.md", png, "image/png"},
		{"a.csv", "a,b\n", "text/csv"},
		{"a.json", `{"a":1}`, "application/json"},
		{"a.json", `{"a":`, "text/plain"},
		{"a.docx", "words", "text/plain"},
		{"BMW.txt", "BM is how bitmaps begin", "text/plain"},
		// What a browser or a system might run is only text.
		{"page.html", "<!doctype html><script>alert(1)</script>", "text/plain"},
		{"a.svg", "<svg onload=alert(1)>", "text/plain"},
		{"a.xml", "<?xml version='1.0'?><a/>", "text/plain"},
		{"run.sh", "#!/bin/sh\n", "text/plain"},
		{"build.log", "\x1b[31mFAIL\x1b[0m\r\n", "text/plain"},
		{"bom.txt", "\ufeffText", "text/plain"},
	} {
		got, err := tracker.TypeOf(c.name, []byte(c.contents))
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, got, "%s %q", c.name, c.contents)
	}
	for name, contents := range map[string]string{
		"a.exe": "MZ\x90\x00\x03\x00\x00\x00", "a.elf": "\x7fELF\x02\x01\x01\x00", "a.class": "\xca\xfe\xba\xbe\x00\x00", "a.wasm": "\x00asm\x01\x00\x00\x00",
		"a.bin": "\x00\x01\x02", "latin1.txt": "caf\xe9 au lait", "utf16.txt": "\xff\xfet\x00e\x00", "a.mp3": "ID3\x03\x00", "a.bmp": "BM\x00\x00\x00\x00",
		"a.ico": "\x00\x00\x01\x00", "nul.txt": "text\x00",
	} {
		_, err := tracker.TypeOf(name, []byte(contents))
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), name)
		require.ErrorContains(t, err, "not of a kind that can be attached")
	}
}

func TestAttachment_Kind(t *testing.T) {
	t.Parallel()
	require.True(t, tracker.Attachment{Type: "text/csv"}.IsText())
	require.True(t, tracker.Attachment{Type: "application/json"}.IsText())
	require.False(t, tracker.Attachment{Type: "application/pdf"}.IsText())
	require.True(t, tracker.Attachment{Type: "image/png"}.IsImage())
	require.False(t, tracker.Attachment{Type: "text/plain"}.IsImage())
	ada, ben, agent := uuid.New(), uuid.New(), uuid.New()
	require.True(t, tracker.Attachment{AuthorID: ada, TokenID: agent}.IsOf(ada, uuid.Nil), "a member's, through whichever token")
	require.False(t, tracker.Attachment{AuthorID: ada, TokenID: agent}.IsOf(ben, agent))
	require.True(t, tracker.Attachment{TokenID: agent}.IsOf(uuid.Nil, agent))
	require.False(t, tracker.Attachment{TokenID: agent}.IsOf(ben, agent))
}

func TestCheckFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":                   "report.pdf",
		" Bericht für Ada.pdf ":        "Bericht für Ada.pdf",
		"../../etc/passwd":             "passwd",
		`C:\Users\ada\notes.txt`:       "notes.txt",
		`..\..\boot.ini`:               "boot.ini",
		"a/b\\c.txt":                   "c.txt",
		"line\nbreak.txt":              "line break.txt",
		"tab\ttab.txt":                 "tab tab.txt",
		"exe\u202etxt.jpg":             "exetxt.jpg",
		"zero\u200bwidth.txt":          "zerowidth.txt",
		"a<b>c:d\"e|f?g*h.txt":         "a_b_c_d_e_f_g_h.txt",
		"...hidden...":                 "hidden",
		"trailing. . .":                "trailing",
		"CON":                          "_CON",
		"nul.txt":                      "_nul.txt",
		"com1.tar.gz":                  "_com1.tar.gz",
		"console.log":                  "console.log",
		"\x1b[31mred.txt":              "[31mred.txt",
		"日本語.md":                       "日本語.md",
		strings.Repeat("ü", 120):       strings.Repeat("ü", 120),
		strings.Repeat("x/", 99) + "y": "y",
	} {
		got, err := tracker.CheckFileName(name)
		require.NoError(t, err, name)
		require.Equal(t, want, got, "%q", name)
	}
	for name, code := range map[string]tenancy.Code{"": tenancy.Missing, "..": tenancy.Missing, "/": tenancy.Missing, "a/": tenancy.Missing, " . ": tenancy.Missing,
		"\u200b": tenancy.Missing, strings.Repeat("x", 121): tenancy.TooLarge} {
		_, err := tracker.CheckFileName(name)
		require.Equal(t, code, tenancy.CodeOf(err), "%q", name)
	}
}

// FuzzCheckFileName: a name that passes is safe as it is, and passes again unchanged.
func FuzzCheckFileName(f *testing.F) {
	for _, seed := range []string{"a.txt", "../a", `a\b`, "CON .txt", ". a .", "\u202e", "a\x00b", "nul.", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := tracker.CheckFileName(name)
		if err != nil {
			return
		}
		require.NotEmpty(t, got)
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, utf8.RuneCountInString(got), tracker.MaxFileName+1)
		require.False(t, strings.ContainsAny(got, "/\\<>:\"|?*\x00\n\r"), got)
		require.Equal(t, got, strings.Trim(got, ". "), "a dot or a space at an end")
		again, err := tracker.CheckFileName(got)
		if utf8.RuneCountInString(got) <= tracker.MaxFileName {
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
	})
}

func TestAttachment_SaveName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, kind, want string }{
		{"notes.txt", "text/plain", "notes.txt"},
		{"build.LOG", "text/plain", "build.LOG"},
		{"page.html", "text/plain", "page.html.txt"},
		{"run.bat", "text/plain", "run.bat.txt"},
		{"README", "text/plain", "README.txt"},
		{"desktop.ini", "text/plain", "desktop.ini.txt"},
		{"a.exe", "image/png", "a.exe.png"},
		{"a.jpeg", "image/jpeg", "a.jpeg"},
		{"app.jar", "application/zip", "app.jar.zip"},
		{"doc.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "doc.docx"},
		{"a.hta", "application/unheard-of", "a.hta.bin"},
	} {
		require.Equal(t, c.want, tracker.Attachment{Name: c.name, Type: c.kind}.SaveName())
	}
	// Every type that is found out can be saved under a name of its own.
	for _, contents := range []string{png, jpeg, gif, webp, zip, gz, "%PDF-1.4", "text"} {
		for _, name := range []string{"a.md", "a.csv", "a.json", "a.docx", "a.xlsx", "a.pptx", "a.hta", "a"} {
			kind, err := tracker.TypeOf(name, []byte(contents))
			require.NoError(t, err)
			saved := tracker.Attachment{Name: name, Type: kind}.SaveName()
			require.NotRegexp(t, `\.(bin|hta)$`, saved, "%s %s", name, kind)
		}
	}
}

func TestDecodeBase64(t *testing.T) {
	t.Parallel()
	bytes := []byte("\xff\xfe?>\x00words")
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(bytes), base64.RawStdEncoding.EncodeToString(bytes), base64.URLEncoding.EncodeToString(bytes), base64.RawURLEncoding.EncodeToString(bytes),
		"data:image/png;base64," + base64.StdEncoding.EncodeToString(bytes), "  //4/\r\nPgB3\n\tb3Jkcw==\n",
	} {
		got, err := tracker.DecodeBase64(text)
		require.NoError(t, err, text)
		require.Equal(t, bytes, got, text)
	}
	short, err := tracker.DecodeBase64("AAA")
	require.NoError(t, err, "padding may be left out")
	require.Equal(t, []byte{0, 0}, short)
	for _, text := range []string{"not base64!", "A", "data:text/plain,words", "data:image/png;base64,??", "//4/PgB3b3Jkcw==AAAA", "_/", "é"} {
		_, err := tracker.DecodeBase64(text)
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), text)
	}
}

// TestDecodeBase64_Property: whatever is encoded, in any usual form, comes back.
func TestDecodeBase64_Property(t *testing.T) {
	t.Parallel()
	encodings := []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.Byte()).Draw(t, "contents")
		text := rapid.SampledFrom(encodings).Draw(t, "encoding").EncodeToString(want)
		if width := rapid.IntRange(0, 76).Draw(t, "line width"); width > 0 {
			var lines []string
			for len(text) > width {
				lines, text = append(lines, text[:width]), text[width:]
			}
			text = strings.Join(append(lines, text), "\r\n")
		}
		got, err := tracker.DecodeBase64(text)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got))
	})
}

// FuzzDecodeBase64: what is decoded is no longer than its text, and decodes to the same again.
func FuzzDecodeBase64(f *testing.F) {
	for _, seed := range []string{"", "AAAA", "data:;base64,AA==", "-_-_", "A=A=", ",", "data:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := tracker.DecodeBase64(text)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(got), len(text))
		again, err := tracker.DecodeBase64(base64.StdEncoding.EncodeToString(got))
		require.NoError(t, err)
		require.True(t, bytes.Equal(got, again))
	})
}

// FuzzTypeOf: contents of any kind have a type or are refused, and HTML has none of its own.
func FuzzTypeOf(f *testing.F) {
	for _, seed := range []string{png, jpeg, gif, webp, zip, gz, "<html>", "%PDF-", "{}", "\x00"} {
		f.Add("a.json", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, name string, contents []byte) {
		kind, err := tracker.TypeOf(name, contents)
		if err != nil {
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			return
		}
		require.NotContains(t, kind, "html")
		require.NotContains(t, kind, "svg")
		require.NotContains(t, kind, "javascript")
		if (tracker.Attachment{Type: kind}).IsText() {
			require.True(t, utf8.Valid(contents))
		}
	})
}

func TestCheckContents(t *testing.T) {
	t.Parallel()
	require.NoError(t, tracker.CheckContents(make([]byte, tracker.MaxAttachment)))
	require.ErrorContains(t, tracker.CheckContents(make([]byte, tracker.MaxAttachment+1)), "The file has 716801 bytes; at most 716800")
	require.Equal(t, tenancy.Missing, tenancy.CodeOf(tracker.CheckContents(nil)))
	// A file of the largest size fits into a message of 1 MiB, with room for the rest.
	require.Less(t, base64.StdEncoding.EncodedLen(tracker.MaxAttachment), 1<<20-64<<10)
}

func TestAttachmentChanged(t *testing.T) {
	t.Parallel()
	issue := uuid.New()
	added, removed := tracker.AttachmentChanged(issue, "", "notes.txt"), tracker.AttachmentChanged(issue, "notes.txt", "")
	require.Equal(t, []any{issue, tracker.EventChanged, "attachment", nil, "notes.txt"}, []any{added.IssueID, added.Kind, added.Field, added.Before, added.After})
	require.Equal(t, []any{"notes.txt", nil}, []any{removed.Before, removed.After})
}

func TestEvent_OfVersion(t *testing.T) {
	t.Parallel()
	require.True(t, tracker.Event{Kind: tracker.EventChanged, Field: "title"}.OfVersion())
	for _, e := range []tracker.Event{tracker.AttachmentChanged(uuid.New(), "", "a"), tracker.WorkChanged(uuid.New(), 0, 5), {Kind: tracker.EventCommented}, {Kind: tracker.EventLinked}} {
		require.False(t, e.OfVersion(), e.Field)
	}
}
