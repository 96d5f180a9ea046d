package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// countUsage counts what the tenants of limited plans hold, unless another node
// did so in this round.
func (s *Store) countUsage(ctx context.Context, every time.Duration) error {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, t := range tenants {
		if t.State == tenancy.TenantActive && tenancy.PlanOf(t.Plan).TextMB > 0 && ctx.Err() == nil {
			problems = append(problems, s.CountUsage(ctx, t.ID, every/2))
		}
	}
	return errors.Join(problems...)
}

// CountUsage notes how many bytes the tenant's texts and attachments take, unless a count
// is there that is not older than fresh. Nothing long is read for it, only sizes.
func (s *Store) CountUsage(ctx context.Context, tenant tenancy.TenantID, fresh time.Duration) error {
	tx := &Tx{store: s, scope: AsSystem(tenant, "cleanup"), begin: beginWrite, pinned: true}
	defer tx.release(ctx)
	var done bool
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select exists (select from tenant_usage where tenant_id = $1 and counted_at > now() - $2::interval)`, scope.Tenant, fresh).
			QueryRow(scalar(&done))
	})
	if err != nil || done {
		return err
	}
	var issues, comments, work int64
	err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select coalesce(sum(octet_length(title) + octet_length(description)), 0)::bigint from issues where tenant_id = $1`, scope.Tenant).
			QueryRow(scalar(&issues))
		b.Queue(`select coalesce(sum(octet_length(body)), 0)::bigint from comments where tenant_id = $1`, scope.Tenant).
			QueryRow(scalar(&comments))
		b.Queue(`select coalesce(sum(octet_length(comment)), 0)::bigint from worklogs where tenant_id = $1`, scope.Tenant).
			QueryRow(scalar(&work))
	})
	if err != nil {
		return err
	}
	if err := tx.noteUsage(ctx, issues+comments+work); err != nil {
		return err
	}
	return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select hold($1)`, scope.Tenant)
		queueCommit(b)
	})
}

// noteUsage notes how many bytes the texts take, and then counts the attachments: who adds
// one waits for the row that is written first, also where there was none.
func (tx *Tx) noteUsage(ctx context.Context, texts int64) error {
	var files int64
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into tenant_usage as u (tenant_id, text_bytes, counted_at) values ($1, $2, now())
			on conflict (tenant_id) do update set text_bytes = excluded.text_bytes, counted_at = excluded.counted_at`, scope.Tenant, texts)
		b.Queue(`select coalesce(sum(size), 0)::bigint from attachments where tenant_id = $1`, scope.Tenant).QueryRow(scalar(&files))
	})
	if err != nil {
		return err
	}
	return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`update tenant_usage set attachment_bytes = $2 where tenant_id = $1`, scope.Tenant, files)
	})
}
