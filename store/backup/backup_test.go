package backup_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/backup"
	"github.com/colaflow/colaflow/store/embedded"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func bin(t *testing.T) string {
	t.Helper()
	found, err := embedded.Find(embedded.Config{BinDir: os.Getenv("COLAFLOW_PG_BIN")})
	require.NoError(t, err)
	return found.Dir
}

// newName names a database that is dropped when the test ends.
func newName(t *testing.T, db *storetest.DB) string {
	t.Helper()
	name := "restored_" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() {
		admin, err := pgx.Connect(context.Background(), db.AdminDSN)
		require.NoError(t, err)
		defer func() { _ = admin.Close(context.Background()) }()
		_, err = admin.Exec(context.Background(), "drop database if exists "+name+" with (force)")
		require.NoError(t, err)
	})
	return name
}

func in(t *testing.T, dsn, database string) string {
	t.Helper()
	other, err := store.DSNIn(dsn, database)
	require.NoError(t, err)
	return other
}

// contents describes everything in a database: rows, row-level security,
// privileges and owners.
func contents(t *testing.T, dsn string) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	list := func(sql string) []string {
		rows, err := conn.Query(t.Context(), sql)
		require.NoError(t, err)
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return all
	}
	all := map[string]string{
		"policies": fmt.Sprint(list(`select format('%s %s %s %s %s %s', tablename, policyname, roles, cmd, qual, with_check) from pg_policies order by 1`)),
		"tables": fmt.Sprint(list(`select format('%s %s %s %s %s', relname, relowner::regrole, relrowsecurity, relforcerowsecurity, relacl)
			from pg_class where relnamespace = 'public'::regnamespace order by 1`)),
		"functions": fmt.Sprint(list(`select format('%s %s %s %s %s', oid::regprocedure, proowner::regrole, prosecdef, proconfig, proacl)
			from pg_proc where pronamespace = 'public'::regnamespace and proowner <> 'postgres'::regrole order by 1`)),
		"defaults": fmt.Sprint(list(`select format('%s %s', defaclrole::regrole, defaclacl) from pg_default_acl order by 1`)),
	}
	for _, table := range list(`select oid::regclass::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`) {
		all["rows of "+table] = fmt.Sprint(list(`select format('%s %s', count(*), md5(string_agg(t::text, ',' order by t::text))) from ` + table + ` t`))
	}
	return all
}

func TestRestore(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	var plain []string
	for _, slug := range []string{"acme", "umbrella"} {
		tenant := db.Tenant(t, slug)
		web := tenant.Project(t, "WEB", "Website of "+slug)
		tenant.Issues(t, web, "First", "Second of "+slug)
		plain = append(plain, tenant.FullToken(t))
	}
	before := contents(t, db.AdminDSN)
	file, name := filepath.Join(t.TempDir(), "colaflow.dump"), newName(t, db)

	require.NoError(t, backup.Dump(t.Context(), bin(t), db.DumpDSN, file))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoError(t, backup.Restore(t.Context(), bin(t), db.AdminDSN, name, file))
	require.Equal(t, before, contents(t, in(t, db.AdminDSN, name)))

	// The restored database serves, with the same tokens, and keeps tenants apart.
	again, err := store.Open(t.Context(), store.Config{DSN: in(t, db.AppDSN, name), Key: db.Key, MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(again.Close)
	for i, slug := range []string{"acme", "umbrella"} {
		_, hash, ok := tokens.Parse(plain[i])
		require.True(t, ok)
		p, err := again.LookupToken(t.Context(), slug, hash)
		require.NoError(t, err)
		var found []tracker.Issue
		var total int
		require.NoError(t, again.Read(t.Context(), store.ForPrincipal(p), func(tx *store.Tx) error {
			return tx.Do(t.Context(), store.SearchIssues(tracker.Filter{}, store.Page{Sort: "created", Limit: 10}, &found, &total))
		}))
		require.Len(t, found, 2)
		for _, issue := range found {
			require.Contains(t, []string{"First", "Second of " + slug}, issue.Title)
		}
	}
	app, err := pgx.Connect(t.Context(), in(t, db.AppDSN, name))
	require.NoError(t, err)
	defer func() { _ = app.Close(context.Background()) }()
	var n int
	require.NoError(t, app.QueryRow(t.Context(), "select count(*) from issues").Scan(&n))
	require.Zero(t, n, "without a tenant the runtime role sees nothing")

	// A database that holds tenants is never replaced.
	err = backup.Restore(t.Context(), bin(t), db.AdminDSN, name, file)
	require.ErrorContains(t, err, "holds 2 tenants, which a restore would replace; restore into an empty one")
	err = backup.Dump(t.Context(), bin(t), db.DumpDSN, file)
	require.ErrorContains(t, err, "is there already")
}

func TestRestore_Newer(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	_, err := db.Admin(t).Exec(t.Context(), "insert into goose_db_version (version_id, is_applied) values (99999, true)")
	require.NoError(t, err)
	file, name := filepath.Join(t.TempDir(), "newer.dump"), newName(t, db)
	require.NoError(t, backup.Dump(t.Context(), bin(t), db.DumpDSN, file))
	require.ErrorContains(t, backup.Restore(t.Context(), bin(t), db.AdminDSN, name, file), "newer than this release")

	var left int
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), "select count(*) from pg_database where datname like $1", name+"%").Scan(&left))
	require.Zero(t, left, "nothing half restored stays behind")
}

func TestRestore_Refuses(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(file, []byte("hello, world"), 0o600))
	require.ErrorContains(t, backup.Restore(t.Context(), bin(t), db.AdminDSN, "x", file), "is not a backup: colaflow backup writes them")
	require.ErrorContains(t, backup.Restore(t.Context(), bin(t), db.AdminDSN, "x", filepath.Join(dir, "missing")), "open the backup")

	broken := filepath.Join(dir, "broken.dump")
	require.NoError(t, os.WriteFile(broken, []byte("PGDMP\x01\x0e"), 0o600))
	require.ErrorContains(t, backup.Restore(t.Context(), bin(t), db.AdminDSN, newName(t, db), broken), "pg_restore failed")
	require.ErrorContains(t, backup.Restore(t.Context(), bin(t), db.OwnerDSN, "x", broken), "restoring needs a superuser")

	foreign := newName(t, db)
	_, err := db.Admin(t).Exec(t.Context(), "create database "+foreign)
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), in(t, db.AdminDSN, foreign))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "create table wages (amount int)")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	require.ErrorContains(t, backup.Restore(t.Context(), bin(t), db.AdminDSN, foreign, broken), "is not ColaFlow's; choose another name with --database")
}

func TestDump_Refuses(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	dir := t.TempDir()
	for dsn, want := range map[string]string{
		db.AppDSN:   `role "colaflow_app" does not see every row`,
		db.OwnerDSN: "connect as colaflow_dump",
		"postgres://colaflow_dump:hunter2@127.0.0.1:1/x": "no connection with the given DSN",
	} {
		err := backup.Dump(t.Context(), bin(t), dsn, filepath.Join(dir, "x"))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	require.ErrorContains(t, backup.Dump(t.Context(), dir, db.DumpDSN, filepath.Join(dir, "x")), "pg_dump is not in "+dir)
	require.ErrorContains(t, backup.Dump(t.Context(), bin(t), db.DumpDSN, filepath.Join(dir, "no", "x")), "make the file to write")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
