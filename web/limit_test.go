package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

// TestAPI_Limits: a member who asks without end is slowed down, and nobody else; what
// costs much is held to fewer, whatever the plan.
func TestAPI_Limits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.restart(t, func(c *web.Config) {
		c.Clock = func() time.Time { return storetest.Now } // time stands still
		c.Limits = func(string) tenancy.Limits { return tenancy.Limits{TokenReads: 20} }
	})
	acme := b.db.Tenant(t, "acme")
	ada := b.sessionOf(t, acme)
	ben, err := b.app(t, acme.Tenant).Sign(t.Context(), tenancy.KindSession, acme.Ben.ID.String(), web.SessionLife,
		tenancy.Claims{Email: acme.Ben.Email, Role: acme.Ben.Role, MemberEpoch: 1})
	require.NoError(t, err)
	br := b.browser(t, "colaflow.test")
	count := func(token, method, path string) (admitted int) {
		for range 15 {
			status, body, h := br.do(method, path, "", bearer(token))
			if status == http.StatusTooManyRequests {
				require.Contains(t, body, `"rate_limited"`)
				require.NotEmpty(t, h.Get("Retry-After"))
				return admitted
			}
			require.Less(t, status, 300, body)
			admitted++
		}
		return admitted
	}
	require.Equal(t, 10, count(ada, "GET", "/api/v1/me"))
	require.Equal(t, 10, count(ben, "GET", "/api/v1/me"))
	require.Equal(t, 5, count(ada, "POST", "/api/v1/settings/rotate-keys"))
}
