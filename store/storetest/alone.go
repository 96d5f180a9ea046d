package storetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
)

// Alone is a database on a server of its own, which a test may kill.
type Alone struct {
	*DB
	cluster *cluster
	standby *cluster
}

// OpenAlone starts a server for one test, in dir if one is given, and opens its only
// database. It has no store yet.
func OpenAlone(t testing.TB, dir string) *Alone {
	t.Helper()
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "cf-pg-")
		require.NoError(t, err)
	}
	c, err := startClusterIn(dir)
	require.NoError(t, err, "tests need a real PostgreSQL")
	t.Cleanup(c.stop)
	return &Alone{DB: c.open(templateName), cluster: c}
}

// Standby adds a synchronous standby, and makes the DSNs name both servers: whichever
// takes writes is meant.
func (a *Alone) Standby(t testing.TB) {
	t.Helper()
	bin, err := binDir()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "cf-pg-")
	require.NoError(t, err)
	if os.Geteuid() == 0 {
		require.NoError(t, giveAway(dir))
	}
	backup := exec.Command(filepath.Join(bin, "pg_basebackup"), "-h", a.cluster.host, "-U", "postgres", "-D", filepath.Join(dir, "data"), "-R", "-c", "fast", "--no-sync")
	asUnprivileged(backup)
	out, err := backup.CombinedOutput()
	require.NoError(t, err, "%s", out)
	a.standby = &cluster{dir: dir, host: dir}
	require.NoError(t, a.standby.run(bin))
	t.Cleanup(a.standby.stop)
	admin := a.Admin(t)
	_, err = admin.Exec(t.Context(), "alter system set synchronous_standby_names = '*'")
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), "select pg_reload_conf()")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		var synchronous int
		err := admin.QueryRow(t.Context(), "select count(*) from pg_stat_replication where sync_state = 'sync'").Scan(&synchronous)
		return err == nil && synchronous == 1
	}, time.Minute, 50*time.Millisecond, "the standby does not follow")
	for _, dsn := range []*string{&a.AppDSN, &a.AdminDSN} {
		base, _, _ := strings.Cut(*dsn, "?")
		*dsn = base + "?host=" + a.cluster.host + "," + dir + "&port=5432,5432&sslmode=disable&target_session_attrs=read-write&connect_timeout=5"
	}
}

// Fail kills the first server without warning.
func (a *Alone) Fail() {
	_ = a.cluster.proc.Process.Kill() // the postmaster; its children see that and end
	<-a.cluster.ended
}

// Promote makes the standby the server that takes writes.
func (a *Alone) Promote(t testing.TB) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), a.standby.dsn("postgres", "postgres"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range []string{"alter system reset synchronous_standby_names", "select pg_reload_conf()", "select pg_promote()"} {
		_, err = conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
}

// Start opens the store of a server that is alone.
func (a *Alone) Start(t testing.TB, opt Options) *store.Store {
	t.Helper()
	a.Store = a.Reopen(t, opt)
	return a.Store
}

// Revive starts the server again if it has died.
func (a *Alone) Revive(t testing.TB) {
	t.Helper()
	select {
	case <-a.cluster.ended:
	case <-time.After(time.Second):
		return
	}
	bin, err := binDir()
	require.NoError(t, err)
	require.NoError(t, a.cluster.run(bin))
}
