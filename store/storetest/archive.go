package storetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Archive returns the path of a real issue archive, which the project does not
// ship: in COLAFLOW_TEST_DATA, or in shared/data beside the repository. Without
// the archives the test is skipped.
func Archive(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("COLAFLOW_TEST_DATA")
	if dir == "" {
		root, err := os.Getwd()
		require.NoError(t, err)
		for _, err = os.Stat(filepath.Join(root, "go.mod")); err != nil && root != "/"; _, err = os.Stat(filepath.Join(root, "go.mod")) {
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "data")
	}
	file := filepath.Join(dir, name+".archive.json")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the real archives are not here; set COLAFLOW_TEST_DATA to their directory: %v", err)
	}
	return file
}
