package oauth

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

// appSchemes are the schemes of installed applications that may be redirected to:
// each belongs to one well-known program. Any other could be claimed by anybody.
var appSchemes = []string{"cursor", "vscode", "vscode-insiders"}

// checkRedirect refuses a redirect URI that a client may not have: anything but
// https, http on a loopback address (RFC 8252, 7.3), or a known application's scheme.
func checkRedirect(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > 2_000 || strings.ContainsFunc(raw, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == '\\' }):
		return invalidRedirect("is not a URI")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return invalidRedirect("has a fragment")
	case u.User != nil || strings.Contains(u.Host, "@"):
		return invalidRedirect("has user information")
	case u.Opaque != "":
		return invalidRedirect("has no authority")
	case u.Scheme == "https" && u.Hostname() != "":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	for _, scheme := range appSchemes {
		if u.Scheme == scheme && u.Host != "" {
			return nil
		}
	}
	return invalidRedirect("must be https, or http on this machine")
}

func invalidRedirect(why string) error {
	return &failure{"invalid_redirect_uri", "A redirect_uri " + why + "."}
}

// isLoopback reports whether a host is this machine, by address or as localhost.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || host == "localhost"
}

// matchesRedirect compares a redirect URI with a registered one: by every
// character, but for the port of a loopback address (RFC 8252, 7.3).
func matchesRedirect(registered, given string) bool {
	if registered == given {
		return true
	}
	a, errA := url.Parse(registered)
	b, errB := url.Parse(given)
	if errA != nil || errB != nil || a.Scheme != "http" || b.Scheme != "http" || !isLoopback(a.Hostname()) || checkRedirect(given) != nil {
		return false
	}
	withoutPort := func(u *url.URL, raw string) string { return strings.Replace(raw, "//"+u.Host, "//"+u.Hostname(), 1) }
	return withoutPort(a, registered) == withoutPort(b, given)
}
