package mcpserver_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

// Clients show tools in the order they get them, and models read them so.
func TestToolsList_CatalogueOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	var want []string
	for _, tool := range mcpserver.Catalogue() {
		want = append(want, tool.Name)
	}
	result, rpcError := b.client(t, acme.FullToken(t)).rpc("tools/list", nil)
	require.Empty(t, rpcError)
	var listed struct{ Tools []struct{ Name string } }
	require.NoError(t, json.Unmarshal(result, &listed))
	var got []string
	for _, tool := range listed.Tools {
		got = append(got, tool.Name)
	}
	require.Equal(t, want, got)
}
