package clientconfig_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/cmd/colaflow/internal/clientconfig"
)

var server = clientconfig.Server{Name: "colaflow", URL: "http://127.0.0.1:8080/mcp", Token: "mcp_acme_0123",
	Program: "/opt/cola flow/colaflow", Args: []string{"stdio"}}

func find(t *testing.T, name string) clientconfig.Client {
	t.Helper()
	c, err := clientconfig.Find(name)
	require.NoError(t, err)
	return c
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"mcpServers":{"colaflow":{"command":"/opt/cola flow/colaflow","args":["stdio"],"env":{"COLAFLOW_TOKEN":"mcp_acme_0123"}}}}`,
		find(t, "claude-desktop").Snippet(server))
	require.JSONEq(t, `{"servers":{"colaflow":{"type":"http","url":"http://127.0.0.1:8080/mcp","headers":{"Authorization":"Bearer mcp_acme_0123"}}}}`,
		find(t, "vscode").Snippet(server))
	require.JSONEq(t, `{"mcpServers":{"colaflow":{"url":"http://127.0.0.1:8080/mcp","headers":{"Authorization":"Bearer mcp_acme_0123"}}}}`,
		find(t, "cursor").Snippet(server))
	require.Equal(t, `claude mcp add --transport http colaflow http://127.0.0.1:8080/mcp --header "Authorization: Bearer mcp_acme_0123"`,
		find(t, "claude-code").Snippet(server))
	_, err := clientconfig.Find("emacs")
	require.EqualError(t, err, `client "emacs" is not known: use claude-desktop, claude-code, vscode, cursor`)
}

// TestSnippet_Shell lets a shell read the command line back.
func TestSnippet_Shell(t *testing.T) {
	t.Parallel()
	s := server
	s.Name, s.URL = `it's "mine" $(touch /tmp/never) \`, "http://h/`x`?a&b;c"
	line := find(t, "claude-code").Snippet(s)
	out, err := exec.Command("sh", "-c", `claude() { printf '%s\n' "$@"; }; `+line).Output()
	require.NoError(t, err)
	require.Equal(t, "mcp\nadd\n--transport\nhttp\n"+s.Name+"\n"+s.URL+"\n--header\nAuthorization: Bearer mcp_acme_0123\n", string(out))
}

func TestWrite(t *testing.T) {
	t.Parallel()
	home := clientconfig.Home{Dir: t.TempDir(), Config: t.TempDir(), Work: t.TempDir()}
	for _, c := range clientconfig.All() {
		file := c.File(home)
		w, err := c.Write(file, server)
		require.NoError(t, err)
		require.Equal(t, clientconfig.Written{File: file}, w, "a new file needs no backup")
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

func TestWrite_KeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "mcp.json")
	const before = "{\n  // mine\n  \"servers\": {\"other\": {\"url\": \"http://y\"}},\n}\n"
	require.NoError(t, os.WriteFile(file, []byte(before), 0o644))
	require.NoError(t, os.Symlink(file, link))

	w, err := find(t, "vscode").Write(link, server)
	require.NoError(t, err)
	require.Equal(t, clientconfig.Written{File: file, Backup: file + ".bak"}, w)
	text, err := os.ReadFile(link)
	require.NoError(t, err)
	require.Contains(t, string(text), "// mine")
	require.Contains(t, string(text), `{"url": "http://y"}`)
	require.Contains(t, string(text), "mcp_acme_0123")
	backup, err := os.ReadFile(w.Backup)
	require.NoError(t, err)
	require.Equal(t, before, string(backup))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	info, err = os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode(), "it holds a token now")

	w, err = find(t, "vscode").Write(link, server)
	require.NoError(t, err)
	require.True(t, w.Replaced)
}

func TestWrite_Refuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mcp.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"servers": [`), 0o600))
	_, err := find(t, "vscode").Write(file, server)
	require.ErrorContains(t, err, "mcp.json was left as it is, because it is not valid JSON")
	require.ErrorContains(t, err, "colaflow config vscode")
	require.NotContains(t, err.Error(), server.Token)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, `{"servers": [`, string(text))
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1)
}
