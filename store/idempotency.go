package store

import (
	"bytes"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// ClaimKey takes an idempotency key for this write. If the same call has been
// answered before, it returns that answer; a parallel twin waits for the first
// to commit. Another call under the same key is an IdempotencyConflict.
func (tx *Tx) ClaimKey(ctx context.Context, tool, key string, digest []byte) (answer []byte, err error) {
	var claimed bool
	var before []byte
	err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`delete from idempotency_keys where tenant_id = $1 and token_id = $2 and tool = $3 and key = $4
			and created_at < now() - interval '24 hours'`, scope.Tenant, scope.Subject, tool, key)
		b.Queue(`with k as (insert into idempotency_keys (tenant_id, token_id, tool, key, args_digest) values ($1, $2, $3, $4, $5)
			on conflict do nothing returning 1) select count(*) > 0 from k`, scope.Tenant, scope.Subject, tool, key, digest).
			QueryRow(scalar(&claimed))
		b.Queue(`select args_digest, answer from idempotency_keys where tenant_id = $1 and token_id = $2 and tool = $3 and key = $4`,
			scope.Tenant, scope.Subject, tool, key).QueryRow(func(row pgx.Row) error { return row.Scan(&before, &answer) })
	})
	switch {
	case err != nil || claimed:
		return nil, err
	case !bytes.Equal(before, digest):
		return nil, tenancy.Errorf(tenancy.IdempotencyConflict, "idempotency_key %q was used for another call of %s.", key, tool).
			WithNext("Use a new key for a new call.")
	}
	return answer, nil
}

// KeepAnswer stores the answer of the write under its claimed key.
func (tx *Tx) KeepAnswer(tool, key string, answer []byte) {
	tx.Later(func(b *pgx.Batch, scope Scope) {
		b.Queue(`update idempotency_keys set answer = $5 where tenant_id = $1 and token_id = $2 and tool = $3 and key = $4`,
			scope.Tenant, scope.Subject, tool, key, answer)
	})
}
