package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// SealedKey is a signing key as it is stored: encrypted under the master key,
// bound to its tenant and id.
type SealedKey struct {
	ID        uuid.UUID
	Sealed    string
	CreatedAt time.Time
	RetiresAt *time.Time // from then on it verifies nothing
}

// KeyStore keeps the signing keys of tenants.
type KeyStore interface {
	// SigningKeys lists the keys that are not retired, newest first.
	SigningKeys(ctx context.Context, tenant TenantID) ([]SealedKey, error)
	// AddSigningKey stores a key in somebody's name, retires the others at retire,
	// and tells every node. With first it does nothing if there is a key already.
	AddSigningKey(ctx context.Context, tenant TenantID, by string, key SealedKey, retire time.Time, first bool) error
}

// NonceStore remembers what was spent, across nodes and restarts.
type NonceStore interface {
	// SpendNonce reports true to exactly one caller per nonce.
	SpendNonce(ctx context.Context, tenant TenantID, nonce uuid.UUID, expires time.Time) (bool, error)
}

// PageStore keeps the pages of tenants, so that any node serves them.
type PageStore interface {
	// PutPage stores a page unless the live ones, with it, are more in number or
	// bytes: PlanLimit. Expired ones make room first.
	PutPage(ctx context.Context, tenant TenantID, page Page, number int, bytes int64) error
	// Page returns a live page, or NotFound.
	Page(ctx context.Context, tenant TenantID, id uuid.UUID) (Page, error)
	// Pages lists the live pages without their content, newest first.
	Pages(ctx context.Context, tenant TenantID) ([]Page, error)
	// DeletePage removes a page in somebody's name; one that is not there is no error.
	DeletePage(ctx context.Context, tenant TenantID, id uuid.UUID, by string) error
}
