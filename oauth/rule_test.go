package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/oauth"
	"github.com/colaflow/colaflow/tenancy"
)

func TestCheckRedirect(t *testing.T) {
	t.Parallel()
	for uri, ok := range map[string]bool{
		"https://a.example/cb": true, "https://a.example": true, "https://a.example:8443/cb?x=1": true, "http://127.0.0.1/cb": true, "http://127.9.9.9:80/": true,
		"http://[::1]:9/cb": true, "http://localhost/cb": true, "cursor://anysphere.cursor-mcp/oauth/callback": true, "vscode://x/y": true,
		"http://a.example/cb": false, "http://127.0.0.1.evil.example/": false, "http://localhost.evil.example/": false, "https://u@a.example/": false,
		"https://a.example/#f": false, "https://a.example/#": false, "javascript:alert(1)": false, "data:,x": false, "app://x/y": false, "https:///cb": false,
		"https://a.example/ü": false, "https://a.example/ x": false, "https://a.example\\@b.example": false, "//a.example": false, "": false, "cursor:x": false,
	} {
		require.Equal(t, ok, oauth.CheckRedirect(uri) == nil, uri)
	}
}

// TestMatchesRedirect_Property: what matches a registered URI differs from it in nothing
// but the port of this machine's own address.
func TestMatchesRedirect_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[a-zA-Z0-9./?&=%@:-]{0,12}`)
		host := rapid.SampledFrom([]string{"https://a.example", "http://127.0.0.1", "http://localhost", "http://[::1]", "http://127.0.0.1:7"})
		registered, given := host.Draw(t, "host")+"/"+part.Draw(t, "path"), host.Draw(t, "other")+"/"+part.Draw(t, "other path")
		require.True(t, oauth.MatchesRedirect(registered, registered))
		if !oauth.MatchesRedirect(registered, given) || registered == given {
			return
		}
		a, err := url.Parse(registered)
		require.NoError(t, err)
		b, err := url.Parse(given)
		require.NoError(t, err)
		require.Equal(t, "http", a.Scheme)
		require.Equal(t, a.Hostname(), b.Hostname())
		require.Equal(t, strings.TrimPrefix(registered, "http://"+a.Host), strings.TrimPrefix(given, "http://"+b.Host))
	})
}

// TestCleanName_Property: a name is one visible line of bounded length, whatever it was.
func TestCleanName_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := oauth.CleanName(rapid.String().Draw(t, "name"))
		require.NotEmpty(t, name)
		require.LessOrEqual(t, len([]rune(name)), 61)
		for _, r := range name {
			require.True(t, unicode.IsPrint(r), "%U", r)
			require.False(t, unicode.In(r, unicode.Cf), "%U", r)
		}
	})
}

// TestCleanName_Twins: letters that look like Latin ones are told apart; words of other
// alphabets stay as they are.
func TestCleanName_Twins(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"\u0421laude": "[U+0421]laude", "Сlaude Агент": "[U+0421]laude Агент", "Агент": "Агент", "Πράκτωρ Claude": "Πράκτωρ Claude", "Claude助手": "Claude助手", "Ågent café": "Ågent café",
		"Cl\u03b1ude": "Cl[U+03B1]ude", "\U0001d402laude": "[U+1D402]laude",
	} {
		require.Equal(t, want, oauth.CleanName(name), name)
	}
}

// TestScope_Property: a scope says a set of permissions and nothing else.
func TestScope_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := tenancy.PermissionSet(rapid.Uint32().Draw(t, "set")) & tenancy.AllPermissions
		require.Equal(t, set, oauth.ParseScope(oauth.FormatScope(set)))
		noise := rapid.StringMatching(`[a-z:_ ]{0,40}`).Draw(t, "noise")
		require.Zero(t, oauth.ParseScope("x"+noise)&^oauth.ParseScope(noise), "words that are not known add nothing")
	})
}

// FuzzMatchesRedirect: nobody gets a code at an address that was not registered, whatever
// is asked for: what matches may be redirected to, and has the same scheme, host and path.
func FuzzMatchesRedirect(f *testing.F) {
	for _, registered := range []string{"http://127.0.0.1:7/cb", "https://a.example/cb?x=1", "http://[::1]/cb", "cursor://x/y"} {
		for _, given := range []string{"http://127.0.0.1:9/cb", "http://127.0.0.1:9@evil.example/cb", "https://a.example/cb?x=1", "http://[::1]:80/cb", "http://localhost\\/cb"} {
			f.Add(registered, given)
		}
	}
	f.Fuzz(func(t *testing.T, registered, given string) {
		if oauth.CheckRedirect(registered) != nil || !oauth.MatchesRedirect(registered, given) {
			return
		}
		require.NoError(t, oauth.CheckRedirect(given))
		a, err := url.Parse(registered)
		require.NoError(t, err)
		b, err := url.Parse(given)
		require.NoError(t, err)
		require.Equal(t, a.Hostname(), b.Hostname())
		if registered != given {
			require.Equal(t, "http", a.Scheme, "only this machine's ports may differ")
		}
		a.Host, b.Host = "", ""
		require.Equal(t, a, b)
	})
}
