package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const configColumns = `coalesce(max_pages, 0), coalesce(page_life, '0'), coalesce(page_token_life, '0'), coalesce(page_space, 0), coalesce(memory, 0)`

// configFields are where a row of configColumns goes.
func configFields(c *tenancy.AppConfig) []any {
	return []any{&c.MaxPages, &c.PageLife, &c.PageTokenLife, &c.PageSpace, &c.Memory}
}

// ConfigureTenant changes what is set of a tenant's Application, within its plan,
// in force at once on every node. Only an admin may.
func (s *Store) ConfigureTenant(ctx context.Context, scope Scope, actor string, change func(*tenancy.AppConfig)) (after tenancy.AppConfig, err error) {
	var before tenancy.AppConfig
	var slug, plan string
	entry := func() AuditRow {
		row := scope.adminRow(actor, "tenant.configure", slug)
		row.Changes = changesBetween(before, after)
		return row
	}
	err = s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if err := by.admin("change settings of the tenant"); err != nil {
			return err
		}
		err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select `+configColumns+` from tenant_settings where tenant_id = $1 for update`, scope.Tenant).
				QueryRow(func(row pgx.Row) error { return row.Scan(configFields(&before)...) })
			b.Queue(`select slug, plan from tenants where id = $1`, scope.Tenant).
				QueryRow(func(row pgx.Row) error { return row.Scan(&slug, &plan) })
		})
		if err != nil {
			return err
		}
		after = before
		change(&after)
		if err := after.Check(tenancy.PlanOf(plan)); err != nil {
			return err
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tenant_settings set max_pages = nullif($2::int, 0), page_life = nullif($3::interval, '0'), page_token_life = nullif($4::interval, '0'),
				page_space = nullif($5::bigint, 0), memory = nullif($6::bigint, 0), updated_at = $7 where tenant_id = $1`,
				scope.Tenant, after.MaxPages, after.PageLife, after.PageTokenLife, after.PageSpace, after.Memory, s.clock().UTC().Truncate(time.Microsecond))
		}, Notify(tokens.SubjectTenant, scope.Tenant, false))
	})
	if err != nil {
		return tenancy.AppConfig{}, fmt.Errorf("configure tenant: %w", err)
	}
	return after, nil
}
