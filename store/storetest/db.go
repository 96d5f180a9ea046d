package storetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// Now is what the clock of every test store says: a Wednesday.
var Now = time.Date(2026, 4, 15, 10, 30, 0, 0, time.UTC)

// DB is a fresh database of one test, and a store over it.
type DB struct {
	*store.Store
	Key      tenancy.MasterKey
	AppDSN   string // runtime role
	OwnerDSN string // migrates; sees no rows
	AdminDSN string // superuser; sees everything
	DumpDSN  string // reads everything, for backups
	socket   string

	mu     sync.Mutex
	issued []string
}

// Options change what Open makes.
type Options struct {
	MaxConns    int32
	TenantConns int32
	Wait        time.Duration
	Slow        time.Duration
	Observe     func(store.Trip)
	Clock       func() time.Time
	Log         *slog.Logger
	Heartbeat   time.Duration
	ListenDSN   string
	DSN         string // empty: AppDSN; for Reopen
}

// Open returns a fresh, migrated database without tenants. It is dropped when
// the test ends.
func Open(t testing.TB, opts ...Options) *DB {
	t.Helper()
	opt := Options{MaxConns: 4}
	if len(opts) > 0 {
		opt = opts[0]
	}
	if opt.Clock == nil {
		opt.Clock = func() time.Time { return Now }
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	c := sharedCluster(t)
	db := c.open(c.copyTemplate(t))
	db.Store = db.Reopen(t, opt)
	return db
}

// open is a database of the cluster, still without a store.
func (c *cluster) open(name string) *DB {
	return &DB{
		Key:    tenancy.NewMasterKey(),
		AppDSN: c.dsn(store.AppRole, name), OwnerDSN: c.dsn(store.OwnerRole, name),
		AdminDSN: c.dsn("postgres", name), DumpDSN: c.dsn(store.DumpRole, name),
		socket: filepath.Join(c.host, ".s.PGSQL.5432"),
	}
}

// Reopen opens another store over the same database, as a second node would.
func (db *DB) Reopen(t testing.TB, opt Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{DSN: cmp.Or(opt.DSN, db.AppDSN), ListenDSN: opt.ListenDSN, Heartbeat: opt.Heartbeat, Key: db.Key,
		MaxConns: opt.MaxConns, TenantConns: opt.TenantConns, Wait: opt.Wait, Slow: opt.Slow, Observe: opt.Observe, Clock: opt.Clock, Log: opt.Log})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func (db *DB) issue(plain string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.issued = append(db.issued, plain)
}

// Issued lists the plain tokens that fixtures made in this database.
func (db *DB) Issued() []string {
	db.mu.Lock()
	defer db.mu.Unlock()
	return slices.Clone(db.issued)
}

// Dump returns every row of every table as text, in a fixed order, but those of
// the tables that are left out. It sees all tenants.
func (db *DB) Dump(t testing.TB, without ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, db.AdminDSN)
	require.NoError(t, err)
	defer func() { _ = admin.Close(ctx) }()
	rows, err := admin.Query(ctx, `select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace
		and c.relkind in ('r', 'p') and not c.relispartition and not c.relname = any(coalesce($1::text[], '{}')) order by 1`, without)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	var dump strings.Builder
	for _, table := range tables {
		var text string
		sql := `select coalesce(string_agg(r::text, E'\n' order by r::text), '') from ` + pgx.Identifier{table}.Sanitize() + ` r`
		require.NoError(t, admin.QueryRow(ctx, sql).Scan(&text), table)
		dump.WriteString(table + ":\n" + text + "\n")
	}
	return dump.String()
}

// Admin returns a superuser connection, to look behind row-level security.
func (db *DB) Admin(t testing.TB) *pgx.Conn { return connect(t, db.AdminDSN) }

// App returns a raw connection as the runtime role, outside the store.
func (db *DB) App(t testing.TB) *pgx.Conn { return connect(t, db.AppDSN) }

// Owner returns a raw connection as the role that migrates.
func (db *DB) Owner(t testing.TB) *pgx.Conn { return connect(t, db.OwnerDSN) }

// TooSlow ends every statement that looks at a row of a table, as the limit of time does.
func (db *DB) TooSlow(t testing.TB, table string) {
	t.Helper()
	admin := db.Admin(t)
	for _, sql := range []string{
		`create function too_slow() returns boolean language plpgsql cost 0.000001 as $$ begin raise 'statement timeout' using errcode = '57014'; end $$`,
		`alter policy tenant on ` + pgx.Identifier{table}.Sanitize() + ` using (too_slow())`,
	} {
		_, err := admin.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
}

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (c *cluster) copyTemplate(t testing.TB) string {
	t.Helper()
	var random [6]byte
	_, _ = rand.Read(random[:])
	name := "test_" + hex.EncodeToString(random[:])
	c.exec(t, "create database "+name+" owner "+store.OwnerRole+" template "+templateName)
	t.Cleanup(func() { c.exec(t, "drop database "+name+" with (force)") })
	return name
}

func (c *cluster) exec(t testing.TB, sql string) {
	t.Helper()
	c.copying.Lock()
	defer c.copying.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, c.dsn("postgres", "postgres"))
	require.NoError(t, err)
	defer func() { _ = admin.Close(ctx) }()
	for {
		_, err = admin.Exec(ctx, sql)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "55006" { // object_in_use: somebody has yet to leave it
			break
		}
	}
	require.NoError(t, err)
}
