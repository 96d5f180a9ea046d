package tenancy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// MasterKey is the installation's one secret of 32 bytes. Everything else is
// derived from it by HKDF-SHA256 (RFC 5869), one subkey per purpose.
type MasterKey struct{ key [32]byte }

// Purposes of subkeys. A name is bound into what it protects: never change one.
const (
	PurposeCursors       = "cursors"
	PurposeConfirmations = "confirmations"
	PurposeTenantKeys    = "tenant-keys"
	PurposeAudit         = "audit"
	PurposeSSO           = "sso"
	purposeCheck         = "check"
)

// NewMasterKey makes a random key.
func NewMasterKey() MasterKey {
	var m MasterKey
	_, _ = rand.Read(m.key[:]) // crypto/rand.Read never fails (Go 1.24)
	return m
}

// ParseMasterKey reads 64 hex digits. The error never repeats the input.
func ParseMasterKey(s string) (MasterKey, error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 32 {
		return MasterKey{}, errors.New("the master key must be 64 hex digits; make one with: openssl rand -hex 32")
	}
	return MasterKey{key: [32]byte(raw)}, nil
}

// Hex returns the key for its file of mode 0600. Never log it.
func (m MasterKey) Hex() string { return hex.EncodeToString(m.key[:]) }

// String hides the key from logs and formatted errors.
func (MasterKey) String() string { return "[master key]" }

// Subkey derives the 32-byte key of one purpose.
func (m MasterKey) Subkey(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, m.key[:], nil, "colaflow/"+purpose, 32)
	if err != nil {
		panic(fmt.Sprintf("tenancy: deriving a key of 32 bytes cannot fail: %v", err))
	}
	return k
}

// Check returns a value that tells two master keys apart without revealing
// either. The database keeps it, so that a wrong key is refused at start.
func (m MasterKey) Check() []byte {
	mac := hmac.New(sha256.New, m.Subkey(purposeCheck))
	mac.Write([]byte("colaflow key check"))
	return mac.Sum(nil)
}

// Sealer encrypts what a client keeps for us, such as a cursor (AES-256-GCM).
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a Sealer under the subkey of one purpose.
func NewSealer(m MasterKey, purpose string) Sealer {
	block, err := aes.NewCipher(m.Subkey(purpose))
	if err != nil {
		panic(fmt.Sprintf("tenancy: a key of 32 bytes is always valid: %v", err))
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("tenancy: GCM over AES is always possible: %v", err))
	}
	return Sealer{aead: aead}
}

// Seal encrypts plain, bound to the given context, as URL-safe text.
func (s Sealer) Seal(plain, context []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, context))
}

// Open returns what Seal was given. It fails if the text was changed, sealed
// under another key, or bound to another context.
func (s Sealer) Open(text string, context []byte) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("not a sealed value")
	}
	plain, err := s.aead.Open(nil, nil, raw, context)
	if err != nil {
		return nil, errors.New("not a sealed value, or not for this use")
	}
	return plain, nil
}
