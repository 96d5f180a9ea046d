package tenancy

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// keysFor is how long a keyring trusts what it has read, so that a rotation on
// another node is seen.
const keysFor = time.Minute

// keyring holds the signing keys of one tenant. They are made on first use,
// stored sealed, and never leave the process in plain.
type keyring struct {
	tenant TenantID
	store  KeyStore
	sealer Sealer
	now    func() time.Time

	mu     sync.Mutex
	keys   map[uuid.UUID]signingKey
	newest uuid.UUID
	readAt time.Time
}

type signingKey struct {
	secret  []byte
	retires *time.Time
}

func newKeyring(tenant TenantID, store KeyStore, sealer Sealer, now func() time.Time) *keyring {
	return &keyring{tenant: tenant, store: store, sealer: sealer, now: now}
}

// current returns the key that signs.
func (k *keyring) current(ctx context.Context) (uuid.UUID, []byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.read(ctx, k.readAt.Add(keysFor)); err != nil {
		return uuid.Nil, nil, err
	}
	if k.newest == uuid.Nil {
		if err := k.add(ctx, "system:keys", k.now(), true); err != nil {
			return uuid.Nil, nil, err
		}
	}
	return k.newest, k.keys[k.newest].secret, nil
}

// find returns a key that may verify, or nil. An unknown one may be new: it is
// looked for again, but not more than once a second.
func (k *keyring) find(ctx context.Context, id uuid.UUID) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	until := k.readAt.Add(keysFor)
	if _, known := k.keys[id]; !known {
		until = k.readAt.Add(time.Second)
	}
	if err := k.read(ctx, until); err != nil {
		return nil, err
	}
	key := k.keys[id]
	if key.retires != nil && !k.now().Before(*key.retires) {
		return nil, nil
	}
	return key.secret, nil
}

// rotate makes a new key; the others verify for the overlap and no longer.
func (k *keyring) rotate(ctx context.Context, by string, overlap time.Duration) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.add(ctx, by, k.now().Add(overlap), false)
}

func (k *keyring) add(ctx context.Context, by string, retire time.Time, first bool) error {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // crypto/rand.Read never fails (Go 1.24)
	id := NewID()
	sealed := SealedKey{ID: id, Sealed: k.sealer.Seal(secret, k.binding(id)), CreatedAt: k.now()}
	if err := k.store.AddSigningKey(ctx, k.tenant, by, sealed, retire, first); err != nil {
		return fmt.Errorf("add signing key: %w", err)
	}
	return k.read(ctx, time.Time{})
}

// read loads the keys unless what is known is good until a later time.
func (k *keyring) read(ctx context.Context, until time.Time) error {
	now := k.now()
	if k.keys != nil && now.Before(until) {
		return nil
	}
	stored, err := k.store.SigningKeys(ctx, k.tenant)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	k.keys, k.newest, k.readAt = make(map[uuid.UUID]signingKey, len(stored)), uuid.Nil, now
	for _, s := range stored {
		secret, err := k.sealer.Open(s.Sealed, k.binding(s.ID))
		if err != nil {
			return fmt.Errorf("signing key %s of tenant %s: %w", s.ID, k.tenant, err)
		}
		k.keys[s.ID] = signingKey{secret, s.RetiresAt}
		if k.newest == uuid.Nil && s.RetiresAt == nil {
			k.newest = s.ID
		}
	}
	return nil
}

func (k *keyring) binding(id uuid.UUID) []byte {
	return append(append([]byte{}, k.tenant[:]...), id[:]...)
}
