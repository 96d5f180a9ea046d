// Package export is the file in which a tenant leaves: a zip of JSON lines, one
// file per table, and a manifest. It knows the format and no database, and its
// reader believes nothing that a file says.
package export

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Format is the version of the format that this release writes, and the only one
// that it reads. It grows when a row of old would mean something else today.
const Format = 1

const manifestName = "manifest.json"

// Manifest says what an export holds, and from where and when.
type Manifest struct {
	Format     int       `json:"format"`
	Schema     int64     `json:"schema"` // version of the database's schema
	ExportedAt time.Time `json:"exported_at"`
	Tenant     Tenant    `json:"tenant"`
	Files      []File    `json:"files"`
}

// Tenant is what the tenant was where the export was made.
type Tenant struct {
	ID        uuid.UUID `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	State     string    `json:"state"`
	Plan      string    `json:"plan"`
	CreatedAt time.Time `json:"created_at"`
}

// File describes the rows of one table, each a JSON object with all the columns.
type File struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	Bytes   int64    `json:"bytes"`
	SHA256  string   `json:"sha256"`
}

// Name is the file's name in the zip.
func (f File) Name() string { return f.Table + ".jsonl" }

// Rows is how many rows the export holds.
func (m Manifest) Rows() (n int64) {
	for _, f := range m.Files {
		n += f.Rows
	}
	return n
}

// File returns what the export holds of a table; no rows if it holds none.
func (m Manifest) File(table string) File {
	if n := slices.IndexFunc(m.Files, func(f File) bool { return f.Table == table }); n >= 0 {
		return m.Files[n]
	}
	return File{Table: table}
}

var (
	namePattern   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// check refuses a manifest that contradicts itself.
func (m Manifest) check() error {
	tables := map[string]bool{}
	for _, f := range m.Files {
		columns := map[string]bool{}
		for _, c := range f.Columns {
			if !namePattern.MatchString(c) || columns[c] {
				return malformed("the manifest lists the column %s of %s, which is no name or there twice", strconv.Quote(c), strconv.Quote(f.Table))
			}
			columns[c] = true
		}
		switch {
		case !namePattern.MatchString(f.Table) || tables[f.Table]:
			return malformed("the manifest lists the table %s, which is no name or there twice", strconv.Quote(f.Table))
		case f.Rows < 0 || f.Bytes < f.Rows || !digestPattern.MatchString(f.SHA256):
			return malformed("the manifest gives %s an impossible size or checksum", f.Name())
		}
		tables[f.Table] = true
	}
	return nil
}

// malformed is the error for a file that colaflow did not write like this.
func malformed(format string, args ...any) error {
	e := tenancy.Errorf(tenancy.InvalidValue, format, args...)
	e.Message = "The file is damaged or not an export: " + e.Message + "."
	return e.WithNext("Nothing was imported. Copy it again, or export it again.")
}
