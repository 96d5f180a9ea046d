package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// DeletionGrace is how long a deletion can be taken back, unless told otherwise.
const DeletionGrace = 30 * 24 * time.Hour

// SuspendTenant stops every token and person of a tenant. When it returns, none
// of them can read or commit any more, on any node; the data stays.
func (s *Store) SuspendTenant(ctx context.Context, slug, actor string) (tenancy.Tenant, error) {
	return s.changeTenant(ctx, slug, actor, "tenant.suspend", func(t *tenancy.Tenant, _ time.Time) error {
		if t.State == tenancy.TenantDeleted {
			return tenancy.Errorf(tenancy.Conflict, "Tenant %q is deleted.", slug).WithNext("There is nothing to suspend.")
		}
		t.State = tenancy.TenantSuspended
		return nil
	})
}

// ResumeTenant lets a suspended tenant work again, or takes a deletion back whose
// grace is not over.
func (s *Store) ResumeTenant(ctx context.Context, slug, actor string) (tenancy.Tenant, error) {
	return s.changeTenant(ctx, slug, actor, "tenant.resume", func(t *tenancy.Tenant, now time.Time) error {
		if t.DeleteAfter != nil && !t.DeleteAfter.After(now) {
			return tenancy.Errorf(tenancy.Conflict, "The grace of deleted tenant %q is over and its data is being removed.", slug).
				WithNext("Import an export of it under another slug, if there is one.")
		}
		t.State, t.DeleteAfter = tenancy.TenantActive, nil
		return nil
	})
}

// DeleteTenant stops a tenant as SuspendTenant does, and has its data removed when
// the grace is over. Deleting again can only shorten the grace.
func (s *Store) DeleteTenant(ctx context.Context, slug, actor string, grace time.Duration) (tenancy.Tenant, error) {
	return s.changeTenant(ctx, slug, actor, "tenant.delete", func(t *tenancy.Tenant, now time.Time) error {
		at := now.Add(grace)
		if t.DeleteAfter == nil || at.Before(*t.DeleteAfter) {
			t.DeleteAfter = &at
		}
		t.State = tenancy.TenantDeleted
		return nil
	})
}

// SetPlan moves a tenant to another plan, in force at once. What it holds beyond
// the new plan stays; it only cannot add more.
func (s *Store) SetPlan(ctx context.Context, slug, actor, plan string) (tenancy.Tenant, error) {
	return s.changeTenant(ctx, slug, actor, "tenant.set_plan", func(t *tenancy.Tenant, _ time.Time) error {
		t.Plan = plan
		return nil
	})
}

// changeTenant changes a tenant's row alone: it waits for the writes that are
// committing, and commits with the audit row and the word to every node. Now is
// the database's time. What is already so is left as it is.
func (s *Store) changeTenant(ctx context.Context, slug, actor, method string, change func(t *tenancy.Tenant, now time.Time) error) (t tenancy.Tenant, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return t, interpret(err)
	}
	defer conn.Release()
	defer rollback(ctx, conn)
	var list []tenancy.Tenant
	var now time.Time
	b := &pgx.Batch{}
	b.Queue(beginWrite)
	b.Queue(`select hold_alone(id) from tenants where slug = $1`, slug)
	b.Queue(`select `+tenantColumns+` from tenants where slug = $1 and purged_at is null`, slug).
		Query(collect(&list, func(row pgx.Rows, t *tenancy.Tenant) error { return scanTenant(row, t) }))
	b.Queue(`select clock_timestamp()`).QueryRow(scalar(&now))
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return t, interpret(fmt.Errorf("%s: %w", method, err))
	}
	if len(list) == 0 {
		return t, noTenant(slug)
	}
	t = list[0]
	if err := change(&t, now); err != nil || t == list[0] {
		return t, err
	}
	row := adminRow(t.ID, actor, method, t.Slug)
	row.Changes = asJSON([]map[string]any{{"before": list[0], "after": t}})
	b = &pgx.Batch{}
	b.Queue(`update tenants set state = $2, plan = $3, delete_after = $4 where id = $1`, t.ID, t.State, t.Plan, t.DeleteAfter)
	if err := s.queueAudit(ctx, b, row); err != nil {
		return t, err
	}
	Notify(tokens.SubjectTenant, t.ID, t.State != tenancy.TenantActive)(b, Scope{Tenant: t.ID})
	queueCommit(b)
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return t, interpret(fmt.Errorf("%s: %w", method, err))
	}
	s.sealer.wrote(t.ID)
	return t, nil
}
