package console

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFigures measures the console for docs/performance.md: make bench-console.
func TestFigures(t *testing.T) {
	if os.Getenv("COLAFLOW_FIGURES") == "" {
		t.Skip("it takes minutes and judges nothing; run: make bench-console")
	}
	b := setup(t)
	acme := b.db.Tenant(t, "figures")
	acme.Fill(t, 200)
	_, err := b.db.Admin(t).Exec(t.Context(), `insert into audit_log (tenant_id, id, at, written_at, kind, actor, method, tool, decision, target, mac)
		select $1, gen_random_uuid(), now() - n * interval '1 second', now() - n * interval '1 second', 'call', 'ada', 'tools/call', 'update_issue', 'allowed', 'P0-' || n, ''
		from generate_series(1, 10000) n`, acme.ID)
	require.NoError(t, err)
	b.run(t, job{Flow: "figures", Links: map[string]string{"acme": b.link(t, acme.Slug, acme.Ada.Email)}})
}
