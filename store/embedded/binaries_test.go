//go:build unix

package embedded_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/colaflow/colaflow/store/embedded"
	"github.com/stretchr/testify/require"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestFind(t *testing.T) {
	t.Parallel()
	bin, err := embedded.Find(embedded.Config{DataDir: t.TempDir()})
	require.NoError(t, err)
	require.GreaterOrEqual(t, bin.Major, 15)
	require.FileExists(t, filepath.Join(bin.Dir, "initdb"))
}

func TestFind_MatchesTheCluster(t *testing.T) {
	t.Parallel()
	bin, err := embedded.Find(embedded.Config{DataDir: "testdata/matching"})
	require.NoError(t, err)
	require.Equal(t, 99, bin.Major, "not the first one found, but the one that made the cluster")
}

func TestFind_TooOld(t *testing.T) {
	t.Parallel()
	old, err := filepath.Abs("testdata/old")
	require.NoError(t, err)
	_, err = embedded.Find(embedded.Config{DataDir: t.TempDir(), BinDir: old})
	require.ErrorContains(t, err, "PostgreSQL 9 in "+old+" is too old, 15 is the least")
}

func TestDefaultDataDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	t.Setenv("XDG_DATA_HOME", dir)
	got, err := embedded.DefaultDataDir()
	require.NoError(t, err)
	if os.Geteuid() == 0 {
		require.Equal(t, "/var/lib/colaflow", got)
	} else {
		require.Equal(t, filepath.Join(dir, "colaflow"), got)
	}
}
