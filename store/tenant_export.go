package store

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/tenancy"
)

// Exported says what an export holds; SHA256 is that of the whole file.
type Exported struct {
	export.Manifest
	SHA256 string `json:"sha256"`
}

// ExportTenant writes everything that a tenant owns and can take along, in whatever
// state it is, as of one moment. It returns when the export is in the tenant's
// audit log. Progress, if set, is told how many of all rows are written.
func (s *Store) ExportTenant(ctx context.Context, slug, actor string, to io.Writer, progress func(done, total int64)) (Exported, error) {
	t, err := s.AnyTenant(ctx, slug)
	if err != nil {
		return Exported{}, err
	}
	var done Exported
	err = s.Read(ctx, AsKeeper(t.ID, actor), func(tx *Tx) (err error) {
		tx.Pin()
		done.Manifest, done.SHA256, err = tx.export(ctx, t, export.NewWriter(to, s.clock()), progress)
		return err
	})
	if err != nil {
		return Exported{}, fmt.Errorf("export tenant: %w", err)
	}
	row := adminRow(t.ID, actor, "tenant.export", t.Slug)
	row.Changes = asJSON(map[string]any{"sha256": done.SHA256, "rows": done.Rows()})
	return done, s.Record(ctx, row)
}

// exportSettings makes texts of values the same on every server, and gives a
// statement all the time that its reader takes.
func exportSettings(b *pgx.Batch, _ Scope) {
	b.Queue("set local citus.propagate_set_commands to 'local'")
	b.Queue("set local timezone to 'UTC'")
	b.Queue("set local datestyle to 'ISO'")
	b.Queue("set local intervalstyle to 'postgres'")
	b.Queue("set local extra_float_digits to 1")
	b.Queue("set local bytea_output to 'hex'")
	b.Queue("set local statement_timeout to 0")
}

func (tx *Tx) export(ctx context.Context, t tenancy.Tenant, w *export.Writer, progress func(done, total int64)) (m export.Manifest, digest string, err error) {
	m = export.Manifest{Tenant: export.Tenant{ID: t.ID, Slug: t.Slug, Name: t.Name, State: string(t.State), Plan: t.Plan, CreatedAt: t.CreatedAt.UTC()}}
	if err := tx.Do(ctx, exportSettings, func(b *pgx.Batch, _ Scope) { b.Queue(latestSchema).QueryRow(scalar(&m.Schema)) }); err != nil {
		return m, "", err
	}
	if _, err := tx.checkCatalogue(ctx); err != nil {
		return m, "", err
	}
	done, total := int64(0), int64(0)
	if progress != nil {
		if err := tx.Do(ctx, countRows(&total)); err != nil {
			return m, "", err
		}
	}
	for _, e := range exportedTables {
		if err := w.Table(e.name, e.list()); err != nil {
			return m, "", err
		}
		err := tx.Do(ctx, rowsOf(e, func(object []byte) error {
			if done++; progress != nil {
				progress(done, total)
			}
			return w.Row(object)
		}))
		if err != nil {
			return m, "", err
		}
	}
	return w.Close(m)
}

// rowsOf streams the tenant's rows of a table as JSON objects.
func rowsOf(e exportedTable, each func(object []byte) error) Query {
	return func(b *pgx.Batch, scope Scope) {
		order := ""
		if e.order != "" {
			order = " order by " + e.order
		}
		b.Queue(`select row_to_json(r)::text from (select `+strings.Join(e.list(), ", ")+` from `+e.name+` where tenant_id = $1`+order+`) r`, scope.Tenant).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					if err := each(rows.RawValues()[0]); err != nil {
						return err
					}
				}
				return rows.Err()
			})
	}
}

// countRows counts what an export will hold.
func countRows(total *int64) Query {
	return func(b *pgx.Batch, scope Scope) {
		var counts []string
		for _, e := range exportedTables {
			counts = append(counts, "(select count(*) from "+e.name+" where tenant_id = $1)")
		}
		b.Queue(`select `+strings.Join(counts, " + "), scope.Tenant).QueryRow(scalar(total))
	}
}
