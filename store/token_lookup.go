package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// LookupToken implements tokens.Lookup: one round trip, inside the tenant that
// the slug names.
func (s *Store) LookupToken(ctx context.Context, slug string, hash tokens.Hash) (tenancy.Principal, error) {
	p := tenancy.Principal{TenantSlug: slug}
	var state tenancy.TenantState
	var grants []byte
	var expires *time.Time
	var seconds *float64
	var member *uuid.UUID
	var memberName, memberEmail *string
	b := &pgx.Batch{}
	b.Queue(beginRead)
	b.Queue(`select * from authenticate($1, $2)`, slug, hash[:]).QueryRow(func(row pgx.Row) error {
		return row.Scan(&p.TenantID, &state, &p.Plan, &p.TokenID, &p.TokenName, &grants, &p.Epoch, &expires, &seconds,
			&p.Replaced, &p.Networks, &p.Role, &member, &memberName, &memberEmail)
	})
	queueCommit(b)
	conn, err := s.acquireAny(ctx)
	if err != nil {
		return tenancy.Principal{}, err
	}
	defer conn.Release()
	err = conn.SendBatch(ctx, b).Close()
	rollback(ctx, conn)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return tenancy.Principal{}, errRevoked
	case err != nil:
		return tenancy.Principal{}, interpret(err)
	case state == tenancy.TenantSuspended:
		return tenancy.Principal{}, errSuspended
	}
	if p.Grants, err = tenancy.ParseGrants(grants); err != nil {
		s.log.Error("a token's stored permissions are not valid", "token", p.TokenID, "error", err)
		return tenancy.Principal{}, errRevoked
	}
	if expires != nil {
		p.ExpiresAt, p.ExpiresIn = *expires, time.Duration(*seconds*float64(time.Second))
	}
	if member != nil {
		p.MemberID, p.MemberName, p.MemberEmail = *member, *memberName, *memberEmail
	}
	p.Permissions = p.Grants.Effective(p.Role)
	return p, nil
}
