package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// IndexAdvice is an index that nobody uses, or a table that is read from end to end.
type IndexAdvice struct {
	Table  string `json:"table"`
	Index  string `json:"index,omitempty"` // empty: the table may lack one
	Bytes  int64  `json:"bytes"`
	Scans  int64  `json:"scans"` // of the index; of the whole table where there is none
	Advice string `json:"advice"`
}

// Indexes looks at what PostgreSQL has counted since its statistics were reset: indexes
// that were never used and hold no constraint, and tables of some size that are read
// whole more often than by index.
func (s *Store) Indexes(ctx context.Context) ([]IndexAdvice, error) {
	rows, err := s.pool.Query(ctx, `
		select i.relname, i.indexrelname, pg_relation_size(i.indexrelid), i.idx_scan, 'never used: it only costs writers'
		from pg_stat_user_indexes i join pg_index x on x.indexrelid = i.indexrelid
		where i.schemaname = 'public' and i.idx_scan = 0 and not x.indisunique and x.indisvalid
		union all
		select t.relname, '', pg_relation_size(t.relid), t.seq_scan, 'read from end to end ' || t.seq_scan || ' times, by index ' || coalesce(t.idx_scan, 0) || ' times'
		from pg_stat_user_tables t
		where t.schemaname = 'public' and t.n_live_tup > 10000 and t.seq_scan > coalesce(t.idx_scan, 0)
		order by 3 desc, 1, 2`)
	if err != nil {
		return nil, interpret(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a IndexAdvice, err error) {
		return a, row.Scan(&a.Table, &a.Index, &a.Bytes, &a.Scans, &a.Advice)
	})
	return list, interpret(err)
}
