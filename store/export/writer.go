package export

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"
)

// maxLine is the longest row that is written or read. Texts are far shorter.
const maxLine = 16 << 20

// Writer writes an export: tables one after the other, then the manifest.
type Writer struct {
	zip     *zip.Writer
	at      time.Time
	digest  hash.Hash
	files   []File
	current io.Writer
	sum     hash.Hash
}

// NewWriter begins an export that is made at this time.
func NewWriter(to io.Writer, at time.Time) *Writer {
	w := &Writer{at: at.UTC().Truncate(time.Second), digest: sha256.New()}
	w.zip = zip.NewWriter(io.MultiWriter(to, w.digest))
	return w
}

// Table ends the file before and begins that of a table.
func (w *Writer) Table(name string, columns []string) error {
	w.endTable()
	f := File{Table: name, Columns: columns}
	entry, err := w.entry(f.Name())
	if err != nil {
		return fmt.Errorf("begin %s: %w", f.Name(), err)
	}
	w.files, w.sum = append(w.files, f), sha256.New()
	w.current = io.MultiWriter(entry, w.sum)
	return nil
}

func (w *Writer) entry(name string) (io.Writer, error) {
	return w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.at})
}

// Row adds a row of the table: one JSON object, which may spread over lines.
func (w *Writer) Row(object []byte) error {
	f := &w.files[len(w.files)-1]
	var line bytes.Buffer
	if bytes.ContainsAny(object, "\r\n") {
		if err := json.Compact(&line, object); err != nil {
			return fmt.Errorf("write %s: %w", f.Name(), err)
		}
	} else {
		line.Write(object)
	}
	if line.Len() > maxLine {
		return fmt.Errorf("write %s: a row of %d MB is too long for an export", f.Name(), line.Len()>>20)
	}
	line.WriteByte('\n')
	n, err := w.current.Write(line.Bytes())
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	f.Rows, f.Bytes = f.Rows+1, f.Bytes+int64(n)
	return nil
}

func (w *Writer) endTable() {
	if w.sum != nil {
		w.files[len(w.files)-1].SHA256 = hex.EncodeToString(w.sum.Sum(nil))
		w.sum = nil
	}
}

// Close ends the export with its manifest, of which it fills in what it knows, and
// returns it with the SHA-256 of all that was written.
func (w *Writer) Close(m Manifest) (Manifest, string, error) {
	w.endTable()
	m.Format, m.ExportedAt, m.Files = Format, w.at, w.files
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, "", fmt.Errorf("write manifest: %w", err)
	}
	entry, err := w.entry(manifestName)
	if err == nil {
		_, err = entry.Write(append(text, '\n'))
	}
	if err == nil {
		err = w.zip.Close()
	}
	if err != nil {
		return m, "", fmt.Errorf("write manifest: %w", err)
	}
	return m, hex.EncodeToString(w.digest.Sum(nil)), nil
}
