package export_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// manifestOf is a manifest that tells the truth about one file of rows.
func manifestOf(rows int, text string) string {
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf(`{"format":1,"schema":7,"exported_at":"2026-04-15T10:30:00Z","tenant":{"id":"019d0000-0000-7000-8000-000000000001",
		"slug":"acme","name":"Acme","state":"active","plan":"team","created_at":"2026-04-15T10:30:00Z"},
		"files":[{"table":"pets","columns":["id","name"],"rows":%d,"bytes":%d,"sha256":"%s"}]}`, rows, len(text), hex.EncodeToString(sum[:]))
}

const twoPets = `{"id":1,"name":"a"}` + "\n" + `{"id":2,"name":"b"}` + "\n"

// TestAttack033_HostileExports hands over files that no export wrote; each is
// refused with a sentence that says what is wrong with it.
func TestAttack033_HostileExports(t *testing.T) {
	t.Parallel()
	good := manifestOf(2, twoPets)
	pets := func(rows int, text string) [][2]string {
		return [][2]string{{"pets.jsonl", text}, {"manifest.json", manifestOf(rows, text)}}
	}
	with := func(manifest string, more ...[2]string) [][2]string {
		return append([][2]string{{"pets.jsonl", twoPets}, {"manifest.json", manifest}}, more...)
	}
	change := func(from, to string) [][2]string {
		require.Contains(t, good, from)
		return with(strings.Replace(good, from, to, 1))
	}
	_, err := read(rezipped(t, with(good)), "pets")
	require.NoError(t, err, "what the cases below differ from")
	for name, c := range map[string]struct {
		entries [][2]string
		want    string
	}{
		"NoManifest":      {[][2]string{{"pets.jsonl", twoPets}}, "it has no manifest.json"},
		"Empty":           {nil, "it has no manifest.json"},
		"ManifestTwice":   {with(good, [2]string{"manifest.json", good}), "it holds manifest.json twice"},
		"FileTwice":       {with(good, [2]string{"pets.jsonl", twoPets}), "it holds pets.jsonl twice"},
		"Traversal":       {with(good, [2]string{"../pets.jsonl", ""}), `it holds "../pets.jsonl"`},
		"Absolute":        {with(good, [2]string{"/etc/passwd", ""}), `it holds "/etc/passwd"`},
		"Backslashes":     {with(good, [2]string{`..\x.jsonl`, ""}), `it holds "..\\x.jsonl"`},
		"Directory":       {with(good, [2]string{"pets/", ""}), `it holds "pets/"`},
		"Capitals":        {with(good, [2]string{"PETS.jsonl", ""}), `it holds "PETS.jsonl"`},
		"Terminal":        {with(good, [2]string{"\x1b[2Jx.jsonl", ""}), `it holds "\x1b[2Jx.jsonl"`},
		"Unlisted":        {with(good, [2]string{"cats.jsonl", ""}), "it holds files that its manifest does not list"},
		"Missing":         {[][2]string{{"manifest.json", good}}, "pets.jsonl is missing"},
		"ManifestNoJSON":  {with("{"), "manifest.json is not valid JSON"},
		"ManifestList":    {with("[]"), "manifest.json is not valid JSON"},
		"NoFormat":        {with("{}"), "names no format"},
		"UnknownMember":   {change(`"schema":7`, `"schema":7,"secret":1`), "does not have the form of format 1"},
		"MemberTwice":     {change(`"schema":7`, `"schema":7,"schema":8`), "does not have the form of format 1"},
		"MemberSpelling":  {change(`"schema":7`, `"Schema":7`), "does not have the form of format 1"},
		"Trailing":        {with(good + "{}"), "manifest.json is not valid JSON"},
		"LongManifest":    {with(good + strings.Repeat(" ", 1<<20)), "manifest.json cannot be read, or is too long"},
		"TableName":       {change(`"pets"`, `"pets; drop table issues"`), `the table "pets; drop table issues"`},
		"ColumnName":      {change(`"name"]`, `"name) select"]`), `the column "name) select" of "pets"`},
		"ColumnTwice":     {change(`"name"]`, `"id"]`), "there twice"},
		"NegativeRows":    {change(`"rows":2`, `"rows":-2`), "an impossible size"},
		"MoreRowsThan":    {change(`"rows":2`, `"rows":400`), "an impossible size"},
		"Checksum":        {change(`"sha256":"`, `"sha256":"zz`), "an impossible size or checksum"},
		"OtherSize":       {change(`"bytes":40`, `"bytes":41`), "another size than the manifest says"},
		"OtherRows":       {change(`"rows":2`, `"rows":3`), "does not have the 3 rows"},
		"FewerRows":       {change(`"rows":2`, `"rows":1`), "does not have the 1 rows"},
		"OtherText":       {[][2]string{{"pets.jsonl", strings.Replace(twoPets, `"a"`, `"b"`, 1)}, {"manifest.json", good}}, "its checksum differs"},
		"BadJSON":         {pets(2, `{"id":1,"name":"a"}`+"\n"+`{"id":2,`), "pets.jsonl, line 2: it is not a JSON object"},
		"BlankLine":       {pets(2, `{"id":1,"name":"a"}`+"\n\n"), "pets.jsonl, line 2: it is not a JSON object"},
		"Null":            {pets(1, "null\n"), "line 1: it is not a JSON object"},
		"List":            {pets(1, "[1,2]\n"), "line 1: it is not a JSON object"},
		"TwoObjects":      {pets(1, `{"id":1,"name":2}{}`), "line 1: it is not a JSON object"},
		"NameTwice":       {pets(1, `{"id":1,"name":2,"id":3}`), "with different names"},
		"NotUTF8":         {pets(1, "{\"id\":1,\"name\":\"\xff\"}"), "in UTF-8"},
		"LoneSurrogate":   {pets(1, `{"id":1,"name":"\ud800"}`), "in UTF-8"},
		"MissingColumn":   {pets(1, `{"id":1}`), "line 1: the column name is missing"},
		"UnlistedColumn":  {pets(1, `{"id":1,"name":2,"tenant_id":3}`), "line 1: it has columns that the manifest does not list"},
		"OtherSpelling":   {pets(1, `{"id":1,"Name":2}`), "the column name is missing"},
		"Deep":            {pets(1, `{"id":1,"name":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`}`), "line 1: it is not a JSON object"},
		"EndlessLine":     {pets(1, `{"id":1,"name":"`+strings.Repeat("x", 17<<20)+`"}`), "line 1: the line is longer than any row"},
		"AnotherFormat":   {with(`{"format":2,"whatever":[]}`), "The file has format 2, and this release of colaflow reads format 1 only. Import it with"},
		"FormatOfOld":     {with(`{"format":0}`), "The file has format 0"},
		"FormatIsText":    {with(`{"format":"1"}`), "names no format"},
		"ManifestIsNull":  {with(`null`), "names no format"},
		"FilesAreMissing": {with(`{"format":1}`), "it holds files that its manifest does not list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(rezipped(t, c.entries), "pets")
			require.ErrorContains(t, err, c.want)
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

// raw is a zip of a manifest and of one entry whose header says what it likes.
func raw(t *testing.T, header zip.FileHeader, packed []byte, manifest string) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	entry, err := w.Create("manifest.json")
	require.NoError(t, err)
	_, err = entry.Write([]byte(manifest))
	require.NoError(t, err)
	header.Name, header.CompressedSize64 = "pets.jsonl", uint64(len(packed))
	into, err := w.CreateRaw(&header)
	require.NoError(t, err)
	_, err = into.Write(packed)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return file.Bytes()
}

func deflated(t *testing.T, text []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}

// TestAttack033_ZipBombs offers files that would unpack to gigabytes: one that says
// so, and some that lie about it.
func TestAttack033_ZipBombs(t *testing.T) { // not parallel: it counts what the whole process allocates
	bomb := deflated(t, bytes.Repeat([]byte("x"), 64<<20))
	require.Less(t, len(bomb), 1<<20)
	header := func(size uint64, method uint16) zip.FileHeader {
		return zip.FileHeader{Method: method, UncompressedSize64: size, CRC32: crc32.ChecksumIEEE([]byte(twoPets))}
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"Honest":    {raw(t, header(2<<30, zip.Deflate), bomb, manifestOf(2, twoPets)), "unpack to far more"},
		"Huge":      {raw(t, header(1<<63, zip.Deflate), bomb, manifestOf(2, twoPets)), "unpack to far more"},
		"Liar":      {raw(t, header(uint64(len(twoPets)), zip.Deflate), bomb, manifestOf(2, twoPets)), "damaged near line 1"},
		"NoMethod":  {raw(t, header(uint64(len(twoPets)), 12), bomb, manifestOf(2, twoPets)), "packed in a way that exports are not"},
		"Garbage":   {raw(t, header(uint64(len(twoPets)), zip.Deflate), []byte("\xffgarbage"), manifestOf(2, twoPets)), "damaged near line 1"},
		"CutShort":  {raw(t, header(uint64(len(twoPets)), zip.Deflate), deflated(t, []byte(twoPets))[:9], manifestOf(2, twoPets)), "damaged near line"},
		"OtherCRC":  {raw(t, header(uint64(len(twoPets)), zip.Store), []byte(strings.ToUpper(twoPets)), manifestOf(2, twoPets)), "the column id is missing"},
		"WrongSize": {raw(t, header(uint64(len(twoPets)), zip.Store), []byte(twoPets)[:20], manifestOf(2, twoPets)), "damaged near line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := read(c.file, "pets")
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, c.want)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), "memory that does not grow with what a file claims")
		})
	}
	encrypted := header(uint64(len(twoPets)), zip.Store)
	encrypted.Flags = 1
	_, err := read(raw(t, encrypted, []byte(twoPets), manifestOf(2, twoPets)), "pets")
	require.ErrorContains(t, err, "is encrypted")
}

// TestOpen_Truncated cuts a good file anywhere: it is never taken for a whole one.
func TestOpen_Truncated(t *testing.T) {
	t.Parallel()
	file := rezipped(t, [][2]string{{"pets.jsonl", twoPets}, {"manifest.json", manifestOf(2, twoPets)}})
	for size := range len(file) {
		_, err := read(file[:size], "pets")
		require.ErrorContains(t, err, "The file is damaged or not an export", size)
	}
	for at := range file { // and a flipped bit is found, or of no matter
		flipped := bytes.Clone(file)
		flipped[at] ^= 0x10
		rows, err := read(flipped, "pets")
		if err == nil {
			require.Equal(t, [][]string{{"1", `"a"`}, {"2", `"b"`}}, rows, at)
		}
	}
}
