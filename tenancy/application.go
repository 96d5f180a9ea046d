package tenancy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// Ports are what Applications need from the database.
type Ports struct {
	Keys   KeyStore
	Nonces NonceStore
	Pages  PageStore
}

// Application is everything of one tenant that lives in this process: its keys,
// its pages, its memory budget. Nothing signed for one opens anything of another.
// Get one from Applications.Use; it is safe for concurrent use.
type Application struct {
	id     string
	tenant Tenant
	issuer string
	config AppConfig
	ports  Ports
	keys   *keyring
	pages  pageCache
	budget *Budget
	meters *Meters
	now    func() time.Time

	// users and idleSince belong to Applications and its lock.
	users     int
	idleSince time.Time
}

// ID returns the Application's 128 random bits in hex: a new one each time the
// tenant comes to life in a process.
func (a *Application) ID() string { return a.id }

// Tenant returns whose Application it is.
func (a *Application) Tenant() Tenant { return a.tenant }

// Config returns the configuration in force.
func (a *Application) Config() AppConfig { return a.config }

// Budget returns the account of the tenant's memory in this process.
func (a *Application) Budget() *Budget { return a.budget }

// PagesHeld returns how many pages are in this process's memory.
func (a *Application) PagesHeld() int { return a.pages.len() }

// newApplication makes an Application; budget is what the tenant holds already,
// nil for nothing.
func newApplication(tenant Tenant, cfg AppsConfig, budget *Budget) *Application {
	var id [16]byte
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails (Go 1.24)
	a := &Application{id: hex.EncodeToString(id[:]), tenant: tenant, issuer: cfg.Issuer, config: tenant.Config.In(PlanOf(tenant.Plan)),
		ports: cfg.Ports, budget: budget, meters: cfg.Meters, now: cfg.Clock}
	if a.budget == nil {
		a.budget = &Budget{}
	}
	a.budget.limit.Store(a.config.Memory)
	a.meters.Name(tenant.ID, tenant.Slug)
	a.keys = newKeyring(tenant.ID, cfg.Ports.Keys, NewSealer(cfg.Key, PurposeTenantKeys), cfg.Clock)
	a.pages.pages = map[uuid.UUID]cachedPage{}
	return a
}

// RotateKeys makes a new signing key in somebody's name. What the older ones
// signed stays valid for the overlap, no longer, on every node.
func (a *Application) RotateKeys(ctx context.Context, by string, overlap time.Duration) error {
	return a.keys.rotate(ctx, by, overlap)
}

// close forgets what the Application holds in memory.
func (a *Application) close() { a.pages.sweep(a.now(), true) }
