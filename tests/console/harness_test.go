// Package console holds no code, only proofs: a real browser uses the console against the
// real program and PostgreSQL. Its flows are in flows/, one file each.
package console

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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

// built is the program that all tests of a run share, and the browser's driver.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func setup(t *testing.T) *bundle {
	t.Helper()
	built.once.Do(func() { built.err = prepare() })
	require.NoError(t, built.err)
	b := &bundle{db: storetest.Open(t), bin: filepath.Join(built.dir, "colaflow")}
	b.url = b.serve(t)
	return b
}

// prepare installs what is missing and builds the program.
func prepare() error {
	if out, err := exec.Command("../../scripts/chromium").CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/chromium: %w\n%s", err, out)
	}
	if err := installPackages(); err != nil {
		return err
	}
	if err := noteSources("../.."); err != nil {
		return err
	}
	var err error
	if built.dir, err = os.MkdirTemp("", "cf-console-"); err != nil {
		return err
	}
	if out, err := exec.Command("go", "build", "-o", built.dir, "../../cmd/colaflow").CombinedOutput(); err != nil {
		return fmt.Errorf("build colaflow: %w: %s", err, out)
	}
	return nil
}

// installPackages makes node_modules what package-lock.json says. A stamp remembers for
// which lock it was made.
func installPackages() error {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want, stamp := hex.EncodeToString(sum[:]), "node_modules/.colaflow-lock"
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	if out, err := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci failed; these tests need npm and Node.js 20: cd tests/console && npm ci --ignore-scripts: %w\n%s", err, out)
	}
	return os.WriteFile(stamp, []byte(want), 0o600)
}

// noteSources looks at every file that the program and the flows are made of. The go
// command keeps a test's result until a file changes that the test looked at.
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
		case ".go", ".sql", ".mod", ".js", ".css", ".html":
			_, err = os.Stat(path)
		}
		return err
	})
}

func (b *bundle) environment() []string {
	return []string{"COLAFLOW_DSN=" + b.db.AppDSN, "COLAFLOW_MASTER_KEY=" + b.db.Key.Hex()}
}

// serve starts `colaflow serve` on a free port and returns its address.
func (b *bundle) serve(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.bin, "serve", "--addr", "127.0.0.1:0", "--sso-allow-loopback")
	cmd.Env = b.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
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
			return "http://" + line.Addr
		}
	}
	t.Fatalf("colaflow serve did not start: %v\n%s", cmd.Wait(), said.String())
	return ""
}

// link makes a one-time link that signs a member in, as an operator does.
func (b *bundle) link(t *testing.T, slug, email string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.bin, "member", "signin-link", "--tenant", slug, email, "--public-url", b.url)
	cmd.Env = b.environment()
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
