package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/store"
)

// magic begins every file of pg_dump's custom format.
const magic = "PGDMP"

// Restore makes the database of the given name on the server of adminDSN out of a
// file that Dump has written, and brings its schema to this release's version. It
// refuses to replace a database that holds a tenant. The database appears whole
// or stays as it was.
func Restore(ctx context.Context, bin, adminDSN, database, file string) error {
	dump, err := openDump(file)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	maintenance, err := store.DSNIn(adminDSN, "postgres") // a session cannot drop its own database
	if err != nil {
		return err
	}
	admin, err := store.Connect(ctx, maintenance)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close(ctx) }()
	if err := checkTarget(ctx, admin, adminDSN, database); err != nil {
		return err
	}
	fresh := database + "_restore_" + strings.ToLower(rand.Text()[:8])
	if err := restoreInto(ctx, bin, adminDSN, fresh, dump); err != nil {
		return errors.Join(err, drop(context.WithoutCancel(ctx), admin, fresh))
	}
	if err := drop(ctx, admin, database); err != nil {
		return errors.Join(err, drop(context.WithoutCancel(ctx), admin, fresh))
	}
	if _, err := admin.Exec(ctx, "alter database "+quoted(fresh)+" rename to "+quoted(database)); err != nil {
		return fmt.Errorf("the backup is restored, but as database %s: rename it: %w", fresh, err)
	}
	return nil
}

func openDump(file string) (*os.File, error) {
	dump, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(dump, head); err != nil || string(head) != magic {
		_ = dump.Close()
		return nil, fmt.Errorf("%s is not a backup: colaflow backup writes them", file)
	}
	if _, err := dump.Seek(0, io.SeekStart); err != nil {
		_ = dump.Close()
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	return dump, nil
}

// checkTarget refuses a role that is bound by row-level security, and a database
// that somebody works in.
func checkTarget(ctx context.Context, admin *pgx.Conn, adminDSN, database string) error {
	var super, exists bool
	err := admin.QueryRow(ctx, `select rolsuper, exists (select from pg_database where datname = $1)
		from pg_roles where rolname = current_user`, database).Scan(&super, &exists)
	if err != nil {
		return fmt.Errorf("look at the server: %w", err)
	}
	if !super {
		return errors.New("restoring needs a superuser, because row-level security binds everybody else; give one with --admin-dsn")
	}
	if !exists {
		return nil
	}
	dsn, err := store.DSNIn(adminDSN, database)
	if err != nil {
		return err
	}
	target, err := store.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close(ctx) }()
	var tables, tenants int
	if err := target.QueryRow(ctx, "select count(*) from pg_tables where schemaname = 'public'").Scan(&tables); err != nil {
		return fmt.Errorf("look into database %s: %w", database, err)
	}
	if tables == 0 {
		return nil
	}
	if err := target.QueryRow(ctx, "select count(*) from tenants").Scan(&tenants); err != nil {
		return fmt.Errorf("database %s is not ColaFlow's; choose another name with --database", database)
	}
	if tenants > 0 {
		return fmt.Errorf("database %s holds %d tenants, which a restore would replace; restore into an empty one", database, tenants)
	}
	return nil
}

// restoreInto makes the roles and a new database, fills it, and migrates it.
func restoreInto(ctx context.Context, bin, adminDSN, database string, dump *os.File) error {
	if err := store.Init(ctx, store.InitConfig{AdminDSN: adminDSN, Database: database}); err != nil {
		return err
	}
	dsn, err := store.DSNIn(adminDSN, database)
	if err != nil {
		return err
	}
	if err := runTool(ctx, bin, "pg_restore", dsn, dump, nil, "--exit-on-error", "--single-transaction"); err != nil {
		return err
	}
	if _, _, err := store.Migrate(ctx, asOwner(dsn)); err != nil {
		return err
	}
	admin, err := store.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close(ctx) }()
	_, err = admin.Exec(ctx, "analyze")
	return err
}

// asOwner makes the administrator's session work as the owner role, so that what
// migrations create belongs to it.
func asOwner(dsn string) string {
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "role=" + store.OwnerRole
}

func drop(ctx context.Context, admin *pgx.Conn, database string) error {
	if _, err := admin.Exec(ctx, "drop database if exists "+quoted(database)+" with (force)"); err != nil {
		return fmt.Errorf("drop database %s: %w", database, err)
	}
	return nil
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
