package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// sessionKind begins what renews a signed-in person's session: cfs_<slug>_<64 hex>.
const sessionKind Kind = "cfs_"

// SessionToken is what is stored of such a token, or of an OAuth client's refresh token. Its first half stays as long as the
// session; each renewal replaces the second. So a token that was replaced long ago
// still tells which session it is of, and that somebody kept it.
type SessionToken struct {
	Slug   string
	Family Hash // of the first half
	Hash   Hash // of the whole
}

// MintSession makes the first token of a session, with 128 random bits in each half.
func MintSession(slug string) (plain string, t SessionToken) { return sessionKind.mintFamily(slug) }

// NextSession makes the token that follows another of the same session under a key:
// always the same, and nobody without the key can tell it. The zero value if plain
// is none.
func NextSession(key []byte, plain string) (next string, t SessionToken) {
	return sessionKind.nextInFamily(key, plain)
}

// ParseSession accepts the one canonical form only.
func ParseSession(plain string) (t SessionToken, ok bool) { return sessionKind.parseFamily(plain) }

// MintRefresh is MintSession for the connection of an OAuth client.
func MintRefresh(slug string) (plain string, t SessionToken) { return Refresh.mintFamily(slug) }

// NextRefresh is NextSession for the connection of an OAuth client.
func NextRefresh(key []byte, plain string) (next string, t SessionToken) {
	return Refresh.nextInFamily(key, plain)
}

// ParseRefresh accepts the one canonical form only.
func ParseRefresh(plain string) (t SessionToken, ok bool) { return Refresh.parseFamily(plain) }

func (k Kind) mintFamily(slug string) (plain string, t SessionToken) {
	var secret [secretDigits]byte
	_, _ = rand.Read(secret[:]) // never fails
	plain, _ = k.format(slug, secret[:])
	return plain, sessionToken(slug, plain)
}

func (k Kind) nextInFamily(key []byte, plain string) (next string, t SessionToken) {
	of, ok := k.parseFamily(plain)
	if !ok {
		return "", SessionToken{}
	}
	fresh, _ := k.Derive(of.Slug, key, plain)
	next = plain[:len(plain)-secretDigits] + fresh[len(fresh)-secretDigits:]
	return next, sessionToken(of.Slug, next)
}

func (k Kind) parseFamily(plain string) (t SessionToken, ok bool) {
	cut := len(plain) - 2*secretDigits
	if cut < len(k)+2 || cut > maxLength-secretDigits || !strings.HasPrefix(plain, string(k)) ||
		plain[cut-1] != '_' || !lowerHex(plain[cut:]) {
		return SessionToken{}, false
	}
	slug := plain[len(k) : cut-1]
	if !tenancy.ValidSlug(slug) {
		return SessionToken{}, false
	}
	return sessionToken(slug, plain), true
}

func sessionToken(slug, plain string) SessionToken {
	return SessionToken{slug, sha256.Sum256([]byte(plain[:len(plain)-secretDigits])), sha256.Sum256([]byte(plain))}
}
