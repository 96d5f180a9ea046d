package store_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

const (
	killDSN    = "COLAFLOW_TEST_KILL_DSN"
	killKey    = "COLAFLOW_TEST_KILL_KEY"
	killTenant = "COLAFLOW_TEST_KILL_TENANT"
)

// TestLoadDataset_Killed starts itself as another process that is killed in the
// middle of a load.
func TestLoadDataset_Killed(t *testing.T) {
	t.Parallel()
	if os.Getenv(killDSN) != "" {
		loadUntilKilled(t)
		return
	}
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLoadDataset_Killed$")
	cmd.Env = append(os.Environ(), killDSN+"="+db.AppDSN, killKey+"="+db.Key.Hex(), killTenant+"="+acme.ID.String())
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", out)

	admin := db.Admin(t)
	require.Eventually(t, func() bool { // the server notices the closed connection
		var writing int
		err := admin.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database()
			and backend_type = 'client backend' and backend_xid is not null`).Scan(&writing)
		return err == nil && writing == 0
	}, 20*time.Second, 20*time.Millisecond)
	requireNothing(t, db)
	require.Equal(t, 50, load(t, db, acme, manyIssues(50)).Issues.Added, "and nothing is in the way of the next import")
}

func loadUntilKilled(t *testing.T) {
	key, err := tenancy.ParseMasterKey(os.Getenv(killKey))
	require.NoError(t, err)
	s, err := store.Open(t.Context(), store.Config{DSN: os.Getenv(killDSN), Key: key, Clock: func() time.Time { return storetest.Now }})
	require.NoError(t, err)
	tenant := uuid.MustParse(os.Getenv(killTenant))
	_, err = s.LoadDataset(t.Context(), store.AsSystem(tenant, "import"), manyIssues(1000), store.LoadOptions{Progress: func(done, _ int64) {
		if done > 500 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	require.NoError(t, err)
	t.Fatal("nobody killed me")
}
