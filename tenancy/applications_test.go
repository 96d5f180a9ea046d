package tenancy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// TestApplications_ManyAtOnce has 200 goroutines make, use, drop and close the
// Applications of several tenants on a real database, and adds up what is left.
func TestApplications_ManyAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 8, Clock: c.now, Wait: time.Minute})
	var tenants []tenancy.Tenant
	pages := map[tenancy.TenantID]tenancy.Page{}
	apps := node(t, db, c)
	for n := range 5 {
		tn := db.Tenant(t, fmt.Sprintf("tenant-%d", n))
		tenants = append(tenants, tn.Tenant)
		page, _, err := use(t, node(t, db, c), tn.Tenant).PutPage(t.Context(), "Page", []byte("content of "+tn.Slug), "ci")
		require.NoError(t, err)
		pages[tn.ID] = page
	}
	var budgets sync.Map
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			tenant := tenants[n%len(tenants)]
			app, release, err := apps.UseID(t.Context(), tenant.ID)
			require.NoError(t, err)
			defer release()
			budgets.Store(app.Budget(), true)
			charge := app.Budget().Open()
			defer charge.Release()
			require.NoError(t, charge.Grow(1<<10))
			switch n % 5 {
			case 0:
				apps.Drop(tenant.ID)
			case 1:
				c.advance(2 * time.Second) // pages in memory grow old
				apps.Sweep()
			case 2:
				apps.DropAll()
			}
			page, err := app.OpenPage(t.Context(), pages[tenant.ID].ID)
			require.NoError(t, err)
			require.Equal(t, "content of "+tenant.Slug, string(page.Content))
			raw, err := app.Sign(t.Context(), tenancy.KindSession, "u", time.Hour, tenancy.Claims{})
			require.NoError(t, err)
			if rand.N(2) == 0 {
				apps.Drop(tenant.ID)
			}
			claims, err := app.Verify(t.Context(), tenancy.KindSession, raw)
			require.NoError(t, err, "who holds an Application can go on with it")
			require.Equal(t, tenant.Slug, claims.TenantSlug)
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, apps.Close(ctx))
	require.Zero(t, apps.Len())
	seen := 0
	budgets.Range(func(b, _ any) bool {
		seen++
		require.Zero(t, b.(*tenancy.Budget).Used(), "everything was given back")
		return true
	})
	require.GreaterOrEqual(t, seen, len(tenants))
	_, _, err := apps.UseID(t.Context(), tenants[0].ID)
	require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err))
}

// TestApplications_OneBudget drops an Application in use: what its users hold
// counts for the next one, too, until they are done.
func TestApplications_OneBudget(t *testing.T) {
	t.Parallel()
	c := newClock()
	apps := tenancy.NewApplications(tenancy.AppsConfig{Key: tenancy.NewMasterKey(), Clock: c.now})
	tenant := tenancy.Tenant{ID: tenancy.NewID(), Slug: "acme", State: tenancy.TenantActive, Plan: "free"}
	old, release, err := apps.Use(tenant)
	require.NoError(t, err)
	charge := old.Budget().Open()
	require.NoError(t, charge.Grow(60<<20))
	tenant.Plan = "team"
	fresh, releaseFresh, err := apps.Use(tenant)
	require.NoError(t, err)
	require.NotEqual(t, old.ID(), fresh.ID(), "another plan, another Application")
	require.Equal(t, 2, apps.Len())
	require.Len(t, apps.Live(), 1)
	_, err = fresh.Budget().Reserve(60 << 20)
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err))
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	releaseFresh()
	require.Error(t, apps.Close(short), "the old one is in use")
	charge.Release()
	release()
	require.NoError(t, apps.Close(t.Context()))
	require.Zero(t, fresh.Budget().Used())
}

func TestApplications_Unknown(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	acme := db.Tenant(t, "acme")
	apps := node(t, db, c)
	_, _, err := apps.UseID(t.Context(), tenancy.NewID())
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	_, _, err = apps.UseID(t.Context(), acme.ID)
	require.Equal(t, tenancy.TenantIsSuspended, tenancy.CodeOf(err))
	_, err = db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	_, _, err = apps.UseID(t.Context(), acme.ID)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	require.Zero(t, apps.Len(), "nothing comes to life for nobody")
}
