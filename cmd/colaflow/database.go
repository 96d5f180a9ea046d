package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/embedded"
	"github.com/colaflow/colaflow/tenancy"
)

// databaseName is what the embedded database and db init call it.
const databaseName = "colaflow"

// dataDefault says what embedded.DefaultDataDir does.
const dataDefault = "default: /var/lib/colaflow for root, else colaflow where the system keeps a person's data"

// choice says which database a command works on: the one of a DSN, or without
// one the embedded PostgreSQL in a data directory.
type choice struct {
	dsn    string
	listen string // where notifications come from, if not from dsn
	data   string
	pgBin  string
	conns  int32 // of the pool; 0: the store's default
	// What servers set beside; zero: the store's defaults.
	tenantConns int32
	slow        time.Duration
	observe     func(store.Trip)
}

// addFlags adds the flags that every command with a database shares.
func (c *choice) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.dsn, "dsn", "", "PostgreSQL to use, as role colaflow_app; without it an embedded one in --data")
	c.addEmbeddedFlags(cmd)
}

func (c *choice) addEmbeddedFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.data, "data", "", "directory of the embedded database ("+dataDefault+")")
	cmd.Flags().StringVar(&c.pgBin, "pg-bin", "", "directory of initdb and postgres, if several are installed")
}

// database is an open store, its master key, and what to close.
type database struct {
	*store.Store
	key      tenancy.MasterKey
	instance *embedded.Instance // nil with a DSN
}

// Close closes the store, then gives up the embedded PostgreSQL.
func (d *database) Close() error {
	d.Store.Close()
	if d.instance == nil {
		return nil
	}
	return d.instance.Close()
}

// open opens the chosen database as the runtime role.
func (p *program) open(ctx context.Context, c choice) (*database, error) {
	if c.dsn == "" {
		return p.openEmbedded(ctx, c)
	}
	key, err := p.masterKey("")
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, p.storeConfig(c, c.dsn, key))
	if err != nil {
		return nil, err
	}
	return &database{Store: s, key: key}, nil
}

func (p *program) storeConfig(c choice, dsn string, key tenancy.MasterKey) store.Config {
	return store.Config{DSN: dsn, ListenDSN: c.listen, MaxConns: c.conns, TenantConns: c.tenantConns, Slow: c.slow, Observe: c.observe,
		Key: key, Clock: p.clock, Log: p.log}
}

func (p *program) openEmbedded(ctx context.Context, c choice) (*database, error) {
	in, dir, err := p.start(ctx, c)
	if err != nil {
		return nil, err
	}
	key, err := p.masterKey(filepath.Join(dir, masterKeyFile))
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	s, err := store.Open(ctx, p.storeConfig(c, in.DSN(store.AppRole, databaseName), key))
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return &database{Store: s, key: key, instance: in}, nil
}

// start takes a hold on the embedded PostgreSQL, migrated, and returns it with
// its data directory.
func (p *program) start(ctx context.Context, c choice) (*embedded.Instance, string, error) {
	dir, err := c.dataDir()
	if err != nil {
		return nil, "", err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("find this program: %w", err)
	}
	keeper := []string{self, "db", "keep", "--data", dir}
	if c.pgBin != "" {
		keeper = append(keeper, "--pg-bin", c.pgBin)
	}
	in, err := embedded.Open(ctx, embedded.Config{DataDir: dir, BinDir: c.pgBin, Keeper: keeper, Prepare: prepare, Log: p.log})
	return in, dir, err
}

func (c choice) dataDir() (string, error) {
	if c.data != "" {
		return filepath.Abs(c.data)
	}
	return embedded.DefaultDataDir()
}

// prepare makes the embedded database what db init and db migrate make of any other.
func prepare(ctx context.Context, in *embedded.Instance) error {
	if err := store.Init(ctx, store.InitConfig{AdminDSN: in.AdminDSN("postgres"), Database: databaseName}); err != nil {
		return err
	}
	_, _, err := store.Migrate(ctx, in.DSN(store.OwnerRole, databaseName))
	return err
}
