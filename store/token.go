package store

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// The states of a token.
const (
	TokenActive   = "active"
	TokenExpired  = "expired"
	TokenRevoked  = "revoked"
	TokenDisabled = "disabled" // its owner may not act
)

// Token is what may be shown of a token: never its secret, only the last four
// characters of it.
type Token struct {
	ID uuid.UUID `json:"id"`
	TokenSettings
	Hint          string       `json:"hint"`
	Owner         string       `json:"owner,omitempty"` // label of the member; empty for a service token
	Role          tenancy.Role `json:"role"`
	State         string       `json:"state"`
	ExpiresSoon   bool         `json:"expires_soon,omitempty"` // within tenancy.ExpiryWarning
	CreatedAt     time.Time    `json:"created_at"`
	CreatedBy     string       `json:"created_by,omitempty"` // empty: an operator
	RotatedAt     *time.Time   `json:"rotated_at,omitempty"`
	PreviousUntil *time.Time   `json:"previous_until,omitempty"` // the secret before the rotation works until then
	RevokedAt     *time.Time   `json:"revoked_at,omitempty"`
	LastUsedAt    *time.Time   `json:"last_used_at,omitempty"`
	LastIP        string       `json:"last_ip,omitempty"`
	EndedWhy      string       `json:"ended_why,omitempty"` // of a connection's token; empty: a person ended it

	owner uuid.UUID // member; zero for a service token
}

// OwnedBy reports whether the token acts for this member.
func (t Token) OwnedBy(member uuid.UUID) bool { return member != uuid.Nil && t.owner == member }

// TokenSettings are what may be changed of a token.
type TokenSettings struct {
	Name      string           `json:"name"`
	Grants    tenancy.Grants   `json:"permissions"`
	ExpiresAt *time.Time       `json:"expires_at,omitempty"`
	Networks  tenancy.Networks `json:"allowed_ips,omitempty"` // empty: everywhere
}

const selectToken = `select t.id, t.name, t.grants, t.expires_at, t.allowed_ips, t.hint, coalesce(m.email, m.handle, ''),
	  coalesce(t.member_id, '00000000-0000-0000-0000-000000000000'), coalesce(m.role, t.role),
	  case when t.revoked_at is not null then 'revoked' when t.expires_at <= now() then 'expired'
	    when m.state <> 'active' then 'disabled' else 'active' end,
	  coalesce(t.revoked_at is null and t.expires_at > now() and t.expires_at < now() + $2::interval, false),
	  t.created_at, coalesce(c.email, c.handle, ''), t.rotated_at, case when t.previous_until > now() then t.previous_until end,
	  t.revoked_at, u.last_used_at, coalesce(u.last_ip, ''), coalesce(t.ended_why, '')
	from tokens t
	left join members m on m.tenant_id = t.tenant_id and m.id = t.member_id
	left join members c on c.tenant_id = t.tenant_id and c.id = t.created_by
	left join token_usage u on u.tenant_id = t.tenant_id and u.token_id = t.id
	where t.tenant_id = $1 and t.removed_at is null `

func scanToken(row pgx.Rows, t *Token) error {
	return row.Scan(&t.ID, &t.Name, &t.Grants, &t.ExpiresAt, &t.Networks, &t.Hint, &t.Owner, &t.owner, &t.Role, &t.State, &t.ExpiresSoon,
		&t.CreatedAt, &t.CreatedBy, &t.RotatedAt, &t.PreviousUntil, &t.RevokedAt, &t.LastUsedAt, &t.LastIP, &t.EndedWhy)
}

// Tokens lists the tenant's tokens, newest first.
func Tokens(into *[]Token) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(selectToken+`order by t.created_at desc, t.id desc`, scope.Tenant, tenancy.ExpiryWarning).Query(collect(into, scanToken))
	}
}

// TokenByID returns one token; into becomes zero if there is none.
func TokenByID(id uuid.UUID, into *Token) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(selectToken+`and t.id = $3`, scope.Tenant, tenancy.ExpiryWarning, id).Query(collectOne(into, scanToken))
	}
}

// errNoToken is the answer to an id that the tenant does not have.
func errNoToken(id uuid.UUID) error {
	return tenancy.Errorf(tenancy.NotFound, "Token %s does not exist in this tenant.", id).WithNext("See: colaflow token list")
}
