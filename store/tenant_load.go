package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/tenancy"
)

// A statement takes so many rows, or the first that make it longer than importBytes.
const (
	importRows  = 100
	importBytes = 8 << 20
)

// tableLoad is a table while rows of an export go into it.
type tableLoad struct {
	exportedTable
	file    export.File
	columns []tableColumn              // of the file, in its order
	below   map[uuid.UUID][]export.Row // rows that wait for the row of this id
	args    []any                      // of the rows that are queued
	queued  int
	bytes   int   // of the rows that are queued
	first   int64 // line of the first of them
}

// load writes the rows of one table.
func (im *importer) load(ctx context.Context, e exportedTable) error {
	t := &tableLoad{exportedTable: e, file: im.file.Manifest.File(e.name), below: map[uuid.UUID][]export.Row{}}
	for _, name := range t.file.Columns {
		n := slices.IndexFunc(im.columns, func(c tableColumn) bool { return c.table == e.name && c.name == name })
		if n < 0 || !slices.Contains(e.list(), name) {
			return tenancy.Errorf(tenancy.InvalidValue, "The export holds the column %s of %s, which this release does not import.", name, e.name).
				WithNext("Use the release of colaflow that exported it.")
		}
		t.columns = append(t.columns, im.columns[n])
	}
	for row, err := range im.file.Rows(e.name) {
		if err == nil {
			err = im.take(ctx, t, row)
		}
		if err != nil {
			return err
		}
		im.rows++
		im.progress(im.rows)
	}
	for _, rows := range t.below {
		return t.refuse(rows[0].Line, "it is under a row that the file does not have, or under itself")
	}
	return im.flush(ctx, t)
}

// take checks a row and queues it, and those that waited for it; or has it wait
// for the one that it is under.
func (im *importer) take(ctx context.Context, t *tableLoad, row export.Row) error {
	up, err := im.references(t, row)
	if err != nil {
		return err
	}
	if up != uuid.Nil && !im.ids[t.name][up] {
		t.below[up] = append(t.below[up], row)
		return nil
	}
	for ready := []export.Row{row}; len(ready) > 0; ready = ready[1:] {
		v := value{t, ready[0]}
		if im.ids[t.name] != nil {
			id := v.id("id")
			im.ids[t.name][id] = true
			ready = append(ready, t.below[id]...)
			delete(t.below, id)
		}
		if err := im.queue(ctx, t, v); err != nil {
			return err
		}
	}
	return im.largerPlan(im.plan.Check(tenancy.QuotaText, im.text>>20))
}

// references checks that the rows which a row refers to are there, and returns the
// one of the same table, which may be yet to come.
func (im *importer) references(t *tableLoad, row export.Row) (up uuid.UUID, err error) {
	for n, c := range t.columns {
		if c.kind != "uuid" || row.Values[n].Kind() == 'n' {
			continue
		}
		id, err := uuid.Parse(text(row.Values[n]))
		switch {
		case err != nil:
			return up, t.refuse(row.Line, "%s is not an id", c.name)
		case c.refers == t.name:
			up = id
		case c.refers != "" && !im.ids[c.refers][id]:
			return up, t.refuse(row.Line, "%s refers to a row of %s that the file does not have", c.name, c.refers)
		}
	}
	return up, nil
}

// queue adds a row to the next statement.
func (im *importer) queue(ctx context.Context, t *tableLoad, v value) error {
	if t.check != nil {
		if err := t.check(v); err != nil {
			return t.refuse(v.row.Line, "%s", err)
		}
	}
	if t.queued == 0 {
		t.first = v.row.Line
	}
	for n, c := range t.columns {
		arg, err := argument(v.row.Values[n], c.kind)
		if err != nil {
			return t.refuse(v.row.Line, "%s %s", c.name, err)
		}
		t.args = append(t.args, arg)
		t.bytes += len(v.row.Values[n])
	}
	if t.made != nil {
		t.args = append(t.args, t.made(im, v)...)
	}
	for _, column := range t.texts {
		im.text += int64(len(v.text(column)))
	}
	if t.queued++; t.queued < importRows && t.bytes < importBytes {
		return nil
	}
	return im.flush(ctx, t)
}

// flush writes the rows that are queued. As in loader.flush, plans are made anew
// whenever the number of batches has doubled.
func (im *importer) flush(ctx context.Context, t *tableLoad) error {
	if t.queued == 0 {
		return nil
	}
	queries := []Query{t.insert}
	if im.batches++; im.batches&(im.batches-1) == 0 {
		queries = append(queries, func(b *pgx.Batch, _ Scope) { b.Queue("discard plans") })
	}
	err := im.tx.Do(ctx, queries...)
	if isDataError(err) {
		return t.refuse(t.first, "the database refuses it, or one of the %d rows that go with it (SQLSTATE %s)", t.queued-1, state(err))
	}
	t.args, t.queued, t.bytes = nil, 0, 0
	return err
}

// insert writes the queued rows in one statement of many VALUES, which Citus takes
// under row-level security where it refuses COPY.
func (t *tableLoad) insert(b *pgx.Batch, scope Scope) {
	columns := append(slices.Clone(t.file.Columns), strings.Fields(t.makes)...)
	sql := &strings.Builder{}
	fmt.Fprintf(sql, "insert into %s (tenant_id, %s) values ", t.name, strings.Join(columns, ", "))
	for n := range t.queued {
		sql.WriteString([]string{"", ", "}[min(n, 1)] + "($1")
		for c := range columns {
			fmt.Fprintf(sql, ", $%d", 2+n*len(columns)+c)
		}
		sql.WriteString(")")
	}
	b.Queue(sql.String(), append([]any{scope.Tenant}, t.args...)...)
}

// refuse is the error for a row that no export of ours can hold.
func (t *tableLoad) refuse(line int64, format string, args ...any) error {
	return tenancy.Errorf(tenancy.InvalidValue, "%s, line %d: %s.", t.file.Name(), line, fmt.Sprintf(format, args...)).
		WithNext("Nothing was imported: the file was changed after its export.")
}

// value reads a row of an export by the names of columns.
type value struct {
	t   *tableLoad
	row export.Row
}

func (v value) raw(column string) jsontext.Value {
	if n := slices.Index(v.t.file.Columns, column); n >= 0 {
		return v.row.Values[n]
	}
	return jsontext.Value("null")
}

// text is a string; empty for anything else.
func (v value) text(column string) string { return text(v.raw(column)) }

// id is an id that references has checked; zero for none.
func (v value) id(column string) uuid.UUID {
	id, _ := uuid.Parse(v.text(column))
	return id
}
