package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// Methods of the audit rows that record a removal. Verification looks for them
// where a log does not begin with its first checkpoint.
const (
	methodDropBefore = "audit.drop_before"
	methodErase      = "audit.erase"
)

// AuditRemoval says what was removed from a tenant's audit log.
type AuditRemoval struct {
	Rows   int64        `json:"rows"`
	Anchor *AuditAnchor `json:"anchor,omitempty"` // nil: nothing was removed
}

// DropAuditBefore removes what was sealed before a time, for good. It needs the
// owner's DSN, because the runtime role can remove nothing. The removal has an
// audit row of its own, which goes first: what it names, and no more, may be gone.
func (s *Store) DropAuditBefore(ctx context.Context, ownerDSN string, tenant tenancy.TenantID, actor string, before time.Time) (AuditRemoval, error) {
	return s.removeAudit(ctx, ownerDSN, tenant, actor, methodDropBefore, before)
}

// EraseAudit removes all that is sealed, for good: everything but the last
// seconds and the record of the removal.
func (s *Store) EraseAudit(ctx context.Context, ownerDSN string, tenant tenancy.TenantID, actor string) (AuditRemoval, error) {
	return s.removeAudit(ctx, ownerDSN, tenant, actor, methodErase, s.clock().AddDate(1000, 0, 0))
}

func (s *Store) removeAudit(ctx context.Context, ownerDSN string, tenant tenancy.TenantID, actor, method string, before time.Time) (removed AuditRemoval, err error) {
	owner, err := connectOwner(ctx, ownerDSN)
	if err != nil {
		return removed, err
	}
	defer func() { _ = owner.Close(context.WithoutCancel(ctx)) }()
	anchor, err := s.anchorBefore(ctx, tenant, before)
	if err != nil || anchor == nil {
		return removed, err
	}
	return s.removeTo(ctx, owner, adminRow(tenant, actor, method, anchorName(anchor.Seq)), *anchor)
}

// connectOwner connects as the role that may remove audit rows.
func connectOwner(ctx context.Context, dsn string) (*pgx.Conn, error) {
	owner, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("connect as owner: %w", connectError(err))
	}
	return owner, nil
}

// queryer is a connection, or a transaction on one.
type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// removeTo records a removal up to an anchor, and then removes.
func (s *Store) removeTo(ctx context.Context, owner queryer, row AuditRow, anchor AuditAnchor) (removed AuditRemoval, err error) {
	row.Changes = asJSON(map[string]any{"removed_before": anchor.Upto})
	if err := s.Record(ctx, row); err != nil {
		return removed, fmt.Errorf("record the removal: %w", err)
	}
	var left AuditAnchor
	err = owner.QueryRow(ctx, `select o_anchor, o_upto, o_rows from audit_drop_before($1, $2)`, row.TenantID, anchor.Upto).
		Scan(&left.Seq, &left.Upto, &removed.Rows)
	if errors.Is(err, pgx.ErrNoRows) {
		return removed, nil // another removal was faster
	}
	if err != nil {
		return removed, fmt.Errorf("remove audit rows: %w", interpret(err))
	}
	left.Upto = left.Upto.UTC()
	removed.Anchor = &left
	return removed, nil
}

// anchorBefore finds the last checkpoint that ends by then; nil if there is none.
func (s *Store) anchorBefore(ctx context.Context, tenant tenancy.TenantID, before time.Time) (anchor *AuditAnchor, err error) {
	var found AuditAnchor
	err = s.Read(ctx, AsKeeper(tenant, "audit.remove"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select seq, upto from audit_checkpoints where tenant_id = $1 and upto <= $2 order by seq desc limit 1`, scope.Tenant, before).
				Query(collectOne(&found, func(row pgx.Rows, a *AuditAnchor) error { return row.Scan(&a.Seq, &a.Upto) }))
		})
	})
	if err != nil || found.Seq == 0 {
		return nil, err
	}
	found.Upto = found.Upto.UTC()
	return &found, nil
}
