// Package tokens mints, parses, hashes and authenticates the opaque agent
// tokens of the form mcp_<slug>_<32 lower-case hex>. The plain token is shown
// once; only its SHA-256 is ever stored, and no error or log repeats it.
package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	prefix       = "mcp_"
	secretDigits = 32
	// maxLength is prefix + longest slug + "_" + secret: anything longer is refused unread.
	maxLength = len(prefix) + 40 + 1 + secretDigits
)

// Hash is the SHA-256 of a plain token: what the database stores and looks up.
type Hash [sha256.Size]byte

// Mint makes a new token of the tenant with 128 random bits.
func Mint(slug string) (plain string, hash Hash) {
	var secret [secretDigits / 2]byte
	_, _ = rand.Read(secret[:]) // crypto/rand.Read never fails (Go 1.24)
	plain = prefix + slug + "_" + hex.EncodeToString(secret[:])
	return plain, sha256.Sum256([]byte(plain))
}

// Parse splits a plain token from the right and hashes it. It accepts the one
// canonical form only; ok is false for anything else, and nothing about why.
func Parse(plain string) (slug string, hash Hash, ok bool) {
	if len(plain) > maxLength || !strings.HasPrefix(plain, prefix) {
		return "", Hash{}, false
	}
	cut := len(plain) - secretDigits
	if cut < len(prefix)+2 || plain[cut-1] != '_' || !lowerHex(plain[cut:]) {
		return "", Hash{}, false
	}
	slug = plain[len(prefix) : cut-1]
	if !tenancy.ValidSlug(slug) {
		return "", Hash{}, false
	}
	return slug, sha256.Sum256([]byte(plain)), true
}

func lowerHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
