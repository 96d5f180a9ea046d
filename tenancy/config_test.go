package tenancy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestAppConfig_Defaults(t *testing.T) {
	t.Parallel()
	for _, p := range tenancy.Plans() {
		require.Equal(t, tenancy.DefaultConfig(), tenancy.AppConfig{}.In(p), "every plan has room for the defaults")
		require.NoError(t, tenancy.DefaultConfig().Check(p))
	}
	d := tenancy.DefaultConfig()
	require.Equal(t, tenancy.AppConfig{MaxPages: 1000, PageLife: time.Hour, PageTokenLife: 24 * time.Hour, PageSpace: 100 << 20, Memory: 100 << 20}, d)
}

func TestAppConfig_Check(t *testing.T) {
	t.Parallel()
	free, enterprise := tenancy.PlanOf("free"), tenancy.PlanOf("enterprise")
	for _, test := range []struct {
		config tenancy.AppConfig
		want   string // of free; empty: allowed
	}{
		{tenancy.AppConfig{}, ""},
		{tenancy.AppConfig{MaxPages: 1}, ""},
		{tenancy.AppConfig{MaxPages: 1001}, "max-pages cannot be 1001: plan free allows 1 to 1000."},
		{tenancy.AppConfig{MaxPages: -1}, "max-pages cannot be -1"},
		{tenancy.AppConfig{PageLife: time.Second}, "page-life cannot be 1s: plan free allows 1m0s to 24h0m0s."},
		{tenancy.AppConfig{PageLife: 48 * time.Hour}, "page-life cannot be 48h0m0s"},
		{tenancy.AppConfig{PageTokenLife: -time.Hour}, "page-token-life cannot be -1h0m0s"},
		{tenancy.AppConfig{PageSpace: 1 << 20}, "page-space cannot be 1 MB: plan free allows 4 MB to 100 MB."},
		{tenancy.AppConfig{Memory: 1 << 20}, "memory cannot be 1 MB: plan free allows 16 MB to 100 MB."},
		{tenancy.AppConfig{Memory: 200 << 20}, "memory cannot be 200 MB"},
	} {
		err := test.config.Check(free)
		if test.want == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
		require.ErrorContains(t, err, test.want)
	}
	require.NoError(t, tenancy.AppConfig{MaxPages: 10_000, PageLife: 720 * time.Hour, PageSpace: 1 << 30, Memory: 1 << 30}.Check(enterprise))
}

// TestAppConfig_In draws settings of any size: what comes into force is within the
// plan, and a setting that Check accepts comes into force as it is.
func TestAppConfig_In(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(tenancy.Plans()).Draw(t, "plan")
		c := tenancy.AppConfig{
			MaxPages: rapid.IntRange(0, 20_000).Draw(t, "pages"), PageLife: time.Duration(rapid.Int64Range(0, int64(2000*time.Hour)).Draw(t, "life")),
			PageTokenLife: time.Duration(rapid.Int64Range(0, int64(2000*time.Hour)).Draw(t, "token life")),
			PageSpace:     rapid.Int64Range(0, 4<<30).Draw(t, "space"), Memory: rapid.Int64Range(0, 4<<30).Draw(t, "memory"),
		}
		in := c.In(p)
		if in.MaxPages < 1 || in.MaxPages > p.Bounds.MaxPages || in.PageLife > p.Bounds.PageLife || in.PageTokenLife > p.Bounds.PageTokenLife ||
			in.PageSpace > p.Bounds.PageSpace || in.Memory > p.Bounds.Memory || in.PageLife == 0 || in.Memory == 0 {
			t.Fatalf("%+v of plan %s is beyond its bounds", in, p.Name)
		}
		if in.In(p) != in {
			t.Fatalf("%+v changes when it is brought into force again", in)
		}
		if c.Check(p) == nil && (c.MaxPages != 0 && c.MaxPages != in.MaxPages || c.PageLife != 0 && c.PageLife != in.PageLife || c.Memory != 0 && c.Memory != in.Memory) {
			t.Fatalf("%+v was accepted and is %+v", c, in)
		}
	})
}

func TestAppConfig_JSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(tenancy.AppConfig{})
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(data))
	data, err = json.Marshal(tenancy.AppConfig{MaxPages: 5, PageLife: 90 * time.Minute, Memory: 1 << 24})
	require.NoError(t, err)
	require.JSONEq(t, `{"max_pages":5,"page_life":"1h30m0s","memory_bytes":16777216}`, string(data))
}

// TestConfiguredTenant changes what is set in the database and looks at the
// Applications of two nodes, as the revocation feed tells them.
func TestConfiguredTenant(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	acme := db.Tenant(t, "acme")
	one, two := node(t, db, c), node(t, db, c)
	config := func(apps *tenancy.Applications) tenancy.AppConfig {
		app, release, err := apps.UseID(t.Context(), acme.ID)
		require.NoError(t, err)
		defer release()
		return app.Config()
	}
	require.Equal(t, tenancy.DefaultConfig(), config(one))
	require.Equal(t, tenancy.DefaultConfig(), config(two))
	_, err := db.ConfigureTenant(t.Context(), acme.Scope(), "test", func(c *tenancy.AppConfig) { c.MaxPages, c.Memory = 7, 512<<20 })
	require.NoError(t, err)
	require.Equal(t, 1_000, config(one).MaxPages, "a live Application is not read again")
	one.Drop(acme.ID)
	two.Drop(acme.ID)
	require.Equal(t, 7, config(one).MaxPages)
	require.EqualValues(t, 512<<20, config(two).Memory)
	db.SetPlan(t, "acme", "free")
	one.Drop(acme.ID)
	require.EqualValues(t, 100<<20, config(one).Memory, "a smaller plan cuts what was set")
	require.Equal(t, 7, config(one).MaxPages)
}
