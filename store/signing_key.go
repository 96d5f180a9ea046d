package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// SigningKeys implements tenancy.KeyStore.
func (s *Store) SigningKeys(ctx context.Context, tenant tenancy.TenantID) (keys []tenancy.SealedKey, err error) {
	err = s.Read(ctx, AsSystem(tenant, "keys"), func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select id, sealed, created_at, retires_at from signing_keys
				where tenant_id = $1 and (retires_at is null or retires_at > now()) order by created_at desc, id desc`, scope.Tenant).
				Query(collect(&keys, func(row pgx.Rows, k *tenancy.SealedKey) error {
					return row.Scan(&k.ID, &k.Sealed, &k.CreatedAt, &k.RetiresAt)
				}))
		})
	})
	return keys, err
}

// AddSigningKey implements tenancy.KeyStore. Nodes that add at the same time
// wait for each other on the tenant's settings row. A key that is due to verify
// nothing sooner stays so.
func (s *Store) AddSigningKey(ctx context.Context, tenant tenancy.TenantID, by string, key tenancy.SealedKey, retire time.Time, first bool) error {
	scope := AsSystem(tenant, "keys")
	entry := func() AuditRow { return adminRow(tenant, by, "signing_key.add", key.ID.String()) }
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		var existing int
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select from tenant_settings where tenant_id = $1 for update`, scope.Tenant)
			b.Queue(`select count(*) from signing_keys where tenant_id = $1 and retires_at is null`, scope.Tenant).QueryRow(scalar(&existing))
		})
		if err == nil && first && existing > 0 {
			err = errClean
		}
		if err != nil {
			return err
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update signing_keys set retires_at = $2 where tenant_id = $1 and (retires_at is null or retires_at > $2)`, scope.Tenant, retire)
			b.Queue(`insert into signing_keys (tenant_id, id, sealed, created_at) values ($1, $2, $3, $4)`,
				scope.Tenant, key.ID, key.Sealed, key.CreatedAt)
		}, func(b *pgx.Batch, scope Scope) {
			if !first { // nobody can know the others of a tenant that had none
				Notify(tokens.SubjectTenant, tenant, false)(b, scope)
			}
		})
	})
	if errors.Is(err, errClean) {
		return nil
	}
	return err
}
