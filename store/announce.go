package store

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// workChannel carries the ids of tenants whose issues, projects or sprints changed.
const workChannel = "colaflow_work"

const (
	// announceAfter is how long commits are collected: NOTIFY serializes commits, so it
	// stays out of the writes.
	announceAfter = 100 * time.Millisecond
	announceAgain = time.Second // when the database did not take it
)

// announcer tells every node which tenants' work changed: each once in a while,
// however often this node wrote for it. What a crash keeps it from telling is found by
// readers of work that look again by themselves.
type announcer struct {
	store *Store

	mu      sync.Mutex
	waiting map[tenancy.TenantID]bool
	timer   *time.Timer // nil: nothing waits
	closed  bool
	running sync.WaitGroup
}

// committed notes that a write of the tenant's work is in force.
func (a *announcer) committed(tenant tenancy.TenantID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.waiting[tenant] = true
	a.schedule(announceAfter)
}

func (a *announcer) schedule(in time.Duration) {
	if a.timer != nil {
		return
	}
	a.running.Add(1)
	a.timer = time.AfterFunc(in, func() {
		defer a.running.Done()
		a.flush()
	})
}

// flush announces what waits, or keeps it for later.
func (a *announcer) flush() {
	a.mu.Lock()
	tenants := a.waiting
	a.waiting, a.timer = map[tenancy.TenantID]bool{}, nil
	a.mu.Unlock()
	if len(tenants) == 0 {
		return
	}
	if err := a.send(tenants); err != nil {
		a.store.log.Warn("changes could not be announced; trying again", "error", err)
		a.mu.Lock()
		defer a.mu.Unlock()
		for tenant := range tenants {
			a.waiting[tenant] = true
		}
		if !a.closed {
			a.schedule(announceAgain)
		}
	}
}

func (a *announcer) send(tenants map[tenancy.TenantID]bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list := make([]string, 0, len(tenants))
	for tenant := range tenants {
		list = append(list, tenant.String())
	}
	_, err := a.store.pool.Exec(ctx, `select pg_notify($1, t) from unnest($2::text[]) t`, workChannel, list)
	return interpret(err)
}

// close announces what waits and stops.
func (a *announcer) close() {
	a.mu.Lock()
	a.closed = true
	if a.timer != nil && a.timer.Stop() {
		a.timer = nil
		a.running.Done()
	}
	a.mu.Unlock()
	a.running.Wait()
	a.flush()
}

// FollowWork sets who is told that a tenant's work changed, on whatever node, while
// Follow runs. told must not block. Words may be lost with the connection: Follow then
// says healthy anew, and whoever reads work should look at all of it.
func (s *Store) FollowWork(told func(tenancy.TenantID)) { s.told.Store(&told) }

// tell hands on the payload of a work notification; what cannot be read is nobody's.
func (s *Store) tell(payload string) {
	tenant, err := uuid.Parse(payload)
	if told := s.told.Load(); err == nil && told != nil {
		(*told)(tenant)
	}
}
