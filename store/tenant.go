package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/tenancy"
)

// CreateTenant makes a tenant with its first members, all or nothing. The slug can
// never be used again, not even after the tenant is deleted.
func (s *Store) CreateTenant(ctx context.Context, slug, name, actor string, members ...tenancy.Member) (tenancy.Tenant, error) {
	if err := tenancy.CheckNewSlug(slug); err != nil {
		return tenancy.Tenant{}, err
	}
	t := tenancy.Tenant{ID: tenancy.NewID(), Slug: slug, Name: name, State: tenancy.TenantActive, Plan: "free", CreatedAt: s.clock().UTC()}
	entry := func() AuditRow { return adminRow(t.ID, actor, "tenant.create", t.Slug) }
	return t, s.writeAfter(ctx, AsSystem(t.ID, actor), insertTenant(t), entry, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into tenant_settings (tenant_id, name) values ($1, $2)`, scope.Tenant, name)
		}, InsertMembers(members))
	})
}

// insertTenant takes the slug, or fails with Conflict.
func insertTenant(t tenancy.Tenant) Query {
	return func(b *pgx.Batch, _ Scope) {
		b.Queue(`insert into tenants (id, slug, state, plan, created_at) values ($1, $2, $3, $4, $5) on conflict (slug) do nothing`,
			t.ID, t.Slug, t.State, t.Plan, t.CreatedAt).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				return tenancy.Errorf(tenancy.Conflict, "Tenant slug %q is taken.", t.Slug).WithNext("Choose another slug.")
			}
			return nil
		})
	}
}

const tenantColumns = `id, slug, state, plan, created_at, delete_after`

func scanTenant(row pgx.Row, t *tenancy.Tenant) error {
	return row.Scan(&t.ID, &t.Slug, &t.State, &t.Plan, &t.CreatedAt, &t.DeleteAfter)
}

// Tenant returns the tenant with this slug, unless it is deleted.
func (s *Store) Tenant(ctx context.Context, slug string) (tenancy.Tenant, error) {
	t, err := s.AnyTenant(ctx, slug)
	if err == nil && t.State == tenancy.TenantDeleted {
		return tenancy.Tenant{}, noTenant(slug)
	}
	return t, err
}

// AnyTenant returns the tenant with this slug for an operator: deleted ones too,
// until their data is gone.
func (s *Store) AnyTenant(ctx context.Context, slug string) (tenancy.Tenant, error) {
	var id tenancy.TenantID
	err := s.pool.QueryRow(ctx, `select id from tenants where slug = $1 and purged_at is null`, slug).Scan(&id)
	if err == nil {
		var t tenancy.Tenant
		t, err = s.wholeTenant(ctx, id)
		return t, err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = noTenant(slug)
	}
	return tenancy.Tenant{}, interpret(err)
}

// TenantByID returns the tenant with this id, unless it is deleted.
func (s *Store) TenantByID(ctx context.Context, id tenancy.TenantID) (tenancy.Tenant, error) {
	t, err := s.wholeTenant(ctx, id)
	if tenancy.CodeOf(err) == tenancy.Unauthenticated || err == nil && t.State == tenancy.TenantDeleted {
		return tenancy.Tenant{}, tenancy.Errorf(tenancy.NotFound, "The tenant does not exist.")
	}
	return t, err
}

// wholeTenant reads a tenant in any state with its settings.
func (s *Store) wholeTenant(ctx context.Context, id tenancy.TenantID) (t tenancy.Tenant, err error) {
	err = s.Read(ctx, AsKeeper(id, "tenant.show"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select `+tenantColumns+` from tenants where id = $1`, scope.Tenant).QueryRow(func(row pgx.Row) error { return scanTenant(row, &t) })
			b.Queue(`select name, `+configColumns+` from tenant_settings where tenant_id = $1`, scope.Tenant).Query(func(rows pgx.Rows) error {
				if rows.Next() {
					return rows.Scan(append([]any{&t.Name}, configFields(&t.Config)...)...)
				}
				return rows.Err()
			})
		})
	})
	return t, err
}

func noTenant(slug string) error {
	return tenancy.Errorf(tenancy.NotFound, "Tenant %q does not exist.", slug).WithNext("See: colaflow tenant list")
}

// Tenants lists every tenant whose data is not gone, by slug. Names and settings are left empty.
func (s *Store) Tenants(ctx context.Context) ([]tenancy.Tenant, error) {
	rows, err := s.pool.Query(ctx, `select `+tenantColumns+` from tenants where purged_at is null order by slug`)
	if err != nil {
		return nil, interpret(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t tenancy.Tenant, err error) { return t, scanTenant(row, &t) })
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", interpret(err))
	}
	return list, nil
}

// TenantSize says how much a tenant holds.
type TenantSize struct {
	Members  int `json:"members"`  // active or invited
	Tokens   int `json:"tokens"`   // that work
	Projects int `json:"projects"` // active
	Issues   int `json:"issues"`
	TextMB   int `json:"text_mb"` // as last counted
	// AttachmentMB is exact.
	AttachmentMB int `json:"attachment_mb"`
}

// TenantSize counts what a tenant holds, in whatever state.
func (s *Store) TenantSize(ctx context.Context, id tenancy.TenantID) (TenantSize, error) {
	var size TenantSize
	err := s.Read(ctx, AsKeeper(id, "tenant.show"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select (`+held[tenancy.QuotaMembers]+`), (`+held[tenancy.QuotaTokens]+`), (`+held[tenancy.QuotaProjects]+`),
				(select count(*) from issues where tenant_id = $1), (`+held[tenancy.QuotaText]+`), (`+held[tenancy.QuotaAttachments]+`)`, scope.Tenant).
				QueryRow(func(row pgx.Row) error {
					return row.Scan(&size.Members, &size.Tokens, &size.Projects, &size.Issues, &size.TextMB, &size.AttachmentMB)
				})
		})
	})
	return size, err
}

// adminRow is the audit row of an operator's change.
func adminRow(tenant tenancy.TenantID, actor, method, target string) AuditRow {
	return AuditRow{TenantID: tenant, Kind: "admin", Actor: actor, Method: method, Decision: Allowed, Target: target}
}

// adminRow is the audit row of an administrative change, with whoever makes it.
func (s Scope) adminRow(actor, method, target string) AuditRow {
	row := adminRow(s.Tenant, actor, method, target)
	switch s.kind {
	case kindToken, kindPrevious:
		row.TokenID = &s.Subject
	case kindMember:
		row.MemberID = &s.Subject
	}
	return row
}
