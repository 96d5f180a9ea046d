package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// verifyPage is how many checkpoints, or unsealed rows, are looked at in one
// transaction. Short ones: a long one would keep others from sealing.
const (
	verifyPage     = 20
	verifyTailPage = 5_000
)

// VerifyAudit looks at every row and checkpoint of the scope's tenant and reports
// what was changed, removed, added or moved since it was written. It streams:
// memory is bounded by a page of checkpoints. seen is the head of an earlier
// report, which must still be there; the zero value asks for none.
func (s *Store) VerifyAudit(ctx context.Context, scope Scope, seen AuditHead) (AuditReport, error) {
	v := &verification{store: s, scope: scope, seen: seen, report: AuditReport{Findings: []AuditFinding{}}}
	v.last.upto = auditBegin
	for more := true; more; {
		err := s.Read(ctx, scope, func(tx *Tx) (err error) {
			tx.Pin()
			more, err = v.page(ctx, tx)
			return err
		})
		if err != nil {
			return v.report, fmt.Errorf("verify audit log: %w", err)
		}
	}
	for after := (&entry{}); after != nil; {
		err := s.Read(ctx, scope, func(tx *Tx) (err error) {
			after, err = v.tail(ctx, tx, *after)
			return err
		})
		if err != nil {
			return v.report, fmt.Errorf("verify audit log: %w", err)
		}
	}
	v.finish()
	return v.report, nil
}

// verification is a run of VerifyAudit.
type verification struct {
	store  *Store
	scope  Scope
	seen   AuditHead
	report AuditReport
	last   checkpoint // the newest that holds; its seq is that of the newest there is
	gap    bool       // the newest did not hold
	found  bool       // seen was found
}

// signed is a row as it is in the database, with its MAC.
type signed struct {
	entry
	columns []*string
	mac     []byte
}

func scanSigned(row pgx.Rows, r *signed) error {
	var at time.Time
	r.columns = make([]*string, len(auditNames()))
	into := []any{&r.id, &at, &r.mac}
	for n := range r.columns {
		into = append(into, &r.columns[n])
	}
	err := row.Scan(into...)
	r.written = stamp(at)
	return err
}

// page verifies the next checkpoints and the rows that they seal.
func (v *verification) page(ctx context.Context, tx *Tx) (more bool, err error) {
	var page []checkpoint
	err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+checkpointColumns+` from audit_checkpoints where tenant_id = $1 and seq > $2 order by seq limit $3`,
			scope.Tenant, v.last.seq, verifyPage).Query(collect(&page, scanCheckpoint))
	})
	if err != nil || len(page) == 0 {
		return false, err
	}
	if v.last.seq == 0 {
		if page, err = v.begin(ctx, tx, page); err != nil {
			return false, err
		}
	}
	for _, c := range page {
		if err := v.checkpoint(ctx, tx, c); err != nil {
			return false, err
		}
	}
	return true, nil
}

// checkpoint verifies a checkpoint by itself, against the one before it, and with
// its rows. Of one that was changed the time cannot be trusted: like those of a
// missing one, its rows are then verified by themselves.
func (v *verification) checkpoint(ctx context.Context, tx *Tx, c checkpoint) error {
	v.report.Checkpoints++
	v.found = v.found || c.head() == v.seen
	if !v.store.auditKey.sealed(v.scope.Tenant, c) {
		v.report.findCheckpoint(c, "it was changed: its MAC does not fit")
		v.last.seq, v.gap = c.seq, true
		return nil
	}
	switch follows := bytes.Equal(c.previous, v.last.mac) && c.from.Equal(v.last.upto); {
	case c.seq != v.last.seq+1:
		v.report.findCheckpoint(c, "what came before it is gone: checkpoints %d to %d", v.last.seq+1, c.seq-1)
	case !follows && !v.gap:
		v.report.findCheckpoint(c, "it does not follow checkpoint %d", v.last.seq)
	}
	if c.from.After(v.last.upto) {
		if err := v.stream(ctx, tx, v.last.upto, c.from, func(r signed) { v.row(r) }); err != nil {
			return err
		}
	}
	v.last, v.gap, v.report.Head = c, false, c.head()
	return v.rows(ctx, tx, c)
}

// rows compares the rows of a checkpoint's time with what it sealed. Both are in
// the order of entries.
func (v *verification) rows(ctx context.Context, tx *Tx, c checkpoint) error {
	sealed, sealing, before := c.entries(), newSealing(), v.report.Problems
	err := v.stream(ctx, tx, c.from, c.upto, func(r signed) {
		for len(sealed) > 0 && sealed[0].compare(r.entry) < 0 {
			v.report.findRow(sealed[0], "it is gone, or was moved in time; checkpoint %d sealed it", c.seq)
			sealed = sealed[1:]
		}
		if len(sealed) == 0 || sealed[0] != r.entry {
			v.report.findRow(r.entry, "it was added, or moved in time; checkpoint %d did not seal it here", c.seq)
			return
		}
		sealed = sealed[1:]
		if v.row(r) {
			v.report.Rows++
		}
		sealing.add(r.entry, r.mac)
	})
	if err != nil {
		return err
	}
	for _, e := range sealed {
		v.report.findRow(e, "it is gone, or was moved in time; checkpoint %d sealed it", c.seq)
	}
	if v.report.Problems == before && !bytes.Equal(sealing.digest.Sum(nil), c.digest) {
		v.report.findCheckpoint(c, "its digest is not that of its rows")
	}
	return nil
}

// row verifies one row by itself.
func (v *verification) row(r signed) bool {
	if bytes.Equal(r.mac, v.store.auditKey.row(r.columns)) {
		return true
	}
	v.report.findRow(r.entry, "it was changed, or not written by ColaFlow: its MAC does not fit")
	return false
}

// stream hands over the rows that were written in [from, upto), in order.
func (v *verification) stream(ctx context.Context, tx *Tx, from, upto time.Time, each func(signed)) error {
	return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select id, written_at, mac, `+auditColumns+` from audit_log a
			where tenant_id = $1 and written_at >= $2 and written_at < $3 order by a.written_at, a.id`, scope.Tenant, from, upto).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var r signed
					if err := scanSigned(rows, &r); err != nil {
						return err
					}
					each(r)
				}
				return rows.Err()
			})
	})
}

// tail verifies a page of the rows that no checkpoint covers, and returns the
// last of them; nil after the last page.
func (v *verification) tail(ctx context.Context, tx *Tx, after entry) (*entry, error) {
	var page []signed
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select id, written_at, mac, `+auditColumns+` from audit_log a
			where tenant_id = $1 and written_at >= $2 and (a.written_at, a.id) > ($3, $4) order by a.written_at, a.id limit $5`,
			scope.Tenant, v.last.upto, after.time(), after.id, verifyTailPage).Query(collect(&page, scanSigned))
	})
	if err != nil || len(page) == 0 {
		return nil, err
	}
	for _, r := range page {
		v.row(r)
	}
	if v.report.Unsealed.Oldest == nil {
		oldest := page[0].time()
		v.report.Unsealed.Oldest = &oldest
	}
	v.report.Unsealed.Rows += int64(len(page))
	return &page[len(page)-1].entry, nil
}

// begin finds out where the log begins: at its first checkpoint, or at the one
// that a recorded removal left as an anchor.
func (v *verification) begin(ctx context.Context, tx *Tx, page []checkpoint) ([]checkpoint, error) {
	first := page[0]
	if !v.store.auditKey.sealed(v.scope.Tenant, first) {
		return page, nil // named in its turn
	}
	var removals []signed
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select id, written_at, mac, `+auditColumns+` from audit_log where tenant_id = $1
			and kind = 'admin' and method in ('`+methodDropBefore+`', '`+methodErase+`') and target = $2`, scope.Tenant, anchorName(first.seq)).
			Query(collect(&removals, scanSigned))
	})
	if err != nil {
		return nil, err
	}
	for _, r := range removals {
		if !bytes.Equal(r.mac, v.store.auditKey.row(r.columns)) {
			continue // named where it stands
		}
		v.report.Anchor = &AuditAnchor{first.seq, first.upto}
		v.report.Checkpoints++
		v.found, v.last, v.report.Head = first.head() == v.seen, first, first.head()
		return page[1:], v.stream(ctx, tx, auditBegin, first.upto, func(r signed) {
			v.report.findRow(r.entry, "it was added: what is older than checkpoint %d was removed", first.seq)
		})
	}
	return page, nil
}

// finish says what only the whole log shows.
func (v *verification) finish() {
	r := &v.report
	if len(v.last.mac) > 0 {
		upto := v.last.upto
		r.SealedTo = &upto
	}
	if v.seen != (AuditHead{}) && !v.found {
		r.find(AuditFinding{Checkpoint: v.seen.Seq, What: "it was seen before, and is gone or changed; what followed it may be gone too"})
	}
	if r.Checkpoints == 0 && r.Unsealed.Rows == 0 {
		r.find(AuditFinding{What: "it is empty; even a new tenant's log holds its creation"})
	}
}

// anchorName is the target of a removal's audit row.
func anchorName(seq int64) string { return fmt.Sprintf("checkpoint %d", seq) }
