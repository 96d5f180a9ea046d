package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// TestTokenShow_Why: an operator reads why a connected agent was shut out.
func TestTokenShow_Why(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	for why, want := range map[string]string{"reused": "used twice", "replaced": "newer token", "disconnected": "signed out", "": ""} {
		token, _ := acme.Token(t, "agent", `{"issues":["read"]}`)
		_, err := db.Admin(t).Exec(t.Context(), "update tokens set revoked_at = now(), ended_why = nullif($2, '') where id = $1", token.ID, why)
		require.NoError(t, err)
		code, out, errOut := execute(t, testEnv(db), "token", "show", "--tenant", "acme", token.ID.String())
		require.Equal(t, exitOK, code, errOut)
		require.Contains(t, out, "revoked")
		if want == "" {
			require.NotContains(t, out, "Why")
			continue
		}
		require.Regexp(t, `(?m)^Why: +.*`+want, out)
	}
}
