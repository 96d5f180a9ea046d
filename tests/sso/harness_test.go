// Package sso holds no code, only proofs: people sign in, in a real browser, by identity
// providers that are not ours, to the real program.
package sso

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// built is the program and the Node that all tests of a run share.
var built struct {
	once      sync.Once
	dir, node string
	err       error
}

func prepare() error {
	var err error
	if built.dir, err = os.MkdirTemp("", "cf-sso-"); err != nil {
		return err
	}
	if out, err := exec.Command("go", "build", "-o", built.dir, "../../cmd/colaflow").CombinedOutput(); err != nil {
		return fmt.Errorf("build colaflow: %w: %s", err, out)
	}
	built.node, err = installPackages()
	return err
}

// installPackages makes node_modules what package-lock.json says. A stamp remembers for
// which lock it was made.
func installPackages() (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	want, stamp := hex.EncodeToString(sum[:]), "node_modules/.colaflow-lock"
	if have, err := os.ReadFile(stamp); err != nil || string(have) != want {
		if out, err := exec.Command("npm", "ci", "--ignore-scripts").CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci failed; run: cd tests/sso && npm ci --ignore-scripts: %w\n%s", err, out)
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

// bundle is the real program over a fresh database, with tenants on plan team.
type bundle struct {
	db  *storetest.DB
	url string
}

func setup(t *testing.T, slugs ...string) *bundle {
	t.Helper()
	built.once.Do(func() { built.err = prepare() })
	require.NoError(t, built.err)
	b := &bundle{db: storetest.Open(t)}
	port := freePort(t)
	b.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	start(t, `"msg":"serving"`, b.environment(), filepath.Join(built.dir, "colaflow"), "serve", "--addr", fmt.Sprintf("127.0.0.1:%d", port), "--sso-allow-loopback", "--trusted-proxy", "127.0.0.0/8")
	for _, slug := range slugs {
		b.run(t, "tenant", "create", slug, "--owner", "owner@"+slug+".test")
		b.run(t, "tenant", "set-plan", slug, "team")
	}
	return b
}

func (b *bundle) environment() []string {
	return []string{"COLAFLOW_DSN=" + b.db.AppDSN, "COLAFLOW_MASTER_KEY=" + b.db.Key.Hex(), "COLAFLOW_SSO_ALLOW_LOOPBACK=true", "HOME=" + built.dir}
}

// run runs a command of the program and returns what it prints.
func (b *bundle) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := b.try(t, "", args...)
	require.NoError(t, err, "%v: %s", args, out)
	return out
}

func (b *bundle) try(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(built.dir, "colaflow"), args...)
	cmd.Env, cmd.Stdin = b.environment(), strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// freePort finds a port that nobody uses.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a program until the test ends, and waits for it to say that it is ready.
func start(t *testing.T, ready string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	said := &watch{word: ready, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { <-ended }) // t's context is done, so the program has its signal
	select {
	case <-said.seen:
	case <-ended:
		t.Fatalf("%s ended before it was ready: %s", name, said.text())
	case <-time.After(time.Minute):
		t.Fatalf("%s is not ready after a minute: %s", name, said.text())
	}
}

// watch waits for a word in what a program prints.
type watch struct {
	word string
	seen chan struct{}

	mu   sync.Mutex
	all  bytes.Buffer
	done bool
}

// Write implements io.Writer.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return len(p), nil
	}
	w.all.Write(p)
	if w.done = bytes.Contains(w.all.Bytes(), []byte(w.word)); w.done {
		close(w.seen)
	}
	return len(p), nil
}

func (w *watch) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// node starts a driver of this folder, which says when it is ready.
func node(t *testing.T, driver string, argument any) {
	t.Helper()
	start(t, "ready", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + built.dir}, built.node, filepath.Join("drivers", driver), asJSON(t, argument))
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// connection is what `colaflow sso show --json` says of one.
type connection struct {
	ID        string
	Name      string
	Addresses struct {
		Start, Callback, ACS string
		EntityID             string `json:"entity_id"`
	}
}

// set stores a connection of a tenant with more flags.
func (b *bundle) set(t *testing.T, slug, kind, name string, flags ...string) connection {
	t.Helper()
	args := append([]string{"sso", kind, name, "--tenant", slug, "--address", b.url, "--domain", slug + ".test"}, flags...)
	secret := ""
	if kind == "set-oidc" {
		args, secret = append(args, "--client-secret-stdin"), clientSecret+"\n"
	}
	out, err := b.try(t, secret, args...)
	require.NoError(t, err, out)
	var shown struct{ Connections []connection }
	require.NoError(t, json.Unmarshal([]byte(b.run(t, "sso", "show", "--tenant", slug, "--json")), &shown))
	for _, c := range shown.Connections {
		if c.Name == name {
			return c
		}
	}
	t.Fatal("the connection is not shown")
	return connection{}
}

const clientSecret = "a secret of the client, which nobody else knows"

// ended is where a sign-in in a browser ended, and who is signed in.
type ended struct {
	URL, Text string
	Status    int
	Me        *struct {
		ID, Email, Name, Role string
		Provider              string `json:"auth_provider"`
	}
	Cookies []struct {
		Name, SameSite   string
		HTTPOnly, Secure bool
	}
}

// signIn signs in with a fresh browser, filling in the provider's form.
func (b *bundle) signIn(t *testing.T, slug, start string, fill map[string]string) (e ended) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built.node, filepath.Join("drivers", "browser.mjs"), asJSON(t, map[string]any{"start": start, "ours": b.url, "slug": slug, "fill": fill}))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CHROMIUM=" + chromium(t)}
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(t, cmd.Run(), "%s", &log)
	require.NoError(t, json.Unmarshal(out.Bytes(), &e), out.String())
	return e
}

// strangers counts addresses: one that fails too often is slowed down.
var strangers atomic.Uint32

// from sends requests from an address of its own, through a proxy that says so.
type from uint32

// RoundTrip implements http.RoundTripper.
func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", f))
	return http.DefaultTransport.RoundTrip(r)
}

// follow signs in as a browser does where no page runs anything: it follows redirects and
// keeps cookies. It returns the page at the end.
func follow(t *testing.T, start string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	res, err := (&http.Client{Jar: jar, Timeout: time.Minute, Transport: from(strangers.Add(1))}).Get(start)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	page, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(page)
}

// chromium finds the browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("COLAFLOW_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.NoError(t, errors.New("these tests need Chromium; run: scripts/chromium"))
	return ""
}
