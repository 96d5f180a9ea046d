//go:build unix

package embedded_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/colaflow/colaflow/store/embedded"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestKeep_UsersShareAndLeaveInAnyOrder(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	first := openProcess(t, dir)
	in := open(t, config(dir))
	pid := postmaster(t, dir)

	require.NoError(t, first.stdin.Close())
	require.NoError(t, first.cmd.Wait())
	time.Sleep(linger + linger/2)
	require.Equal(t, "1", query(t, in, "select '1'"))

	second := openProcess(t, dir)
	require.NoError(t, in.Close())
	require.NoError(t, second.cmd.Process.Kill())
	_ = second.cmd.Wait() // killed

	in = open(t, config(dir))
	require.Equal(t, "1", query(t, in, "select '1'"))
	require.Equal(t, pid, postmaster(t, dir), "one PostgreSQL all the time")
}

func TestKeep_StopsAfterKilledUser(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	only := openProcess(t, dir)
	pid := postmaster(t, dir)
	require.NoError(t, only.cmd.Process.Kill())
	_ = only.cmd.Wait() // killed
	waitGone(t, dir)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.NoFileExists(t, filepath.Join(dir, "pg", "postmaster.pid"))
}

func TestOpen_AfterKeeperIsKilled(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	require.NoError(t, open(t, config(dir)).Close())
	pid := postmaster(t, dir)
	require.NoError(t, syscall.Kill(keeper(t, dir), syscall.SIGKILL))
	waitKeeper(t, dir) // or we join what it leaves behind
	in := open(t, config(dir))
	require.Equal(t, "1", query(t, in, "select '1'"))
	require.NotEqual(t, pid, postmaster(t, dir))
	require.NoError(t, in.Close())
	waitGone(t, dir)
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "was not properly shut down", "the kernel interrupts PostgreSQL")
}

func TestOpen_AfterPostgresIsKilled(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	in := open(t, config(dir))
	exec1(t, in, "create table kept as select 'yes' v")
	session, err := pgx.Connect(t.Context(), in.AdminDSN("postgres"))
	require.NoError(t, err)
	defer session.Close(t.Context())
	go func() { _, _ = session.Exec(t.Context(), "select pg_sleep(60)") }() // dies with the server
	require.NoError(t, in.Close())
	require.NoError(t, syscall.Kill(postmaster(t, dir), syscall.SIGKILL))
	in = open(t, config(dir))
	require.Equal(t, "yes", query(t, in, "select v from kept"))
}

func TestOpen_HealsWhileOpen(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	ins := []*embedded.Instance{open(t, config(dir)), open(t, config(dir))}
	for name, victim := range map[string]func(*testing.T, string) int{"keeper": keeper, "postgres": postmaster} {
		pid := postmaster(t, dir)
		require.NoError(t, syscall.Kill(victim(t, dir), syscall.SIGKILL))
		require.Eventually(t, func() bool {
			for _, in := range ins {
				conn, err := pgx.Connect(t.Context(), in.AdminDSN("postgres"))
				if err != nil {
					return false
				}
				_ = conn.Close(t.Context()) // only a probe
			}
			return postmaster(t, dir) != pid
		}, time.Minute, 50*time.Millisecond, name)
	}
}

func TestOpen_PidOfAStranger(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	require.NoError(t, open(t, config(dir)).Close())
	waitGone(t, dir)
	// As after a power cut: the process ids in the files now belong to somebody else.
	stranger := openProcess(t, newDir(t))
	text := []byte(itoa(stranger.cmd.Process.Pid) + "\n" + filepath.Join(dir, "pg") + "\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pg", "postmaster.pid"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run", ".s.PGSQL.5432.lock"), text, 0o600))
	require.Equal(t, "1", query(t, open(t, config(dir)), "select '1'"))
	require.NoError(t, stranger.cmd.Process.Signal(syscall.Signal(0)), "the stranger lives")
}

func TestKeep_OnlyOne(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	open(t, config(dir))
	err := embedded.Keep(t.Context(), config(dir))
	require.ErrorContains(t, err, "keeper.lock")
	require.ErrorContains(t, err, "process "+itoa(keeper(t, dir)))
}

func TestKeep_NothingToKeep(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, embedded.Keep(t.Context(), config(newDir(t))), "there is no database")
}

func TestKeep_Terminated(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	in := open(t, config(dir))
	require.NoError(t, in.Close())
	pid := postmaster(t, dir)
	require.NoError(t, syscall.Kill(keeper(t, dir), syscall.SIGTERM))
	waitGone(t, dir)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
}
