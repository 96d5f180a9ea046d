//go:build unix

package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/colaflow/colaflow/store/embedded"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// linger is long enough for who comes next on a busy machine.
const linger = 2 * time.Second

// TestMain lets this binary play the program: "keep <dir>" and "open <dir>".
func TestMain(m *testing.M) {
	if len(os.Args) != 3 || strings.HasPrefix(os.Args[1], "-") {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := play(ctx, os.Args[1], config(os.Args[2])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(ctx context.Context, role string, cfg embedded.Config) error {
	if role == "keep" {
		return embedded.Keep(ctx, cfg)
	}
	in, err := embedded.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return in.Close()
}

func config(dir string) embedded.Config {
	return embedded.Config{
		DataDir: dir,
		BinDir:  os.Getenv("COLAFLOW_PG_BIN"), // to try another version
		Keeper:  []string{os.Args[0], "keep", dir},
		Linger:  linger,
		Timeout: 2 * time.Minute,
		Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
}

// newDir returns an empty data directory that PostgreSQL's account can reach, with a space in its
// path as on macOS. It goes when its keeper has gone.
func newDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cola flow-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() {
		waitGone(t, dir)
		require.NoError(t, os.RemoveAll(dir))
	})
	return dir
}

func open(t *testing.T, cfg embedded.Config) *embedded.Instance {
	t.Helper()
	in, err := embedded.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, in.Close()) })
	return in
}

// process is another user of the directory.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func openProcess(t *testing.T, dir string) process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "open", dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() }) // fails if the test has waited
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open\n", line)
	return process{cmd, stdin}
}

// query returns the first value that a new connection reads.
func query(t *testing.T, in *embedded.Instance, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), in.AdminDSN("postgres"))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var v string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

func exec1(t *testing.T, in *embedded.Instance, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), in.AdminDSN("postgres"))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func pidIn(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

func keeper(t *testing.T, dir string) int { return pidIn(t, filepath.Join(dir, "keeper.lock")) }
func postmaster(t *testing.T, dir string) int {
	return pidIn(t, filepath.Join(dir, "pg", "postmaster.pid"))
}

// waitGone waits until the keeper has ended, and checks that it stopped PostgreSQL.
func waitGone(t *testing.T, dir string) {
	t.Helper()
	waitKeeper(t, dir)
	require.NoFileExists(t, filepath.Join(dir, "run", ".s.PGSQL.5432"))
}

// waitKeeper waits until there is no keeper.
func waitKeeper(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "keeper.lock"))
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	defer f.Close()
	require.Eventually(t, func() bool {
		return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil
	}, time.Minute, 20*time.Millisecond, "the keeper stays")
}
