// Package store is the only room that speaks to PostgreSQL. Every transaction
// begins with enter(), which binds it to one tenant and checks that its subject
// is still active; row-level security does the rest.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/colaflow/colaflow/tenancy"
)

// Config says how to reach the database. DSN and Key are required.
type Config struct {
	// DSN connects as the runtime role (colaflow_app), never as owner or superuser.
	DSN string
	Key tenancy.MasterKey
	// ListenDSN connects directly, without a pooler, for LISTEN; empty means DSN.
	// Where it is another one, DSN is taken for that of a pooler such as PgBouncer.
	ListenDSN string
	// Heartbeat is how often the listener proves itself; 0 means 2 s.
	Heartbeat time.Duration
	// MaxConns bounds the pool; 0 means 16.
	MaxConns int32
	// TenantConns is how many of them one tenant may use at once; 0 means half.
	TenantConns int32
	// Wait is how long a transaction may wait for a connection; 0 means 10 s.
	Wait time.Duration
	// Slow is how long a trip may take before it is logged; 0 means for ever.
	Slow time.Duration
	// Observe is told of every trip for a tenant; nil: nobody.
	Observe func(Trip)
	// Clock returns the current time; nil means time.Now.
	Clock func() time.Time
	// Log receives what clients must not see; nil means slog.Default.
	Log *slog.Logger
}

// Store is the database of all tenants. It is safe for concurrent use.
type Store struct {
	pool      *pgxpool.Pool
	listenDSN string
	heartbeat time.Duration
	clock     func() time.Time
	log       *slog.Logger
	audit     *auditLog
	auditKey  auditKey
	secrets   tenancy.Sealer
	sealer    *sealer
	denials   *denials
	shares    *shares
	announcer *announcer
	told      atomic.Pointer[func(tenancy.TenantID)] // of FollowWork
	slow      time.Duration
	observe   func(Trip)
}

// Open connects and refuses to serve on a role that could bypass isolation, on
// a schema of another release, or with another master key than the database's.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	config, err := pgxpool.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, errors.New("the database DSN is not valid; use the form postgres://user:password@host:5432/database")
	}
	config.MaxConns, config.AfterConnect = 16, useUUIDCodec
	config.ConnConfig.Tracer = tripTracer{}
	if cfg.MaxConns > 0 {
		config.MaxConns = cfg.MaxConns
	}
	if cfg.ListenDSN != "" && cfg.ListenDSN != cfg.DSN && config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		// In transaction mode a statement that was prepared may be on another connection.
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{pool: pool, listenDSN: cmp.Or(cfg.ListenDSN, cfg.DSN), heartbeat: cmp.Or(cfg.Heartbeat, 2*time.Second), clock: cfg.Clock, log: cfg.Log}
	s.shares = newShares(int(cmp.Or(cfg.TenantConns, max(1, config.MaxConns/2))), cmp.Or(cfg.Wait, defaultWait))
	s.slow, s.observe = cfg.Slow, cfg.Observe
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if err := s.check(ctx, cfg.Key); err != nil {
		pool.Close()
		return nil, err
	}
	s.auditKey, s.sealer = cfg.Key.Subkey(tenancy.PurposeAudit), &sealer{store: s}
	s.secrets = tenancy.NewSealer(cfg.Key, tenancy.PurposeSSO)
	s.audit = newAuditLog(s)
	s.announcer = &announcer{store: s, waiting: map[tenancy.TenantID]bool{}}
	s.denials = &denials{log: s.audit, open: map[denial]*AuditRow{}}
	return s, nil
}

// Close announces the last changes, stops sealing, writes the audit rows in flight and closes every connection.
func (s *Store) Close() {
	s.announcer.close()
	s.sealer.close()
	s.denials.close()
	s.audit.close()
	s.pool.Close()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return interpret(err)
	}
	return nil
}

// check runs the tests of design "Roles", "Keys" and the schema version.
func (s *Store) check(ctx context.Context, key tenancy.MasterKey) error {
	var role string
	var super, bypass, owner, member bool
	err := s.pool.QueryRow(ctx, `
		select r.rolname, r.rolsuper, r.rolbypassrls,
		       exists (select from pg_class c where c.relname = 'tokens' and pg_has_role(r.oid, c.relowner, 'member')),
		       exists (select from pg_auth_members m where m.member = r.oid)
		from pg_roles r where r.rolname = current_user`).Scan(&role, &super, &bypass, &owner, &member)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", connectError(err))
	}
	for _, power := range []struct {
		has  bool
		text string
	}{{super, "is a superuser"}, {bypass, "has BYPASSRLS"}, {owner, "owns the tables"}, {member, "is a member of another role, whose policies it gets"}} {
		if power.has {
			return fmt.Errorf("refusing to serve: database role %q %s, so it could cross tenants; "+
				"create the right role with: colaflow db init --admin-dsn ...", role, power.text)
		}
	}
	if err := s.checkTimeout(ctx); err != nil {
		return err
	}
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	switch latest := LatestVersion(); {
	case version < latest:
		return fmt.Errorf("the database schema is version %d and this release needs %d; run: colaflow db migrate --owner-dsn ...", version, latest)
	case version/majorStep > latest/majorStep:
		return fmt.Errorf("the database schema is version %d, newer than this release knows (%d); upgrade colaflow", version, latest)
	}
	return s.checkKey(ctx, key)
}

// mostStatementTime is the longest statement timeout that may be set for the role.
const mostStatementTime = 30 * time.Second

// checkTimeout refuses to serve without a limit of what one statement may take:
// it comes with the role, because a pooler drops what connections ask for.
func (s *Store) checkTimeout(ctx context.Context) error {
	var timeout time.Duration
	if err := s.pool.QueryRow(ctx, `select current_setting('statement_timeout')::interval`).Scan(&timeout); err != nil {
		return interpret(err)
	}
	if timeout > 0 && timeout <= mostStatementTime {
		return nil
	}
	return fmt.Errorf("refusing to serve: one statement may take %s, so one tenant could hold up all others; "+
		"limit it with: alter role %s set statement_timeout = '5s'", map[bool]string{true: "for ever", false: timeout.String()}[timeout == 0], AppRole)
}

// checkKey compares the master key with the database's, or leaves its mark in a
// database that has none.
func (s *Store) checkKey(ctx context.Context, key tenancy.MasterKey) error {
	var stored []byte
	insert := `insert into installation (id, key_check) values (1, $1) on conflict do nothing`
	if _, err := s.pool.Exec(ctx, insert, key.Check()); err != nil {
		return interpret(err)
	}
	if err := s.pool.QueryRow(ctx, `select key_check from installation where id = 1`).Scan(&stored); err != nil {
		return interpret(err)
	}
	if string(stored) != string(key.Check()) {
		return errors.New("refusing to serve: the master key is not the one this database was set up with; " +
			"give the original key with COLAFLOW_MASTER_KEY or master.key")
	}
	return nil
}

func (s *Store) schemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.pool.QueryRow(ctx, latestSchema).Scan(&version)
	if isUndefinedTable(err) || isDenied(err) {
		return 0, errors.New("the database has no ColaFlow schema; run: colaflow db migrate --owner-dsn ...")
	}
	if err != nil {
		return 0, interpret(err)
	}
	return version, nil
}

// rollback ends a failed transaction whatever happened to ctx, so that the
// connection goes back to the pool clean.
func rollback(ctx context.Context, conn *pgxpool.Conn) {
	if conn.Conn().PgConn().TxStatus() == 'I' || conn.Conn().IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = conn.Exec(ctx, "rollback", pgx.QueryExecModeSimpleProtocol) // a broken connection is dropped by the pool
}
