package export

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	maxManifest = 1 << 20
	// An export may unpack to a gigabyte, or to maxGrowth times its size: rows are
	// full of ids, which do not shrink so much, and bombs are not.
	freeGrowth = 1 << 30
	maxGrowth  = 200
)

// Reader reads an export. Its memory does not grow with the file.
type Reader struct {
	Manifest Manifest
	Digest   string // SHA-256 of the whole file
	entries  map[string]*zip.File
}

// Open reads the manifest and refuses what is not an export of this format. Rows
// are looked at by Verify only.
func Open(file io.ReaderAt, size int64) (*Reader, error) {
	r := &Reader{entries: map[string]*zip.File{}}
	digest := sha256.New()
	if _, err := io.Copy(digest, io.NewSectionReader(file, 0, size)); err != nil {
		return nil, fmt.Errorf("read the export: %w", err)
	}
	r.Digest = hex.EncodeToString(digest.Sum(nil))
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, malformed("it is no zip, or its end is missing")
	}
	if err := r.list(archive, size); err != nil {
		return nil, err
	}
	if err := r.readManifest(); err != nil {
		return nil, err
	}
	return r, r.match()
}

// list takes the entries, of which each must be one of ours and there once.
func (r *Reader) list(archive *zip.Reader, size int64) error {
	room := uint64(max(freeGrowth, maxGrowth*size))
	for _, f := range archive.File {
		base, jsonl := bytes.CutSuffix([]byte(f.Name), []byte(".jsonl"))
		switch {
		case f.Name != manifestName && !(jsonl && namePattern.Match(base)):
			return malformed("it holds %s, which no export does", strconv.Quote(f.Name))
		case r.entries[f.Name] != nil:
			return malformed("it holds %s twice", f.Name)
		case f.Method != zip.Deflate && f.Method != zip.Store || f.Flags&1 != 0:
			return malformed("%s is encrypted, or packed in a way that exports are not", f.Name)
		case f.UncompressedSize64 > room:
			return malformed("it would unpack to far more than exports do")
		}
		room -= f.UncompressedSize64
		r.entries[f.Name] = f
	}
	return nil
}

func (r *Reader) readManifest() error {
	entry := r.entries[manifestName]
	if entry == nil {
		return malformed("it has no %s", manifestName)
	}
	opened, err := entry.Open()
	if err != nil {
		return malformed("%s cannot be read", manifestName)
	}
	defer func() { _ = opened.Close() }()
	text, err := io.ReadAll(io.LimitReader(opened, maxManifest+1))
	if err != nil || len(text) > maxManifest {
		return malformed("%s cannot be read, or is too long", manifestName)
	}
	var version struct{ Format *int }
	if err := json.Unmarshal(text, &version); err != nil || version.Format == nil {
		return malformed("%s is not valid JSON, or names no format", manifestName)
	}
	if *version.Format != Format {
		return tenancy.Errorf(tenancy.InvalidValue, "The file has format %d, and this release of colaflow reads format %d only.", *version.Format, Format).
			WithNext("Import it with the release that exported it, or a later one that names this format in its notes.")
	}
	if err := jsonv2.Unmarshal(text, &r.Manifest, jsonv2.RejectUnknownMembers(true)); err != nil {
		return malformed("%s does not have the form of format %d", manifestName, Format)
	}
	return r.Manifest.check()
}

// match refuses files that the manifest does not list, and the other way round.
func (r *Reader) match() error {
	for _, f := range r.Manifest.Files {
		entry := r.entries[f.Name()]
		if entry == nil {
			return malformed("%s is missing", f.Name())
		}
		if entry.UncompressedSize64 != uint64(f.Bytes) {
			return malformed("%s has another size than the manifest says", f.Name())
		}
	}
	if len(r.entries) != len(r.Manifest.Files)+1 {
		return malformed("it holds files that its manifest does not list")
	}
	return nil
}

// Verify reads everything, and refuses what is not exactly what the manifest says.
// Progress, if set, is told how many rows are seen.
func (r *Reader) Verify(progress func(rows int64)) error {
	seen := int64(0)
	for _, f := range r.Manifest.Files {
		for _, err := range r.Rows(f.Table) {
			if err != nil {
				return err
			}
			if seen++; progress != nil {
				progress(seen)
			}
		}
	}
	return nil
}

// Row is one row: its values in the order of its file's columns.
type Row struct {
	Line   int64
	Values []jsontext.Value
}

// Rows reads the rows of a table. The last thing it yields may be an error; rows
// before it are not to be trusted then.
func (r *Reader) Rows(table string) iter.Seq2[Row, error] {
	f, entry := r.Manifest.File(table), r.entries[table+".jsonl"]
	return func(yield func(Row, error) bool) {
		if entry == nil {
			return
		}
		if err := r.read(f, entry, func(row Row) bool { return yield(row, nil) }); err != nil {
			yield(Row{}, err)
		}
	}
}

func (r *Reader) read(f File, entry *zip.File, yield func(Row) bool) error {
	opened, err := entry.Open()
	if err != nil {
		return malformed("%s cannot be read", f.Name())
	}
	defer func() { _ = opened.Close() }()
	sum := sha256.New()
	text := &counter{from: io.TeeReader(opened, sum), left: f.Bytes}
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine+1)
	row := Row{}
	for lines.Scan() {
		row.Line++
		if row.Values, err = values(lines.Bytes(), f.Columns); text.broken {
			break // the line is a part of one
		} else if err != nil {
			return malformed("%s, line %d: %s", f.Name(), row.Line, err)
		}
		if row.Line > f.Rows {
			break
		}
		if !yield(row) {
			return nil
		}
	}
	var corrupt flate.CorruptInputError
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return malformed("%s, line %d: the line is longer than any row", f.Name(), row.Line+1)
	case errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &corrupt):
		return malformed("%s is damaged near line %d", f.Name(), max(row.Line, 1))
	case err != nil:
		return fmt.Errorf("read %s: %w", f.Name(), err)
	case row.Line != f.Rows:
		return malformed("%s does not have the %d rows that the manifest says", f.Name(), f.Rows)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return malformed("%s is not what was exported: its checksum differs", f.Name())
	}
	return nil
}

// values takes a line apart, which must have each of the columns once and no others.
func values(line []byte, columns []string) ([]jsontext.Value, error) {
	object := make(map[string]jsontext.Value, len(columns))
	if err := jsonv2.Unmarshal(line, &object); err != nil || object == nil {
		return nil, errors.New("it is not a JSON object in UTF-8 with different names")
	}
	list := make([]jsontext.Value, len(columns))
	for n, column := range columns {
		value, ok := object[column]
		if !ok {
			return nil, fmt.Errorf("the column %s is missing", column)
		}
		list[n] = value
	}
	if len(object) != len(columns) {
		return nil, errors.New("it has columns that the manifest does not list")
	}
	return list, nil
}

// counter reads no more than it should: what says it is small may not be. It
// notes whether the end is not the end.
type counter struct {
	from   io.Reader
	left   int64
	broken bool
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.left -= int64(n); c.left < 0 {
		n, err = 0, zip.ErrFormat
	}
	c.broken = err != nil && err != io.EOF
	return n, err
}
