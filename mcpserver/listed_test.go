package mcpserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// TestListedTools: what an admin is shown before making a token is what its agent lists.
func TestListedTools(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	for _, grants := range []string{`{}`, `{"issues":["read"],"comments":["read"]}`, `{"projects":["*"],"issues":["*"]}`} {
		_, plain := acme.Token(t, "agent with "+grants, grants)
		tools, raw := b.client(t, plain).listTools()
		g, err := tenancy.ParseGrants([]byte(grants))
		require.NoError(t, err)
		listed, tokens := b.mcp.ListedTools(g.Effective(tenancy.RoleOwner)), 0
		require.Len(t, listed, len(tools), grants)
		for n, tool := range tools {
			require.Equal(t, tool.Name, listed[n].Name)
			require.Equal(t, tool.Annotations["title"], listed[n].Title)
			require.Equal(t, tool.Annotations["readOnlyHint"], listed[n].ReadOnly)
			tokens += listed[n].Tokens
		}
		require.InDelta(t, len(raw)/4, tokens, float64(60+len(tools)), grants)
	}
}
