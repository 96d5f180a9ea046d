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

// How long a code waits for its client, and an access token works before it must
// be renewed. A renewed one works overlap longer, for calls that are on their way.
const (
	codeLife      = time.Minute
	accessLife    = time.Hour
	accessOverlap = time.Minute
	// renewalGrace is how long the refresh token before may ask again: a client
	// whose answer got lost, or its second window. It gets the same answer.
	renewalGrace = 30 * time.Second
)

// ErrInvalidGrant refuses a code or refresh token and ErrInvalidScope more than
// was allowed (RFC 6749, 5.2), ErrInvalidTarget another resource (RFC 8707).
var (
	ErrInvalidGrant  = errors.New("invalid_grant")
	ErrInvalidScope  = errors.New("invalid_scope")
	ErrInvalidTarget = errors.New("invalid_target")
)

// Consent is what a member allows a client.
type Consent struct {
	ClientID    string
	ClientName  string
	RedirectURI string
	Challenge   string // S256 of the client's verifier (RFC 7636)
	Resource    string
	Grants      tenancy.Grants
	Life        time.Duration // how long the client may renew
	// Asked is what the client asks for beyond what any would begin with; 0: no more than that.
	Asked tenancy.PermissionSet
}

// Connect notes what a member, the scope's subject, allows a client, and returns
// the code that the client redeems within a minute.
func (s *Store) Connect(ctx context.Context, scope Scope, slug, actor string, c Consent) (code string, err error) {
	id := tenancy.NewID()
	code, hash := tokens.Code.Mint(slug)
	entry := func() AuditRow {
		row := scope.adminRow(actor, "oauth.consent", id.String())
		row.Client, row.Args = c.ClientName, asJSON(map[string]any{"client_id": c.ClientID, "redirect_uri": c.RedirectURI, "permissions": c.Grants})
		return row
	}
	err = s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if err := by.give(by.role, c.Grants.Allow&^c.Grants.Deny, c.Grants); err != nil {
			return err
		}
		if _, err := tx.projectScope(ctx, c.Grants, nil); err != nil {
			return err
		}
		replaces, err := tx.continued(ctx, c)
		if err != nil {
			return err
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into oauth_connections (tenant_id, id, member_id, client_id, client_name, redirect_uri, challenge, resource, grants,
				expires_at, code_hash, code_until, replaces) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10::interval, $11, now() + $12::interval, $13)`,
				scope.Tenant, id, scope.Subject, c.ClientID, c.ClientName, c.RedirectURI, c.Challenge, c.Resource, c.Grants, c.Life, hash[:], codeLife, replaces)
		})
	})
	if err != nil {
		return "", fmt.Errorf("connect client: %w", err)
	}
	return code, nil
}

// Connection is what a client was allowed, without its secrets.
type Connection struct {
	ID       uuid.UUID
	MemberID uuid.UUID
	TokenID  uuid.UUID
	ClientID string
	Resource string
	Grants   tenancy.Grants
	// Granted is what the access token may do now, under its token's settings and its
	// member's role of today.
	Granted tenancy.PermissionSet
	// Replaces is the connection that ends when this one begins; zero: none.
	Replaces uuid.UUID
	// ExpiresIn is how long the access token works, by the database's clock.
	ExpiresIn time.Duration

	name, redirect, challenge string
	waiting                   bool // for its code to be redeemed
	ended                     bool
	current                   bool // it was found by the refresh token that renews it
	previous                  bool // it was found by the refresh token before
	fresh                     bool // renewed within renewalGrace
}

const selectConnection = `select c.id, c.member_id, coalesce(c.token_id, '00000000-0000-0000-0000-000000000000'), c.client_id, c.resource, c.grants,
	  c.client_name, c.redirect_uri, c.challenge, c.redeemed_at is null and c.code_until > now(),
	  c.ended_at is not null or c.expires_at <= now() or t.revoked_at is not null,
	  coalesce(c.refresh_hash = $2, false), coalesce(c.previous_hash = $2, false), coalesce(c.refreshed_at > now() - $3::interval, false), m.epoch,
	  coalesce(t.grants, c.grants), m.role, coalesce(c.replaces, '00000000-0000-0000-0000-000000000000')
	from oauth_connections c
	join members m on m.tenant_id = $1 and m.id = c.member_id
	left join tokens t on t.tenant_id = $1 and t.id = c.token_id
	where c.tenant_id = $1 and `

// The ways to find a connection by the hash in $4, which is of the whole secret but for
// refresh tokens: any that ever renewed a connection finds it by what they have in common.
const (
	byCode    = `c.code_hash = $4`
	byRefresh = `c.family_hash = $4`
	byAccess  = `(t.hash = $4 or t.previous_hash = $4)`
)

// parseSecret returns a secret's tenant, its hash, and the hash that finds its connection.
func parseSecret(kind tokens.Kind, plain string) (slug string, hash, key tokens.Hash, ok bool) {
	if kind == tokens.Refresh {
		t, ok := tokens.ParseRefresh(plain)
		return t.Slug, t.Hash, t.Family, ok
	}
	slug, hash, ok = kind.Parse(plain)
	return slug, hash, hash, ok
}

// withConnection runs fn on the connection that a secret names, in a transaction of
// its member, who must still be active. What fn refuses after it changed something,
// it says by refusal: the change commits, and the audit tells of the denial. So does a
// row of what it refuses at once, for as long as the secret works.
func (s *Store) withConnection(ctx context.Context, kind tokens.Kind, plain, find, method string, fn func(tx *Tx, c *Connection) (refusal, err error)) (c Connection, err error) {
	slug, hash, key, ok := parseSecret(kind, plain)
	if !ok {
		return c, ErrInvalidGrant
	}
	tenant, err := s.Tenant(ctx, slug)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		return c, ErrInvalidGrant
	} else if err != nil {
		return c, err
	}
	var epoch int64
	var settings tenancy.Grants
	var role tenancy.Role
	read := func(lock string) Query {
		return func(b *pgx.Batch, scope Scope) {
			b.Queue(selectConnection+find+lock, scope.Tenant, hash[:], renewalGrace, key[:]).Query(collectOne(&c, func(row pgx.Rows, c *Connection) error {
				err := row.Scan(&c.ID, &c.MemberID, &c.TokenID, &c.ClientID, &c.Resource, &c.Grants, &c.name, &c.redirect, &c.challenge,
					&c.waiting, &c.ended, &c.current, &c.previous, &c.fresh, &epoch, &settings, &role, &c.Replaces)
				c.Granted = settings.Effective(role)
				return err
			}))
		}
	}
	err = s.Read(ctx, AsSystem(tenant.ID, "oauth"), func(tx *Tx) error { return tx.Do(ctx, read("")) })
	if err != nil {
		return c, err
	}
	if c.ID == uuid.Nil {
		return c, ErrInvalidGrant
	}
	scope := ForMember(tenant.ID, c.MemberID, epoch)
	var refusal error
	entry := func() AuditRow {
		row := scope.adminRow("oauth:"+c.name, method, c.ID.String())
		row.Client = c.name
		if c.TokenID != uuid.Nil {
			row.TokenID = &c.TokenID
		}
		switch {
		case refusal != nil:
			row.Decision, row.Rule = Denied, refusal.Error()
		case method == "oauth.redeem" && c.Replaces != uuid.Nil:
			row.Args = asJSON(map[string]any{"replaces": c.Replaces})
		}
		return row
	}
	err = s.Write(ctx, scope, entry, func(tx *Tx) error {
		if err := tx.Do(ctx, read(" for update of c")); err != nil {
			return err
		}
		if c.ID == uuid.Nil {
			return ErrInvalidGrant
		}
		refusal, err = fn(tx, &c)
		return err
	})
	switch {
	case tenancy.CodeOf(err) == tenancy.Unauthenticated: // the member may not act any more
		return c, ErrInvalidGrant
	case !c.ended && (errors.Is(err, ErrInvalidGrant) || errors.Is(err, ErrInvalidScope) || errors.Is(err, ErrInvalidTarget)):
		refusal = err
		row := entry()
		row.Kind = "call"
		if auditErr := s.Record(ctx, row); auditErr != nil {
			return c, auditErr
		}
	case err != nil:
		return c, err
	}
	return c, refusal
}

// Why a connection's token was ended, if no person did it.
const (
	EndedReused       = "reused"       // a code or refresh token of it came twice
	EndedReplaced     = "replaced"     // its client has got more, in another connection
	EndedDisconnected = "disconnected" // by its client
)

// endConnection ends a connection with its token, for good.
func (tx *Tx) endConnection(ctx context.Context, c Connection, why string) error {
	queries := []Query{func(b *pgx.Batch, scope Scope) {
		b.Queue(`update oauth_connections set ended_at = coalesce(ended_at, now()), redeemed_at = coalesce(redeemed_at, now()) where tenant_id = $1 and id = $2`,
			scope.Tenant, c.ID)
	}}
	if c.TokenID != uuid.Nil {
		queries = append(queries, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tokens set ended_why = case when revoked_at is null then $3 else ended_why end, revoked_at = coalesce(revoked_at, now()),
				previous_hash = null, previous_until = null, epoch = epoch + 1 where tenant_id = $1 and id = $2`, scope.Tenant, c.TokenID, why)
		}, Notify(tokens.SubjectToken, c.TokenID, true))
	}
	return tx.Do(ctx, queries...)
}
