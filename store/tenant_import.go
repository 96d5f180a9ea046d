package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// ImportOptions say what becomes of an export. An empty name means that of the
// export, an empty plan the smallest. Progress, if set, is told how much is done.
type ImportOptions struct {
	Slug, Name, Plan, Actor string
	Progress                func(done, total int64)
}

// Imported says what was imported. Again means that it had been before, from the
// very same file, and that nothing was done.
type Imported struct {
	Tenant tenancy.Tenant `json:"tenant"`
	SHA256 string         `json:"sha256"`
	Rows   int64          `json:"rows"`
	Again  bool           `json:"again"`
}

// ImportTenant makes a new tenant of an export, all of it or nothing, in one
// transaction with its audit row. Nothing is written before all of the file has
// been verified. Ids stay as they are: they are the tenant's own.
func (s *Store) ImportTenant(ctx context.Context, file *export.Reader, opt ImportOptions) (Imported, error) {
	m := file.Manifest
	if err := tenancy.CheckNewSlug(opt.Slug); err != nil {
		return Imported{}, err
	}
	plan, err := tenancy.ParsePlan(cmp.Or(opt.Plan, tenancy.Plans()[0].Name))
	if err != nil {
		return Imported{}, err
	}
	if m.Schema > LatestVersion() {
		return Imported{}, tenancy.Errorf(tenancy.InvalidValue, "The export comes from a newer release: its schema is version %d, and this release knows %d.", m.Schema, LatestVersion()).
			WithNext("Upgrade colaflow first.")
	}
	t := tenancy.Tenant{ID: tenancy.NewID(), Slug: opt.Slug, State: tenancy.TenantActive, Plan: plan.Name, CreatedAt: s.clock().UTC(),
		Name: cmp.Or(tracker.CleanLine(opt.Name), tracker.CleanLine(m.Tenant.Name), opt.Slug)}
	done := Imported{Tenant: t, SHA256: file.Digest}
	if done.Again, err = s.importedBefore(ctx, &done.Tenant, file.Digest); err != nil || done.Again {
		return done, err
	}
	progress := func(int64) {}
	if opt.Progress != nil {
		total := m.Rows() // are verified
		for _, e := range exportedTables {
			if !e.readOnly {
				total += m.File(e.name).Rows // and written
			}
		}
		progress = func(n int64) { opt.Progress(n, total) }
	}
	if err := file.Verify(progress); err != nil {
		return Imported{}, err
	}
	entry := func() AuditRow {
		row := adminRow(t.ID, opt.Actor, "tenant.import", t.Slug)
		row.Changes = asJSON(map[string]any{"sha256": file.Digest, "rows": done.Rows, "from": m.Tenant.Slug, "from_id": m.Tenant.ID, "exported_at": m.ExportedAt})
		return row
	}
	err = s.writeAfter(ctx, AsSystem(t.ID, opt.Actor), insertTenant(t), entry, func(tx *Tx) error {
		im := &importer{tx: tx, file: file, tenant: t, plan: plan, now: s.clock().UTC().Truncate(time.Microsecond),
			progress: func(n int64) { progress(m.Rows() + n) }}
		err := im.run(ctx)
		done.Rows = im.rows
		return err
	})
	return done, err
}

// importedBefore finds the tenant that was made of the same file, whose import may
// have been killed before it could say so.
func (s *Store) importedBefore(ctx context.Context, t *tenancy.Tenant, digest string) (bool, error) {
	known, err := s.AnyTenant(ctx, t.Slug)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var same bool
	err = s.Read(ctx, AsKeeper(known.ID, "tenant.import"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select exists (select from audit_log where tenant_id = $1 and method = 'tenant.import' and changes ->> 'sha256' = $2)`,
				scope.Tenant, digest).QueryRow(scalar(&same))
		})
	})
	if err != nil || !same {
		return false, err // the slug is taken, which the insert says
	}
	*t = known
	return true, nil
}

// importer writes one export into a tenant that nobody can see yet.
type importer struct {
	tx       *Tx
	file     *export.Reader
	tenant   tenancy.Tenant
	plan     tenancy.Plan
	now      time.Time
	progress func(rows int64)

	columns catalogue
	ids     map[string]map[uuid.UUID]bool // of the tables that others refer to
	rows    int64
	text    int64 // bytes that count for the plan
	batches int
}

func (im *importer) run(ctx context.Context) (err error) {
	if im.columns, err = im.tx.checkCatalogue(ctx); err != nil {
		return err
	}
	for _, f := range im.file.Manifest.Files {
		if !slices.ContainsFunc(exportedTables, func(e exportedTable) bool { return e.name == f.Table }) {
			return tenancy.Errorf(tenancy.InvalidValue, "The export holds the table %s, which this release does not know.", f.Table).
				WithNext("Use a release of colaflow that is not older than the one that exported it.")
		}
	}
	if err := im.tx.Do(ctx, func(b *pgx.Batch, _ Scope) { b.Queue("set local statement_timeout to 0") }); err != nil {
		return err
	}
	im.ids = map[string]map[uuid.UUID]bool{}
	for _, c := range im.columns {
		if c.refers != "" {
			im.ids[c.refers] = map[uuid.UUID]bool{}
		}
	}
	for _, e := range exportedTables {
		if e.readOnly {
			continue
		}
		if err := im.load(ctx, e); err != nil {
			return err
		}
	}
	if err := im.tx.noteUsage(ctx, im.text); err != nil {
		return err
	}
	if err := im.tx.Do(ctx, withinPlan(tenancy.QuotaMembers, 0), withinPlan(tenancy.QuotaProjects, 0), withinPlan(tenancy.QuotaAttachments, 0)); err != nil {
		return im.largerPlan(err)
	}
	return im.checkWhole(ctx)
}

// largerPlan says what an operator can do about a plan that is too small.
func (im *importer) largerPlan(err error) error {
	var limit *tenancy.Error
	if !errors.As(err, &limit) || limit.Code != tenancy.PlanLimit {
		return err
	}
	return limit.WithNext(fmt.Sprintf("Give the new tenant a larger plan with --plan; where the export was made it had plan %q.", im.file.Manifest.Tenant.Plan))
}
