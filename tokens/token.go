// Package tokens mints, parses, hashes and authenticates the opaque agent
// tokens of the form mcp_<slug>_<32 lower-case hex>. The plain token is shown
// once; only its SHA-256 is ever stored, and no error or log repeats it.
package tokens

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// Kind is what a secret is for, told by its prefix, so that one kind never
// passes for another.
type Kind string

// The kinds. Access is the agent's token; code and refresh are what an OAuth
// client exchanges for one.
const (
	Access  Kind = "mcp_"
	Code    Kind = "cfc_"
	Refresh Kind = "cfr_"
)

const (
	secretDigits = 32
	// maxLength is prefix + longest slug + "_" + secret: anything longer is refused unread.
	maxLength = len(Access) + 40 + 1 + secretDigits
)

// Hash is the SHA-256 of a plain token: what the database stores and looks up.
type Hash [sha256.Size]byte

// Mint makes a new token of the tenant with 128 random bits.
func Mint(slug string) (plain string, hash Hash) { return Access.Mint(slug) }

// Parse is Kind.Parse for agents' tokens.
func Parse(plain string) (slug string, hash Hash, ok bool) { return Access.Parse(plain) }

// Mint makes a new secret of the tenant with 128 random bits.
func (k Kind) Mint(slug string) (plain string, hash Hash) {
	var secret [secretDigits / 2]byte
	_, _ = rand.Read(secret[:]) // crypto/rand.Read never fails (Go 1.24)
	return k.format(slug, secret[:])
}

// Derive makes the secret that follows another one under a key: always the same,
// and nobody without the key can tell it. Whoever asks twice gets one answer.
func (k Kind) Derive(slug string, key []byte, from string) (plain string, hash Hash) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(string(k) + from))
	return k.format(slug, mac.Sum(nil)[:secretDigits/2])
}

func (k Kind) format(slug string, secret []byte) (plain string, hash Hash) {
	plain = string(k) + slug + "_" + hex.EncodeToString(secret)
	return plain, sha256.Sum256([]byte(plain))
}

// Parse splits a plain secret from the right and hashes it. It accepts the one
// canonical form only; ok is false for anything else, and nothing about why.
func (k Kind) Parse(plain string) (slug string, hash Hash, ok bool) {
	if len(plain) > maxLength || !strings.HasPrefix(plain, string(k)) {
		return "", Hash{}, false
	}
	cut := len(plain) - secretDigits
	if cut < len(k)+2 || plain[cut-1] != '_' || !lowerHex(plain[cut:]) {
		return "", Hash{}, false
	}
	slug = plain[len(k) : cut-1]
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
