package store

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// Trip is one round trip to the database for a tenant, for metrics.
type Trip struct {
	Tenant tenancy.TenantID
	For    string        // what the transaction is for: a tool or a job
	Waited time.Duration // for a connection
	Took   time.Duration
	Rows   int64 // read and written
	Failed bool
}

// counting collects the rows of a batch from what pgx tells of its results.
type counting struct{ rows int64 }

type countingKey struct{}

// tripTracer tells the batch's counting, which travels in its context, of every
// result. It holds no state and sees other queries without a trace.
type tripTracer struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (tripTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tripTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (tripTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchEnd implements pgx.BatchTracer.
func (tripTracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceBatchQuery implements pgx.BatchTracer.
func (tripTracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if c, ok := ctx.Value(countingKey{}).(*counting); ok {
		c.rows += data.CommandTag.RowsAffected()
	}
}

// send runs a batch on the transaction's connection, and accounts for it.
func (tx *Tx) send(ctx context.Context, b *pgx.Batch) error {
	c := &counting{}
	started := time.Now()
	err := tx.conn.SendBatch(context.WithValue(ctx, countingKey{}, c), b).Close()
	trip := Trip{Tenant: tx.scope.Tenant, For: tx.scope.job, Waited: tx.waited, Took: time.Since(started), Rows: c.rows, Failed: err != nil}
	tx.waited = 0
	if tx.store.observe != nil {
		tx.store.observe(trip)
	}
	if slow := tx.store.slow; slow > 0 && trip.Took >= slow {
		tx.store.log.WarnContext(ctx, "slow query", "tenant", cmp.Or(tx.scope.slug, trip.Tenant.String()), "for", trip.For,
			"request", tenancy.RequestOf(ctx).ID, "ms", trip.Took.Milliseconds(), "rows", trip.Rows, "sql", statements(b))
	}
	return err
}

// statements is what a batch does, as the log shows it: our own text, with $1 for
// every value. PostgreSQL answers a batch at once, so nobody can tell which of
// several took the time.
func statements(b *pgx.Batch) string {
	const longest = 600
	var list []string
	for _, q := range b.QueuedQueries {
		text := strings.Join(strings.Fields(q.SQL), " ")
		if !isFrame(text) {
			list = append(list, text)
		}
	}
	text := strings.Join(list, "; ")
	if len(text) > longest {
		return text[:longest] + "..."
	}
	return text
}

// isFrame reports whether a statement only opens or closes a transaction.
func isFrame(text string) bool {
	for _, frame := range []string{beginRead, beginWrite, "select enter", "select narrow", "select hold($1), recheck", "commit"} {
		if strings.HasPrefix(text, frame) {
			return true
		}
	}
	return false
}
