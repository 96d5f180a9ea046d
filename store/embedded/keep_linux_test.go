package embedded_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A container ends with its process 1, which must not leave PostgreSQL to be killed.
func TestClose_AsProcess1(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	cmd := exec.Command(os.Args[0], "open", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	cmd.Stdin = new(bytes.Buffer) // closes at once
	cmd.Stderr, cmd.WaitDelay = os.Stderr, 30*time.Second
	if err := cmd.Start(); err != nil {
		t.Skip("no right to make a process namespace: ", err)
	}
	require.NoError(t, cmd.Wait())
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "database system is shut down")
}
