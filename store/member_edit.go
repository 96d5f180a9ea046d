package store

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// MemberEdit is a change of a member that may be made: everything is checked and locked,
// nothing is written. Before is zero for somebody who is new.
type MemberEdit struct{ Before, After tenancy.Member }

// Target is whom the audit log names.
func (e MemberEdit) Target() string {
	if e.Before.ID == uuid.Nil {
		return e.After.Label()
	}
	return e.Before.Label()
}

// Changes lists what changes, for the audit log. An invitation tells all of the person,
// whoever they were before.
func (e MemberEdit) Changes() json.RawMessage {
	if e.After.State == tenancy.MemberInvited && e.Before.State != tenancy.MemberInvited {
		return changesBetween(tenancy.Member{}, e.After)
	}
	return changesBetween(e.Before, e.After)
}

// EditMember returns what a change would make of a member, or refuses it: a tenant keeps
// at least one active owner, and nobody touches a role above their own.
func (tx *Tx) EditMember(ctx context.Context, id uuid.UUID, c MemberChange) (e MemberEdit, err error) {
	by, err := tx.power(ctx)
	if err != nil {
		return e, err
	}
	owners, err := tx.lockMember(ctx, id, &e.Before)
	if err != nil {
		return e, err
	}
	e.After = e.Before
	if err := c.apply(&e.After); err != nil {
		return e, err
	}
	if err := by.changeMember(e.Before, e.After); err != nil {
		return e, err
	}
	owns := func(m tenancy.Member) bool { return m.Role == tenancy.RoleOwner && m.State == tenancy.MemberActive }
	if owns(e.Before) && !owns(e.After) && !slices.ContainsFunc(owners, func(o uuid.UUID) bool { return o != id }) {
		return e, tenancy.Errorf(tenancy.Conflict, "%s is the last owner of this tenant.", e.Before.Label()).WithNext("Make another member an owner first.")
	}
	return e, nil
}

// SaveMember writes an edit, and tells every node. What a member may do changes at once,
// and with it what every token of theirs may do; the sessions of who may not act end.
func (tx *Tx) SaveMember(ctx context.Context, e MemberEdit) error {
	m := e.After
	if m.State == tenancy.MemberDisabled {
		if _, err := tx.endSessions(ctx, endedDeactivated, `member_id = $3`, m.ID); err != nil {
			return err
		}
	}
	adds := m.TakesPlace() && !e.Before.TakesPlace()
	write := InsertMembers([]tenancy.Member{m})
	if e.Before.ID != uuid.Nil {
		write = func(b *pgx.Batch, scope Scope) {
			b.Queue(`update members set email = nullif($3, ''), name = $4, role = $5, state = $6, epoch = epoch + 1 where tenant_id = $1 and id = $2`,
				scope.Tenant, m.ID, m.Email, m.Name, m.Role, m.State)
			withinPlanIf(adds, tenancy.QuotaMembers)(b, scope)
		}
	}
	return tx.Do(ctx, write, Notify(tokens.SubjectMember, m.ID, !m.TakesPlace()))
}

// changeMember refuses who may not manage members, and who would touch a role above
// their own. Agents leave owners alone, and who they act for; and an agent that is held
// to some projects does not decide about people, who are not.
func (p power) changeMember(before, after tenancy.Member) error {
	if err := p.self(before.ID); err != nil {
		return err
	}
	if err := p.admin("manage members"); err != nil {
		return err
	}
	if p.token != uuid.Nil {
		switch {
		case before.Role == tenancy.RoleOwner || after.Role == tenancy.RoleOwner:
			return tenancy.Errorf(tenancy.Forbidden, "An agent may not change who owns the tenant.").WithNext("An owner can, in the console. Do not retry.")
		case before.ID == p.member:
			return tenancy.Errorf(tenancy.Forbidden, "An agent may not change the member that it acts for.").WithNext("Ask another admin or owner.")
		}
	}
	for _, role := range []tenancy.Role{before.Role, after.Role} {
		if err := p.give(role, 0, tenancy.Grants{}); err != nil {
			return err
		}
	}
	return nil
}
