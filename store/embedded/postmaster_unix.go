//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// postmaster is what PostgreSQL's main process says about itself in postmaster.pid.
type postmaster struct {
	pid   int // 0 if there is none
	ready bool
}

func (c Config) postmaster() postmaster {
	b, err := os.ReadFile(c.pidFile())
	if err != nil {
		return postmaster{}
	}
	lines := strings.Split(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return postmaster{}
	}
	return postmaster{pid, len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"}
}

func (c Config) pidFile() string { return filepath.Join(c.cluster(), "postmaster.pid") }

// clearStale waits until a PostgreSQL whose keeper was killed has stopped, asking it to where the
// system did not. The file that a killed one left is removed if its process id is in use by a
// stranger, which PostgreSQL would take for itself.
func (c Config) clearStale(ctx context.Context) error {
	old := c.postmaster().pid
	if old == 0 {
		return nil
	}
	for asked := false; runsCluster(old, c.cluster()); asked = true {
		if !asked {
			c.Log.Warn("waiting for a PostgreSQL without a keeper to stop", "pid", old)
			if err := syscall.Kill(old, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop the PostgreSQL that was left running (process %d): %w", old, err)
			}
		}
		if !pause(ctx) {
			return fmt.Errorf("a PostgreSQL that was left running in %s does not stop: end process %d and try again", c.DataDir, old)
		}
	}
	if c.postmaster().pid != old || syscall.Kill(old, 0) != nil {
		return nil
	}
	for _, file := range []string{c.pidFile(), c.socket() + ".lock"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return c.unusable(err)
		}
	}
	return nil
}

// runsCluster reports whether the process is a PostgreSQL on this cluster: its -D says so.
func runsCluster(pid int, cluster string) bool {
	args := commandLine(pid)
	i := slices.Index(args, "-D")
	return i >= 0 && i+1 < len(args) && args[i+1] == cluster
}
