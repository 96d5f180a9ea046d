// Package bench measures the whole server on the machine at hand: `make bench`
// compares it with a bare one, `make bench-search` searches 1,000,000 issues.
// It holds nothing but benchmarks, so `go test ./...` only compiles it.
package bench

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/embedded"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// database is one of the benchmark's own, on a PostgreSQL of its own.
type database struct {
	*storetest.DB
	postmaster string // process id
}

// TestMain lets this binary be the keeper of its own PostgreSQL: "keep <dir>".
func TestMain(m *testing.M) {
	if len(os.Args) != 3 || os.Args[1] != "keep" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := embedded.Keep(ctx, config(os.Args[2])); err != nil {
		slog.Error("keep", "error", err)
		os.Exit(1)
	}
}

func config(dir string) embedded.Config {
	return embedded.Config{DataDir: dir, BinDir: os.Getenv("COLAFLOW_PG_BIN"), Keeper: []string{os.Args[0], "keep", dir},
		Linger: time.Second}
}

// open starts a new database with the settings of the product, durable commits
// included: tests may do without them, figures may not.
func open(b *testing.B) *database {
	b.Helper()
	const name = "colaflow"
	dir, err := os.MkdirTemp("", "cf-bench-")
	require.NoError(b, err)
	require.NoError(b, os.Chmod(dir, 0o711)) // PostgreSQL's account passes through
	b.Cleanup(func() { require.NoError(b, os.RemoveAll(dir)) })
	in, err := embedded.Open(b.Context(), config(dir))
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, in.Close())
		waitGone(b, dir)
	})
	require.NoError(b, store.Init(b.Context(), store.InitConfig{AdminDSN: in.AdminDSN("postgres"), Database: name}))
	_, _, err = store.Migrate(b.Context(), in.DSN(store.OwnerRole, name))
	require.NoError(b, err)
	db := &storetest.DB{Key: tenancy.NewMasterKey(), AppDSN: in.DSN(store.AppRole, name),
		OwnerDSN: in.DSN(store.OwnerRole, name), AdminDSN: in.AdminDSN(name)}
	db.Store = db.Reopen(b, storetest.Options{Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	pid, err := os.ReadFile(filepath.Join(dir, "pg", "postmaster.pid"))
	require.NoError(b, err)
	first, _, _ := strings.Cut(string(pid), "\n")
	return &database{db, first}
}

// waitGone waits until PostgreSQL has shut down, so that its directory can go.
func waitGone(b *testing.B, dir string) {
	b.Helper()
	require.Eventually(b, func() bool {
		_, err := os.Stat(filepath.Join(dir, "pg", "postmaster.pid"))
		return errors.Is(err, fs.ErrNotExist)
	}, 30*time.Second, 100*time.Millisecond, "PostgreSQL stays")
}
