package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Config says where the database lives and who keeps it. DataDir is required, Open needs Keeper too.
type Config struct {
	DataDir string                                 // made if missing
	BinDir  string                                 // directory of initdb and postgres; default: see Find
	Keeper  []string                               // argv that runs Keep on the same DataDir and BinDir, from any working directory
	Prepare func(context.Context, *Instance) error // Open: runs before any other opener may go on; default: nothing
	Linger  time.Duration                          // Keep: how long PostgreSQL outlives its last user; default 5 s
	Timeout time.Duration                          // how long to wait for other openers, and for PostgreSQL; default 60 s
	Log     *slog.Logger                           // default: discarded
}

const socketLimit = 103 // bytes in a socket's path, the least of all systems

// settled returns c with its defaults, in a data directory that exists.
func (c Config) settled() (Config, error) {
	c.Linger = cmp.Or(c.Linger, 5*time.Second)
	c.Timeout = cmp.Or(c.Timeout, time.Minute)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.DataDir == "" {
		return c, errors.New("no data directory is given: choose one with --data")
	}
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return c, c.unusable(err)
	}
	if err := makeDir(dir); err != nil {
		return c, c.unusable(err)
	}
	if c.DataDir, err = filepath.EvalSymlinks(dir); err != nil {
		return c, c.unusable(err)
	}
	if n := len(c.socket()) - socketLimit; n > 0 {
		return c, fmt.Errorf("the path of data directory %s is %d bytes too long for a socket: choose a shorter one with --data", c.DataDir, n)
	}
	return c, nil
}

// makeDir makes a private directory if it is missing. Under root, whatever the umask, the account
// that PostgreSQL runs as can pass through it, and sees nothing.
func makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o700)
	if fi, serr := os.Stat(dir); errors.Is(err, fs.ErrExist) && serr == nil && fi.IsDir() {
		return nil
	}
	if err == nil && os.Geteuid() == 0 {
		return os.Chmod(dir, 0o711)
	}
	return err
}

// unusable names the data directory and the way out.
func (c Config) unusable(err error) error {
	return fmt.Errorf("data directory %s cannot be used: %w; give this account the right to write there, or choose another one with --data", c.DataDir, err)
}

func (c Config) path(name string) string { return filepath.Join(c.DataDir, name) }
func (c Config) cluster() string         { return c.path("pg") }
func (c Config) socketDir() string       { return c.path("run") }
func (c Config) socket() string          { return filepath.Join(c.socketDir(), ".s.PGSQL.5432") }
func (c Config) logFile() string         { return c.path("postgres.log") }
