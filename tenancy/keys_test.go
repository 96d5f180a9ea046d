package tenancy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMasterKey(t *testing.T) {
	t.Parallel()
	m := NewMasterKey()
	require.NotEqual(t, m, NewMasterKey())
	again, err := ParseMasterKey(m.Hex())
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.Equal(t, m.Check(), again.Check())
	require.NotEqual(t, m.Check(), NewMasterKey().Check())
	seen := map[string]bool{string(m.Check()): true}
	for _, purpose := range []string{PurposeCursors, PurposeConfirmations, PurposeTenantKeys, PurposeAudit, purposeCheck} {
		k := m.Subkey(purpose)
		require.Len(t, k, 32)
		require.False(t, seen[string(k)], "every purpose has its own key")
		seen[string(k)] = true
	}
	for _, format := range []string{"%v", "%+v", "%s"} {
		require.NotContains(t, fmt.Sprintf(format, m), m.Hex())
	}
	for _, bad := range []string{"", "secret", m.Hex()[1:], m.Hex() + "00", strings.Repeat("g", 64)} {
		_, err := ParseMasterKey(bad)
		require.ErrorContains(t, err, "openssl rand -hex 32")
		if bad != "" {
			require.NotContains(t, err.Error(), bad)
		}
	}
}

func TestSealer_Properties(t *testing.T) {
	t.Parallel()
	m := NewMasterKey()
	sealer, other := NewSealer(m, PurposeCursors), NewSealer(m, PurposeConfirmations)
	foreign := NewSealer(NewMasterKey(), PurposeCursors)
	rapid.Check(t, func(t *rapid.T) {
		plain, context := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.SliceOf(rapid.Byte()).Draw(t, "context")
		sealed := sealer.Seal(plain, context)
		if got, err := sealer.Open(sealed, context); err != nil || string(got) != string(plain) {
			t.Fatalf("%q gives %q, %v", plain, got, err)
		}
		if sealer.Seal(plain, context) == sealed {
			t.Fatal("sealing twice gives the same text")
		}
		raw := []byte(sealed)
		at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
		raw[at] = "AZaz09-_"[(strings.IndexByte("AZaz09-_", raw[at])+1)%8]
		for name, open := range map[string]func() ([]byte, error){
			"another purpose": func() ([]byte, error) { return other.Open(sealed, context) },
			"another key":     func() ([]byte, error) { return foreign.Open(sealed, context) },
			"another context": func() ([]byte, error) { return sealer.Open(sealed, append(context, 1)) },
			"cut":             func() ([]byte, error) { return sealer.Open(sealed[:at], context) },
			"longer":          func() ([]byte, error) { return sealer.Open(sealed+"AAAA", context) },
			"no base64":       func() ([]byte, error) { return sealer.Open(sealed+"!", context) },
		} {
			if got, err := open(); err == nil {
				t.Fatalf("%s opens it: %q", name, got)
			}
		}
		// The last digit has bits that nobody reads; what opens is still the same.
		if got, err := sealer.Open(string(raw), context); err == nil && string(got) != string(plain) {
			t.Fatalf("changed at %d, it opens as %q", at, got)
		}
	})
}

func TestError(t *testing.T) {
	t.Parallel()
	e := Errorf(NotFound, "Project %q not found.", "WEB")
	next := e.WithNext("Try API.")
	require.Empty(t, e.Next, "a copy")
	require.Equal(t, `not_found: Project "WEB" not found. Try API.`, next.Error())
	require.Equal(t, `not_found: Project "WEB" not found.`, e.Error())
	require.Equal(t, NotFound, CodeOf(fmt.Errorf("outer: %w", next)))
	require.Equal(t, Internal, CodeOf(errors.New("x")))
	require.Empty(t, CodeOf(nil))
}
