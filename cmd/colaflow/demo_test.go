package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrintDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{out: &out}
	const token = "mcp_acme_0123456789abcdef0123456789abcdef"
	require.NoError(t, p.printDemo("http://127.0.0.1:8080", "http://127.0.0.1:8081", choice{data: "/srv/demo"}, []demoTenant{
		{Slug: "acme", Token: token, name: "Acme Tea", projects: []string{"WEB", "OPS"}, issues: 393},
		{Slug: "globex", Token: "mcp_globex_1", name: "Globex", projects: []string{"DOCK"}, issues: 7},
	}))
	text := out.String()
	for _, want := range []string{
		"http://127.0.0.1:8080\n", "Acme Tea; 393 issues in WEB, OPS", token, "mcp_globex_1",
		`claude mcp add --transport http colaflow http://127.0.0.1:8081/mcp --header "Authorization: Bearer ` + token + `"`,
		`"COLAFLOW_TOKEN": "` + token + `"`, "--data", "/srv/demo", "curl -s http://127.0.0.1:8080/mcp", `"servers": {`, "Ctrl-C",
	} {
		require.Contains(t, text, want)
	}
	for _, part := range []string{"Claude Desktop", "VS Code", "Cursor"} {
		_, after, found := strings.Cut(text, "\n"+part+" (")
		require.True(t, found, part)
		_, after, _ = strings.Cut(after, ")\n")
		var snippet map[string]any
		require.NoError(t, json.NewDecoder(strings.NewReader(after)).Decode(&snippet), "%s can be copied", part)
	}
}

func TestDemoTokens_File(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), demoTokensFile)
	kept, err := readDemoTokens(file)
	require.NoError(t, err)
	require.Empty(t, kept)
	kept["acme"] = "mcp_acme_1"
	require.NoError(t, writeDemoTokens(file, kept))
	again, err := readDemoTokens(file)
	require.NoError(t, err)
	require.Equal(t, kept, again)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	kept, err = readDemoTokens(file)
	require.NoError(t, err, "a damaged file is replaced")
	require.Empty(t, kept)
	_, err = readDemoTokens(t.TempDir())
	require.ErrorContains(t, err, "read the demo's tokens")
}
