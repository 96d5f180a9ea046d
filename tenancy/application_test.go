package tenancy_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// clock is a clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock { c := &clock{}; c.at.Store(storetest.Now.UnixNano()); return c }

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// node is the Applications of one process over a shared database.
func node(t *testing.T, db *storetest.DB, c *clock) *tenancy.Applications {
	t.Helper()
	apps := tenancy.NewApplications(tenancy.AppsConfig{
		Ports: tenancy.Ports{Keys: db.Store, Nonces: db.Store, Pages: db.Store}, Key: db.Key, Issuer: "https://colaflow.test",
		Clock: c.now, Lookup: db.TenantByID, IdleAfter: time.Minute,
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, apps.Close(ctx))
		require.Zero(t, apps.Len())
	})
	return apps
}

func use(t *testing.T, apps *tenancy.Applications, tenant tenancy.Tenant) *tenancy.Application {
	t.Helper()
	app, release, err := apps.Use(tenant)
	require.NoError(t, err)
	t.Cleanup(release)
	return app
}

func TestApplication_SignVerify(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	acme, globex := db.Tenant(t, "acme"), db.Tenant(t, "globex")
	one, two := node(t, db, c), node(t, db, c)
	app := use(t, one, acme.Tenant)
	raw, err := app.Sign(t.Context(), tenancy.KindSession, "user-1", time.Hour, tenancy.Claims{Email: "ada@acme.test", Role: tenancy.RoleOwner, MemberEpoch: 3})
	require.NoError(t, err)

	claims, err := use(t, two, acme.Tenant).Verify(t.Context(), tenancy.KindSession, raw)
	require.NoError(t, err, "another node knows the key")
	require.Equal(t, "acme", claims.TenantSlug)
	require.Equal(t, int64(3), claims.MemberEpoch)
	tenant, err := tenancy.TenantOfJWT(raw)
	require.NoError(t, err)
	require.Equal(t, acme.ID, tenant)

	_, err = use(t, one, globex.Tenant).Verify(t.Context(), tenancy.KindSession, raw)
	require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err), "another tenant's key verifies nothing of ours")
	_, err = app.Verify(t.Context(), tenancy.KindSignInLink, raw)
	require.Error(t, err, "one kind never passes for another")
	c.advance(time.Hour + time.Minute)
	_, err = app.Verify(t.Context(), tenancy.KindSession, raw)
	require.Error(t, err, "expired")
}

func TestApplication_RotateKeys(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	acme := db.Tenant(t, "acme")
	one, two := use(t, node(t, db, c), acme.Tenant), use(t, node(t, db, c), acme.Tenant)
	sign := func(app *tenancy.Application) string {
		raw, err := app.Sign(t.Context(), tenancy.KindSession, "u", 24*time.Hour, tenancy.Claims{})
		require.NoError(t, err)
		return raw
	}
	old := sign(one)
	_, err := two.Verify(t.Context(), tenancy.KindSession, old)
	require.NoError(t, err)
	require.NoError(t, one.RotateKeys(t.Context(), "test", time.Hour))
	fresh := sign(one)
	c.advance(2 * time.Second)
	for _, raw := range []string{old, fresh} {
		_, err := two.Verify(t.Context(), tenancy.KindSession, raw)
		require.NoError(t, err, "both work during the overlap, on every node")
	}
	c.advance(time.Hour)
	_, err = two.Verify(t.Context(), tenancy.KindSession, old)
	require.Error(t, err)
	_, err = two.Verify(t.Context(), tenancy.KindSession, fresh)
	require.NoError(t, err)
}

func TestApplication_SpendOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 8, Clock: c.now})
	acme := db.Tenant(t, "acme")
	nodes := []*tenancy.Application{use(t, node(t, db, c), acme.Tenant), use(t, node(t, db, c), acme.Tenant)}
	link, err := nodes[0].Sign(t.Context(), tenancy.KindSignInLink, "u", time.Hour, tenancy.Claims{})
	require.NoError(t, err)
	var won atomic.Int64
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			if _, err := nodes[n%2].Spend(t.Context(), tenancy.KindSignInLink, link); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
}

func TestAttack076_JWTForgeries(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	acme := db.Tenant(t, "acme")
	app := use(t, node(t, db, c), acme.Tenant)
	good, err := app.Sign(t.Context(), tenancy.KindSession, "u", time.Hour, tenancy.Claims{Email: "a@b.c"})
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	decode := func(part string) map[string]any {
		data, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		var v map[string]any
		require.NoError(t, json.Unmarshal(data, &v))
		return v
	}
	encode := func(v any) string {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	secret := signingSecret(t, db, acme.ID)
	resign := func(head, body string) string {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(head + "." + body))
		return head + "." + body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	header := func(name string, value any) string {
		h := decode(parts[0])
		h[name] = value
		return resign(encode(h), parts[1])
	}
	claim := func(name string, value any) string {
		b := decode(parts[1])
		if b[name] = value; value == nil {
			delete(b, name)
		}
		return resign(parts[0], encode(b))
	}
	_, err = app.Verify(t.Context(), tenancy.KindSession, resign(parts[0], parts[1]))
	require.NoError(t, err, "the forger has the right key: only the forgery is at fault below")
	now := c.now().Unix()
	twice := `{"tenant_id":"` + acme.ID.String() + `",` + string(mustDecode(t, parts[1]))[1:]
	for name, raw := range map[string]string{
		"alg none":            encode(map[string]any{"alg": "none", "typ": "cf-session", "kid": decode(parts[0])["kid"]}) + "." + parts[1] + ".",
		"alg HS512":           header("alg", "HS512"),
		"alg RS256":           header("alg", "RS256"),
		"kid path":            header("kid", "../../etc/passwd"),
		"kid SQL":             header("kid", acme.ID.String()+".' or 1=1 --"),
		"kid other tenant":    header("kid", tenancy.NewID().String()+"."+strings.Split(decode(parts[0])["kid"].(string), ".")[1]),
		"kid unknown key":     header("kid", acme.ID.String()+"."+tenancy.NewID().String()),
		"jku":                 header("jku", "https://evil.test/keys"),
		"x5u":                 header("x5u", "https://evil.test/cert"),
		"jwk":                 header("jwk", map[string]string{"kty": "oct"}),
		"typ swapped":         header("typ", "cf-page-cookie"),
		"expired":             claim("exp", now-60),
		"no exp":              claim("exp", nil),
		"not yet":             claim("nbf", now+3600),
		"issued in future":    claim("iat", now+3600),
		"wrong audience":      claim("aud", []string{"cf-signin-link"}),
		"wrong issuer":        claim("iss", "https://evil.test"),
		"other tenant":        claim("tenant_id", tenancy.NewID()),
		"other slug":          claim("tenant_slug", "globex"),
		"no subject":          claim("sub", ""),
		"claim twice":         resign(parts[0], base64.RawURLEncoding.EncodeToString([]byte(twice))),
		"signature cut":       good[:len(good)-2],
		"signature of others": parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"empty":               "", "dots": "..", "huge": good + strings.Repeat("A", 5000), "opaque token": "mcp_acme_00000000000000000000000000000000",
	} {
		_, err := app.Verify(t.Context(), tenancy.KindSession, raw)
		require.Equal(t, "unauthenticated: The session or link is not valid or has expired. Sign in again.", errText(err), name)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func mustDecode(t *testing.T, part string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	require.NoError(t, err)
	return data
}

// signingSecret opens the tenant's key as only the master key can.
func signingSecret(t *testing.T, db *storetest.DB, tenant tenancy.TenantID) []byte {
	t.Helper()
	keys, err := db.SigningKeys(t.Context(), tenant)
	require.NoError(t, err)
	secret, err := tenancy.NewSealer(db.Key, tenancy.PurposeTenantKeys).Open(keys[0].Sealed, append(tenant[:], keys[0].ID[:]...))
	require.NoError(t, err)
	return secret
}

func TestApplication_Pages(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	acme, globex := db.Tenant(t, "acme"), db.Tenant(t, "globex")
	acme.Config = tenancy.AppConfig{MaxPages: 2, Memory: 100}
	one, two := node(t, db, c), node(t, db, c)
	app := use(t, one, acme.Tenant)
	page, link, err := app.PutPage(t.Context(), "Burndown", []byte("<p>hello</p>"), "ci")
	require.NoError(t, err)
	claims, err := use(t, two, acme.Tenant).Spend(t.Context(), tenancy.KindPageLink, link)
	require.NoError(t, err)
	require.Equal(t, page.ID.String(), claims.Subject)
	opened, err := use(t, two, acme.Tenant).OpenPage(t.Context(), page.ID)
	require.NoError(t, err)
	require.Equal(t, "<p>hello</p>", string(opened.Content))
	require.EqualValues(t, 12, use(t, two, acme.Tenant).Budget().Used(), "held in memory, and accounted for")

	_, err = use(t, one, globex.Tenant).OpenPage(t.Context(), page.ID)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	_, err = use(t, one, globex.Tenant).Verify(t.Context(), tenancy.KindPageLink, link)
	require.Error(t, err)

	big, _, err := app.PutPage(t.Context(), "Big", make([]byte, 200), "ci")
	require.NoError(t, err)
	_, err = app.OpenPage(t.Context(), big.ID)
	require.NoError(t, err, "beyond the memory budget it is served from the store")
	require.Zero(t, app.Budget().Used())
	_, _, err = app.PutPage(t.Context(), "Third", nil, "ci")
	require.Equal(t, tenancy.PlanLimit, tenancy.CodeOf(err), "the limit is met by live pages")
	c.advance(time.Hour)
	_, err = app.OpenPage(t.Context(), page.ID)
	require.Error(t, err, "expired")
	third, _, err := app.PutPage(t.Context(), "Third", nil, "ci")
	require.NoError(t, err, "expired pages make room")
	list, err := app.ListPages(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, app.DeletePage(t.Context(), third.ID, "test"))
	_, err = app.OpenPage(t.Context(), third.ID)
	require.Error(t, err)
}

func TestApplications_Lifecycle(t *testing.T) {
	t.Parallel()
	c := newClock()
	apps := tenancy.NewApplications(tenancy.AppsConfig{Key: tenancy.NewMasterKey(), Clock: c.now, IdleAfter: time.Minute})
	tenants := make([]tenancy.Tenant, 5)
	for n := range tenants {
		tenants[n] = tenancy.Tenant{ID: tenancy.NewID(), Slug: "t", State: tenancy.TenantActive}
	}
	var budgets sync.Map
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			app, release, err := apps.Use(tenants[n%len(tenants)])
			require.NoError(t, err)
			defer release()
			free, err := app.Budget().Reserve(1 << 10)
			require.NoError(t, err)
			budgets.Store(app.ID(), app.Budget())
			if n%50 == 0 {
				apps.Drop(app.Tenant().ID)
			}
			c.advance(time.Second)
			free()
		})
	}
	wg.Wait()
	budgets.Range(func(_, b any) bool { require.Zero(t, b.(*tenancy.Budget).Used()); return true })

	first, release, err := apps.Use(tenants[0])
	require.NoError(t, err)
	release()
	release() // twice is once
	c.advance(2 * time.Minute)
	second, release, err := apps.Use(tenants[0])
	require.NoError(t, err)
	require.NotEqual(t, first.ID(), second.ID(), "the idle one was closed")
	require.Equal(t, 1, apps.Len())

	suspended := tenants[1]
	suspended.State = tenancy.TenantSuspended
	_, _, err = apps.Use(suspended)
	require.Equal(t, tenancy.TenantIsSuspended, tenancy.CodeOf(err))

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.Error(t, apps.Close(short), "somebody still works")
	release()
	require.NoError(t, apps.Close(t.Context()))
	_, _, err = apps.Use(tenants[0])
	require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err))
}
