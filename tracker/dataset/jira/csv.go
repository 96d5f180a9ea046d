// Package jira reads the CSV export of Jira, cloud or server, into a dataset.
package jira

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// ReadCSV reads a Jira export with all fields. Times without a zone are taken as
// UTC. Columns that it does not know are ignored and named in the notes.
func ReadCSV(r io.Reader) (*dataset.Dataset, error) {
	t, err := readTable(r)
	if err != nil {
		return nil, err
	}
	c := newConverter(t)
	for _, step := range []func(row) error{c.learn, c.convert} {
		for _, r := range t.rows {
			if err := step(r); err != nil {
				return nil, err
			}
		}
		c.project()
	}
	t.noteUnread(&c.data.Notes)
	return c.data, nil
}

// table is the file: repeated column names have several positions.
type table struct {
	columns map[string][]int // by name in lower case
	names   []string
	read    map[int]bool
	rows    []row
}

// row is one record and the line that it begins on.
type row struct {
	table *table
	line  int
	cells []string
}

func readTable(r io.Reader) (*table, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	start, err := buffered.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if bytes.HasPrefix(start, []byte("\ufeff")) {
		_, _ = buffered.Discard(3) // peeked, so it is there
		start = start[3:]
	}
	reader := csv.NewReader(buffered)
	reader.Comma = separator(start)
	t := &table{columns: map[string][]int{}, read: map[int]bool{}}
	if t.names, err = reader.Read(); err != nil {
		return nil, broken(err)
	}
	for n, name := range t.names {
		t.names[n] = tracker.CleanLine(name)
		name = strings.ToLower(t.names[n])
		t.columns[name] = append(t.columns[name], n)
	}
	if err := t.require("Issue key", "Summary", "Status", "Created"); err != nil {
		return nil, err
	}
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, broken(err)
		}
		line, _ := reader.FieldPos(0)
		t.rows = append(t.rows, row{table: t, line: line, cells: cells})
	}
}

// separator is the one of comma, semicolon and tab that the first line has most of.
func separator(start []byte) rune {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func (t *table) require(names ...string) error {
	var missing []string
	for _, name := range names {
		if t.columns[strings.ToLower(name)] == nil {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	return tenancy.Errorf(tenancy.InvalidValue, "The file has no column %s in its first line.", strings.Join(missing, ", ")).
		WithNext("Export from Jira with: Export CSV (all fields).")
}

// noteUnread names the columns that nobody asked for and that hold something.
func (t *table) noteUnread(notes *dataset.Notes) {
	const most = 60
	var unread []string
	seen := map[string]bool{}
	for n, name := range t.names {
		if t.read[n] || seen[name] {
			continue
		}
		for _, r := range t.rows {
			if r.cells[n] != "" {
				seen[name] = true
				unread = append(unread, name)
				break
			}
		}
	}
	if len(unread) > most {
		unread = append(unread[:most], fmt.Sprintf("and %d more", len(unread)-most))
	}
	if len(unread) > 0 {
		notes.Add("", "Columns that were not imported: "+strings.Join(unread, ", ")+".")
	}
}

// get is the first cell of a column that has something in it.
func (r row) get(names ...string) string {
	for _, name := range names {
		for _, cell := range r.all(name) {
			return cell
		}
	}
	return ""
}

// all is every cell of a column that has something in it.
func (r row) all(name string) []string {
	var cells []string
	for _, n := range r.table.columns[strings.ToLower(name)] {
		r.table.read[n] = true
		if cell := strings.TrimSpace(r.cells[n]); cell != "" {
			cells = append(cells, cell)
		}
	}
	return cells
}

// place names the row for messages.
func (r row) place() string {
	if key := tracker.CleanLine(r.get("Issue key")); key != "" && len(key) < 40 {
		return fmt.Sprintf("line %d (%s)", r.line, key)
	}
	return fmt.Sprintf("line %d", r.line)
}

// wrong is the error of a field that cannot be read.
func (r row) wrong(field, value, why string) error {
	if runes := []rune(value); len(runes) > 40 {
		value = string(runes[:40]) + "…"
	}
	return tenancy.Errorf(tenancy.InvalidValue, "%s, field %s: %q %s.", r.place(), field, tracker.CleanLine(value), why).
		WithNext("Mend the row and import again; nothing was imported.")
}

func broken(err error) error {
	var parse *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return tenancy.Errorf(tenancy.InvalidValue, "The file is empty.").WithNext("Export from Jira with: Export CSV (all fields).")
	case errors.As(err, &parse):
		return tenancy.Errorf(tenancy.InvalidValue, "Line %d, column %d is not CSV: %v.", parse.Line, parse.Column, parse.Err).
			WithNext("Export the file again; nothing was imported.")
	default:
		return fmt.Errorf("read the file: %w", err)
	}
}
