package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuarded: metrics name tenants, so who does not know the token gets none.
func TestGuarded(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
	for _, c := range []struct {
		token, header string
		status        int
	}{
		{"", "", 200}, {"secret", "", 401}, {"secret", "Bearer secret", 200}, {"secret", "bearer secret", 200}, {"secret", "Bearer secre", 401},
		{"secret", "Bearer secret2", 401}, {"secret", "Basic secret", 401}, {"secret", "secret", 401}, {"secret", "Bearer ", 401},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		guarded(c.token, ok).ServeHTTP(w, r)
		require.Equal(t, c.status, w.Code, c)
		require.NotContains(t, w.Body.String(), "secret")
	}
}
