package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/colaflow/colaflow/tenancy"
)

// AuditHead names a checkpoint: the newest, if a report says so. Kept outside
// the database it proves later that nothing was cut off the log's end.
type AuditHead struct {
	Seq int64  `json:"seq"`
	MAC string `json:"mac"`
}

func (c checkpoint) head() AuditHead { return AuditHead{c.seq, hex.EncodeToString(c.mac)} }

// errSealBroken keeps a node from building on checkpoints that were tampered with.
var errSealBroken = errors.New("the newest audit checkpoint was changed or removed: run colaflow audit verify")

// sealedRows is how many rows a checkpoint holds, rows of one instant apart.
const sealedRows = 5_000

// sealed is what one round of sealing did.
type sealed struct {
	head AuditHead // newest checkpoint; zero if there is none, or another node is sealing
	rows int       // sealed now
	more bool      // rows are waiting
}

// sealTenant seals what a tenant's finished transactions wrote. At most one node
// seals a tenant at a time; the others leave it alone. known is the newest
// checkpoint that this process has seen.
func (s *Store) sealTenant(ctx context.Context, tenant tenancy.TenantID, lag time.Duration, known AuditHead) (done sealed, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := s.poolOf(tenant).Acquire(ctx)
	if err != nil {
		return done, interpret(err)
	}
	defer conn.Release()
	defer func() { rollback(ctx, conn) }()
	var boundary *time.Time
	var now time.Time
	var last checkpoint
	b := &pgx.Batch{}
	b.Queue(beginWrite)
	b.Queue(`select audit_boundary($1, $2), clock_timestamp()`, tenant, lag).QueryRow(func(row pgx.Row) error { return row.Scan(&boundary, &now) })
	b.Queue(`select `+checkpointColumns+` from audit_checkpoints where tenant_id = $1 order by seq desc limit 1`, tenant).
		Query(collectOne(&last, scanCheckpoint))
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return done, interpret(err)
	}
	if boundary == nil {
		return sealed{more: true}, nil
	}
	if err := s.checkHead(tenant, last, known); err != nil {
		return done, err
	}
	next, more, err := s.gather(ctx, conn, tenant, last, boundary.UTC())
	if err != nil || next.rows == 0 {
		return sealed{last.head(), 0, more}, err
	}
	next.sealedAt = now
	next.mac = s.auditKey.checkpoint(tenant, next)
	b = &pgx.Batch{}
	b.Queue(`insert into audit_checkpoints (tenant_id, `+checkpointColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		tenant, next.seq, next.from, next.upto, next.rows, next.contents, next.digest, next.previous, next.sealedAt, next.mac)
	queueCommit(b)
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return done, fmt.Errorf("seal audit rows: %w", interpret(err))
	}
	return sealed{next.head(), next.rows, more}, nil
}

// checkHead refuses a newest checkpoint that does not bear our MAC, or that is
// older than one that this process has seen.
func (s *Store) checkHead(tenant tenancy.TenantID, last checkpoint, known AuditHead) error {
	if last.seq > 0 && !s.auditKey.sealed(tenant, last) {
		return errSealBroken
	}
	if last.seq < known.Seq || last.seq == known.Seq && last.seq > 0 && last.head() != known {
		return errSealBroken
	}
	return nil
}

// gather makes the checkpoint that follows last, of rows below the boundary, and
// tells whether others are waiting.
func (s *Store) gather(ctx context.Context, conn *pgxpool.Conn, tenant tenancy.TenantID, last checkpoint, boundary time.Time) (next checkpoint, more bool, err error) {
	type sealable struct {
		entry
		mac []byte
	}
	if last.seq == 0 {
		last.upto = auditBegin
	}
	var rows []sealable
	b := &pgx.Batch{}
	b.Queue(`select id, written_at, mac from audit_log where tenant_id = $1 and written_at >= $2 and written_at < $3
		order by written_at fetch first $4 rows with ties`, tenant, last.upto, boundary, sealedRows).
		Query(collect(&rows, func(row pgx.Rows, r *sealable) error {
			var at time.Time
			err := row.Scan(&r.id, &at, &r.mac)
			r.written = stamp(at)
			return err
		}))
	b.Queue(`select exists (select from audit_log where tenant_id = $1 and written_at >= $2)`, tenant, boundary).QueryRow(scalar(&more))
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return next, false, interpret(err)
	}
	slices.SortFunc(rows, func(a, b sealable) int { return a.compare(b.entry) })
	if len(rows) >= sealedRows {
		boundary, more = rows[len(rows)-1].time().Add(time.Microsecond), true
	}
	sealing := newSealing()
	for _, r := range rows {
		sealing.add(r.entry, r.mac)
	}
	return checkpoint{seq: last.seq + 1, from: last.upto, upto: boundary, rows: sealing.rows, contents: sealing.contents,
		digest: sealing.digest.Sum(nil), previous: append([]byte{}, last.mac...)}, more, nil
}
