package tenancy

import (
	"time"

	"github.com/google/uuid"
)

// Principal is who makes a call: one token (or, later, one signed-in member) of
// one tenant, with what it may do right now.
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
	// Permissions is Grants cut down by Role: the only thing that dispatch asks.
	Permissions PermissionSet
}

// May reports whether the principal holds p somewhere in its tenant.
func (p Principal) May(perm Permission) bool { return p.Permissions.Has(perm) }

// MayIn reports whether the principal holds p in the project with this key.
func (p Principal) MayIn(perm Permission, projectKey string) bool {
	return p.May(perm) && p.Grants.CoversProject(projectKey)
}
