package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// AuditRetention says what of a tenant's audit log its plan did not keep.
type AuditRetention struct {
	Slug string `json:"slug"`
	Days int    `json:"days"` // that the plan keeps
	AuditRemoval
}

// RetainAudit removes from the audit logs what is older than their plans keep them,
// as DropAuditBefore does, and lists the logs that lost rows. It counts in whole days,
// so that a log grows by one record of a removal a day at most. Any number of nodes may
// run it: each log is shortened by one at a time. Deleted tenants are left to the purge.
func (s *Store) RetainAudit(ctx context.Context, ownerDSN, actor string) ([]AuditRetention, error) {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := connectOwner(ctx, ownerDSN)
	if err != nil {
		return nil, err
	}
	defer func() { _ = owner.Close(context.WithoutCancel(ctx)) }()
	done := []AuditRetention{}
	var failed error
	for _, t := range tenants {
		if t.State == tenancy.TenantDeleted {
			continue
		}
		kept, err := s.retainAudit(ctx, owner, t, actor)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("shorten the audit log of %s: %w", t.Slug, err))
		} else if kept.Rows > 0 {
			done = append(done, kept)
		}
	}
	return done, failed
}

// retainAudit shortens one log. The lock is held until the rows are gone, so that
// whoever has it next finds nothing to do.
func (s *Store) retainAudit(ctx context.Context, owner *pgx.Conn, t tenancy.Tenant, actor string) (AuditRetention, error) {
	plan := tenancy.PlanOf(t.Plan)
	kept := AuditRetention{Slug: t.Slug, Days: plan.AuditDays}
	if plan.AuditDays == 0 {
		return kept, nil
	}
	before := s.clock().UTC().AddDate(0, 0, -plan.AuditDays).Truncate(24 * time.Hour)
	err := pgx.BeginFunc(ctx, owner, func(tx pgx.Tx) error {
		var mine, old bool
		if err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtextextended('colaflow retain ' || $1::text, 0))`, t.ID).Scan(&mine); err != nil || !mine {
			return err
		}
		anchor, err := s.anchorBefore(ctx, t.ID, before)
		if err != nil || anchor == nil {
			return err
		}
		err = s.Read(ctx, AsKeeper(t.ID, "audit.retain"), func(tx *Tx) error {
			return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
				b.Queue(`select exists (select from audit_log where tenant_id = $1 and written_at < $2)`, scope.Tenant, anchor.Upto).QueryRow(scalar(&old))
			})
		})
		if err != nil || !old {
			return err
		}
		row := adminRow(t.ID, actor, methodDropBefore, anchorName(anchor.Seq))
		row.Rule = fmt.Sprintf("plan %s keeps audit rows for %d days", plan.Name, plan.AuditDays)
		kept.AuditRemoval, err = s.removeTo(ctx, tx, row, *anchor)
		return err
	})
	return kept, err
}
