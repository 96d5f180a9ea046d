//go:build unix

package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/colaflow/colaflow/store/embedded"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestOpen_DataStays(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	cold := time.Now()
	in := open(t, config(dir))
	t.Logf("first start: %v", time.Since(cold))
	exec1(t, in, "create table kept as select 'yes' v")
	require.Equal(t, "UTC", query(t, in, "show timezone"))
	require.Empty(t, query(t, in, "show listen_addresses"))

	warm := time.Now()
	require.NoError(t, open(t, config(dir)).Close())
	t.Logf("joining: %v", time.Since(warm))

	require.NoError(t, in.Close())
	require.NoError(t, in.Close(), "closing twice is fine")
	waitGone(t, dir)

	again := time.Now()
	in = open(t, config(dir))
	t.Logf("restart: %v", time.Since(again))
	require.Equal(t, "yes", query(t, in, "select v from kept"))
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "was not properly shut down")
	for name, mode := range map[string]os.FileMode{"run": 0o700, "pg": 0o700, "start.lock": 0o600, "postgres.log": 0o600} {
		fi, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, fi.Mode().Perm(), name)
	}
}

func TestOpen_ManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	var made, preparing atomic.Int32
	cfg := config(dir)
	cfg.Log = slog.New(countMade{slog.DiscardHandler, &made})
	cfg.Prepare = func(ctx context.Context, in *embedded.Instance) error {
		defer preparing.Add(-1)
		if preparing.Add(1) != 1 {
			return errors.New("two at once")
		}
		conn, err := pgx.Connect(ctx, in.AdminDSN("postgres"))
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "create table if not exists prepared ()")
		return err
	}
	var all sync.WaitGroup
	ins, errs := make([]*embedded.Instance, 5), make([]error, 5)
	for i := range ins {
		all.Go(func() { ins[i], errs[i] = embedded.Open(t.Context(), cfg) })
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, in := range ins {
		require.Equal(t, "0", query(t, in, "select count(*)::text from prepared"))
	}
	require.EqualValues(t, 1, made.Load())
	for _, in := range ins {
		require.NoError(t, in.Close())
	}
}

// countMade counts the clusters that were made.
type countMade struct {
	slog.Handler
	n *atomic.Int32
}

func (c countMade) Enabled(context.Context, slog.Level) bool { return true }

func (c countMade) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "made a new database cluster") {
		c.n.Add(1)
	}
	return nil
}

func TestOpen_PrepareFails(t *testing.T) {
	t.Parallel()
	cfg := config(newDir(t))
	oops := errors.New("oops")
	cfg.Prepare = func(context.Context, *embedded.Instance) error { return oops }
	_, err := embedded.Open(t.Context(), cfg)
	require.ErrorIs(t, err, oops)
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, file, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	for name, c := range map[string]struct {
		change func(*testing.T, *embedded.Config)
		want   []string
	}{
		"NoKeeper": {
			func(_ *testing.T, c *embedded.Config) { c.Keeper = nil },
			[]string{"Config.Keeper is required"},
		},
		"NoDirectory": {
			func(_ *testing.T, c *embedded.Config) { c.DataDir = "" },
			[]string{"choose one with --data"},
		},
		"AFileInItsPlace": {
			func(t *testing.T, c *embedded.Config) {
				c.DataDir = filepath.Join(c.DataDir, "file")
				write(t, c.DataDir, "")
			},
			[]string{"cannot be used", "file exists", "--data"},
		},
		"NoRights": {
			func(t *testing.T, c *embedded.Config) {
				if os.Geteuid() == 0 {
					t.Skip("root may write anywhere")
				}
				require.NoError(t, os.Chmod(c.DataDir, 0o500))
			},
			[]string{"cannot be used", "permission denied", "--data"},
		},
		"OtherVersion": {
			func(t *testing.T, c *embedded.Config) { write(t, filepath.Join(c.DataDir, "pg", "PG_VERSION"), "11\n") },
			[]string{"belongs to PostgreSQL 11", "version"},
		},
		"DamagedVersion": {
			func(t *testing.T, c *embedded.Config) { write(t, filepath.Join(c.DataDir, "pg", "PG_VERSION"), "?") },
			[]string{"PG_VERSION is damaged", "backup"},
		},
		"NotACluster": {
			func(t *testing.T, c *embedded.Config) {
				write(t, filepath.Join(c.DataDir, "pg", "diary"), "")
				require.NoError(t, os.Chown(filepath.Join(c.DataDir, "pg"), nobody(), -1))
			},
			[]string{"holds files but no database"},
		},
		"DamagedCluster": {
			func(t *testing.T, c *embedded.Config) {
				bin, err := embedded.Find(*c)
				require.NoError(t, err)
				write(t, filepath.Join(c.DataDir, "pg", "PG_VERSION"), itoa(bin.Major))
				require.NoError(t, os.Chown(filepath.Join(c.DataDir, "pg"), nobody(), -1))
			},
			[]string{"PostgreSQL does not start", "postgresql.conf", "postgres.log"},
		},
		"NoPostgreSQL": {
			func(_ *testing.T, c *embedded.Config) { c.BinDir = "/nowhere" },
			[]string{"no PostgreSQL in /nowhere", "initdb and postgres"},
		},
		"LongPath": {
			func(_ *testing.T, c *embedded.Config) { c.DataDir = filepath.Join(c.DataDir, strings.Repeat("x", 90)) },
			[]string{"too long for a socket", "--data"},
		},
		"UnreachableForItsAccount": {
			func(t *testing.T, c *embedded.Config) {
				if os.Geteuid() != 0 {
					t.Skip("only root gives PostgreSQL to another account")
				}
				require.NoError(t, os.Chmod(c.DataDir, 0o700))
			},
			[]string{"cannot enter", "/var/lib/colaflow"},
		},
		"KeeperMissing": {
			func(_ *testing.T, c *embedded.Config) { c.Keeper = []string{"/no/such/program"} },
			[]string{"find the program that keeps PostgreSQL"},
		},
		"KeeperFails": {
			func(t *testing.T, c *embedded.Config) {
				file := filepath.Join(c.DataDir, "file")
				write(t, file, "")
				c.Keeper = []string{os.Args[0], "keep", file}
			},
			[]string{"PostgreSQL does not start", "file exists", "postgres.log"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(newDir(t))
			c.change(t, &cfg)
			_, err := embedded.Open(t.Context(), cfg)
			require.Error(t, err)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// nobody is an account that PostgreSQL may run as: this one, unless it is root.
func nobody() int {
	if os.Geteuid() == 0 {
		return 65534
	}
	return os.Geteuid()
}

func TestOpen_StartHangs(t *testing.T) {
	t.Parallel()
	cfg := config(newDir(t))
	f, err := os.Create(filepath.Join(cfg.DataDir, "start.lock"))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	_, err = f.WriteString("4711\n")
	require.NoError(t, err)

	cfg.Timeout = 100 * time.Millisecond
	_, err = embedded.Open(t.Context(), cfg)
	require.ErrorContains(t, err, "process 4711 has held")
	require.ErrorContains(t, err, "start.lock for more than 100ms")

	cfg.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = embedded.Open(ctx, cfg)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
