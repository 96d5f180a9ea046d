package clients

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// started is what a manifest says of how its program is started.
type started struct {
	Command string
	Args    []string
	Env     map[string]string
}

// TestMCPB installs the bundle for Claude Desktop as that does: with the specification's own
// tool it is validated and unpacked, what a person would fill in is put in its places, and
// the program works on a server that is elsewhere.
func TestMCPB(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.office(t, "desk")
	platform := map[string]string{"windows": "win32"}[runtime.GOOS]
	if platform == "" {
		platform = runtime.GOOS
	}
	dir := t.TempDir()
	var bundles [2]string // the same, byte for byte
	for n := range bundles {
		file := filepath.Join(dir, "colaflow.mcpb")
		out, err := exec.CommandContext(t.Context(), "go", "run", "../../cmd/bundle", "-version", "v1.2.3", "-platforms", platform, "-o", file).CombinedOutput()
		require.NoError(t, err, string(out))
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		bundles[n] = string(data)
	}
	require.True(t, bundles[0] == bundles[1], "two builds differ")

	const mcpb = "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"
	home := filepath.Join(dir, "installed")
	for _, step := range [][]string{{"unpack", filepath.Join(dir, "colaflow.mcpb"), home}, {"validate", filepath.Join(home, "manifest.json")}} {
		out, err := nodeCommand(t, mcpb, step...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	text, err := os.ReadFile(filepath.Join(home, "manifest.json"))
	require.NoError(t, err)
	var manifest struct {
		Server struct {
			Type   string
			Config struct {
				started
				Overrides map[string]started `json:"platform_overrides"`
			} `json:"mcp_config"`
		}
		UserConfig map[string]struct{ Sensitive, Required bool } `json:"user_config"`
	}
	require.NoError(t, json.Unmarshal(text, &manifest))
	require.Equal(t, "binary", manifest.Server.Type)
	require.True(t, manifest.UserConfig["token"].Sensitive)
	fill := strings.NewReplacer("${__dirname}", home, "${user_config.server}", strings.TrimSuffix(b.url, "/mcp"), "${user_config.token}", o.agent)
	run := manifest.Server.Config.started
	if own, ok := manifest.Server.Config.Overrides[platform]; ok {
		run.Command = own.Command
	}
	cmd := exec.CommandContext(t.Context(), fill.Replace(run.Command), run.Args...)
	cmd.Env = []string{}
	for name := range maps.Keys(run.Env) {
		cmd.Env = append(cmd.Env, name+"="+fill.Replace(run.Env[name]))
	}
	require.NotContains(t, strings.Join(cmd.Env, " "), "${")
	client := mcp.NewClient(&mcp.Implementation{Name: "claude-desktop", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), overPipes(cmd), nil)
	require.NoError(t, err)
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "get_me", Arguments: args{}})
	require.NoError(t, err)
	require.False(t, result.IsError)
	require.Contains(t, string(mustJSON(t, result.StructuredContent)), `"desk"`)
	require.NoError(t, session.Close())
}
