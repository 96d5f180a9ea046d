package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func TestMasterKey_MadeOnce(t *testing.T) {
	t.Parallel()
	p := &program{getenv: func(string) string { return "" }}
	file := filepath.Join(t.TempDir(), "master.key")
	keys := make([]tenancy.MasterKey, 8)
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			key, err := p.masterKey(file)
			if err == nil {
				keys[i] = key
			}
		})
	}
	group.Wait()
	require.NotEqual(t, tenancy.MasterKey{}, keys[0])
	for _, key := range keys {
		require.Equal(t, keys[0].Hex(), key.Hex(), "all processes get the key of the first")
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	left, err := filepath.Glob(file + "-*")
	require.NoError(t, err)
	require.Empty(t, left)

	p.getenv = func(string) string { return tenancy.NewMasterKey().Hex() }
	key, err := p.masterKey(file)
	require.NoError(t, err)
	require.NotEqual(t, keys[0].Hex(), key.Hex(), "the environment wins")
}

func TestMasterKey_Damaged(t *testing.T) {
	t.Parallel()
	p := &program{getenv: func(string) string { return "" }}
	_, err := p.masterKey(writeFile(t, "master.key", "abc"))
	require.ErrorContains(t, err, "is damaged")
	_, err = p.masterKey(filepath.Join(t.TempDir(), "missing", "master.key"))
	require.ErrorContains(t, err, "make master key")
}
