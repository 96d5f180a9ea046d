package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Roles of an installation. Only AppRole serves; it owns nothing and is member
// of nothing. SearchRole runs one reviewed function; DumpRole is for backups.
const (
	OwnerRole  = "colaflow_owner"
	AppRole    = "colaflow_app"
	SearchRole = "colaflow_search"
	DumpRole   = "colaflow_dump"
)

// InitConfig says what db init creates. Empty passwords leave a role without
// one (for socket or certificate authentication).
type InitConfig struct {
	AdminDSN      string
	Database      string
	OwnerPassword string
	AppPassword   string
	DumpPassword  string
}

// Init creates the roles, the database and the extensions that ColaFlow needs.
// Running it again repairs what is missing and changes no existing password
// unless one is given.
func Init(ctx context.Context, cfg InitConfig) error {
	admin, err := connectAdmin(ctx, cfg.AdminDSN)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close(ctx) }()
	if err := createRoles(ctx, admin, cfg); err != nil {
		return err
	}
	database := pgx.Identifier{cfg.Database}.Sanitize()
	var exists bool
	if err := admin.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", cfg.Database).Scan(&exists); err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if !exists {
		if _, err := admin.Exec(ctx, "create database "+database+" owner "+OwnerRole+" encoding 'UTF8' template template0"); err != nil {
			return fmt.Errorf("create database: %w", err)
		}
	}
	config := admin.Config()
	config.Database = cfg.Database
	inside, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to the new database: %w", connectError(err))
	}
	defer func() { _ = inside.Close(ctx) }()
	return execAll(ctx, inside,
		"alter schema public owner to "+OwnerRole,
		"revoke create on schema public from public",
		"grant usage on schema public to "+AppRole+", "+SearchRole+", "+DumpRole,
		`do $$ begin
		   if exists (select from pg_available_extensions where name = 'btree_gin') then
		     create extension if not exists btree_gin;
		   end if;
		 end $$`,
		// Planning a query of ours costs ten times its execution, and its plan does
		// not depend on the values: keep it. Citus plans by the value of tenant_id.
		`do $$ begin
		   if not exists (select from pg_extension where extname = 'citus') then
		     alter role `+AppRole+` set plan_cache_mode = force_generic_plan;
		   end if;
		 end $$`,
		"alter default privileges for role "+OwnerRole+" in schema public grant select on tables to "+DumpRole,
		"alter default privileges for role "+OwnerRole+" in schema public grant select on sequences to "+DumpRole,
	)
}

// ExistingRoles returns those of our roles that the server has already.
func ExistingRoles(ctx context.Context, adminDSN string) ([]string, error) {
	admin, err := connectAdmin(ctx, adminDSN)
	if err != nil {
		return nil, err
	}
	defer func() { _ = admin.Close(ctx) }()
	rows, err := admin.Query(ctx, "select rolname from pg_roles where rolname = any($1) order by rolname",
		[]string{OwnerRole, AppRole, SearchRole, DumpRole})
	if err != nil {
		return nil, fmt.Errorf("look for roles: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func connectAdmin(ctx context.Context, dsn string) (*pgx.Conn, error) {
	admin, err := Connect(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("connect as administrator: %w", err)
	}
	return admin, nil
}

func createRoles(ctx context.Context, admin *pgx.Conn, cfg InitConfig) error {
	roles := []struct{ name, attributes, password string }{
		{OwnerRole, "login noinherit nosuperuser nobypassrls nocreatedb nocreaterole", cfg.OwnerPassword},
		{AppRole, "login noinherit nosuperuser nobypassrls nocreatedb nocreaterole", cfg.AppPassword},
		{SearchRole, "login noinherit nosuperuser nobypassrls nocreatedb nocreaterole", ""},
		{DumpRole, "login noinherit nosuperuser bypassrls nocreatedb nocreaterole", cfg.DumpPassword},
	}
	for _, role := range roles {
		var exists bool
		if err := admin.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", role.name).Scan(&exists); err != nil {
			return fmt.Errorf("look for role %s: %w", role.name, err)
		}
		verb := "create role "
		if exists {
			verb = "alter role "
		}
		err := execAll(ctx, admin, verb+role.name+" "+role.attributes)
		if isDenied(err) {
			return fmt.Errorf("the administrator's role may not create role %s; connect as a superuser", role.name)
		}
		if err != nil {
			return fmt.Errorf("create role %s: %w", role.name, err)
		}
		if role.password != "" {
			// ALTER ROLE takes no parameters; the server quotes the literal itself.
			var statement string
			err := admin.QueryRow(ctx, "select format('alter role %I password %L', $1::text, $2::text)", role.name, role.password).Scan(&statement)
			if err == nil {
				err = execAll(ctx, admin, statement)
			}
			if err != nil {
				return fmt.Errorf("set the password of role %s: %s", role.name, state(err))
			}
		}
	}
	return execAll(ctx, admin,
		"grant "+SearchRole+" to "+OwnerRole,
		"alter role "+AppRole+" set statement_timeout = '5s'",
		"alter role "+AppRole+" set lock_timeout = '3s'",
		"alter role "+AppRole+" set idle_in_transaction_session_timeout = '30s'",
		"alter role "+AppRole+" set timezone = 'UTC'",
		"alter role "+AppRole+" set search_path = public",
	)
}

func execAll(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
