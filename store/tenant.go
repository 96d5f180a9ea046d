package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// CreateTenant makes a tenant with its first members. The slug can never be used
// again, not even after the tenant is deleted.
func (s *Store) CreateTenant(ctx context.Context, slug, name, actor string, members ...tenancy.Member) (tenancy.Tenant, error) {
	if err := tenancy.CheckNewSlug(slug); err != nil {
		return tenancy.Tenant{}, err
	}
	t := tenancy.Tenant{ID: tenancy.NewID(), Slug: slug, Name: name, State: tenancy.TenantActive, Plan: "free", CreatedAt: s.clock().UTC()}
	tag, err := s.pool.Exec(ctx, `insert into tenants (id, slug, state, plan, created_at) values ($1, $2, $3, $4, $5)
		on conflict do nothing`, t.ID, t.Slug, t.State, t.Plan, t.CreatedAt)
	if err != nil {
		return tenancy.Tenant{}, interpret(err)
	}
	if tag.RowsAffected() == 0 {
		return tenancy.Tenant{}, tenancy.Errorf(tenancy.Conflict, "Tenant slug %q is taken.", slug).WithNext("Choose another slug.")
	}
	entry := func() AuditRow { return adminRow(t.ID, actor, "tenant.create", t.Slug) }
	return t, s.Write(ctx, AsSystem(t.ID, actor), entry, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into tenant_settings (tenant_id, name) values ($1, $2)`, scope.Tenant, name)
		}, InsertMembers(members))
	})
}

// Tenant returns the tenant with this slug.
func (s *Store) Tenant(ctx context.Context, slug string) (tenancy.Tenant, error) {
	var t tenancy.Tenant
	err := s.pool.QueryRow(ctx, `select id, slug, state, plan, created_at from tenants where slug = $1 and state <> 'deleted'`, slug).
		Scan(&t.ID, &t.Slug, &t.State, &t.Plan, &t.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, tenancy.Errorf(tenancy.NotFound, "Tenant %q does not exist.", slug).WithNext("See: colaflow tenant list")
	}
	if err != nil {
		return t, interpret(err)
	}
	if t.State != tenancy.TenantActive {
		return t, nil
	}
	return t, s.Read(ctx, AsSystem(t.ID, "tenant.show"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select name from tenant_settings where tenant_id = $1`, scope.Tenant).QueryRow(func(row pgx.Row) error {
				return row.Scan(&t.Name)
			})
		})
	})
}

// TenantByID returns the tenant with this id, without its name.
func (s *Store) TenantByID(ctx context.Context, id tenancy.TenantID) (tenancy.Tenant, error) {
	var t tenancy.Tenant
	err := s.pool.QueryRow(ctx, `select id, slug, state, plan, created_at from tenants where id = $1 and state <> 'deleted'`, id).
		Scan(&t.ID, &t.Slug, &t.State, &t.Plan, &t.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, tenancy.Errorf(tenancy.NotFound, "The tenant does not exist.")
	}
	return t, interpret(err)
}

// Tenants lists every tenant that is not deleted, by slug. Names are left empty.
func (s *Store) Tenants(ctx context.Context) ([]tenancy.Tenant, error) {
	rows, err := s.pool.Query(ctx, `select id, slug, state, plan, created_at from tenants where state <> 'deleted' order by slug`)
	if err != nil {
		return nil, interpret(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenancy.Tenant, error) {
		var t tenancy.Tenant
		err := row.Scan(&t.ID, &t.Slug, &t.State, &t.Plan, &t.CreatedAt)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", interpret(err))
	}
	return list, nil
}

// TenantSize says how much a tenant holds.
type TenantSize struct {
	Members  int `json:"members"`
	Tokens   int `json:"tokens"` // that work
	Projects int `json:"projects"`
	Issues   int `json:"issues"`
}

// TenantSize counts what an active tenant holds.
func (s *Store) TenantSize(ctx context.Context, id tenancy.TenantID) (TenantSize, error) {
	var size TenantSize
	err := s.Read(ctx, AsSystem(id, "tenant.show"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select
				(select count(*) from members where tenant_id = $1),
				(select count(*) from tokens where tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())),
				(select count(*) from projects where tenant_id = $1),
				(select count(*) from issues where tenant_id = $1)`, scope.Tenant).
				QueryRow(func(row pgx.Row) error { return row.Scan(&size.Members, &size.Tokens, &size.Projects, &size.Issues) })
		})
	})
	return size, err
}

// adminRow is the audit row of an operator's change.
func adminRow(tenant tenancy.TenantID, actor, method, target string) AuditRow {
	return AuditRow{TenantID: tenant, Kind: "admin", Actor: actor, Method: method, Decision: Allowed, Target: target}
}
