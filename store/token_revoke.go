package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// RevokeToken ends a token for good. When it returns, no transaction of the
// token can read or commit any more.
func (s *Store) RevokeToken(ctx context.Context, scope Scope, actor string, id uuid.UUID) error {
	_, err := s.changeToken(ctx, scope, actor, "token.revoke", id, func(tx *Tx, _ Token, _ power) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tokens set revoked_at = coalesce(revoked_at, now()), previous_hash = null, previous_until = null, epoch = epoch + 1
				where tenant_id = $1 and id = $2`, scope.Tenant, id)
		}, Notify(tokens.SubjectToken, id, true))
	})
	return err
}

// RevokePlain ends the token whose plain form somebody found. It works for the
// secret before a rotation too. The plain form is in no error and no row.
func (s *Store) RevokePlain(ctx context.Context, actor, plain string) (tenancy.Tenant, Token, error) {
	unknown := tenancy.Errorf(tenancy.NotFound, "That is not a token of this installation.").WithNext("Nothing was revoked.")
	slug, hash, ok := tokens.Parse(plain)
	if !ok {
		return tenancy.Tenant{}, Token{}, unknown
	}
	tenant, err := s.Tenant(ctx, slug)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		return tenant, Token{}, unknown
	} else if err != nil {
		return tenant, Token{}, err
	}
	scope := AsSystem(tenant.ID, actor)
	var found []uuid.UUID
	err = s.Read(ctx, scope, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select id from tokens where tenant_id = $1 and (hash = $2 or previous_hash = $2)`, scope.Tenant, hash[:]).
				Query(collect(&found, func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) }))
		})
	})
	if err != nil {
		return tenant, Token{}, err
	}
	if len(found) == 0 {
		return tenant, Token{}, unknown
	}
	if err := s.RevokeToken(ctx, scope, actor, found[0]); err != nil {
		return tenant, Token{}, err
	}
	var t Token
	err = s.Read(ctx, scope, func(tx *Tx) error { return tx.Do(ctx, TokenByID(found[0], &t)) })
	return tenant, t, err
}

// RevokeIssuedBefore ends every token whose secret was issued before a time: the
// remedy after a restore, which brings back tokens that were revoked since the
// backup. It returns how many worked until now.
func (s *Store) RevokeIssuedBefore(ctx context.Context, scope Scope, actor string, issued time.Time) (int, error) {
	var ended []uuid.UUID
	entry := func() AuditRow {
		row := scope.adminRow(actor, "token.revoke_all", "issued before "+issued.UTC().Format(time.RFC3339))
		row.Changes = asJSON(map[string]any{"revoked": ended})
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if err := by.manage(uuid.Nil); err != nil {
			return err
		}
		ids := func(into *[]uuid.UUID) func(pgx.Rows) error {
			return collect(into, func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) })
		}
		var kept []uuid.UUID // rotated since then: only the secret before is old
		err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tokens set revoked_at = now(), previous_hash = null, previous_until = null, epoch = epoch + 1
				where tenant_id = $1 and revoked_at is null and id <> $3 and coalesce(rotated_at, created_at) < $2 returning id`,
				scope.Tenant, issued, by.token).Query(ids(&ended))
			b.Queue(`update tokens set previous_hash = null, previous_until = null, epoch = epoch + 1
				where tenant_id = $1 and previous_until > now() and id <> $3 and rotated_at >= $2 returning id`,
				scope.Tenant, issued, by.token).Query(ids(&kept))
		})
		if err != nil {
			return err
		}
		told := make([]Query, 0, len(ended)+len(kept))
		for _, id := range ended {
			told = append(told, Notify(tokens.SubjectToken, id, true))
		}
		for _, id := range kept {
			told = append(told, Notify(tokens.SubjectToken, id, false))
		}
		return tx.Do(ctx, told...)
	})
	if err != nil {
		return 0, fmt.Errorf("token.revoke_all: %w", err)
	}
	return len(ended), nil
}
