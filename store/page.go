package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// PutPage implements tenancy.PageStore. Expired pages make room first; pages of
// one tenant are counted and added one at a time.
func (s *Store) PutPage(ctx context.Context, tenant tenancy.TenantID, p tenancy.Page, limit int) error {
	entry := func() AuditRow { return adminRow(tenant, p.CreatedBy, "page.put", p.ID.String()) }
	return s.Write(ctx, AsSystem(tenant, "pages"), entry, func(tx *Tx) error {
		var live int
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select from tenant_settings where tenant_id = $1 for update`, scope.Tenant)
			b.Queue(`delete from pages where tenant_id = $1 and expires_at <= $2`, scope.Tenant, p.CreatedAt)
			b.Queue(`select count(*) from pages where tenant_id = $1`, scope.Tenant).QueryRow(scalar(&live))
		})
		if err != nil {
			return err
		}
		if live >= limit {
			return tenancy.Errorf(tenancy.PlanLimit, "This tenant has %d live pages, as many as it may.", live).
				WithNext("Delete some, or wait until they expire.")
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
func (s *Store) DeletePage(ctx context.Context, tenant tenancy.TenantID, id uuid.UUID) error {
	entry := func() AuditRow { return adminRow(tenant, "system:pages", "page.delete", id.String()) }
	return s.Write(ctx, AsSystem(tenant, "pages"), entry, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`delete from pages where tenant_id = $1 and id = $2`, scope.Tenant, id)
		})
	})
}
