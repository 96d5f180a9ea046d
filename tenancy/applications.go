package tenancy

import (
	"context"
	"errors"
	"sync"
	"time"
)

// AppsConfig says what Applications stand on.
type AppsConfig struct {
	Ports  Ports
	Key    MasterKey
	Issuer string // public URL of the installation: iss of every JWT
	// Lookup finds a tenant by id, for UseID.
	Lookup func(ctx context.Context, id TenantID) (Tenant, error)
	// IdleAfter is how long an unused Application stays; 0 means 10 minutes.
	IdleAfter time.Duration
	// Clock returns the current time; nil means time.Now.
	Clock func() time.Time
}

// Applications holds one Application per tenant that is in use: made on first
// use, closed when idle, all closed by Close.
type Applications struct {
	cfg AppsConfig

	mu     sync.Mutex
	closed bool
	apps   map[TenantID]*Application
	swept  time.Time
	// changed is closed and replaced when an Application is released, for Close to wait on.
	changed chan struct{}
}

// NewApplications returns an empty registry.
func NewApplications(cfg AppsConfig) *Applications {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.IdleAfter == 0 {
		cfg.IdleAfter = 10 * time.Minute
	}
	return &Applications{cfg: cfg, apps: map[TenantID]*Application{}, changed: make(chan struct{})}
}

// Use returns the tenant's Application; release must be called when done with
// it. A tenant that is not active, or was changed since, gets no old one.
func (r *Applications) Use(tenant Tenant) (_ *Application, release func(), err error) {
	if tenant.State == TenantSuspended {
		return nil, nil, Errorf(TenantIsSuspended, "This tenant is suspended.").WithNext("Ask its owner to have it resumed. Do not retry.")
	}
	if tenant.State != TenantActive {
		return nil, nil, errJWT
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, Errorf(Unavailable, "The server is shutting down.").WithNext("Try again in a moment.")
	}
	r.sweep()
	a := r.apps[tenant.ID]
	if a == nil || a.tenant.Plan != tenant.Plan {
		a = newApplication(tenant, r.cfg)
		r.apps[tenant.ID] = a
	}
	a.users++
	return a, sync.OnceFunc(func() { r.release(a) }), nil
}

// UseID is Use for a tenant of which only the id is known. The tenant of a live
// Application is not read again: Drop it when the tenant changes.
func (r *Applications) UseID(ctx context.Context, id TenantID) (*Application, func(), error) {
	r.mu.Lock()
	live := r.apps[id]
	r.mu.Unlock()
	if live != nil {
		return r.Use(live.tenant)
	}
	tenant, err := r.cfg.Lookup(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return r.Use(tenant)
}

func (r *Applications) release(a *Application) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.users--
	a.idleSince = r.cfg.Clock()
	if r.apps[a.tenant.ID] != a && a.users == 0 {
		a.close() // replaced or dropped while it was in use
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// sweep closes idle Applications and forgets old pages of the others.
func (r *Applications) sweep() {
	now := r.cfg.Clock()
	if now.Sub(r.swept) < time.Second {
		return
	}
	r.swept = now
	for id, a := range r.apps {
		if a.users == 0 && now.Sub(a.idleSince) >= r.cfg.IdleAfter {
			delete(r.apps, id)
			a.close()
		} else {
			a.pages.sweep(now, false)
		}
	}
}

// Drop closes a tenant's Application as soon as nobody uses it: the tenant was
// suspended, deleted or changed.
func (r *Applications) Drop(id TenantID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.apps[id]; a != nil {
		delete(r.apps, id)
		if a.users == 0 {
			a.close()
		}
	}
}

// Len returns how many Applications are alive.
func (r *Applications) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.apps)
}

// Close refuses new use, waits for users to release until ctx ends, and closes
// every Application.
func (r *Applications) Close(ctx context.Context) error {
	for {
		r.mu.Lock()
		r.closed = true
		busy, changed := 0, r.changed
		for id, a := range r.apps {
			if a.users == 0 {
				delete(r.apps, id)
				a.close()
			} else {
				busy++
			}
		}
		r.mu.Unlock()
		if busy == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("applications were still in use at shutdown")
		}
	}
}
