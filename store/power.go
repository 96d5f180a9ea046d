package store

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// power is what the subject of a transaction may give to others: what it has
// itself, read in that transaction. The system may give everything.
type power struct {
	system bool
	token  uuid.UUID
	member uuid.UUID // zero for a service token
	role   tenancy.Role
	grants tenancy.Grants
}

func (tx *Tx) power(ctx context.Context) (power, error) {
	p := power{grants: tenancy.Grants{Allow: tenancy.AllPermissions}}
	var read Query
	switch scope := tx.scope; scope.kind {
	case kindSystem:
		return power{system: true}, tx.Ensure(ctx)
	case kindMember:
		p.member = scope.Subject
		read = func(b *pgx.Batch, scope Scope) {
			b.Queue(`select role from members where tenant_id = $1 and id = $2`, scope.Tenant, scope.Subject).QueryRow(scalar(&p.role))
		}
	default:
		p.token = scope.Subject
		read = func(b *pgx.Batch, scope Scope) {
			b.Queue(`select coalesce(m.role, t.role), t.grants, coalesce(t.member_id, '00000000-0000-0000-0000-000000000000')
				from tokens t left join members m on m.tenant_id = $1 and m.id = t.member_id
				where t.tenant_id = $1 and t.id = $2`, scope.Tenant, scope.Subject).
				QueryRow(func(row pgx.Row) error { return row.Scan(&p.role, &p.grants, &p.member) })
		}
	}
	return p, tx.Do(ctx, read)
}

// manage refuses who may not change the tokens of this owner: one's own, or with
// members:manage everybody's and those of services.
func (p power) manage(owner uuid.UUID) error {
	own := owner != uuid.Nil && owner == p.member
	if p.system || own || p.grants.Effective(p.role).Has(tenancy.MembersManage) {
		return nil
	}
	return tenancy.Errorf(tenancy.Forbidden, "Only an admin may manage the tokens of others.").WithNext("Ask an admin of your tenant.")
}

// admin refuses who does not administer the tenant.
func (p power) admin(what string) error {
	if p.system || p.grants.Effective(p.role).Has(tenancy.MembersManage) {
		return nil
	}
	return tenancy.Errorf(tenancy.Forbidden, "Only an admin may %s.", what).WithNext("Ask an admin of your tenant.")
}

// give refuses what the giver does not have: a higher role, a permission, or a
// project in reach.
func (p power) give(role tenancy.Role, permissions tenancy.PermissionSet, reach tenancy.Grants) error {
	if p.system {
		return nil
	}
	if role.Exceeds(p.role) {
		return tenancy.Errorf(tenancy.Forbidden, "Role %s is above your own, %s.", role, p.role).WithNext("Ask an owner of your tenant.")
	}
	if missing := permissions &^ p.grants.Effective(p.role); missing != 0 {
		return tenancy.Errorf(tenancy.Forbidden, "You do not have %s yourself, so you cannot give it.", missing.List()[0]).
			WithNext("Give less, or ask an admin of your tenant.")
	}
	covered := func(key string) bool { return p.grants.CoversProject(key) }
	if p.grants.Limited && (!reach.Limited || slices.ContainsFunc(reach.Projects, func(key string) bool { return !covered(key) })) {
		return tenancy.Errorf(tenancy.Forbidden, "You are held to some projects, so you cannot give access to others.").
			WithNext("Pass only_projects with projects of your own.")
	}
	return nil
}

// self refuses to change the subject's own token or member: its transaction
// would no longer be valid at its end.
func (p power) self(id uuid.UUID) error {
	if id != p.token && (id != p.member || p.token != uuid.Nil) || p.system {
		return nil
	}
	return tenancy.Errorf(tenancy.Forbidden, "Nobody may change what they act with.").WithNext("Ask another admin or owner.")
}
