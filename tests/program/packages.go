package program

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages are those that this run of tests has installed.
var packages struct {
	once sync.Once
	err  error
}

// Packages makes node_modules in the test's folder what package-lock.json says.
func Packages(t *testing.T) {
	t.Helper()
	packages.once.Do(func() { packages.err = install() })
	require.NoError(t, packages.err)
}

// install leaves a stamp that tells for which lock it was done.
func install() error {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want, stamp := hex.EncodeToString(sum[:]), "node_modules/.colaflow-lock"
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("these tests need npm (Node.js 20 or newer); on Debian or Ubuntu run: apt-get install --yes nodejs npm")
	}
	if out, err := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci failed; run it in the folder of the test: npm ci --ignore-scripts: %w\n%s", err, out)
	}
	return os.WriteFile(stamp, []byte(want), 0o600)
}

// Node returns the Node that is among the packages: one that all of them accept.
func Node(t *testing.T) string {
	t.Helper()
	Packages(t)
	found, err := filepath.Glob("node_modules/node-*/bin/node")
	require.NoError(t, err)
	require.NotEmpty(t, found, "package.json names no Node for %s on %s; add its package to optionalDependencies", runtime.GOOS, runtime.GOARCH)
	path, err := filepath.Abs(found[0])
	require.NoError(t, err)
	return path
}

// Chromium returns the browser, and installs it if there is none.
func Chromium(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("../../scripts/chromium").CombinedOutput()
	require.NoError(t, err, "scripts/chromium: %s", out)
	if path := os.Getenv("COLAFLOW_CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}
