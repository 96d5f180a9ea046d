package mcpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// TestAttack102_DiskFull fills the disk of the database under writes. The clients are
// told to try again and learn nothing of the disk; what was answered is there, nothing
// is there by halves, and when there is room again, the server goes on.
func TestAttack102_DiskFull(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "cf-disk-")
	require.NoError(t, err)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=180m,mode=0700"); err != nil {
		require.NoError(t, os.Remove(dir))
		t.Skipf("making a small disk needs root: %v", err)
	}
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return syscall.Unmount(dir, 0) == nil }, 30*time.Second, 100*time.Millisecond)
		_ = os.Remove(dir)
	})
	a := storetest.OpenAlone(t, dir)
	b, c := aloneBundle(t, a)
	var said []string
	failures := 0
	write := func() {
		text, err := c.do(context.Background(), callBody("create_issue", fmt.Sprintf(`{"project":"WEB","title":"x","description":%q}`, noise(60_000))))
		var answer struct {
			Result struct{ StructuredContent struct{ Key string } }
		}
		if err == nil && json.Unmarshal([]byte(text), &answer) == nil && answer.Result.StructuredContent.Key != "" {
			said = append(said, answer.Result.StructuredContent.Key)
			return
		}
		failures++
		for _, secret := range []string{"No space", "pg_wal", dir, "SQLSTATE", "could not"} {
			require.NotContains(t, text+fmt.Sprint(err), secret)
		}
	}
	write()
	require.Len(t, said, 1)
	filler := filepath.Join(dir, "filler")
	file, err := os.Create(filler)
	require.NoError(t, err)
	for block := make([]byte, 1<<20); err == nil; {
		_, err = file.Write(block)
	}
	require.True(t, errors.Is(err, syscall.ENOSPC), err)
	require.NoError(t, file.Close())
	for n := 0; failures < 5 && n < 3000; n++ {
		write()
	}
	require.GreaterOrEqual(t, failures, 5, "the disk is full")
	require.NoError(t, os.Remove(filler))
	a.Revive(t)
	before := len(said)
	require.Eventually(t, func() bool { write(); return len(said) > before }, 60*time.Second, 50*time.Millisecond, "the server goes on")
	b.requireWhole(t, said)
}

// noise is text that does not compress.
func noise(n int) string {
	var b strings.Builder
	for state := uint64(n); b.Len() < n; {
		state = state*6364136223846793005 + 1442695040888963407
		fmt.Fprintf(&b, "%x ", state>>20)
	}
	return b.String()
}
