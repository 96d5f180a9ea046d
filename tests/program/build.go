// Package program builds and runs the real program, and the npm packages and browser that
// use it, for tests that look at it from outside.
package program

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// built is the program that all tests of a run share.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// Run is for TestMain: it runs the tests as storetest.Run does, and removes what they built.
func Run(m *testing.M) int {
	defer func() { _ = os.RemoveAll(built.dir) }()
	return storetest.Run(m)
}

// Path builds colaflow, once for each run of tests, and returns where it is.
func Path(t *testing.T) string {
	t.Helper()
	built.once.Do(func() { built.err = build() })
	require.NoError(t, built.err)
	return filepath.Join(built.dir, "colaflow")
}

func build() (err error) {
	if err := noteSources("../.."); err != nil {
		return err
	}
	if built.dir, err = os.MkdirTemp("", "cf-program-"); err != nil {
		return err
	}
	return buildIn(built.dir)
}

// Tagged builds colaflow with a build tag, for one test, and returns where it is.
func Tagged(t *testing.T, tag string) string {
	t.Helper()
	require.NoError(t, noteSources("../.."))
	dir := t.TempDir()
	require.NoError(t, buildIn(dir, "-tags", tag))
	return filepath.Join(dir, "colaflow")
}

func buildIn(dir string, flags ...string) error {
	args := append([]string{"build", "-o", dir}, append(flags, "../../cmd/colaflow")...)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build colaflow: %w: %s", err, out)
	}
	return nil
}

// noteSources looks at every file that the program and the tests' drivers are made of. The
// go command keeps a test's result until a file changes that the test looked at.
func noteSources(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "shots"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".sql", ".mod", ".js", ".mjs", ".css", ".html", ".conf", ".md":
			_, err = os.Stat(path)
		}
		return err
	})
}
