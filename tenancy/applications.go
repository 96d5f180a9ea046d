package tenancy

import (
	"context"
	"errors"
	"slices"
	"strings"
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
	// Meters count what Applications do; nil: nobody counts.
	Meters *Meters
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
	// draining were replaced or dropped while somebody used them.
	draining map[*Application]struct{}
	swept    time.Time
	// released is closed and replaced, once closed is set, when an Application is
	// released, for Close to wait on.
	released chan struct{}
}

// NewApplications returns an empty registry.
func NewApplications(cfg AppsConfig) *Applications {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.IdleAfter == 0 {
		cfg.IdleAfter = 10 * time.Minute
	}
	return &Applications{cfg: cfg, apps: map[TenantID]*Application{}, draining: map[*Application]struct{}{}, released: make(chan struct{})}
}

// Use returns the Application of a tenant as the database has it, settings too;
// release must be called when done with it. A tenant that is not active, or was
// changed since, gets no old one.
func (r *Applications) Use(tenant Tenant) (_ *Application, release func(), err error) {
	if tenant.State == TenantSuspended {
		return nil, nil, Errorf(TenantIsSuspended, "This tenant is suspended.").WithNext("Ask its owner to have it resumed. Do not retry.")
	}
	if tenant.State != TenantActive {
		return nil, nil, errJWT
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.live(tenant.ID)
	if a != nil && a.tenant.Plan != tenant.Plan {
		r.retire(a)
		a = nil
	}
	if a == nil && !r.closed {
		a = newApplication(tenant, r.cfg, r.budgetOf(tenant.ID))
		r.apps[tenant.ID] = a
	}
	return r.use(a)
}

// UseID is Use for a tenant of which only the id is known. The tenant of a live
// Application is not read again: Drop it when the tenant changes.
func (r *Applications) UseID(ctx context.Context, id TenantID) (*Application, func(), error) {
	r.mu.Lock()
	if a := r.live(id); a != nil {
		defer r.mu.Unlock()
		return r.use(a)
	}
	r.mu.Unlock()
	tenant, err := r.cfg.Lookup(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return r.Use(tenant)
}

// IsLive reports whether a tenant has an Application here, so that UseID asks nobody.
func (r *Applications) IsLive(id TenantID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.apps[id] != nil
}

// live finds a tenant's Application, unless it was idle for too long.
func (r *Applications) live(id TenantID) *Application {
	if now := r.cfg.Clock(); now.Sub(r.swept) >= time.Second {
		r.sweep(now)
	}
	return r.apps[id]
}

func (r *Applications) use(a *Application) (*Application, func(), error) {
	if r.closed {
		return nil, nil, Errorf(Unavailable, "The server is shutting down.").WithNext("Try again in a moment.")
	}
	a.users++
	return a, sync.OnceFunc(func() { r.release(a) }), nil
}

func (r *Applications) release(a *Application) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.users--
	a.idleSince = r.cfg.Clock()
	if _, left := r.draining[a]; left && a.users == 0 {
		delete(r.draining, a)
		a.close()
	}
	if r.closed {
		close(r.released)
		r.released = make(chan struct{})
	}
}

// budgetOf returns the account of what a tenant still holds by an Application that
// was replaced, so that it never has two; nil if it holds nothing.
func (r *Applications) budgetOf(id TenantID) *Budget {
	for a := range r.draining {
		if a.tenant.ID == id {
			return a.budget
		}
	}
	return nil
}

// retire takes an Application out of use; it is closed once nobody uses it.
func (r *Applications) retire(a *Application) {
	delete(r.apps, a.tenant.ID)
	if a.users > 0 {
		r.draining[a] = struct{}{}
		return
	}
	a.close()
}

// Sweep closes idle Applications and forgets old pages of the others. Use does so
// too; a process in which nothing happens calls it now and then.
func (r *Applications) Sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(r.cfg.Clock())
}

func (r *Applications) sweep(now time.Time) {
	r.swept = now
	for _, a := range r.apps {
		if a.users == 0 && now.Sub(a.idleSince) >= r.cfg.IdleAfter {
			r.retire(a)
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
		r.retire(a)
	}
}

// DropAll is Drop for every tenant: any of them may have changed unnoticed.
func (r *Applications) DropAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.apps {
		r.retire(a)
	}
}

// Len returns how many Applications are alive.
func (r *Applications) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.apps) + len(r.draining)
}

// Live returns the Applications that serve now, by slug. Do not keep them.
func (r *Applications) Live() []*Application {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(r.cfg.Clock())
	list := make([]*Application, 0, len(r.apps))
	for _, a := range r.apps {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *Application) int { return strings.Compare(a.tenant.Slug, b.tenant.Slug) })
	return list
}

// Close refuses new use, waits for users to release until ctx ends, and closes
// every Application.
func (r *Applications) Close(ctx context.Context) error {
	for {
		r.mu.Lock()
		r.closed = true
		for _, a := range r.apps {
			r.retire(a)
		}
		busy, released := len(r.draining), r.released
		r.mu.Unlock()
		if busy == 0 {
			return nil
		}
		select {
		case <-released:
		case <-ctx.Done():
			return errors.New("applications were still in use at shutdown")
		}
	}
}
