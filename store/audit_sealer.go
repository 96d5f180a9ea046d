package store

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// SealConfig says how a process seals the audit log. The zero value is right for
// serving; tests are in more of a hurry.
type SealConfig struct {
	// Interval is how often tenants that were written to are sealed; 0 means 1 s.
	Interval time.Duration
	// Lag is the least age of what is sealed; 0 means 2 s.
	Lag time.Duration
	// Sweep is how often all tenants are looked at, for rows that other processes
	// left; 0 means 1 minute.
	Sweep time.Duration
}

const (
	sweepPage  = 10     // tenants looked at in one interval of a sweep
	sealRounds = 20     // checkpoints of one tenant in one interval
	headsKept  = 10_000 // bounds the memory of a sealer
)

// sealer seals tenants in the background: those that this process writes to, and
// in a slow sweep all others. An idle one asks the database for a page of
// tenants a minute.
type sealer struct {
	store *Store
	cfg   SealConfig
	stop  context.CancelFunc
	done  chan struct{}

	mu sync.Mutex
	// waiting counts writes by tenant since it was last sealed to its end; nil
	// while nobody seals.
	waiting map[tenancy.TenantID]int
	heads   map[tenancy.TenantID]AuditHead // newest checkpoints seen
}

// SealAudit starts sealing the audit log in the background, until the store is
// closed. Every serving process should; starting twice changes nothing.
func (s *Store) SealAudit(cfg SealConfig) {
	l := s.sealer
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting != nil {
		return
	}
	l.cfg = SealConfig{cmp.Or(cfg.Interval, time.Second), cmp.Or(cfg.Lag, 2*time.Second), cmp.Or(cfg.Sweep, time.Minute)}
	l.waiting, l.heads = map[tenancy.TenantID]int{}, map[tenancy.TenantID]AuditHead{}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop, l.done = cancel, make(chan struct{})
	go l.run(ctx)
}

// wrote notes that a row of the tenant was committed.
func (l *sealer) wrote(tenant tenancy.TenantID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting != nil {
		l.waiting[tenant]++
	}
}

func (l *sealer) close() {
	l.mu.Lock()
	stop, done := l.stop, l.done
	l.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

func (l *sealer) run(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(l.cfg.Interval)
	defer tick.Stop()
	var swept tenancy.TenantID // the sweep has come so far
	var next time.Time         // when the next one begins
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if !now.Before(next) {
				var last bool
				if swept, last = l.sweep(ctx, swept); last {
					next = now.Add(l.cfg.Sweep)
				}
			}
			for tenant, writes := range l.snapshot() {
				if !l.seal(ctx, tenant, writes) {
					break
				}
			}
		}
	}
}

func (l *sealer) snapshot() map[tenancy.TenantID]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make(map[tenancy.TenantID]int, len(l.waiting))
	for tenant, writes := range l.waiting {
		list[tenant] = writes
	}
	return list
}

// sweep makes the next tenants wait; last tells that it has come to the end.
func (l *sealer) sweep(ctx context.Context, after tenancy.TenantID) (reached tenancy.TenantID, last bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rows, err := l.store.pool.Query(ctx, `select id from tenants where id > $1 and purged_at is null order by id limit $2`, after, sweepPage)
	if err != nil {
		return after, false // tried again in an interval
	}
	page, err := pgx.CollectRows(rows, pgx.RowTo[tenancy.TenantID])
	if err != nil {
		return after, false
	}
	for _, tenant := range page {
		l.wrote(tenant)
	}
	if len(page) < sweepPage {
		return tenancy.TenantID{}, true
	}
	return page[len(page)-1], false
}

// seal seals what one tenant has waiting, and forgets the tenant when nothing is.
// It reports whether the database works.
func (l *sealer) seal(ctx context.Context, tenant tenancy.TenantID, writes int) bool {
	for range sealRounds {
		l.mu.Lock()
		known := l.heads[tenant]
		l.mu.Unlock()
		done, err := l.store.sealTenant(ctx, tenant, l.cfg.Lag, known)
		broken := errors.Is(err, errSealBroken)
		if err != nil && ctx.Err() == nil {
			l.store.log.Error("audit rows were not sealed", "tenant", tenant, "error", err)
		}
		if err != nil && !broken {
			return false
		}
		l.mu.Lock()
		if done.head.Seq > known.Seq {
			if len(l.heads) >= headsKept {
				clear(l.heads)
			}
			l.heads[tenant] = done.head
		}
		if !done.more && l.waiting[tenant] == writes {
			delete(l.waiting, tenant) // a broken one waits for its next write, or the sweep
		}
		l.mu.Unlock()
		if done.rows < sealedRows {
			break
		}
	}
	return true
}
