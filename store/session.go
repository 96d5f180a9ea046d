package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// SessionLife is how long a session lives without being renewed.
const SessionLife = 7 * 24 * time.Hour

// SessionMost is how long a session lives at most, however often it is renewed: then the
// person signs in again.
const SessionMost = 30 * 24 * time.Hour

// sessionGrace is how long the refresh token before may ask again: a second window,
// or a browser that lost the answer. It gets the same answer.
const sessionGrace = 30 * time.Second

// ErrSessionEnded refuses a refresh token that is unknown, used up, expired or ended.
var ErrSessionEnded = tenancy.Errorf(tenancy.Unauthenticated, "The session has ended.").WithNext("Sign in again.")

// Session is a signed-in person in one browser, without its secret.
type Session struct {
	ID        uuid.UUID `json:"id"`
	Provider  string    `json:"provider"`
	UserAgent string    `json:"user_agent"`
	ClientIP  string    `json:"client_ip"`
	CreatedAt time.Time `json:"created_at"`
	RenewedAt time.Time `json:"renewed_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ByLink is the provider of sessions that begin with a one-time link.
const ByLink = "link"

// NewSession is what BeginSession needs.
type NewSession struct {
	Provider  string // how the person signed in, such as link
	Refresh   tokens.SessionToken
	UserAgent string
}

// Person is the member of a session, as they are now.
type Person struct {
	tenancy.Member
	Tenant  tenancy.Tenant
	Epoch   int64
	Session uuid.UUID
	// Provider is how they signed in.
	Provider string
}

// BeginSession signs a member in. An invited one becomes active with it; one who may
// not act is refused.
func (s *Store) BeginSession(ctx context.Context, tenant tenancy.Tenant, member uuid.UUID, n NewSession) (Person, error) {
	p := Person{Tenant: tenant, Session: tenancy.NewID(), Provider: n.Provider}
	entry := func() AuditRow {
		row := adminRow(tenant.ID, p.Label(), "session.begin", p.Session.String())
		row.Kind, row.MemberID, row.Client = "sign_in", &member, n.UserAgent
		row.Args = asJSON(map[string]string{"provider": n.Provider})
		return row
	}
	err := s.Write(ctx, AsSystem(tenant.ID, "sign-in"), entry, func(tx *Tx) error {
		var required bool
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select from members where tenant_id = $1 and id = $2 for no key update`, scope.Tenant, member) // or they could be deactivated meanwhile
			b.Queue(`update members set state = 'active', epoch = epoch + 1 where tenant_id = $1 and id = $2 and state = 'invited'`, scope.Tenant, member)
			b.Queue(`select sso_required from tenant_settings where tenant_id = $1 for share`, scope.Tenant).QueryRow(scalar(&required)) // or RequireSSO could miss the session
		}, memberEpoch(member, &p.Member, &p.Epoch))
		if err != nil {
			return err
		}
		if p.State != tenancy.MemberActive {
			return tenancy.Errorf(tenancy.Forbidden, "You may not sign in to this tenant any more.").WithNext("Ask an admin of your company.")
		}
		if n.Provider == ByLink && required && p.Role != tenancy.RoleOwner {
			return tenancy.Errorf(tenancy.Forbidden, "Your company lets only owners sign in by a link.").WithNext("Sign in with your company's account.")
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into sessions (tenant_id, id, member_id, provider, family_hash, refresh_hash, user_agent, client_ip, expires_at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::interval)`,
				scope.Tenant, p.Session, member, n.Provider, n.Refresh.Family[:], n.Refresh.Hash[:], n.UserAgent, tenancy.RequestOf(ctx).ClientIP, SessionLife)
		})
	})
	if err != nil {
		return Person{}, fmt.Errorf("begin session: %w", err)
	}
	return p, nil
}

// memberEpoch reads a member with the epoch that their transactions need.
func memberEpoch(id uuid.UUID, into *tenancy.Member, epoch *int64) Query {
	return func(b *pgx.Batch, scope Scope) {
		MemberByID(id, into)(b, scope)
		b.Queue(`select coalesce(max(epoch), 0) from members where tenant_id = $1 and id = $2`, scope.Tenant, id).QueryRow(scalar(epoch))
	}
}

// session is the one whose family a refresh token is of, and what it is to the token.
type session struct {
	id, member uuid.UUID
	provider   string
	ended      bool
	current    bool // by the token that renews it
	previous   bool // by the token before
	fresh      bool // renewed within sessionGrace
}

// replaced reports whether the token was replaced too long ago for an honest mistake.
func (s session) replaced() bool { return !s.current && !(s.previous && s.fresh) }

const selectSession = `select s.id, s.member_id, s.provider, s.ended_at is not null or s.expires_at <= now()
	or s.created_at <= now() - $5::interval, s.refresh_hash = $3,
	coalesce(s.previous_hash = $3, false), s.renewed_at > now() - $4::interval from sessions s where s.tenant_id = $1 and s.family_hash = $2`

func sessionOf(refresh tokens.SessionToken, lock string, into *session) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(selectSession+lock, scope.Tenant, refresh.Family[:], refresh.Hash[:], sessionGrace, SessionMost).
			Query(collectOne(into, func(row pgx.Rows, s *session) error {
				return row.Scan(&s.id, &s.member, &s.provider, &s.ended, &s.current, &s.previous, &s.fresh)
			}))
	}
}

// sessionTenant finds the tenant of a refresh token.
func (s *Store) sessionTenant(ctx context.Context, plain string) (tenancy.Tenant, tokens.SessionToken, error) {
	refresh, ok := tokens.ParseSession(plain)
	if !ok {
		return tenancy.Tenant{}, refresh, ErrSessionEnded
	}
	tenant, err := s.Tenant(ctx, refresh.Slug)
	switch {
	case tenancy.CodeOf(err) == tenancy.NotFound:
		return tenant, refresh, ErrSessionEnded
	case err == nil && tenant.State == tenancy.TenantSuspended:
		return tenant, refresh, errSuspended
	}
	return tenant, refresh, err
}

// PersonOf returns who a refresh token signs in, and changes nothing. Of a suspended
// tenant it returns who it would be, with the error that says so.
func (s *Store) PersonOf(ctx context.Context, plain string) (Person, error) {
	tenant, refresh, closed := s.sessionTenant(ctx, plain)
	scope := AsSystem(tenant.ID, "sign-in")
	switch {
	case errors.Is(closed, errSuspended):
		scope = AsKeeper(tenant.ID, "sign-in")
	case closed != nil:
		return Person{}, closed
	}
	p := Person{Tenant: tenant}
	var found session
	err := s.Read(ctx, scope, func(tx *Tx) error {
		tx.Pin()
		if err := tx.Do(ctx, sessionOf(refresh, "", &found)); err != nil {
			return err
		}
		return tx.Do(ctx, memberEpoch(found.member, &p.Member, &p.Epoch))
	})
	if err != nil {
		return Person{}, err
	}
	if found.id == uuid.Nil || found.ended || found.replaced() || p.State != tenancy.MemberActive {
		return Person{}, ErrSessionEnded
	}
	p.Session, p.Provider = found.id, found.provider
	return p, closed
}

// RenewSession replaces a session's refresh token by the next one. The one before gets
// the same answer for a short while; the use of any other that was replaced tells of a
// thief and ends the session.
func (s *Store) RenewSession(ctx context.Context, plain string, next tokens.Hash) (Person, error) {
	tenant, refresh, err := s.sessionTenant(ctx, plain)
	if err != nil {
		return Person{}, err
	}
	p := Person{Tenant: tenant}
	var found session
	reused := false
	entry := func() AuditRow {
		row := adminRow(tenant.ID, p.Label(), "session.renew", found.id.String())
		row.Kind, row.MemberID = "sign_in", &found.member
		if reused {
			row.Decision, row.Rule = Denied, "a refresh token that was replaced came again: the session has ended"
		}
		return row
	}
	err = s.Write(ctx, AsSystem(tenant.ID, "sign-in"), entry, func(tx *Tx) error {
		if err := tx.Do(ctx, sessionOf(refresh, " for update", &found)); err != nil {
			return err
		}
		if found.id == uuid.Nil || found.ended {
			return ErrSessionEnded
		}
		if err := tx.Do(ctx, memberEpoch(found.member, &p.Member, &p.Epoch)); err != nil {
			return err
		}
		switch reused = found.replaced(); {
		case p.State != tenancy.MemberActive:
			return ErrSessionEnded
		case reused:
			_, err := tx.endSessions(ctx, endedReuse, `id = $3`, found.id)
			return err
		case found.previous:
			return nil
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update sessions set previous_hash = refresh_hash, refresh_hash = $3, renewed_at = now(), client_ip = $5,
				expires_at = least(now() + $4::interval, created_at + $6::interval)
				where tenant_id = $1 and id = $2`, scope.Tenant, found.id, next[:], SessionLife, tenancy.RequestOf(ctx).ClientIP, SessionMost)
		})
	})
	switch {
	case err != nil:
		return Person{}, err
	case reused:
		return Person{}, ErrSessionEnded
	}
	p.Session, p.Provider = found.id, found.provider
	return p, nil
}

// Why a session ended before its time.
const (
	endedSignOut     = "signed out"
	endedReuse       = "reuse" // of a refresh token that was replaced
	endedDeactivated = "deactivated"
	endedSSORequired = "sso required"
)

// endSessions ends those that which selects, from $3 on, and tells every node.
func (tx *Tx) endSessions(ctx context.Context, why, which string, args ...any) (ended []uuid.UUID, err error) {
	err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`update sessions set ended_at = now(), ended_why = $2 where tenant_id = $1 and ended_at is null and `+which+` returning id`,
			append([]any{scope.Tenant, why}, args...)...).
			Query(collect(&ended, func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) }))
	})
	for _, id := range ended {
		tx.Later(Notify(tokens.SubjectSession, id, true))
	}
	return ended, err
}

// EndSession signs out the browser that holds a refresh token. One that is not known
// is no error.
func (s *Store) EndSession(ctx context.Context, plain string) error {
	p, err := s.PersonOf(ctx, plain)
	if errors.Is(err, ErrSessionEnded) {
		return nil
	} else if err != nil {
		return err
	}
	return s.endOwn(ctx, ForMember(p.Tenant.ID, p.ID, p.Epoch), p.Label(), "session.end", p.Session.String(), false, `id = $3`, p.Session)
}

// EndOwnSession ends one of a member's own sessions, which must be there.
func (s *Store) EndOwnSession(ctx context.Context, scope Scope, actor string, id uuid.UUID) error {
	return s.endOwn(ctx, scope, actor, "session.end", id.String(), true, `id = $3 and member_id = $4`, id, scope.Subject)
}

// EndOwnSessions ends all of a member's own sessions.
func (s *Store) EndOwnSessions(ctx context.Context, scope Scope, actor string) error {
	return s.endOwn(ctx, scope, actor, "session.end_all", scope.Subject.String(), false, `member_id = $3`, scope.Subject)
}

// endOwn ends sessions of a member; must says that there has to be one.
func (s *Store) endOwn(ctx context.Context, scope Scope, actor, method, target string, must bool, which string, args ...any) error {
	entry := func() AuditRow {
		row := scope.adminRow(actor, method, target)
		row.Kind = "sign_in"
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		ended, err := tx.endSessions(ctx, endedSignOut, which, args...)
		if err == nil && len(ended) == 0 && must {
			err = tenancy.Errorf(tenancy.NotFound, "There is no such session.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

// SessionAlive reports whether a session of a member goes on.
func SessionAlive(id uuid.UUID, alive *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select exists (select from sessions where tenant_id = $1 and id = $2 and ended_at is null and expires_at > now())`, scope.Tenant, id).
			QueryRow(scalar(alive))
	}
}

// OwnSessions lists the sessions of the member whose transaction it is, newest first.
func OwnSessions(into *[]Session) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select id, provider, user_agent, client_ip, created_at, renewed_at, expires_at from sessions
			where tenant_id = $1 and member_id = $2 and ended_at is null and expires_at > now() order by renewed_at desc, id`, scope.Tenant, scope.Subject).
			Query(collect(into, func(row pgx.Rows, s *Session) error {
				return row.Scan(&s.ID, &s.Provider, &s.UserAgent, &s.ClientIP, &s.CreatedAt, &s.RenewedAt, &s.ExpiresAt)
			}))
	}
}
