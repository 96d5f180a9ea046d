package tenancy

import (
	"time"

	"github.com/google/uuid"
)

// Principal is who makes a call: one token, or one signed-in member, of one tenant, with what it may do right now.
type Principal struct {
	TenantID   TenantID
	TenantSlug string
	Plan       string
	// MemberID is uuid.Nil for a service token.
	MemberID    uuid.UUID
	MemberName  string
	MemberEmail string
	Role        Role
	TokenID     uuid.UUID
	TokenName   string
	// Epoch is the sum of the token's and its owner's epochs. Both only grow, so
	// equality means that neither has changed since this was read.
	Epoch     int64
	Grants    Grants
	ExpiresAt time.Time // zero: never
	// ExpiresIn was left of the token when it was looked up, by the database's
	// clock; zero: it does not expire.
	ExpiresIn time.Duration
	// Replaced tells that the token came with the secret that a rotation replaced;
	// it works until ExpiresAt.
	Replaced bool
	// Networks are where the token may be used from.
	Networks Networks
	// Pinned is the key of the one project that this call is held to; empty: none.
	Pinned string
	// Permissions is Grants cut down by Role: the only thing that dispatch asks.
	Permissions PermissionSet
}

// ExpiryWarning is how long before its end a token warns its users.
const ExpiryWarning = 7 * 24 * time.Hour

// ExpiresSoon reports whether the token ends within ExpiryWarning.
func (p Principal) ExpiresSoon() bool { return p.ExpiresIn > 0 && p.ExpiresIn < ExpiryWarning }

// Caller is the token, or the signed-in member where there is none.
func (p Principal) Caller() uuid.UUID {
	if p.TokenID == uuid.Nil {
		return p.MemberID
	}
	return p.TokenID
}

// May reports whether the principal holds p somewhere in its tenant.
func (p Principal) May(perm Permission) bool { return p.Permissions.Has(perm) }

// MayIn reports whether the principal holds p in the project with this key.
func (p Principal) MayIn(perm Permission, projectKey string) bool {
	return p.May(perm) && p.Grants.CoversProject(projectKey)
}
