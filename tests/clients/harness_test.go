// Package clients holds no code, only proofs: MCP clients and suites that are
// not ours do real work against the real program, over HTTP and stdio.
package clients

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Run(m)
	_ = os.RemoveAll(built.dir)
	os.Exit(code)
}

// bundle is the real program, serving a fresh database over HTTP.
type bundle struct {
	db  *storetest.DB
	bin string
	url string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: storetest.Open(t), bin: buildProgram(t)}
	b.url = b.serve(t)
	return b
}

// built is the program that all tests of a run share.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// buildProgram builds colaflow once per test run.
func buildProgram(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "cf-clients-"); built.err != nil {
			return
		}
		if built.err = noteSources("../.."); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", built.dir, "../../cmd/colaflow").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build colaflow: %w: %s", err, out)
		}
	})
	require.NoError(t, built.err)
	return filepath.Join(built.dir, "colaflow")
}

// noteSources looks at every file that the program is built from. The go command
// keeps a test's result until a file changes that the test looked at.
func noteSources(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".sql", ".mod", ".js":
			_, err = os.Stat(path)
		}
		return err
	})
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

// serve starts `colaflow serve` on a free port, with more flags, and returns the
// URL of its endpoint there.
func (b *bundle) serve(t *testing.T, flags ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.bin, append([]string{"serve", "--addr", "127.0.0.1:0"}, flags...)...)
	cmd.Env = b.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said strings.Builder
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		var line struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				for lines.Scan() {
				}
			}()
			t.Cleanup(func() { // t's context is done, so the program has its signal
				<-drained
				_ = cmd.Wait()
			})
			return "http://" + line.Addr + "/mcp"
		}
	}
	t.Fatalf("colaflow serve did not start: %v\n%s", cmd.Wait(), said.String())
	return ""
}

// node is where npm packages and a Node that all of them accept are.
var node struct {
	once sync.Once
	bin  string
	err  error
}

// nodeCommand runs a script of this folder with the Node of package-lock.json.
func nodeCommand(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	node.once.Do(func() { node.bin, node.err = installPackages() })
	require.NoError(t, node.err)
	cmd := exec.CommandContext(t.Context(), node.bin, append([]string{script}, args...)...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = []string{"PATH=" + filepath.Dir(node.bin) + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_COLOR=1"}
	return cmd
}

// installPackages makes node_modules what package-lock.json says. A stamp
// remembers for which lock it was made.
func installPackages() (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	want, stamp := hex.EncodeToString(sum[:]), "node_modules/.colaflow-lock"
	if have, err := os.ReadFile(stamp); err != nil || string(have) != want {
		if _, err := exec.LookPath("npm"); err != nil {
			return "", errors.New("these tests need npm (Node.js 18 or newer); on Debian or Ubuntu run: apt-get install --yes nodejs npm")
		}
		if out, err := exec.Command("npm", "ci", "--ignore-scripts").CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci failed; run: cd tests/clients && npm ci --ignore-scripts: %w\n%s", err, out)
		}
		if err := os.WriteFile(stamp, []byte(want), 0o600); err != nil {
			return "", err
		}
	}
	found, _ := filepath.Glob("node_modules/node-*/bin/node") // the pattern is valid
	if len(found) == 0 {
		return "", fmt.Errorf("package.json names no Node for %s on %s; add its package to optionalDependencies", runtime.GOOS, runtime.GOARCH)
	}
	return filepath.Abs(found[0])
}
