package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// InviteMember adds a person who may sign in from now on, with this role. Somebody who
// came with an import is invited as who they are: what they wrote stays theirs.
func (s *Store) InviteMember(ctx context.Context, scope Scope, actor, email, name string, role tenancy.Role) (tenancy.Member, error) {
	return s.editMember(ctx, scope, actor, "member.invite", func(tx *Tx) (MemberEdit, error) { return tx.EditInvitation(ctx, email, name, role) })
}

// EditInvitation returns what an invitation would make of a person, or refuses it.
func (tx *Tx) EditInvitation(ctx context.Context, email, name string, role tenancy.Role) (e MemberEdit, err error) {
	wanted, err := tenancy.NewMember(email, name, role, tx.store.clock())
	if err != nil {
		return e, err
	}
	wanted.State = tenancy.MemberInvited
	by, err := tx.power(ctx)
	if err != nil {
		return e, err
	}
	if err := by.changeMember(wanted, wanted); err != nil {
		return e, err
	}
	known, err := tx.invitable(ctx, wanted)
	if err != nil {
		return e, err
	}
	if known.ID != uuid.Nil {
		wanted.ID, wanted.Handle, wanted.CreatedAt = known.ID, known.Handle, known.CreatedAt
	}
	return MemberEdit{Before: known, After: wanted}, nil
}

// invitable finds the imported person whom an invitation means, if there is one. Who
// takes part already cannot be invited.
func (tx *Tx) invitable(ctx context.Context, wanted tenancy.Member) (known tenancy.Member, err error) {
	var found []tenancy.Member
	if err := tx.Do(ctx, MembersByName([]string{wanted.Email, wanted.Handle}, &found)); err != nil {
		return known, err
	}
	for _, m := range found {
		switch {
		case m.Email == wanted.Email && m.State != tenancy.MemberImported:
			return known, tenancy.Errorf(tenancy.Conflict, "%s is a member already, and %s.", m.Email, m.State).WithNext("Change their role, or reactivate them.")
		case m.State == tenancy.MemberImported && (m.Email == wanted.Email || m.Email == "" && m.Handle == wanted.Handle):
			return m, nil
		case m.Handle == wanted.Handle:
			return known, tenancy.Errorf(tenancy.Conflict, "The name %q is taken by %s.", m.Handle, m.Label()).WithNext("Use another address of theirs.")
		}
	}
	return known, nil
}

// AllowSignInLink records that somebody makes a one-time sign-in link for a member, and
// returns whom. A link is as good as the member: nobody makes one for a role above theirs.
func (s *Store) AllowSignInLink(ctx context.Context, scope Scope, actor string, member uuid.UUID) (m tenancy.Member, err error) {
	entry := func() AuditRow { return scope.adminRow(actor, "member.signin_link", m.Label()) }
	err = s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if err := by.admin("make sign-in links"); err != nil {
			return err
		}
		if err := tx.Do(ctx, MemberByID(member, &m)); err != nil {
			return err
		}
		switch {
		case m.ID == uuid.Nil:
			return tenancy.Errorf(tenancy.NotFound, "There is no such member.")
		case !m.TakesPlace():
			return tenancy.Errorf(tenancy.Conflict, "%s is %s and may not sign in.", m.Label(), m.State).WithNext("Invite or reactivate them first.")
		}
		return by.give(m.Role, 0, by.grants)
	})
	if err != nil {
		return tenancy.Member{}, fmt.Errorf("member.signin_link: %w", err)
	}
	return m, nil
}
