package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
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
	return s.changeMember(ctx, scope, actor, c.method(), id, c.apply)
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

// changeMember commits a change of role or state with its audit row, and tells
// every node. A tenant keeps at least one active owner.
func (s *Store) changeMember(ctx context.Context, scope Scope, actor, method string, id uuid.UUID, change func(*tenancy.Member) error) (tenancy.Member, error) {
	var before, after tenancy.Member
	entry := func() AuditRow {
		row := scope.adminRow(actor, method, before.Label())
		row.Changes = changesBetween(before, after)
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		owners, err := tx.lockMember(ctx, id, &before)
		if err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		if err := by.changeMember(before, after); err != nil {
			return err
		}
		owns := func(m tenancy.Member) bool { return m.Role == tenancy.RoleOwner && m.State == tenancy.MemberActive }
		if owns(before) && !owns(after) && !slices.ContainsFunc(owners, func(o uuid.UUID) bool { return o != id }) {
			return tenancy.Errorf(tenancy.Conflict, "%s is the last owner of this tenant.", before.Label()).WithNext("Make another member an owner first.")
		}
		if after.State == tenancy.MemberDisabled {
			if err := tx.endSessions(ctx, endedDeactivated, `member_id = $3`, id); err != nil {
				return err
			}
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update members set role = $3, state = $4, epoch = epoch + 1 where tenant_id = $1 and id = $2`,
				scope.Tenant, id, after.Role, after.State)
		}, withinPlanIf(after.TakesPlace() && !before.TakesPlace(), tenancy.QuotaMembers), Notify(tokens.SubjectMember, id, after.State != tenancy.MemberActive))
	})
	if err != nil {
		return tenancy.Member{}, fmt.Errorf("%s: %w", method, err)
	}
	return after, nil
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

// changeMember refuses who may not manage members, and who would touch a role
// above their own.
func (p power) changeMember(before, after tenancy.Member) error {
	if err := p.self(before.ID); err != nil {
		return err
	}
	if err := p.admin("manage members"); err != nil {
		return err
	}
	for _, role := range []tenancy.Role{before.Role, after.Role} {
		if err := p.give(role, 0, p.grants); err != nil {
			return err
		}
	}
	return nil
}
