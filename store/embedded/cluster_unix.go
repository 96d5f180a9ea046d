//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// initCluster makes the cluster if there is none. It appears whole or not at all, so that a kill
// halfway does no harm. The caller holds start.lock.
func (c Config) initCluster(ctx context.Context, bin Binaries, acc account) error {
	if major, err := c.clusterMajor(); err != nil || major != 0 {
		return err
	}
	if files, err := os.ReadDir(c.cluster()); err == nil && len(files) > 0 {
		return fmt.Errorf("%s holds files but no database: move them away, or choose another data directory with --data", c.cluster())
	}
	if err := c.sweep(); err != nil {
		return c.unusable(err)
	}
	dir, err := os.MkdirTemp(c.DataDir, "init-")
	if err == nil {
		err = acc.give(dir)
	}
	if err != nil {
		return c.unusable(err)
	}
	cmd := exec.CommandContext(ctx, bin.program("initdb"),
		"-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: acc.credential()}
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", childEnv(), time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb could not make a database in %s (%s): %w", c.DataDir, lastLine(string(out)), err)
	}
	if err := os.Rename(dir, c.cluster()); err != nil {
		return c.unusable(err)
	}
	c.Log.Info("made a new database cluster", "dir", c.cluster(), "postgres", bin.Major, "account", acc.name)
	return syncDir(c.DataDir)
}

// sweep removes what killed attempts left.
func (c Config) sweep() error {
	left, err := filepath.Glob(filepath.Join(escapeGlob(c.DataDir), "init-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// escapeGlob makes a path match only itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// syncDir makes a rename in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// childEnv keeps our secrets and foreign PG variables from PostgreSQL.
func childEnv() []string { return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"} }

// makeSocketDir makes the directory that guards the socket.
func (c Config) makeSocketDir(acc account) error {
	if err := os.Mkdir(c.socketDir(), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return acc.give(c.socketDir())
}
