package tokens

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

var slugs = rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?`)

func TestParse_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := slugs.Draw(t, "slug")
		plain, hash := Mint(slug)
		got, gotHash, ok := Parse(plain)
		if !ok || got != slug || gotHash != hash || hash != sha256.Sum256([]byte(plain)) {
			t.Fatalf("%q is read as %q, %v", plain, got, ok)
		}
		at, b := rapid.IntRange(0, len(plain)).Draw(t, "at"), rapid.Byte().Draw(t, "byte")
		var mutants []string
		if at < len(plain) {
			mutants = append(mutants, plain[:at]+plain[at+1:], plain[:at])
			if plain[at] != b {
				mutants = append(mutants, plain[:at]+string([]byte{b})+plain[at+1:])
			}
		}
		mutants = append(mutants, plain[:at]+string([]byte{b})+plain[at:])
		for _, m := range mutants {
			s, h, ok := Parse(m)
			if ok && (h == hash || m == plain) {
				t.Fatalf("%q passes for %q", m, plain)
			}
			if ok && (!tenancy.ValidSlug(s) || !strings.HasPrefix(m, "mcp_"+s+"_")) {
				t.Fatalf("%q is read as of %q", m, s)
			}
		}
	})
}

func TestMint(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		plain, _ := Mint("acme")
		require.Regexp(t, `^mcp_acme_[0-9a-f]{32}$`, plain)
		require.False(t, seen[plain])
		seen[plain] = true
	}
}

// TestAttack004_OneCanonicalForm is the list of forms that must not pass.
func TestAttack004_OneCanonicalForm(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("0123456789abcdef", 2)
	for _, good := range []string{"mcp_a_" + secret, "mcp_acme-labs_" + secret, "mcp_" + strings.Repeat("a", 40) + "_" + secret} {
		_, _, ok := Parse(good)
		require.True(t, ok, good)
	}
	for _, bad := range []string{"", "mcp_", "mcp__" + secret, "mcp_acme_", "mcp_a_b_" + secret, "mcp_acme_" + strings.ToUpper(secret), "mcp_acme_" + secret[1:],
		"mcp_acme_0" + secret, "mcp_acme_" + secret + " ", " mcp_acme_" + secret, "mcp_acme_" + secret + "\n", "mcp_acme_" + secret + "\x00", "mcp_acme_" + secret[1:] + "\x00",
		"MCP_acme_" + secret, "mcp-acme-" + secret, "mcp_" + strings.Repeat("a", 41) + "_" + secret, "mcp_-a_" + secret, "mcp_a-_" + secret, "mcp_Ä_" + secret,
		"mcp_acme_" + strings.Repeat("٣", 16), "mcp_acme_" + strings.Repeat("a", 10_000), "mcp_a" + secret, secret, "Bearer mcp_acme_" + secret} {
		slug, hash, ok := Parse(bad)
		require.False(t, ok, "%.80q", bad)
		require.Empty(t, slug)
		require.Zero(t, hash)
	}
}

func FuzzParse(f *testing.F) {
	plain, _ := Mint("acme")
	for _, seed := range []string{plain, "", "mcp__", plain[:40], strings.ToUpper(plain), "mcp_a_b" + plain[8:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		slug, hash, ok := Parse(in)
		if !ok {
			require.Empty(t, slug)
			return
		}
		require.Regexp(t, `^mcp_[a-z0-9][a-z0-9-]*_[0-9a-f]{32}$`, in)
		require.True(t, tenancy.ValidSlug(slug))
		require.Equal(t, Hash(sha256.Sum256([]byte(in))), hash)
	})
}
