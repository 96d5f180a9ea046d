package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// SpendNonce implements tenancy.NonceStore: the primary key lets one caller win.
func (s *Store) SpendNonce(ctx context.Context, tenant tenancy.TenantID, nonce uuid.UUID, expires time.Time) (fresh bool, err error) {
	entry := func() AuditRow {
		row := adminRow(tenant, "system:links", "link.spend", nonce.String())
		if !fresh {
			row.Decision, row.Rule = Denied, "the link was used before"
		}
		return row
	}
	err = s.Write(ctx, AsSystem(tenant, "links"), entry, func(tx *Tx) error {
		return tx.Do(ctx, Spend(nonce, expires, &fresh))
	})
	return fresh && err == nil, err
}

// Spend uses up a nonce together with what the transaction does; of several, also at
// once, one gets it fresh. It must be kept until expires.
func Spend(nonce uuid.UUID, expires time.Time, fresh *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`with n as (insert into spent_nonces (tenant_id, nonce, expires_at) values ($1, $2, $3)
			on conflict do nothing returning 1) select count(*) > 0 from n`, scope.Tenant, nonce, expires).QueryRow(scalar(fresh))
	}
}
