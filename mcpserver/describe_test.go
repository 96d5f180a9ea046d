package mcpserver_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

func TestTool_Arguments(t *testing.T) {
	t.Parallel()
	types := map[string]string{}
	for _, tool := range mcpserver.Catalogue() {
		for _, a := range tool.Arguments() {
			require.NotContains(t, a.Type, "ss ", "%s.%s: %s", tool.Name, a.Name, a.Type)
			types[tool.Name+" "+a.Name] = a.Type
		}
	}
	require.Equal(t, "integer (1 to 100)", types["list_projects limit"])
	require.Equal(t, "list of strings (1 to 20)", types["get_issue keys"])
	require.Equal(t, "string or null", types["update_issue assignee"])
	require.Contains(t, types["batch_create_issues issues"], "list of objects with ref, title,")

	search := mcpserver.Catalogue()[slices.IndexFunc(mcpserver.Catalogue(), func(t mcpserver.Tool) bool { return t.Name == "get_issue" })]
	require.True(t, search.Arguments()[0].Required)
}
