package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// Secrets are the hashes of what a client is about to get.
type Secrets struct {
	Access  tokens.Hash
	Hint    string // last four characters of the access token
	Refresh tokens.SessionToken
}

// Redemption is what a client shows with its code.
type Redemption struct {
	Code        string
	ClientID    string
	RedirectURI string // empty: as allowed (OAuth 2.1, 4.1.3: the verifier proves more)
	Resource    string // empty: as allowed
	Challenge   string // S256 of the verifier
	Secrets
}

// RedeemCode turns a code into an access token, once. A code that comes with
// anything wrong is spent; one that comes twice ends what it gave (RFC 6749, 10.5).
func (s *Store) RedeemCode(ctx context.Context, r Redemption) (Connection, error) {
	return s.withConnection(ctx, tokens.Code, r.Code, byCode, "oauth.redeem", func(tx *Tx, c *Connection) (refusal, err error) {
		switch {
		case !c.waiting, c.ended, c.ClientID != r.ClientID, r.RedirectURI != "" && r.RedirectURI != c.redirect, c.challenge != r.Challenge:
			return ErrInvalidGrant, tx.endConnection(ctx, *c, EndedReused)
		case r.Resource != "" && r.Resource != c.Resource:
			return ErrInvalidTarget, tx.endConnection(ctx, *c, EndedReused)
		}
		if err := tx.endReplaced(ctx, *c); err != nil { // first: its token makes room in the plan
			return nil, err
		}
		return nil, tx.openConnection(ctx, c, r.Secrets)
	})
}

// openConnection makes the connection's token, with what is left of the grants
// under its owner's role of today.
func (tx *Tx) openConnection(ctx context.Context, c *Connection, secrets Secrets) error {
	by, err := tx.power(ctx)
	if err != nil {
		return err
	}
	c.Grants.Allow = c.Grants.Effective(by.role)
	c.Granted = c.Grants.Allow
	var owner tenancy.Member
	if err := tx.Do(ctx, MemberByID(c.MemberID, &owner)); err != nil {
		return err
	}
	expires := tx.store.clock().UTC().Add(accessLife) // set by the database's clock below
	c.TokenID = tenancy.NewID()
	err = tx.addToken(ctx, newSecret{c.TokenID, secrets.Access, secrets.Hint},
		NewToken{Name: c.name, Grants: c.Grants, ExpiresAt: &expires}, owner)
	if err != nil {
		return err
	}
	return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`update oauth_connections set redeemed_at = now(), refreshed_at = now(), token_id = $3, refresh_hash = $4, family_hash = $5 where tenant_id = $1 and id = $2`,
			scope.Tenant, c.ID, c.TokenID, secrets.Refresh.Hash[:], secrets.Refresh.Family[:])
	}, c.setAccessLife())
}

// setAccessLife sets when the access token ends: within the connection's life.
func (c *Connection) setAccessLife() Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`update tokens t set expires_at = least(now() + $4::interval, c.expires_at) from oauth_connections c
			where t.tenant_id = $1 and t.id = $2 and c.tenant_id = $1 and c.id = $3
			returning t.expires_at - now()`, scope.Tenant, c.TokenID, c.ID, accessLife).QueryRow(scalar(&c.ExpiresIn))
	}
}

// Renewal is what a client shows with its refresh token, and what it would get.
type Renewal struct {
	Refresh  string
	ClientID string
	Resource string // empty: as allowed
	// Scope is what the client asks for: within what was allowed, or empty.
	Scope tenancy.PermissionSet
	Secrets
}

// Renew replaces a connection's secrets. The refresh token before gets the same
// answer for a short while, if the same secrets follow from it; later its use, and that
// of any before it, tells of a thief and ends the connection (RFC 9700, 4.14).
func (s *Store) Renew(ctx context.Context, r Renewal) (Connection, error) {
	return s.withConnection(ctx, tokens.Refresh, r.Refresh, byRefresh, "oauth.renew", func(tx *Tx, c *Connection) (refusal, err error) {
		switch {
		case c.ended, c.ClientID != r.ClientID:
			return nil, ErrInvalidGrant
		case !c.current && !(c.previous && c.fresh):
			return errReused, tx.endConnection(ctx, *c, EndedReused)
		case r.Resource != "" && r.Resource != c.Resource:
			return nil, ErrInvalidTarget
		case r.Scope&^(c.Grants.Allow|c.Granted) != 0:
			return nil, ErrInvalidScope
		case c.previous:
			return nil, tx.sameAnswer(ctx, c, r.Secrets)
		}
		return nil, tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update oauth_connections set previous_hash = refresh_hash, refresh_hash = $3, refreshed_at = now() where tenant_id = $1 and id = $2`,
				scope.Tenant, c.ID, r.Secrets.Refresh.Hash[:])
			b.Queue(`update tokens set previous_hash = hash, previous_until = now() + $5::interval, hash = $3, hint = $4, rotated_at = now(), epoch = epoch + 1
				where tenant_id = $1 and id = $2`, scope.Tenant, c.TokenID, r.Access[:], r.Hint, accessOverlap)
		}, c.setAccessLife(), Notify(tokens.SubjectToken, c.TokenID, false))
	})
}

var errReused = errors.Join(ErrInvalidGrant, errors.New("a refresh token that was replaced came again"))

// sameAnswer checks that the renewal which was made would give these secrets.
func (tx *Tx) sameAnswer(ctx context.Context, c *Connection, secrets Secrets) error {
	same := false
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select c.refresh_hash = $3 and t.hash = $4, t.expires_at - now() from oauth_connections c
			join tokens t on t.tenant_id = $1 and t.id = c.token_id where c.tenant_id = $1 and c.id = $2`,
			scope.Tenant, c.ID, secrets.Refresh.Hash[:], secrets.Access[:]).
			QueryRow(func(row pgx.Row) error { return row.Scan(&same, &c.ExpiresIn) })
	})
	if err == nil && !same {
		err = ErrInvalidGrant
	}
	return err
}

// Disconnect ends the connection that a refresh or access token names, and so both
// (RFC 7009). One that is not known, or is another client's, is no error.
func (s *Store) Disconnect(ctx context.Context, plain, clientID string) error {
	kind, find := tokens.Refresh, byRefresh
	if _, _, ok := tokens.Access.Parse(plain); ok {
		kind, find = tokens.Access, byAccess
	}
	_, err := s.withConnection(ctx, kind, plain, find, "oauth.disconnect", func(tx *Tx, c *Connection) (refusal, err error) {
		if c.ClientID != clientID {
			return nil, ErrInvalidGrant
		}
		return nil, tx.endConnection(ctx, *c, EndedDisconnected)
	})
	if errors.Is(err, ErrInvalidGrant) {
		return nil
	}
	return err
}
