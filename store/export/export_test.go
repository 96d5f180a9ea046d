package export_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store/export"
)

var (
	madeAt = time.Date(2026, 4, 15, 10, 30, 0, 0, time.UTC)
	tenant = export.Tenant{ID: uuid.MustParse("019d0000-0000-7000-8000-000000000001"), Slug: "acme", Name: "Acme", State: "active", Plan: "team", CreatedAt: madeAt}
)

// written is an export of two tables with these rows.
func written(t require.TestingT, pets, houses []string) []byte {
	var file bytes.Buffer
	w := export.NewWriter(&file, madeAt)
	for _, table := range []struct {
		name string
		rows []string
	}{{"pets", pets}, {"houses", houses}} {
		require.NoError(t, w.Table(table.name, []string{"id", "name"}))
		for _, row := range table.rows {
			require.NoError(t, w.Row([]byte(row)))
		}
	}
	m, digest, err := w.Close(export.Manifest{Schema: 7, Tenant: tenant})
	require.NoError(t, err)
	require.EqualValues(t, len(pets)+len(houses), m.Rows())
	sum := sha256.Sum256(file.Bytes())
	require.Equal(t, hex.EncodeToString(sum[:]), digest, "what sha256sum prints")
	return file.Bytes()
}

func open(file []byte) (*export.Reader, error) {
	return export.Open(bytes.NewReader(file), int64(len(file)))
}

// read opens and verifies a file, and returns the rows of a table, values apart.
func read(file []byte, table string) (rows [][]string, err error) {
	r, err := open(file)
	if err == nil {
		err = r.Verify(nil)
	}
	if err != nil {
		return nil, err
	}
	for row, err := range r.Rows(table) {
		if err != nil {
			return nil, err
		}
		var values []string
		for _, v := range row.Values {
			values = append(values, string(v))
		}
		rows = append(rows, values)
	}
	return rows, nil
}

func TestExport(t *testing.T) {
	t.Parallel()
	file := written(t, []string{`{"id":1,"name":"Zoë \u2028 \"x\""}`, "{\"id\": 2,\n \"name\": {\"a\": [1.50, null]}}", `{"name":null,"id":1e400}`}, nil)
	r, err := open(file)
	require.NoError(t, err)
	require.Equal(t, export.Tenant{ID: tenant.ID, Slug: "acme", Name: "Acme", State: "active", Plan: "team", CreatedAt: madeAt}, r.Manifest.Tenant)
	require.Equal(t, []any{1, int64(7), madeAt, int64(3)}, []any{r.Manifest.Format, r.Manifest.Schema, r.Manifest.ExportedAt, r.Manifest.Rows()})
	require.Equal(t, export.File{Table: "none"}, r.Manifest.File("none"))
	sum := sha256.Sum256(file)
	require.Equal(t, hex.EncodeToString(sum[:]), r.Digest)
	var seen []int64
	require.NoError(t, r.Verify(func(n int64) { seen = append(seen, n) }))
	require.Equal(t, []int64{1, 2, 3}, seen)
	for range r.Rows("none") {
		t.Fatal("a table that is not there has no rows")
	}
	for row := range r.Rows("pets") {
		require.EqualValues(t, 1, row.Line)
		break // whoever stops early is not told of the rest
	}
	rows, err := read(file, "pets")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"1", `"Zoë \u2028 \"x\""`}, {"2", `{"a":[1.50,null]}`}, {"1e400", "null"}}, rows)
	require.Equal(t, file, written(t, []string{`{"id":1,"name":"Zoë \u2028 \"x\""}`, `{"id":2,"name":{"a":[1.50,null]}}`, `{"name":null,"id":1e400}`}, nil),
		"the same rows are the same bytes, in one line each")
}

func TestExport_AnyRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var pets, want []string
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			row := map[string]any{"id": rapid.Int64().Draw(t, "id"), "name": rapid.OneOf(rapid.String().AsAny(), rapid.Just[any](nil)).Draw(t, "name")}
			line, err := json.Marshal(row)
			require.NoError(t, err)
			pets = append(pets, string(line))
			name, err := json.Marshal(row["name"])
			require.NoError(t, err)
			want = append(want, string(name))
		}
		rows, err := read(written(t, pets, []string{`{"id":0,"name":""}`}), "pets")
		require.NoError(t, err)
		var got []string
		for _, row := range rows {
			got = append(got, row[1])
		}
		require.Equal(t, want, got)
	})
}

// broken writes to a disk that is full after n bytes.
type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWriter_Fails(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10, 60, 300, 4000} {
		w := export.NewWriter(&broken{size}, madeAt)
		err := w.Table("pets", []string{"id", "name"})
		random := make([]byte, 8000)
		for n := range random {
			random[n] = "0123456789abcdef"[uuid.New()[0]%16]
		}
		if err == nil {
			err = w.Row([]byte(`{"id":1,"name":"` + string(random) + `"}`))
		}
		if err == nil {
			_, _, err = w.Close(export.Manifest{})
		}
		require.ErrorIs(t, err, io.ErrShortWrite, size)
	}
	w := export.NewWriter(io.Discard, madeAt)
	require.NoError(t, w.Table("pets", nil))
	require.ErrorContains(t, w.Row(bytes.Repeat([]byte("1"), 17<<20)), "a row of 17 MB is too long")
	require.ErrorContains(t, w.Row([]byte("{\n")), "write pets.jsonl")
}

// rezipped packs entries as they are, in order.
func rezipped(t testing.TB, entries [][2]string) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, e := range entries {
		entry, err := w.Create(e[0])
		require.NoError(t, err)
		_, err = entry.Write([]byte(e[1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return file.Bytes()
}

// entries are what a zip holds.
func entries(t testing.TB, file []byte) (list [][2]string) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	for _, f := range archive.File {
		opened, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(opened)
		require.NoError(t, err)
		list = append(list, [2]string{f.Name, string(text)})
	}
	return list
}

func FuzzOpen(f *testing.F) {
	good := written(f, []string{`{"id":1,"name":"a"}`, `{"id":2,"name":null}`}, []string{`{"id":3,"name":{"deep":[1]}}`})
	f.Add(good)
	f.Add(good[:len(good)-7])
	f.Add([]byte("PK\x05\x06" + string(make([]byte, 18))))
	f.Add(rezipped(f, [][2]string{{"manifest.json", `{"format":1,"files":[{"table":"x","columns":["a"],"rows":0,"bytes":0,"sha256":""}]}`}, {"x.jsonl", ""}}))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := open(file)
		if err != nil {
			require.Nil(t, r)
			return
		}
		if r.Verify(nil) != nil {
			return
		}
		// What is accepted is what its manifest says, row by row.
		for _, f := range r.Manifest.Files {
			n := int64(0)
			for row, err := range r.Rows(f.Table) {
				require.NoError(t, err)
				require.Len(t, row.Values, len(f.Columns))
				n++
			}
			require.Equal(t, f.Rows, n)
		}
	})
}
