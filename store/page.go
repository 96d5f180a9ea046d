package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// PutPage implements tenancy.PageStore. Pages of one tenant are counted and added
// one at a time.
func (s *Store) PutPage(ctx context.Context, tenant tenancy.TenantID, p tenancy.Page, number int, bytes int64) error {
	entry := func() AuditRow { return adminRow(tenant, p.CreatedBy, "page.put", p.ID.String()) }
	return s.Write(ctx, AsSystem(tenant, "pages"), entry, func(tx *Tx) error {
		var live int
		var held int64
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select from tenant_settings where tenant_id = $1 for update`, scope.Tenant)
			b.Queue(`delete from pages where tenant_id = $1 and expires_at <= $2`, scope.Tenant, p.CreatedAt)
			b.Queue(`select count(*), coalesce(sum(length(content)), 0) from pages where tenant_id = $1`, scope.Tenant).
				QueryRow(func(row pgx.Row) error { return row.Scan(&live, &held) })
		})
		if err != nil {
			return err
		}
		const next = "Delete some (colaflow page delete), or wait until they expire."
		switch {
		case live >= number:
			return tenancy.Errorf(tenancy.PlanLimit, "This tenant has %d live pages, as many as it may.", live).WithNext(next)
		case held+int64(len(p.Content)) > bytes:
			return tenancy.Errorf(tenancy.PlanLimit, "This tenant's live pages take %d of %d MB, so a page of %d KB does not fit.",
				held>>20, bytes>>20, (len(p.Content)+1023)>>10).WithNext(next)
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into pages (tenant_id, id, title, content, created_by, created_at, expires_at) values ($1, $2, $3, coalesce($4, ''::bytea), $5, $6, $7)`,
				scope.Tenant, p.ID, p.Title, p.Content, p.CreatedBy, p.CreatedAt, p.ExpiresAt)
		})
	})
}

// Page implements tenancy.PageStore.
func (s *Store) Page(ctx context.Context, tenant tenancy.TenantID, id uuid.UUID) (p tenancy.Page, err error) {
	err = s.Read(ctx, AsSystem(tenant, "pages"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select id, title, content, length(content), created_by, created_at, expires_at from pages
				where tenant_id = $1 and id = $2 and expires_at > $3`, scope.Tenant, id, s.clock()).
				Query(collectOne(&p, func(row pgx.Rows, p *tenancy.Page) error {
					return row.Scan(&p.ID, &p.Title, &p.Content, &p.Bytes, &p.CreatedBy, &p.CreatedAt, &p.ExpiresAt)
				}))
		})
	})
	if err == nil && p.ID == uuid.Nil {
		err = tenancy.Errorf(tenancy.NotFound, "The page does not exist or has expired.").WithNext("Ask for a new one.")
	}
	return p, err
}

// Pages implements tenancy.PageStore.
func (s *Store) Pages(ctx context.Context, tenant tenancy.TenantID) (pages []tenancy.Page, err error) {
	err = s.Read(ctx, AsSystem(tenant, "pages"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select id, title, length(content), created_by, created_at, expires_at from pages
				where tenant_id = $1 and expires_at > $2 order by created_at desc, id desc`, scope.Tenant, s.clock()).
				Query(collect(&pages, func(row pgx.Rows, p *tenancy.Page) error {
					return row.Scan(&p.ID, &p.Title, &p.Bytes, &p.CreatedBy, &p.CreatedAt, &p.ExpiresAt)
				}))
		})
	})
	return pages, err
}

// DeletePage implements tenancy.PageStore.
func (s *Store) DeletePage(ctx context.Context, tenant tenancy.TenantID, id uuid.UUID, by string) error {
	entry := func() AuditRow { return adminRow(tenant, by, "page.delete", id.String()) }
	return s.Write(ctx, AsSystem(tenant, "pages"), entry, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`delete from pages where tenant_id = $1 and id = $2`, scope.Tenant, id)
		})
	})
}
