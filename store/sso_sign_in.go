package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// SignIn finds or makes the member whom an identity belongs to, in one transaction:
// the one who has it, or by the connection's rules the one with its address, or a
// new one. Their role is what the rules say now. A refusal is a sso.Problem, and is
// audited too. The caller begins the session.
func (s *Store) SignIn(ctx context.Context, tenant tenancy.TenantID, id sso.Identity) (tenancy.Member, error) {
	var in signIn
	row := func(decision string) AuditRow {
		row := signInRow(tenant, cmp.Or(in.after.Label(), id.Label()), "sso.sign_in", in.provider.Name)
		row.Decision = decision
		if in.after.ID != uuid.Nil {
			row.MemberID = &in.after.ID
		}
		row.Args = asJSON(map[string]any{"issuer": id.Issuer, "subject": id.Subject, "action": in.verdict.Action})
		return row
	}
	entry := func() AuditRow {
		row := row(Allowed)
		row.Changes = changesBetween(in.before, in.after)
		return row
	}
	err := s.Write(ctx, AsSystem(tenant, "sso"), entry, func(tx *Tx) error {
		in = signIn{}
		if err := tx.judge(ctx, id, &in); err != nil {
			return err
		}
		return tx.carryOut(ctx, id, &in, s.clock().UTC())
	})
	if p := sso.ProblemIn(err); p != nil {
		in.after = in.before
		denied := row(Denied)
		denied.Rule, denied.Changes = string(p.Code), nil
		if auditErr := s.Record(ctx, denied); auditErr != nil {
			return tenancy.Member{}, auditErr
		}
	}
	if err != nil {
		return tenancy.Member{}, fmt.Errorf("sso.sign_in: %w", err)
	}
	return in.after, nil
}

// TrySignIn tells what SignIn would make of an identity, and changes nothing.
func (s *Store) TrySignIn(ctx context.Context, tenant tenancy.TenantID, id sso.Identity) (sso.Verdict, error) {
	var in signIn
	err := s.Read(ctx, AsSystem(tenant, "sso"), func(tx *Tx) error {
		tx.Pin()
		return tx.judge(ctx, id, &in)
	})
	return in.verdict, err
}

// signIn is what a sign-in finds and does.
type signIn struct {
	provider      storedProvider
	verdict       sso.Verdict
	before, after tenancy.Member
}

// judge finds whose an identity is, and lets the rules decide. In a write it holds
// what it has found, so that two first sign-ins make one member.
func (tx *Tx) judge(ctx context.Context, id sso.Identity, in *signIn) error {
	writes, lock := tx.begin == beginWrite, ""
	email, _ := id.Address() // the rules say what is wrong with it
	if writes {
		lock = " for share"
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select pg_advisory_xact_lock(hashtextextended('colaflow sign-in ' || $1::text || ' ' || $2::text, 0))`, scope.Tenant, email)
		})
		if err != nil {
			return err
		}
	}
	var owner, same uuid.UUID
	var known bool
	scanID := func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) }
	err := tx.Do(ctx, providerBy("p.id = $2", lock, id.Provider, &in.provider), func(b *pgx.Batch, scope Scope) {
		b.Queue(`select member_id from identities where tenant_id = $1 and provider_id = $2 and issuer = $3 and subject = $4`,
			scope.Tenant, id.Provider, id.Issuer, id.Subject).Query(collectOne(&owner, scanID))
		b.Queue(`select id from members where tenant_id = $1 and email = $2`, scope.Tenant, email).Query(collectOne(&same, scanID))
		b.Queue(`select exists (select from identities i join members m on m.tenant_id = $1 and m.id = i.member_id
			where i.tenant_id = $1 and i.provider_id = $2 and m.email = $3)`, scope.Tenant, id.Provider, email).QueryRow(scalar(&known))
	})
	if err != nil {
		return err
	}
	if in.provider.ID == uuid.Nil {
		return ErrNoProvider
	}
	found := sso.Found{Ceiling: in.provider.Ceiling, Known: known}
	if member := cmp.Or(owner, same); member != uuid.Nil {
		var owners []uuid.UUID
		if owners, err = tx.findMember(ctx, member, writes, &in.before); err != nil {
			return err
		}
		found.LastOwner = len(owners) == 1 && owners[0] == member
		if owner != uuid.Nil {
			found.Owner = &in.before
		} else {
			found.SameEmail = &in.before
		}
	}
	in.verdict, err = in.provider.Rules.Judge(id, found)
	return err
}

// findMember reads a member and who owns the tenant; a write holds both.
func (tx *Tx) findMember(ctx context.Context, id uuid.UUID, hold bool, into *tenancy.Member) (owners []uuid.UUID, err error) {
	if hold {
		return tx.lockMember(ctx, id, into)
	}
	return owners, tx.Do(ctx, MemberByID(id, into), activeOwners(&owners))
}

// carryOut does what the verdict says, and notes that the identity was here.
func (tx *Tx) carryOut(ctx context.Context, id sso.Identity, in *signIn, now time.Time) error {
	v := in.verdict
	if v.Action == sso.Create {
		m, err := tx.newcomer(ctx, id, v, now)
		if err != nil {
			return err
		}
		in.after = m
		tx.Later(InsertMembers([]tenancy.Member{m}))
	} else {
		in.after = in.before
		in.after.Role, in.after.State = v.Role, tenancy.MemberActive
		if in.after != in.before {
			tx.Later(func(b *pgx.Batch, scope Scope) {
				b.Queue(`update members set role = $3, state = $4, epoch = epoch + 1 where tenant_id = $1 and id = $2`,
					scope.Tenant, in.after.ID, in.after.Role, in.after.State)
			}, withinPlanIf(!in.before.TakesPlace(), tenancy.QuotaMembers), Notify(tokens.SubjectMember, in.after.ID, false))
		}
	}
	return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`insert into identities as i (tenant_id, provider_id, issuer, subject, member_id, email, created_at, last_sign_in_at)
			values ($1, $2, $3, $4, $5, $6, now(), now()) on conflict (tenant_id, provider_id, issuer, subject)
			do update set email = excluded.email, last_sign_in_at = excluded.last_sign_in_at`,
			scope.Tenant, id.Provider, id.Issuer, id.Subject, in.after.ID, v.Email)
	})
}

// newcomer is the member that a first sign-in makes. Whose name at the company is
// somebody else's here already goes by the whole address.
func (tx *Tx) newcomer(ctx context.Context, id sso.Identity, v sso.Verdict, now time.Time) (tenancy.Member, error) {
	m, err := tenancy.NewMember(v.Email, id.Name, v.Role, now)
	if err != nil {
		return m, err
	}
	var taken bool
	err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select exists (select from members where tenant_id = $1 and handle = $2)`, scope.Tenant, m.Handle).QueryRow(scalar(&taken))
	})
	if taken {
		m.Handle = m.Email
	}
	return m, err
}

// Unlink makes a provider forget who a member is there, so that another account of
// theirs can take its place.
func (s *Store) Unlink(ctx context.Context, scope Scope, actor string, provider, member uuid.UUID) error {
	var removed int64
	var of storedProvider
	var m tenancy.Member
	entry := func() AuditRow {
		row := scope.adminRow(actor, "sso.unlink", m.Label())
		row.Changes = asJSON([]map[string]string{{"field": "identity", "before": of.Name}})
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if err := tx.Do(ctx, providerBy("p.id = $2", "", provider, &of), MemberByID(member, &m)); err != nil {
			return err
		}
		if _, err := by.connect(of.Connection); err != nil {
			return err
		}
		if err := by.give(m.Role, 0, by.grants); err != nil {
			return err
		}
		err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`delete from identities where tenant_id = $1 and provider_id = $2 and member_id = $3`, scope.Tenant, provider, member).
				Exec(func(tag pgconn.CommandTag) error { removed = tag.RowsAffected(); return nil })
		})
		if err == nil && removed == 0 {
			return tenancy.Errorf(tenancy.NotFound, "No account of this member is known at that provider.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("sso.unlink: %w", err)
	}
	return nil
}
