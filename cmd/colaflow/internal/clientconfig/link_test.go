package clientconfig_test

import (
	"encoding/base64"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/cmd/colaflow/internal/clientconfig"
)

// TestLink reads links back as the clients do.
func TestLink(t *testing.T) {
	t.Parallel()
	s := server
	s.Name, s.TokenURL = "it's mine & yours", "http://127.0.0.1:8081/mcp"

	config, found := strings.CutPrefix(find(t, "vscode").Link(s), "vscode:mcp/install?")
	require.True(t, found)
	require.NotContains(t, config, "+", "VS Code reads percents alone")
	text, err := url.PathUnescape(config)
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"it's mine & yours","type":"http","url":"http://127.0.0.1:8080/mcp","headers":{"Authorization":"Bearer ${input:it's mine & yours-token}"},
		"inputs":[{"type":"promptString","id":"it's mine & yours-token","description":"Token of the agent, mcp_...","password":true}]}`, text)
	require.NotContains(t, text, s.Token, "it asks for the token")

	require.JSONEq(t, `{"url":"http://127.0.0.1:8081/mcp","headers":{"Authorization":"Bearer mcp_acme_0123"}}`,
		cursorConfig(t, find(t, "cursor").Link(s), "cursor://anysphere.cursor-deeplink/mcp/install", s.Name))
	require.JSONEq(t, `{"url":"http://127.0.0.1:8081/mcp","headers":{"Authorization":"Bearer ${env:COLAFLOW_TOKEN}"}}`,
		cursorConfig(t, find(t, "cursor").WebLink(s), "https://cursor.com/en/install-mcp", s.Name), "what is public holds no token")
	for _, name := range []string{"claude-desktop", "claude-code"} {
		require.Empty(t, find(t, name).Link(s)+find(t, name).WebLink(s), name)
	}
}

func cursorConfig(t *testing.T, link, where, name string) string {
	t.Helper()
	address, query, _ := strings.Cut(link, "?")
	require.Equal(t, where, address)
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	require.Equal(t, name, values.Get("name"))
	config, err := base64.StdEncoding.DecodeString(values.Get("config"))
	require.NoError(t, err)
	return string(config)
}

// TestLink_README: the links that people find there are those that we make.
func TestLink_README(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../../README.md")
	require.NoError(t, err)
	local := clientconfig.Server{Name: "colaflow", URL: "http://127.0.0.1:8080/mcp", TokenURL: "http://127.0.0.1:8081/mcp"}
	for _, name := range []string{"vscode", "cursor"} {
		require.Contains(t, string(readme), "\n["+name+"]: "+find(t, name).WebLink(local)+"\n", name)
	}
}
