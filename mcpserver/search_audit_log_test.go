package mcpserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSearchAuditLog_TooWide: a search that takes too long tells the agent what to do, and
// is in the log itself.
func TestSearchAuditLog_TooWide(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t)).all()
	b.db.TooSlow(t, "audit_log")
	r := c.call("search_audit_log", args{"actor": "nobody"})
	require.True(t, r.isError)
	require.Equal(t, "too_large: The audit log has more rows than can be searched for this in the time that a request may take. "+
		"Narrow the period, or ask for a token by its id.", r.text)
	rows := b.lastAudit(t, 0)
	require.Equal(t, []string{"search_audit_log", "failed"}, []string{rows[len(rows)-1].Tool, rows[len(rows)-1].Decision})
}
