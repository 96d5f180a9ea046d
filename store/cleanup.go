package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	cleanupBatch   = 1000
	cleanupBatches = 1000 // of one tenant and kind in one round; the rest waits for the next
	// tokensKept is how long a token that ended stays in the lists.
	tokensKept = 90 * 24 * time.Hour
)

// errClean ends a transaction that has nothing to commit, and nothing to audit.
var errClean = errors.New("nothing to do")

// sweep removes one batch of one kind of what is no longer needed. Its first
// parameter is the tenant, its second the size of the batch, its third an age.
type sweep struct {
	name string
	sql  string
	age  time.Duration
}

// sweeps is everything that Cleanup removes. Names of tokens stay, because events
// and audit rows refer to them.
func sweeps() []sweep {
	return []sweep{
		{"idempotency_keys", `delete from idempotency_keys where tenant_id = $1 and (token_id, tool, key) in (
			select k.token_id, k.tool, k.key from idempotency_keys k where k.tenant_id = $1 and k.created_at < now() - $3::interval
			order by k.created_at limit $2)`, 24 * time.Hour},
		{"tokens", `update tokens set removed_at = now(), hash = null, previous_hash = null, previous_until = null, grants = '{}', scope = 'none',
			allowed_ips = '{}', epoch = epoch + 1 where tenant_id = $1 and id in (
			select t.id from tokens t where t.tenant_id = $1 and t.removed_at is null
			and (t.revoked_at < now() - $3::interval or t.expires_at < now() - $3::interval) limit $2)`, tokensKept},
		{"token_secrets", `update tokens set previous_hash = null, previous_until = null where tenant_id = $1 and id in (
			select t.id from tokens t where t.tenant_id = $1 and t.previous_until < now() - $3::interval limit $2)`, 0},
		// An hour later, because the clocks of nodes that check them may be behind.
		{"spent_nonces", `delete from spent_nonces where tenant_id = $1 and nonce in (
			select n.nonce from spent_nonces n where n.tenant_id = $1 and n.expires_at < now() - $3::interval order by n.expires_at limit $2)`, time.Hour},
		// Nodes may trust what they know of a key for a while.
		{"signing_keys", `delete from signing_keys where tenant_id = $1 and id in (
			select k.id from signing_keys k where k.tenant_id = $1 and k.retires_at < now() - $3::interval limit $2)`, time.Hour},
		{"pages", `delete from pages where tenant_id = $1 and id in (
			select p.id from pages p where p.tenant_id = $1 and p.expires_at < now() - $3::interval order by p.expires_at limit $2)`, time.Hour},
		// Those of projects stay: their keys are not given out again.
		{"deletions", `delete from deletions where tenant_id = $1 and id in (
			select d.id from deletions d where d.tenant_id = $1 and d.issue_id is not null and d.deleted_at < now() - $3::interval limit $2)`, 24 * time.Hour},
		{"sso_replay", `delete from sso_replay where tenant_id = $1 and id in (
			select r.id from sso_replay r where r.tenant_id = $1 and r.expires_at < now() - $3::interval order by r.expires_at limit $2)`, time.Hour},
		{"sessions", `delete from sessions where tenant_id = $1 and id in (
			select s.id from sessions s where s.tenant_id = $1 and least(s.expires_at, s.ended_at) < now() - $3::interval limit $2)`, SessionLife},
		{"oauth_connections", `delete from oauth_connections where tenant_id = $1 and id in (
			select c.id from oauth_connections c where c.tenant_id = $1 and least(c.expires_at, c.ended_at,
			case when c.token_id is null then c.code_until end) < now() - $3::interval limit $2)`, tokensKept},
	}
}

// CleanEvery removes what is no longer needed, deleted tenants too, and counts what
// the others hold, at once and then at every interval, until ctx ends. Any number of
// nodes may run it: each tenant is cleaned by one at a time. With the owner's DSN it
// shortens the audit logs too; without one that is left to colaflow audit retain.
func (s *Store) CleanEvery(ctx context.Context, interval time.Duration, ownerDSN string) {
	for {
		_, purgeErr := s.PurgeDeleted(ctx, nil)
		var retainErr error
		if ownerDSN != "" {
			_, retainErr = s.RetainAudit(ctx, ownerDSN, "cleanup")
		}
		if err := errors.Join(purgeErr, s.Cleanup(ctx), retainErr, s.countUsage(ctx, interval), s.catchUpTimelines(ctx)); err != nil && ctx.Err() == nil {
			s.log.Warn("cleanup did not finish; it goes on next time", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

// Cleanup removes spent idempotency keys and nonces, expired pages, retired signing
// keys, and tokens that ended long ago, tenant by tenant, in batches; and it lets
// members rest whom their identity provider does not sign in any more.
func (s *Store) Cleanup(ctx context.Context) error {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if t.State != tenancy.TenantActive {
			continue
		}
		for _, sw := range sweeps() {
			if err := s.sweep(ctx, t, sw); err != nil {
				return fmt.Errorf("clean %s of %s: %w", sw.name, t.Slug, err)
			}
		}
		if err := s.restIdle(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes batches until there is nothing left, or another node is at it.
// Only a batch that removed something leaves an audit row.
func (s *Store) sweep(ctx context.Context, t tenancy.Tenant, sw sweep) error {
	scope := AsSystem(t.ID, "cleanup")
	for range cleanupBatches {
		var removed int64
		entry := func() AuditRow {
			return AuditRow{TenantID: t.ID, Kind: "job", Actor: "cleanup", Method: "cleanup", Decision: Allowed, Target: sw.name,
				Changes: asJSON(map[string]int64{"removed": removed})}
		}
		err := s.Write(ctx, scope, entry, func(tx *Tx) error {
			var mine bool
			err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
				b.Queue(`select pg_try_advisory_xact_lock(hashtextextended('colaflow cleanup ' || $1::text, 0))`, scope.Tenant).QueryRow(scalar(&mine))
			})
			if err == nil && mine {
				err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
					b.Queue(sw.sql, scope.Tenant, cleanupBatch, sw.age).Exec(func(tag pgconn.CommandTag) error {
						removed = tag.RowsAffected()
						return nil
					})
				})
			}
			if err == nil && removed == 0 {
				err = errClean
			}
			return err
		})
		if errors.Is(err, errClean) {
			return nil
		}
		if err != nil || removed < cleanupBatch {
			return err
		}
	}
	return nil
}
