package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// ExplainToken says whether a token may do something now, and by which rule. It
// asks as the system, so it tells apart what the token itself may not.
func (s *Store) ExplainToken(ctx context.Context, scope Scope, id uuid.UUID, action tenancy.Action) (tenancy.Decision, error) {
	var found bool
	var standing tenancy.Standing
	err := s.Read(ctx, scope, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select n.state, t.revoked_at is not null, coalesce(t.expires_at <= now(), false), coalesce(m.state, ''),
				  coalesce(m.role, t.role), t.grants,
				  not exists (select from projects p where p.tenant_id = $1 and p.key = $3)
				from tokens t
				join tenants n on n.id = t.tenant_id
				left join members m on m.tenant_id = t.tenant_id and m.id = t.member_id
				where t.tenant_id = $1 and t.id = $2 and t.removed_at is null`, scope.Tenant, id, action.Project).
				Query(func(rows pgx.Rows) error {
					if found = rows.Next(); !found {
						return rows.Err()
					}
					return rows.Scan(&standing.Tenant, &standing.Revoked, &standing.Expired, &standing.Owner, &standing.Role,
						&standing.Grants, &action.Unknown)
				})
		})
	})
	if err != nil {
		return tenancy.Decision{}, err
	}
	if !found {
		return tenancy.Decision{}, errNoToken(id)
	}
	return tenancy.Decide(standing, action), nil
}
