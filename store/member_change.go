package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// MemberChange is what of a member changes, in one transaction; what is not given stays.
type MemberChange struct {
	Role   tenancy.Role
	Active *bool
}

// method names the change in the audit log.
func (c MemberChange) method() string {
	switch {
	case c.Active == nil:
		return "member.set_role"
	case c.Role != "":
		return "member.change"
	case *c.Active:
		return "member.reactivate"
	}
	return "member.deactivate"
}

func (c MemberChange) apply(m *tenancy.Member) error {
	if c.Role != "" {
		m.Role = c.Role
	}
	switch {
	case c.Active == nil:
	case !*c.Active:
		m.State = tenancy.MemberDisabled
	case m.State != tenancy.MemberDisabled && m.State != tenancy.MemberActive:
		return tenancy.Errorf(tenancy.Conflict, "%s is %s, not disabled.", m.Label(), m.State).WithNext("Invite them instead.")
	default:
		m.State = tenancy.MemberActive
	}
	return nil
}

// ChangeMember changes what a member may do, and with it what every token of theirs may
// do, at once. Only an owner makes or unmakes an owner.
func (s *Store) ChangeMember(ctx context.Context, scope Scope, actor string, id uuid.UUID, c MemberChange) (tenancy.Member, error) {
	return s.editMember(ctx, scope, actor, c.method(), func(tx *Tx) (MemberEdit, error) { return tx.EditMember(ctx, id, c) })
}

// SetMemberRole is ChangeMember for the role.
func (s *Store) SetMemberRole(ctx context.Context, scope Scope, actor string, id uuid.UUID, role tenancy.Role) (tenancy.Member, error) {
	return s.ChangeMember(ctx, scope, actor, id, MemberChange{Role: role})
}

// DeactivateMember ends a member's access: their sessions end, and their tokens stop
// at once until they are reactivated.
func (s *Store) DeactivateMember(ctx context.Context, scope Scope, actor string, id uuid.UUID) (tenancy.Member, error) {
	return s.ChangeMember(ctx, scope, actor, id, MemberChange{Active: new(bool)})
}

// ReactivateMember undoes DeactivateMember.
func (s *Store) ReactivateMember(ctx context.Context, scope Scope, actor string, id uuid.UUID) (tenancy.Member, error) {
	active := true
	return s.ChangeMember(ctx, scope, actor, id, MemberChange{Active: &active})
}

// editMember commits an edit with its audit row.
func (s *Store) editMember(ctx context.Context, scope Scope, actor, method string, edit func(*Tx) (MemberEdit, error)) (tenancy.Member, error) {
	var e MemberEdit
	entry := func() AuditRow {
		row := scope.adminRow(actor, method, e.Target())
		row.Changes = e.Changes()
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) (err error) {
		if e, err = edit(tx); err != nil {
			return err
		}
		return tx.SaveMember(ctx, e)
	})
	if err != nil {
		return tenancy.Member{}, fmt.Errorf("%s: %w", method, err)
	}
	return e.After, nil
}

// lockMember holds the member's row and those of all active owners, always in
// the same order, so that two owners cannot demote each other at once.
func (tx *Tx) lockMember(ctx context.Context, id uuid.UUID, into *tenancy.Member) (owners []uuid.UUID, err error) {
	err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select from members where tenant_id = $1 and (id = $2 or role = 'owner') order by id for update`, scope.Tenant, id)
	}, activeOwners(&owners), MemberByID(id, into))
	if err == nil && into.ID == uuid.Nil {
		err = tenancy.Errorf(tenancy.NotFound, "Member %s does not exist in this tenant.", id)
	}
	return owners, err
}

func activeOwners(into *[]uuid.UUID) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select id from members where tenant_id = $1 and role = 'owner' and state = 'active'`, scope.Tenant).
			Query(collect(into, func(row pgx.Rows, owner *uuid.UUID) error { return row.Scan(owner) }))
	}
}
