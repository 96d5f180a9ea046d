package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/tenancy"
)

// errSpent ends a transaction that came second.
var errSpent = errors.New("spent before")

// Spend implements sso.ReplayStore: the primary key lets one caller win, with all
// of its ids or none.
func (s *Store) Spend(ctx context.Context, tenant tenancy.TenantID, once sso.Once) (bool, error) {
	entry := func() AuditRow { return signInRow(tenant, "system:sso", "sso.spend", replayID(once.IDs[0])) }
	err := s.Write(ctx, AsSystem(tenant, "sso"), entry, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			const insert = `insert into sso_replay (tenant_id, id, sealed, expires_at) values ($1, $2, nullif($3, ''), $4) on conflict do nothing`
			for _, id := range once.IDs {
				b.Queue(insert, scope.Tenant, replayID(id), "", once.Until).Exec(func(tag pgconn.CommandTag) error {
					if tag.RowsAffected() == 0 {
						return errSpent
					}
					return nil
				})
			}
			if once.Handle != "" {
				b.Queue(insert, scope.Tenant, replayID(once.Handle), once.Sealed, once.Waits)
			}
		})
	})
	if errors.Is(err, errSpent) {
		return false, nil
	}
	return err == nil, err
}

// TakeResult implements sso.ReplayStore.
func (s *Store) TakeResult(ctx context.Context, tenant tenancy.TenantID, handle string) (sealed string, err error) {
	entry := func() AuditRow { return signInRow(tenant, "system:sso", "sso.take_result", replayID(handle)) }
	err = s.Write(ctx, AsSystem(tenant, "sso"), entry, func(tx *Tx) error {
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`delete from sso_replay where tenant_id = $1 and id = $2 and sealed is not null and expires_at > $3 returning sealed`,
				scope.Tenant, replayID(handle), s.clock()).Query(collectOne(&sealed, func(row pgx.Rows, text *string) error { return row.Scan(text) }))
		})
		if err == nil && sealed == "" {
			err = errSpent
		}
		return err
	})
	if errors.Is(err, errSpent) {
		return "", nil
	}
	return sealed, err
}

// replayID is how an id is stored: whoever reads the table cannot use a handle.
func replayID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// signInRow is the audit row of a step of a sign-in.
func signInRow(tenant tenancy.TenantID, actor, method, target string) AuditRow {
	row := adminRow(tenant, actor, method, target)
	row.Kind = "sign_in"
	return row
}
