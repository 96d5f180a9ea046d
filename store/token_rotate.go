package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// maxOverlap bounds how long a replaced secret may work beside the new one.
const maxOverlap = 30 * 24 * time.Hour

// RotateToken gives a token a new secret and returns it, to be shown once. The
// old one works for overlap longer, then never again; without overlap it ends at
// once. A secret of an earlier rotation ends in any case.
func (s *Store) RotateToken(ctx context.Context, scope Scope, actor string, id uuid.UUID, overlap time.Duration) (Token, string, error) {
	if overlap < 0 || overlap > maxOverlap {
		return Token{}, "", tenancy.Errorf(tenancy.InvalidValue, "The overlap may be 0 to %d days.", maxOverlap/(24*time.Hour))
	}
	var plain string
	t, err := s.changeToken(ctx, scope, actor, "token.rotate", id, func(tx *Tx, before Token, by power) error {
		switch before.State {
		case TokenRevoked:
			return errTokenEnded
		case TokenExpired:
			return tenancy.Errorf(tenancy.Conflict, "The token has expired.").WithNext("Give it a later expiry first.")
		}
		// Whoever sees the new secret can act with it.
		if err := by.give(before.Role, before.Grants.Effective(before.Role), before.Grants); err != nil {
			return err
		}
		var slug string
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select slug from tenants where id = $1`, scope.Tenant).QueryRow(scalar(&slug))
		})
		if err != nil {
			return err
		}
		var hash tokens.Hash
		plain, hash = tokens.Mint(slug)
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tokens set previous_hash = case when $5 then hash end, previous_until = case when $5 then now() + $6::interval end,
				hash = $3, hint = $4, rotated_at = now(), epoch = epoch + 1 where tenant_id = $1 and id = $2`,
				scope.Tenant, id, hash[:], hintOf(plain), overlap > 0, overlap)
		}, Notify(tokens.SubjectToken, id, overlap == 0))
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, plain, nil
}
