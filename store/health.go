package store

import (
	"context"
	"fmt"
)

// Health is what readiness looks at.
type Health struct {
	Schema int64 // version of the database
	// AuditMonths is how many months after this one have a partition of the audit
	// log; later rows go into the default partition, which db migrate cannot split.
	AuditMonths int
}

// Health asks the database whether it can serve. It fails if the database does
// not answer, or no longer has the schema that this release needs.
func (s *Store) Health(ctx context.Context) (Health, error) {
	var h Health
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return h, err
	}
	h.Schema = version
	if latest := LatestVersion(); version < latest || version/majorStep > latest/majorStep {
		return h, fmt.Errorf("the database schema is version %d and this release needs %d", version, latest)
	}
	err = s.pool.QueryRow(ctx, `
		select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = to_regclass('audit_log') and c.relname ~ '^audit_log_[0-9]{6}$'
		  and c.relname > 'audit_log_' || to_char(now() at time zone 'UTC', 'YYYYMM')`).Scan(&h.AuditMonths)
	return h, interpret(err)
}
