package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// idleMembers ($1 tenant, $2 how many) are those whom no identity provider has signed in
// for as many days as one of their connections allows, nor a link. Owners are left out.
const idleMembers = `select m.id from members m
	join (select i.member_id, max(i.last_sign_in_at) as last, min((p.settings -> 'rules' ->> 'idle_days')::int) as days
	  from identities i join sso_providers p on p.tenant_id = $1 and p.id = i.provider_id
	  where i.tenant_id = $1 and (p.settings -> 'rules' ->> 'idle_days')::int > 0 group by i.member_id) s on s.member_id = m.id
	where m.tenant_id = $1 and m.state = 'active' and m.role <> 'owner' and s.last < now() - make_interval(days => s.days)
	  and not exists (select from sessions l where l.tenant_id = $1 and l.member_id = m.id and l.provider = 'link'
	    and l.created_at > now() - make_interval(days => s.days))
	order by m.id limit $2 for update of m`

// restIdle lets members rest whom their identity provider has not signed in for long:
// perhaps it would not any more. Their sessions and tokens stop at once, and work
// again from their next sign-in.
func (s *Store) restIdle(ctx context.Context, t tenancy.Tenant) error {
	for range cleanupBatches {
		var idle []uuid.UUID
		entry := func() AuditRow {
			return AuditRow{TenantID: t.ID, Kind: "job", Actor: "cleanup", Method: "member.rest", Decision: Allowed, Changes: asJSON(map[string]any{"members": idle})}
		}
		err := s.Write(ctx, AsSystem(t.ID, "cleanup"), entry, func(tx *Tx) error {
			err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
				b.Queue(idleMembers, scope.Tenant, cleanupBatch).Query(collect(&idle, func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) }))
			})
			if err != nil {
				return err
			}
			if len(idle) == 0 {
				return errClean
			}
			tx.Later(func(b *pgx.Batch, scope Scope) {
				b.Queue(`update members set state = 'invited', epoch = epoch + 1 where tenant_id = $1 and id = any($2)`, scope.Tenant, idle)
			})
			for _, id := range idle {
				tx.Later(Notify(tokens.SubjectMember, id, true))
			}
			return tx.Do(ctx)
		})
		switch {
		case errors.Is(err, errClean):
			return nil
		case err != nil:
			return fmt.Errorf("let idle members of %s rest: %w", t.Slug, err)
		}
	}
	return nil
}
