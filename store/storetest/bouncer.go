package storetest

import (
	"fmt"
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

// Bouncer starts a PgBouncer in transaction mode before the database, with so many
// server connections, and returns the runtime role's DSN by way of it.
func (db *DB) Bouncer(t testing.TB, connections int) (dsn string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // where Debian puts it, out of most people's PATH
	}
	dir, err := os.MkdirTemp("", "cf-pgb-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := fmt.Sprintf(`[databases]
* = host=%[1]s port=5432
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %[2]s
pool_mode = transaction
default_pool_size = %[3]d
max_client_conn = 200
auth_type = trust
auth_file = %[2]s/users
logfile = %[2]s/log
pidfile = %[2]s/pid
`, filepath.Dir(db.socket), dir, connections)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "users"), []byte(`"`+store.AppRole+`" ""`+"\n"), 0o644))
	cmd := exec.Command(program, filepath.Join(dir, "config"))
	if os.Geteuid() == 0 {
		require.NoError(t, giveAway(dir))
	}
	asUnprivileged(cmd)
	ended, err := startBound(cmd)
	require.NoError(t, err, "the tests need PgBouncer; run scripts/pgbouncer")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	base, _, _ := strings.Cut(db.AppDSN, "?")
	dsn = base + "?host=" + dir + "&port=6432&sslmode=disable"
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			return false
		}
		return conn.Close(t.Context()) == nil
	}, time.Minute, 20*time.Millisecond, "PgBouncer does not answer")
	return dsn
}
