package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
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
	require.NotContains(t, text, "--public-url", "what stdio takes for it anyway")
	out.Reset()
	require.NoError(t, p.printDemo("http://127.0.0.1:9090", "http://127.0.0.1:9091", choice{}, []demoTenant{{Slug: "acme", Token: token}}))
	require.Regexp(t, `"--public-url",\s+"http://127.0.0.1:9090"`, out.String(), "the server that opens the links that stdio makes")
}

// TestPublicURL_Defaults: links are made and opened by different commands, which must
// agree on the address without being told.
func TestPublicURL_Defaults(t *testing.T) {
	t.Parallel()
	root := (&program{in: strings.NewReader(""), out: io.Discard, err: io.Discard}).root()
	found := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if f := cmd.Flags().Lookup("public-url"); f != nil && cmd.Name() != "serve" {
			found++
			require.Equal(t, defaultURL, f.DefValue, cmd.CommandPath())
		}
		if f := cmd.Flags().Lookup("addr"); f != nil && slices.Contains([]string{"serve", "demo"}, cmd.Name()) {
			found++
			addr, err := net.ResolveTCPAddr("tcp", f.DefValue)
			require.NoError(t, err)
			require.Equal(t, defaultURL, serveFlags{}.url(addr), cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	require.GreaterOrEqual(t, found, 8)
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
