// Package sso holds no code, only proofs: people sign in, in a real browser, by identity
// providers that are not ours, to the real program.
package sso

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
)

func TestMain(m *testing.M) { os.Exit(program.Run(m)) }

// bundle is the real program over a fresh database, with tenants on plan team.
type bundle struct {
	db        *storetest.DB
	bin, home string
	url       string
}

func setup(t *testing.T, slugs ...string) *bundle {
	t.Helper()
	b := &bundle{db: storetest.Open(t), bin: program.Path(t), home: t.TempDir()}
	b.url = program.Serve(t, b.environment(), "--sso-allow-loopback", "--trusted-proxy", "127.0.0.0/8")
	for _, slug := range slugs {
		b.run(t, "tenant", "create", slug, "--owner", "owner@"+slug+".test")
		b.run(t, "tenant", "set-plan", slug, "team")
	}
	return b
}

func (b *bundle) environment() []string {
	return []string{"COLAFLOW_DSN=" + b.db.AppDSN, "COLAFLOW_MASTER_KEY=" + b.db.Key.Hex(), "COLAFLOW_SSO_ALLOW_LOOPBACK=true", "HOME=" + b.home}
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
	cmd := exec.CommandContext(t.Context(), b.bin, args...)
	cmd.Env, cmd.Stdin = b.environment(), strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// node starts a driver of this folder, which says when it is ready.
func node(t *testing.T, driver string, argument any) {
	t.Helper()
	program.Start(t, "ready", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, program.Node(t), filepath.Join("drivers", driver), asJSON(t, argument))
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
	cmd := exec.CommandContext(t.Context(), program.Node(t), filepath.Join("drivers", "browser.mjs"), asJSON(t, map[string]any{"start": start, "ours": b.url, "slug": slug, "fill": fill}))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CHROMIUM=" + program.Chromium(t)}
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
