package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// majorStep separates major schema versions: a server serves a newer schema
// only within its own major version.
const majorStep = 10_000

// latestSchema reads the version of the schema that is there.
const latestSchema = `select coalesce(max(version_id), 0) from goose_db_version where is_applied`

// LatestVersion is the schema version of this release: that of its newest migration.
func LatestVersion() int64 {
	names, _ := fs.Glob(migrationFiles, "migrations/*.sql") // the pattern is valid
	number, _, _ := strings.Cut(path.Base(names[len(names)-1]), "_")
	version, _ := strconv.ParseInt(number, 10, 64)
	return version
}

// Migrate brings the schema to this release's version, one transaction per
// migration, and makes audit partitions ahead. It connects as the owner role and
// may run beside serving nodes and beside itself.
func Migrate(ctx context.Context, ownerDSN string) (from, to int64, err error) {
	db, err := openOwner(ownerDSN)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = db.Close() }()
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return 0, 0, fmt.Errorf("read migrations: %w", err)
	}
	lock, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, connectError(err)
	}
	defer func() { _ = lock.Rollback() }()
	var role string
	if err = lock.QueryRowContext(ctx, "select current_user").Scan(&role); err != nil {
		return 0, 0, fmt.Errorf("look at the role: %w", err)
	}
	if role != OwnerRole {
		return 0, 0, fmt.Errorf("migrations run as role %s, but the DSN connects as %s; use the owner's DSN that colaflow db init printed", OwnerRole, role)
	}
	if _, err = lock.ExecContext(ctx, "select pg_advisory_xact_lock(hashtext('colaflow migrate'))"); err != nil {
		return 0, 0, fmt.Errorf("wait for another migration: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return 0, 0, fmt.Errorf("read migrations: %w", err)
	}
	if from, err = provider.GetDBVersion(ctx); err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	if from > LatestVersion() {
		return from, from, fmt.Errorf("the database schema is version %d, newer than this release (%d); upgrade colaflow", from, LatestVersion())
	}
	if _, err = provider.Up(ctx); err != nil {
		return from, from, fmt.Errorf("migrate: %w", err)
	}
	for _, after := range []string{
		"grant select on goose_db_version to colaflow_app",
		"select colaflow_audit_months(24)",
	} {
		if _, err = db.ExecContext(ctx, after); err != nil {
			return from, from, fmt.Errorf("after migration: %w", err)
		}
	}
	return from, LatestVersion(), nil
}

// SchemaStatus is what db status prints.
type SchemaStatus struct {
	Version int64  `json:"version"`
	Latest  int64  `json:"latest"`
	Server  string `json:"server"`
}

// Status reads the schema's version over any role's DSN.
func Status(ctx context.Context, dsn string) (SchemaStatus, error) {
	conn, err := Connect(ctx, dsn)
	if err != nil {
		return SchemaStatus{}, err
	}
	defer func() { _ = conn.Close(ctx) }()
	status := SchemaStatus{Latest: LatestVersion()}
	if err := conn.QueryRow(ctx, "show server_version").Scan(&status.Server); err != nil {
		return status, interpret(err)
	}
	err = conn.QueryRow(ctx, latestSchema).Scan(&status.Version)
	if isUndefinedTable(err) {
		return status, nil
	}
	return status, interpret(err)
}

func openOwner(dsn string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	return stdlib.OpenDB(*config), nil
}
