package tokens

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

// TestSession_Properties: renewals keep the family and nothing else, follow from the token
// and the key alone, and no byte of a token can be changed.
func TestSession_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := slugs.Draw(t, "slug")
		first, minted := MintSession(slug)
		parsed, ok := ParseSession(first)
		if !ok || parsed != minted || parsed.Slug != slug {
			t.Fatalf("%q is read as %v, %v", first, parsed, ok)
		}
		second, next := NextSession([]byte("key"), first)
		again, _ := NextSession([]byte("key"), first)
		elsewhere, _ := NextSession([]byte("other key"), first)
		if second != again || second == elsewhere || second == first || next.Family != minted.Family || next.Hash == minted.Hash || next.Slug != slug {
			t.Fatalf("%q is followed by %q", first, second)
		}
		if parsed, ok := ParseSession(second); !ok || parsed != next {
			t.Fatalf("%q is read as %v, %v", second, parsed, ok)
		}
		stranger, other := MintSession(slug)
		if stranger == first || other.Family == minted.Family {
			t.Fatalf("two sessions are one: %q", first)
		}
		at, b := rapid.IntRange(0, len(first)-1).Draw(t, "at"), rapid.Byte().Draw(t, "byte")
		for _, mutant := range []string{first[:at] + first[at+1:], first[:at] + string([]byte{b}) + first[at:], first[:at] + string([]byte{b}) + first[at+1:]} {
			if m, ok := ParseSession(mutant); ok && mutant != first && (m.Hash == minted.Hash || !tenancy.ValidSlug(m.Slug)) {
				t.Fatalf("%q passes for %q", mutant, first)
			}
		}
	})
}

func TestParseSession_Refused(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("0123456789abcdef", 4)
	for _, good := range []string{"cfs_a_" + secret, "cfs_" + strings.Repeat("a", 40) + "_" + secret} {
		_, ok := ParseSession(good)
		require.True(t, ok, good)
	}
	agents, _ := Mint("acme")
	code, _ := Code.Mint("acme")
	for _, bad := range []string{"", "cfs_", "cfs__" + secret, "cfs_acme_" + secret[1:], "cfs_acme_0" + secret, "cfs_acme_" + secret[:32], "cfs_a_b_" + secret,
		"cfs_acme_" + strings.ToUpper(secret), "cfs_acme_" + secret + "\n", " cfs_acme_" + secret, "mcp_acme_" + secret, "cfs_" + strings.Repeat("a", 41) + "_" + secret,
		"cfs_-a_" + secret, "cfs_acme_" + strings.Repeat("a", 10_000), secret, agents, code} {
		got, ok := ParseSession(bad)
		require.False(t, ok, "%.80q", bad)
		require.Zero(t, got)
		next, _ := NextSession([]byte("key"), bad)
		require.Empty(t, next)
	}
	_, _, ok := Parse("mcp_acme_" + secret)
	require.False(t, ok, "and it is no agent's token")
}

func FuzzParseSession(f *testing.F) {
	plain, _ := MintSession("acme")
	for _, seed := range []string{plain, "", "cfs__", plain[:70], strings.ToUpper(plain), strings.Repeat("cfs_", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := ParseSession(in)
		if !ok {
			require.Zero(t, got)
			return
		}
		require.Regexp(t, `^cfs_[a-z0-9][a-z0-9-]*_[0-9a-f]{64}$`, in)
		require.True(t, tenancy.ValidSlug(got.Slug))
		next, _ := NextSession([]byte("key"), in)
		after, ok := ParseSession(next)
		require.True(t, ok)
		require.Equal(t, got.Family, after.Family)
	})
}
