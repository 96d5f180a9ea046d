package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	var member *uuid.UUID
	var memberName, memberEmail *string
	b := &pgx.Batch{}
	b.Queue(beginRead)
	b.Queue(`select * from authenticate($1, $2)`, slug, hash[:]).QueryRow(func(row pgx.Row) error {
		return row.Scan(&p.TenantID, &state, &p.Plan, &p.TokenID, &p.TokenName, &grants, &p.Epoch, &expires,
			&p.Role, &member, &memberName, &memberEmail)
	})
	queueCommit(b)
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return tenancy.Principal{}, interpret(err)
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
		p.ExpiresAt = *expires
	}
	if member != nil {
		p.MemberID, p.MemberName, p.MemberEmail = *member, *memberName, *memberEmail
	}
	p.Permissions = p.Grants.Effective(p.Role)
	return p, nil
}

// Token is what may be shown of a token: never its secret.
type Token struct {
	ID         uuid.UUID      `json:"id"`
	Name       string         `json:"name"`
	Owner      string         `json:"owner,omitempty"` // label of the member; empty for a service token
	Role       tenancy.Role   `json:"role"`
	Grants     tenancy.Grants `json:"permissions"`
	State      string         `json:"state"` // active, expired, revoked
	ExpiresAt  *time.Time     `json:"expires_at,omitempty"`
	CreatedAt  time.Time      `json:"created_at"`
	LastUsedAt *time.Time     `json:"last_used_at,omitempty"`
	LastIP     string         `json:"last_ip,omitempty"`
}

// NewToken is what CreateToken needs. Owner is an e-mail or handle; empty makes
// a service token with the fixed Role.
type NewToken struct {
	Name      string
	Owner     string
	Role      tenancy.Role
	Grants    tenancy.Grants
	ExpiresAt *time.Time
}

// CreateToken stores a new token and returns it with its plain form, which
// exists nowhere else and cannot be shown again.
func (s *Store) CreateToken(ctx context.Context, scope Scope, slug, actor string, n NewToken) (Token, string, error) {
	plain, hash := tokens.Mint(slug)
	t := Token{ID: tenancy.NewID(), Name: n.Name, Role: n.Role, Grants: n.Grants, State: "active",
		ExpiresAt: n.ExpiresAt, CreatedAt: s.clock().UTC()}
	entry := func() AuditRow { return adminRow(scope.Tenant, actor, "token.create", t.ID.String()) }
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		var owner *uuid.UUID
		if n.Owner != "" {
			var found []tenancy.Member
			if err := tx.Do(ctx, MembersByName([]string{n.Owner}, &found)); err != nil {
				return err
			}
			if len(found) != 1 {
				return tenancy.Errorf(tenancy.NotFound, "Member %q does not exist.", n.Owner).WithNext("Pass the e-mail of a member.")
			}
			owner, t.Owner, t.Role = &found[0].ID, found[0].Label(), found[0].Role
		}
		reach, err := tx.projectScope(ctx, n.Grants)
		if err != nil {
			return err
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into tokens (tenant_id, id, hash, name, member_id, role, grants, scope, expires_at, created_at)
				values ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, $10)`,
				scope.Tenant, t.ID, hash[:], t.Name, owner, fixedRole(owner, n.Role), n.Grants, reach, t.ExpiresAt, t.CreatedAt)
		})
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	return t, plain, nil
}

func fixedRole(owner *uuid.UUID, role tenancy.Role) tenancy.Role {
	if owner != nil {
		return ""
	}
	return role
}

// projectScope turns the project keys of grants into what row-level security
// reads: all, none, or a list of ids.
func (tx *Tx) projectScope(ctx context.Context, g tenancy.Grants) (string, error) {
	if !g.Limited {
		return "all", nil
	}
	if len(g.Projects) == 0 {
		return "none", nil
	}
	ids := map[string]string{}
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select key, id::text from projects where tenant_id = $1 and key = any($2)`, scope.Tenant, g.Projects).
			Query(func(rows pgx.Rows) error {
				var key, id string
				_, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error { ids[key] = id; return nil })
				return err
			})
	})
	if err != nil {
		return "", err
	}
	list := make([]string, 0, len(ids))
	for _, key := range g.Projects {
		if ids[key] == "" {
			return "", tenancy.Errorf(tenancy.NotFound, "Project %q does not exist.", key).WithNext("Create it first, or correct the key.")
		}
		list = append(list, ids[key])
	}
	return strings.Join(list, ","), nil
}

// Tokens lists the tenant's tokens, newest first.
func Tokens(into *[]Token) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select t.id, t.name, coalesce(m.email, m.handle, ''), coalesce(m.role, t.role), t.grants,
			  case when t.revoked_at is not null then 'revoked' when t.expires_at <= now() then 'expired' else 'active' end,
			  t.expires_at, t.created_at, u.last_used_at, coalesce(u.last_ip, '')
			from tokens t
			left join members m on m.tenant_id = t.tenant_id and m.id = t.member_id
			left join token_usage u on u.tenant_id = t.tenant_id and u.token_id = t.id
			where t.tenant_id = $1 order by t.created_at desc, t.id desc`, scope.Tenant).
			Query(collect(into, func(row pgx.Rows, t *Token) error {
				return row.Scan(&t.ID, &t.Name, &t.Owner, &t.Role, &t.Grants, &t.State, &t.ExpiresAt, &t.CreatedAt, &t.LastUsedAt, &t.LastIP)
			}))
	}
}

// RevokeToken ends a token for good. When it returns, no transaction of the
// token can read or commit any more.
func (s *Store) RevokeToken(ctx context.Context, scope Scope, actor string, id uuid.UUID) error {
	entry := func() AuditRow { return adminRow(scope.Tenant, actor, "token.revoke", id.String()) }
	return s.Write(ctx, scope, entry, func(tx *Tx) error {
		var n int
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`with r as (update tokens set revoked_at = coalesce(revoked_at, now()), epoch = epoch + 1
				where tenant_id = $1 and id = $2 returning 1) select count(*) from r`, scope.Tenant, id).QueryRow(scalar(&n))
		}, Notify(tokens.SubjectToken, id, true))
		if err == nil && n == 0 {
			err = tenancy.Errorf(tenancy.NotFound, "Token %s does not exist in this tenant.", id).WithNext("See: colaflow token list")
		}
		return err
	})
}
