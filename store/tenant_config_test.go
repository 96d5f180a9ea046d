package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

func TestConfigureTenant(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	want := tenancy.AppConfig{MaxPages: 50, PageLife: 90 * time.Minute, PageTokenLife: time.Hour, PageSpace: 8 << 20, Memory: 32 << 20}
	set := func(as store.Scope, c tenancy.AppConfig) (tenancy.AppConfig, error) {
		return db.ConfigureTenant(t.Context(), as, "test", func(now *tenancy.AppConfig) { *now = c })
	}
	got, err := set(acme.Scope(), want)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for name, read := range map[string]func() (tenancy.Tenant, error){
		"by id": func() (tenancy.Tenant, error) { return db.TenantByID(t.Context(), acme.ID) },
		"slug":  func() (tenancy.Tenant, error) { return db.Store.Tenant(t.Context(), "acme") },
	} {
		stored, err := read()
		require.NoError(t, err)
		require.Equal(t, want, stored.Config, name)
		require.Equal(t, "Tenant acme", stored.Name, name)
	}
	other, err := db.TenantByID(t.Context(), beta.ID)
	require.NoError(t, err)
	require.Zero(t, other.Config, "nobody else's changes")
	require.Contains(t, lastChanges(t, db, "tenant.configure"), `{"field":"page_life","after":"1h30m0s"}`)

	_, err = set(acme.Scope(), tenancy.AppConfig{Memory: 2 << 30})
	require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), "beyond the plan")
	_, err = set(acting(t, db, acme.Ben), tenancy.AppConfig{})
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err), "not an admin")
	_, err = set(acting(t, db, acme.Ada), tenancy.AppConfig{MaxPages: 3})
	require.NoError(t, err)
	_, err = set(acme.Scope(), tenancy.AppConfig{})
	require.NoError(t, err)
	stored, err := db.TenantByID(t.Context(), acme.ID)
	require.NoError(t, err)
	require.Zero(t, stored.Config, "back to the defaults")

	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	_, err = set(acme.Scope(), want)
	require.Equal(t, tenancy.TenantIsSuspended, tenancy.CodeOf(err))
	stored, err = db.TenantByID(t.Context(), acme.ID)
	require.NoError(t, err)
	require.Equal(t, tenancy.TenantSuspended, stored.State)
	_, err = db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	_, err = db.TenantByID(t.Context(), acme.ID)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	_, err = db.TenantByID(t.Context(), tenancy.NewID())
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
}

// TestConfigureTenant_AtOnce changes different settings at the same time: none is lost.
func TestConfigureTenant_AtOnce(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	acme := db.Tenant(t, "acme")
	var wg sync.WaitGroup
	for _, change := range []func(*tenancy.AppConfig){
		func(c *tenancy.AppConfig) { c.MaxPages = 9 }, func(c *tenancy.AppConfig) { c.PageLife = 2 * time.Hour },
		func(c *tenancy.AppConfig) { c.Memory = 64 << 20 }, func(c *tenancy.AppConfig) { c.PageSpace = 9 << 20 },
	} {
		wg.Go(func() {
			_, err := db.ConfigureTenant(t.Context(), acme.Scope(), "test", change)
			require.NoError(t, err)
		})
	}
	wg.Wait()
	stored, err := db.TenantByID(t.Context(), acme.ID)
	require.NoError(t, err)
	require.Equal(t, tenancy.AppConfig{MaxPages: 9, PageLife: 2 * time.Hour, PageSpace: 9 << 20, Memory: 64 << 20}, stored.Config)
}

// TestTenantChanges_AreTold follows the feed while settings and keys change.
func TestTenantChanges_AreTold(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	auth := tokens.NewAuthenticator(db)
	told := make(chan tokens.Change, 10)
	auth.Follow(db, func(c tokens.Change) {
		if c.Subject != tokens.SubjectAny { // told when the feed begins
			told <- c
		}
	})
	t.Cleanup(auth.Close)
	require.Eventually(t, auth.Healthy, 30*time.Second, 5*time.Millisecond)
	want := tokens.Change{Subject: tokens.SubjectTenant, Tenant: acme.ID, ID: acme.ID}
	add := func(first bool) {
		key := tenancy.SealedKey{ID: tenancy.NewID(), Sealed: "sealed", CreatedAt: storetest.Now}
		require.NoError(t, db.AddSigningKey(t.Context(), acme.ID, "test", key, storetest.Now, first))
	}
	add(true) // nobody is told
	_, err := db.ConfigureTenant(t.Context(), acme.Scope(), "test", func(c *tenancy.AppConfig) { c.MaxPages = 9 })
	require.NoError(t, err)
	require.Equal(t, want, <-told)
	require.Empty(t, told)
	add(false)
	require.Equal(t, want, <-told)
}
