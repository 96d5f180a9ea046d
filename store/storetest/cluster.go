// Package storetest gives tests a real PostgreSQL: one throw-away cluster per
// test binary, and a fresh database per test, copied from a migrated template.
// Without PostgreSQL, tests fail; they never skip.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/colaflow/colaflow/store"
)

const templateName = "colaflow_template"

// cluster is a running PostgreSQL with a migrated template database.
type cluster struct {
	dir   string
	proc  *exec.Cmd
	ended <-chan struct{}
	host  string
	// copying serializes CREATE DATABASE: a template takes one copy at a time.
	copying sync.Mutex
}

// shared starts on first use in a test binary and stops in Main.
var shared struct {
	once    sync.Once
	cluster *cluster
	err     error
}

// Main runs a package's tests, stops the cluster that they used, and fails on
// goroutines that outlive them.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has more to do; it returns the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	if shared.cluster != nil {
		shared.cluster.stop()
	}
	if code == 0 {
		if err := leftBehind(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines left behind:", err)
			code = 1
		}
	}
	return code
}

// leftBehind names the goroutines that do not end. Those that are about to may take their
// time on a busy machine.
func leftBehind() (err error) {
	for patience := time.Now().Add(time.Minute); time.Now().Before(patience); {
		if err = goleak.Find(); err == nil {
			return nil
		}
	}
	return err
}

func sharedCluster(t testing.TB) *cluster {
	t.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = startCluster() })
	if shared.err != nil {
		t.Fatalf("tests need a real PostgreSQL: %v", shared.err)
	}
	return shared.cluster
}

func binDir() (string, error) {
	if dir := os.Getenv("COLAFLOW_PG_BIN"); dir != "" {
		return dir, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is valid
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("initdb was not found; run make postgres, or set COLAFLOW_PG_BIN")
	}
	return filepath.Dir(path), nil
}

func startCluster() (*cluster, error) {
	dir, err := os.MkdirTemp("", "cf-pg-")
	if err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	return startClusterIn(dir)
}

func startClusterIn(dir string) (*cluster, error) {
	bin, err := binDir()
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, host: dir}
	if os.Geteuid() == 0 {
		if err := giveAway(dir); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
	asUnprivileged(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := c.run(bin); err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// run starts the server of the cluster's data directory.
func (c *cluster) run(bin string) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make log file: %w", err)
	}
	defer func() { _ = log.Close() }()
	c.proc = exec.Command(filepath.Join(bin, "postgres"), "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-h", "", "-c", "fsync=off",
		"-c", "full_page_writes=off", "-c", "max_connections=1000", "-c", "shared_buffers=256MB", "-c", "timezone=UTC")
	c.proc.Stdout, c.proc.Stderr = log, log
	asUnprivileged(c.proc)
	if c.ended, err = startBound(c.proc); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	return nil
}

// prepare waits for the server, creates the roles, and migrates the template.
func (c *cluster) prepare() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.dsn("postgres", "postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres did not start: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := store.Init(ctx, store.InitConfig{AdminDSN: c.dsn("postgres", "postgres"), Database: templateName}); err != nil {
		return fmt.Errorf("create roles: %w", err)
	}
	if _, _, err := store.Migrate(ctx, c.dsn(store.OwnerRole, templateName)); err != nil {
		return fmt.Errorf("migrate template: %w", err)
	}
	return nil
}

func (c *cluster) dsn(role, database string) string {
	return "postgres://" + role + "@/" + database + "?host=" + url.QueryEscape(c.host) + "&sslmode=disable"
}

func (c *cluster) stop() {
	_ = c.proc.Process.Signal(os.Interrupt) // fast shutdown
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
		_ = c.proc.Process.Kill()
		<-c.ended
	}
	_ = os.RemoveAll(c.dir)
}

// giveAway makes dir belong to the user that PostgreSQL runs as, because it
// refuses to run as root.
func giveAway(dir string) error {
	uid, gid, err := unprivileged()
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

func unprivileged() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
			return uid, gid, nil
		}
	}
	return 0, 0, errors.New("running as root needs a user named postgres or nobody")
}
