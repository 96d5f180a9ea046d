package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// sessionKind begins what renews a signed-in person's session: cfs_<slug>_<64 hex>.
const sessionKind Kind = "cfs_"

// SessionToken is what is stored of such a token. Its first half stays as long as the
// session; each renewal replaces the second. So a token that was replaced long ago
// still tells which session it is of, and that somebody kept it.
type SessionToken struct {
	Slug   string
	Family Hash // of the first half
	Hash   Hash // of the whole
}

// MintSession makes the first token of a session, with 128 random bits in each half.
func MintSession(slug string) (plain string, t SessionToken) {
	var secret [secretDigits]byte
	_, _ = rand.Read(secret[:]) // never fails
	plain, _ = sessionKind.format(slug, secret[:])
	return plain, sessionToken(slug, plain)
}

// NextSession makes the token that follows another of the same session under a key:
// always the same, and nobody without the key can tell it. The zero value if plain
// is none.
func NextSession(key []byte, plain string) (next string, t SessionToken) {
	of, ok := ParseSession(plain)
	if !ok {
		return "", SessionToken{}
	}
	fresh, _ := sessionKind.Derive(of.Slug, key, plain)
	next = plain[:len(plain)-secretDigits] + fresh[len(fresh)-secretDigits:]
	return next, sessionToken(of.Slug, next)
}

// ParseSession accepts the one canonical form only.
func ParseSession(plain string) (t SessionToken, ok bool) {
	cut := len(plain) - 2*secretDigits
	if cut < len(sessionKind)+2 || cut > maxLength-secretDigits || !strings.HasPrefix(plain, string(sessionKind)) ||
		plain[cut-1] != '_' || !lowerHex(plain[cut:]) {
		return SessionToken{}, false
	}
	slug := plain[len(sessionKind) : cut-1]
	if !tenancy.ValidSlug(slug) {
		return SessionToken{}, false
	}
	return sessionToken(slug, plain), true
}

func sessionToken(slug, plain string) SessionToken {
	return SessionToken{slug, sha256.Sum256([]byte(plain[:len(plain)-secretDigits])), sha256.Sum256([]byte(plain))}
}
