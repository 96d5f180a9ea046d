package oauth

import (
	"log/slog"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// NewForTest returns a server that reads requests without a database.
func NewForTest(t testing.TB) http.Handler {
	t.Helper()
	now := time.Date(2026, 4, 15, 0, 0, 0, 0, time.UTC)
	s, err := New(Config{Key: tenancy.NewMasterKey(), PublicURL: "https://colaflow.test", Fetch: http.DefaultClient, Log: slog.New(slog.DiscardHandler),
		Clock:      func() time.Time { now = now.Add(time.Minute); return now },
		FirstScope: func(string) (tenancy.PermissionSet, bool) { return 0, false },
		ClientIP:   func(*http.Request) netip.Addr { return netip.Addr{} }})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	mux := http.NewServeMux()
	s.Register(mux)
	return mux
}

// MatchesRedirect and CheckRedirect are what the rules say of redirect URIs.
var (
	MatchesRedirect = matchesRedirect
	CheckRedirect   = checkRedirect
	CleanName       = cleanName
	ParseScope      = parseScope
	FormatScope     = formatScope
)
