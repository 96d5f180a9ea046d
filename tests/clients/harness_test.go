// Package clients holds no code, only proofs: MCP clients and suites that are
// not ours do real work against the real program, over HTTP and stdio.
package clients

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
)

func TestMain(m *testing.M) { os.Exit(program.Run(m)) }

// bundle is the real program, serving a fresh database over HTTP.
type bundle struct {
	db    *storetest.DB
	bin   string
	url   string
	way   http.RoundTripper // to the server
	roots string            // file with the certificates that clients trust beside the usual ones
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: storetest.Open(t), bin: program.Path(t), way: http.DefaultTransport}
	b.url = b.serve(t)
	return b
}

// environment is what the program needs to open the test's database.
func (b *bundle) environment(more ...string) []string {
	return append([]string{"COLAFLOW_DSN=" + b.db.AppDSN, "COLAFLOW_MASTER_KEY=" + b.db.Key.Hex()}, more...)
}

// stdio is the environment of `colaflow stdio`: over the database, or as a
// bridge to the server, which needs no database.
func (b *bundle) stdio(transport, token string) []string {
	if transport == "bridge" {
		return []string{"COLAFLOW_URL=" + b.url, "COLAFLOW_TOKEN=" + token}
	}
	return b.environment("COLAFLOW_TOKEN=" + token)
}

// serve starts `colaflow serve` with more flags, and returns the URL of its endpoint.
func (b *bundle) serve(t *testing.T, flags ...string) string {
	t.Helper()
	return program.ServeAs(t, b.bin, b.environment(), flags...) + "/mcp"
}

// nodeCommand runs a script of this folder with the Node of package-lock.json.
func nodeCommand(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	node := program.Node(t)
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = []string{"PATH=" + filepath.Dir(node) + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_COLOR=1"}
	return cmd
}
