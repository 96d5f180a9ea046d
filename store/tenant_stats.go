package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// TenantStats is what a tenant holds, and what its audit log tells of a span of time.
type TenantStats struct {
	TenantSize
	Pages    int         `json:"pages"`    // live
	Sessions int         `json:"sessions"` // of people who are signed in
	Since    time.Time   `json:"since"`
	Calls    []CallStats `json:"calls"` // most frequent first
}

// CallStats counts the calls of one tool or method by how they were decided.
type CallStats struct {
	Tool    string        `json:"tool"`
	Allowed int64         `json:"allowed"`
	Denied  int64         `json:"denied"`
	Failed  int64         `json:"failed"`
	Mean    time.Duration `json:"mean_ns"`
}

// TenantStats counts for an operator, in whatever state the tenant is.
func (s *Store) TenantStats(ctx context.Context, id tenancy.TenantID, since time.Time) (TenantStats, error) {
	size, err := s.TenantSize(ctx, id)
	stats := TenantStats{TenantSize: size, Since: since.UTC()}
	if err != nil {
		return stats, err
	}
	err = s.Read(ctx, AsKeeper(id, "tenant.stats"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select (select count(*) from pages where tenant_id = $1 and expires_at > now()),
				(select count(*) from sessions where tenant_id = $1 and ended_at is null and expires_at > now())`, scope.Tenant).
				QueryRow(func(row pgx.Row) error { return row.Scan(&stats.Pages, &stats.Sessions) })
			b.Queue(`select coalesce(l.tool, l.method), coalesce(sum(l.repeats) filter (where l.decision = 'allowed'), 0)::bigint,
				coalesce(sum(l.repeats) filter (where l.decision = 'denied'), 0)::bigint, coalesce(sum(l.repeats) filter (where l.decision = 'failed'), 0)::bigint,
				coalesce(avg(l.duration_us) * 1000, 0)::bigint
				from audit_log l where l.tenant_id = $1 and l.written_at >= $2 and l.kind = 'call' group by 1 order by count(*) desc, 1 limit 100`, scope.Tenant, since).
				Query(collect(&stats.Calls, func(row pgx.Rows, c *CallStats) error {
					return row.Scan(&c.Tool, &c.Allowed, &c.Denied, &c.Failed, &c.Mean)
				}))
		})
	})
	return stats, err
}
