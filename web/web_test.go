package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// bundle is the surface over a fresh database, reached over real HTTP.
type bundle struct {
	db      *storetest.DB
	apps    *tenancy.Applications
	web     *web.Server
	config  web.Config
	http    *httptest.Server
	healthy atomic.Bool
	named   sync.Map // ids of the requests that were answered
}

func setup(t *testing.T, opts ...storetest.Options) *bundle {
	t.Helper()
	opts = append(opts, storetest.Options{MaxConns: 4, Clock: time.Now})
	b := &bundle{db: storetest.Open(t, opts[0])}
	b.healthy.Store(true)
	b.apps = tenancy.NewApplications(tenancy.AppsConfig{Ports: tenancy.Ports{Keys: b.db.Store, Nonces: b.db.Store, Pages: b.db.Store},
		Key: b.db.Key, Issuer: "http://colaflow.test", Lookup: b.db.TenantByID})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, b.apps.Close(ctx))
	})
	b.config = web.Config{Apps: b.apps, Store: b.db.Store, Key: b.db.Key, CallTool: b.callTool, ListTools: listTools, Clients: clients,
		SSO: sso.NewService(sso.Config{Key: b.db.Key, Replay: b.db.Store, Reach: sso.Reach{Loopback: true}}), FeedHealthy: b.healthy.Load, PublicURL: "http://colaflow.test", Log: slog.New(slog.DiscardHandler),
		CheckMember: func(ctx context.Context, tenant tenancy.TenantID, member uuid.UUID, epoch int64) error {
			return b.db.Read(ctx, store.ForMember(tenant, member, epoch), func(tx *store.Tx) error { return tx.Ensure(ctx) })
		}}
	b.restart(t, nil)
	return b
}

// restart serves by a server of its own from now on, whose settings change may edit.
func (b *bundle) restart(t *testing.T, change func(*web.Config)) {
	t.Helper()
	if change != nil {
		change(&b.config)
	}
	var err error
	b.web, err = web.New(b.config)
	require.NoError(t, err)
	t.Cleanup(b.web.Close)
	mux := http.NewServeMux()
	b.web.Register(mux)
	b.http = httptest.NewServer(mux)
	t.Cleanup(b.http.Close)
}

// app is a tenant's Application.
func (b *bundle) app(t *testing.T, tenant tenancy.Tenant) *tenancy.Application {
	t.Helper()
	app, release, err := b.apps.Use(tenant)
	require.NoError(t, err)
	t.Cleanup(release)
	return app
}

// session signs an access token for a member.
func (b *bundle) session(t *testing.T, tenant *storetest.Tenant) string {
	t.Helper()
	raw, err := b.app(t, tenant.Tenant).Sign(t.Context(), tenancy.KindSession, tenant.Ada.ID.String(), web.SessionLife,
		tenancy.Claims{Email: tenant.Ada.Email, Role: tenant.Ada.Role, MemberEpoch: 1})
	require.NoError(t, err)
	return raw
}

func (b *bundle) get(t *testing.T, client *http.Client, host, path, token string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.http.URL+path, nil)
	require.NoError(t, err)
	if host != "" {
		req.Host = host
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return do(t, client, req)
}

func do(t *testing.T, client *http.Client, req *http.Request) (int, string, http.Header) {
	t.Helper()
	res, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(data), res.Header
}

func TestMe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	raw := b.session(t, acme)
	status, body, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 200, status, body)
	require.Contains(t, body, `"email":"ada@acme.test"`)
	require.Contains(t, body, `"tenant":"acme"`)

	for _, ok := range []struct{ host, path string }{{"acme.colaflow.test", "/api/v1/me"}, {"acme.localhost:8080", "/api/v1/me"}, {"", "/api/v1/me?tenant=acme"}} {
		status, body, _ := b.get(t, http.DefaultClient, ok.host, ok.path, raw)
		require.Equal(t, 200, status, ok.host+body)
	}
	for _, other := range []struct{ host, path string }{{"globex.colaflow.test", "/api/v1/me"}, {"", "/api/v1/me?tenant=globex"}, {"evil.test", "/api/v1/me"},
		{"acme.colaflow.test", "/api/v1/me?tenant=globex"}} {
		status, _, _ := b.get(t, http.DefaultClient, other.host, other.path, raw)
		require.Equal(t, 403, status, other)
	}
	_, want, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", "")
	for name, token := range map[string]string{"garbage": "garbage", "agent token": globex.FullToken(t), "cut": raw[:len(raw)-3],
		"other kind": ticket(t, b.app(t, acme.Tenant), tenancy.KindSignInLink)} {
		status, body, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", token)
		require.Equal(t, 401, status, name)
		require.Equal(t, want, body, name)
	}
}

func ticket(t *testing.T, app *tenancy.Application, kind tenancy.Kind) string {
	t.Helper()
	raw, err := app.Sign(t.Context(), kind, uuid.NewString(), time.Hour, tenancy.Claims{})
	require.NoError(t, err)
	return raw
}

func TestMe_Revoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	raw := b.session(t, acme)
	b.healthy.Store(false)
	status, _, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 200, status, "without the feed the database is asked")
	_, err := b.db.Admin(t).Exec(t.Context(), `update members set epoch = 2 where id = $1`, acme.Ada.ID)
	require.NoError(t, err)
	status, _, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 401, status)
	b.healthy.Store(true)
	status, _, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 200, status, "with a healthy feed that has brought nothing, it is not")
	b.web.MemberChanged(tenancy.NewID(), acme.Ada.ID)
	status, _, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 200, status, "an imported tenant has members of the same ids")
	b.web.MemberChanged(acme.ID, acme.Ada.ID)
	status, _, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 401, status)
}

func TestPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	app := b.app(t, acme.Tenant)
	p, link, err := app.PutPage(t.Context(), "Burndown <b>", []byte("<h1>Report</h1>"), "ci")
	require.NoError(t, err)
	address := strings.TrimPrefix(web.PageLink("", "acme", p.ID, link), "")
	browser := func() *http.Client {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		return &http.Client{Jar: jar}
	}
	me, preview := browser(), browser()

	for range 3 { // link previews spend nothing
		status, body, header := b.get(t, preview, "", address, "")
		require.Equal(t, 200, status)
		require.Contains(t, body, "Burndown &lt;b&gt;")
		require.NotContains(t, body, "<h1>Report</h1>")
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	}
	open := func(client *http.Client, path, ticket string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.http.URL+path, strings.NewReader(url.Values{"ticket": {ticket}}.Encode()))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, body, _ := do(t, client, req)
		return status, body
	}
	status, body := open(me, address, link)
	require.Equal(t, 200, status)
	require.Equal(t, "<h1>Report</h1>", body, "the redirect shows the page")
	for range 2 { // reload
		_, body, _ := b.get(t, me, "", "/p/"+p.ID.String(), "")
		require.Equal(t, "<h1>Report</h1>", body)
	}
	status, body = open(preview, address, link)
	require.Equal(t, http.StatusGone, status, body)

	_, nothing, _ := b.get(t, preview, "", "/p/"+uuid.NewString(), "")
	other, _, err := app.PutPage(t.Context(), "Other", []byte("secret"), "ci")
	require.NoError(t, err)
	_, foreign, err := b.app(t, globex.Tenant).PutPage(t.Context(), "Globex", []byte("globex"), "ci")
	require.NoError(t, err)
	for name, path := range map[string]string{
		"no credential": "/p/" + p.ID.String(), "other page's ticket": "/p/" + other.ID.String() + "?ticket=" + link,
		"other tenant's ticket": "/p/" + p.ID.String() + "?ticket=" + foreign, "garbage": "/p/nothing", "tenant swapped": strings.Replace(address, "tenant=acme", "tenant=globex", 1),
	} {
		status, body, _ := b.get(t, browser(), "", path, "")
		require.Equal(t, 404, status, name)
		require.Equal(t, nothing, body, name)
	}
	_, body, _ = b.get(t, me, "", "/p/"+other.ID.String(), "")
	require.Equal(t, nothing, body, "the cookie opens one page")
	require.NoError(t, app.DeletePage(t.Context(), p.ID, "test"))
	status, _, _ = b.get(t, me, "", "/p/"+p.ID.String(), "")
	require.Equal(t, 404, status)
}

func copyTo(w io.Writer, res *http.Response) (int64, error) { return io.Copy(w, res.Body) }

// clients is what the tests' server says that clients need.
func clients(token string) []web.Client {
	return []web.Client{{Title: "curl", Where: "in a terminal", Text: "curl " + token, Link: "vscode:mcp/install?x", Asks: true}}
}
