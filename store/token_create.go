package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// NewToken is what CreateToken needs. The owner is the member OwnerID, or whom Owner
// names; neither makes a service token with the fixed Role.
type NewToken struct {
	Name      string
	Owner     string
	OwnerID   uuid.UUID
	Role      tenancy.Role
	Grants    tenancy.Grants
	ExpiresAt *time.Time
	Networks  tenancy.Networks
}

// CreateToken stores a new token and returns it with its plain form, which
// exists nowhere else and cannot be shown again. Scope is who makes it: nobody
// but the system can give what it does not have.
func (s *Store) CreateToken(ctx context.Context, scope Scope, slug, actor string, n NewToken) (Token, string, error) {
	plain, hash := tokens.Mint(slug)
	var t Token
	id := tenancy.NewID()
	entry := func() AuditRow {
		row := scope.adminRow(actor, "token.create", id.String())
		row.Changes = changesBetween(TokenSettings{}, t.TokenSettings)
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		owner, err := tx.tokenOwner(ctx, n)
		if err != nil {
			return err
		}
		if err := tx.addToken(ctx, newSecret{id, hash, hintOf(plain)}, n, owner); err != nil {
			return err
		}
		return tx.Do(ctx, TokenByID(id, &t))
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	return t, plain, nil
}

// newSecret is what the database keeps of a new token's plain form.
type newSecret struct {
	id   uuid.UUID
	hash tokens.Hash
	hint string
}

// addToken stores a token of an owner. It refuses settings that cannot be stored,
// what the subject of the transaction may not give, and what the plan does not allow.
func (tx *Tx) addToken(ctx context.Context, secret newSecret, n NewToken, owner tenancy.Member) error {
	by, err := tx.power(ctx)
	if err != nil {
		return err
	}
	settings := TokenSettings{Name: n.Name, Grants: n.Grants, ExpiresAt: n.ExpiresAt, Networks: n.Networks}
	if err := settings.check(); err != nil {
		return err
	}
	if err := by.manage(owner.ID); err != nil {
		return err
	}
	if err := by.give(owner.Role, n.Grants.Allow&^n.Grants.Deny, n.Grants); err != nil {
		return err
	}
	reach, err := tx.projectScope(ctx, n.Grants, nil)
	if err != nil {
		return err
	}
	return tx.Do(ctx, holdQuota(tenancy.QuotaTokens), func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into tokens (tenant_id, id, hash, hint, name, member_id, role, grants, scope, allowed_ips, expires_at, created_by, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			scope.Tenant, secret.id, secret.hash[:], secret.hint, settings.Name, nullID(owner.ID), fixedRole(owner), settings.Grants, reach,
			settings.networks(), settings.ExpiresAt, nullID(by.member), tx.store.clock().UTC())
	}, withinPlan(tenancy.QuotaTokens, 0))
}

// tokenOwner is whom a new token acts for; for a service token a nobody with its role.
func (tx *Tx) tokenOwner(ctx context.Context, n NewToken) (m tenancy.Member, err error) {
	if n.OwnerID != uuid.Nil {
		return m, tx.Do(ctx, MemberByID(n.OwnerID, &m))
	}
	if n.Owner == "" {
		return tenancy.Member{Role: n.Role}, nil
	}
	var found []tenancy.Member
	if err := tx.Do(ctx, MembersByName([]string{n.Owner}, &found)); err != nil {
		return tenancy.Member{}, err
	}
	m, err = PickMember(n.Owner, found)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		err = tenancy.Errorf(tenancy.NotFound, "Member %q does not exist.", n.Owner).WithNext("Pass the e-mail of a member.")
	}
	return m, err
}

// fixedRole is the role column: set for a service token only.
func fixedRole(owner tenancy.Member) *tenancy.Role {
	if owner.ID != uuid.Nil {
		return nil
	}
	return &owner.Role
}

// hintOf is what may be shown of a plain token for good: its last four characters.
func hintOf(plain string) string { return plain[len(plain)-4:] }

// projectScope turns the project keys of grants into what row-level security
// reads: all, none, or a list of ids. Keys that are known already keep their ids,
// also when the project is gone.
func (tx *Tx) projectScope(ctx context.Context, g tenancy.Grants, known map[string]string) (string, error) {
	if !g.Limited {
		return "all", nil
	}
	if len(g.Projects) == 0 {
		return "none", nil
	}
	ids := map[string]string{}
	maps.Copy(ids, known)
	unknown := slices.DeleteFunc(slices.Clone(g.Projects), func(key string) bool { return ids[key] != "" })
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select key, id::text from projects where tenant_id = $1 and key = any($2)`, scope.Tenant, unknown).
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

// projectsOf takes apart what projectScope made of these grants: ids by key.
func projectsOf(g tenancy.Grants, scope string) map[string]string {
	list := strings.Split(scope, ",")
	if !g.Limited || len(list) != len(g.Projects) || scope == "none" {
		return nil
	}
	ids := make(map[string]string, len(list))
	for n, key := range g.Projects {
		ids[key] = list[n]
	}
	return ids
}
