package newfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/newfile"
)

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func text(s string) func(*os.File) error {
	return func(f *os.File) error { _, err := f.WriteString(s); return err }
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "a.zip")
	require.NoError(t, newfile.Write(name, false, func(f *os.File) error {
		require.NoFileExists(t, name, "not before it is whole")
		return text("first")(f)
	}))
	require.Equal(t, []string{"a.zip"}, names(t, dir))
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	called := false
	err = newfile.Write(name, false, func(*os.File) error { called = true; return nil })
	require.EqualError(t, err, name+" is there already: choose another name, or move it away")
	require.False(t, called, "nothing is computed in vain")
	require.NoError(t, newfile.Write(name, true, text("second")))
	got, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "second", string(got))
}

func TestWrite_FailureLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "a.zip")
	broken := errors.New("the database is gone")
	half := func(f *os.File) error { return errors.Join(text("half")(f), broken) }
	require.Equal(t, broken.Error(), newfile.Write(name, false, half).Error())
	require.Empty(t, names(t, dir))
	require.NoError(t, newfile.Write(name, false, text("whole")))
	require.ErrorIs(t, newfile.Write(name, true, half), broken)
	require.Equal(t, []string{"a.zip"}, names(t, dir))
	got, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "whole", string(got))
	require.ErrorIs(t, newfile.Write(filepath.Join(dir, "none", "a.zip"), false, half), os.ErrNotExist)

	require.NoError(t, os.Mkdir(filepath.Join(dir, "taken"), 0o700))
	require.ErrorContains(t, newfile.Write(filepath.Join(dir, "taken"), true, text("x")), "name the written file")
	require.Equal(t, []string{"a.zip", "taken"}, names(t, dir))
}
