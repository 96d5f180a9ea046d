package web

import (
	"sync"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

// gate lets one request of a tenant through at a time, and of all tenants a few: for
// what takes long. It is safe for concurrent use.
type gate struct {
	most int // of all tenants; 0: any number

	mu     sync.Mutex
	inside map[tenancy.TenantID]bool
}

// enter fails with RateLimited when there is no room; leave must follow.
func (g *gate) enter(tenant tenancy.TenantID, what string) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.inside[tenant]:
		return nil, engaged("This tenant's %s still runs.", what)
	case g.most > 0 && len(g.inside) >= g.most:
		return nil, engaged("This server has no room for one more %s just now.", what)
	case g.inside == nil:
		g.inside = map[tenancy.TenantID]bool{}
	}
	g.inside[tenant] = true
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.inside, tenant)
	}, nil
}

// engaged is for what may be asked for again soon.
func engaged(format, what string) error {
	e := tenancy.Errorf(tenancy.RateLimited, format, what).WithNext("Try again when it is done.")
	e.Retry, e.RetryAfter = true, 10*time.Second
	return e
}
