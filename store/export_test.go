package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/colaflow/colaflow/tenancy"
)

// Pool lets tests look at the connections that transactions leave behind.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Shares returns how many tenants hold a connection or wait for one.
func (s *Store) Shares() int {
	s.shares.mu.Lock()
	defer s.shares.mu.Unlock()
	return len(s.shares.of)
}

// Waiting returns how many transactions of a tenant hold a connection or wait for one.
func (s *Store) Waiting(tenant tenancy.TenantID) int {
	s.shares.mu.Lock()
	defer s.shares.mu.Unlock()
	if sh := s.shares.of[tenant]; sh != nil {
		return sh.users
	}
	return 0
}

// NewShares is how tenants take their connections, so many each, without a database.
func NewShares(size int) func(context.Context, tenancy.TenantID) (give func(), err error) {
	return newShares(size, 0).take
}

// Seal seals what a tenant has waiting, at once, and returns how many rows.
func (s *Store) Seal(ctx context.Context, tenant tenancy.TenantID, known AuditHead) (AuditHead, int, error) {
	done, err := s.sealTenant(ctx, tenant, time.Microsecond, known)
	return done.head, done.rows, err
}

// SealUpTo is Seal by a clock that shows another time.
func (s *Store) SealUpTo(ctx context.Context, tenant tenancy.TenantID, now time.Time) (AuditHead, int, error) {
	done, err := s.sealTenant(ctx, tenant, time.Until(now)*-1, AuditHead{})
	return done.head, done.rows, err
}

// Unsealed returns how many tenants the sealer has yet to look at.
func (s *Store) Unsealed() int { return len(s.sealer.snapshot()) }

// FlushDenials ends the minute for which equal denials are counted.
func (s *Store) FlushDenials() { s.denials.flush() }

// OpenDenials returns how many denials are being counted.
func (s *Store) OpenDenials() int {
	s.denials.mu.Lock()
	defer s.denials.mu.Unlock()
	return len(s.denials.open)
}

// ExportedColumns lists the columns that travel in an export, by table in the order
// of the import, and StayingColumns those that do not; "*" is a whole table.
func ExportedColumns() (tables []string, columns map[string][]string) {
	columns = map[string][]string{}
	for _, e := range exportedTables {
		tables, columns[e.name] = append(tables, e.name), e.list()
	}
	return tables, columns
}

// StayingColumns lists what does not travel, with the reason; "*" is a whole table.
func StayingColumns() map[string]map[string]string {
	stays := map[string]map[string]string{}
	for _, e := range exportedTables {
		stays[e.name] = e.stays
	}
	for table, why := range stayingTables {
		stays[table] = map[string]string{"*": why}
	}
	return stays
}

// RestIdle lets members rest without the rest of a cleanup.
func (s *Store) RestIdle(ctx context.Context, t tenancy.Tenant) error { return s.restIdle(ctx, t) }
