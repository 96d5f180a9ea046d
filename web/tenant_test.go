package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/web"
)

func requestTo(host, query string) *http.Request {
	return &http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: "/", RawQuery: query}}
}

func TestTenantOfAddress(t *testing.T) {
	t.Parallel()
	const foreign = "(foreign)"
	for _, test := range []struct{ host, query, want string }{
		{"colaflow.test", "", ""},
		{"colaflow.test", "tenant=acme", "acme"},
		{"colaflow.test:8080", "tenant=acme", "acme"},
		{"COLAFLOW.test.", "tenant=acme", "acme"},
		{"acme.colaflow.test", "", "acme"},
		{"ACME.colaflow.TEST:443", "", "acme"},
		{"acme.colaflow.test", "tenant=acme", "acme"},
		{"acme.localhost:8080", "", "acme"},
		{"localhost:8080", "tenant=acme", "acme"},
		{"127.0.0.1:8080", "tenant=acme", "acme"},
		{"[::1]:8080", "tenant=acme", "acme"},
		{"[::1]", "", ""},
		{"203.0.113.7", "", ""},

		{"acme.colaflow.test", "tenant=globex", foreign},
		{"acme.localhost", "tenant=globex", foreign},
		{"colaflow.test", "tenant=../etc", foreign},
		{"colaflow.test", "tenant=ACME", foreign},
		{"colaflow.test", "tenant=a%00b", foreign},
		{"colaflow.test", "tenant=-acme", foreign},
		{"colaflow.test", "tenant=acme&tenant=globex", foreign},
		{"acme.colaflow.test", "tenant=acme&tenant=acme", foreign},
		{"evil.test", "", foreign},
		{"evil.test", "tenant=acme", foreign},
		{"colaflow.test.evil.test", "", foreign},
		{"notcolaflow.test", "", foreign},
		{"acme.globex.colaflow.test", "", foreign},
		{".colaflow.test", "", foreign},
		{"a_b.colaflow.test", "", foreign},
		{"acme.localhost.evil.test", "", foreign},
		{"", "tenant=acme", foreign},
		{"acme.colaflow.test@evil.test", "", foreign},
		{"evil.test/acme.colaflow.test", "", foreign},
		{"evil.test#.colaflow.test", "", foreign},
		{strings.Repeat("a", 41) + ".colaflow.test", "", foreign},
	} {
		slug, ok := web.SlugOf("colaflow.test", requestTo(test.host, test.query))
		if test.want == foreign {
			require.False(t, ok, "%s?%s is %q", test.host, test.query, slug)
			continue
		}
		require.True(t, ok, "%s?%s", test.host, test.query)
		require.Equal(t, test.want, slug, "%s?%s", test.host, test.query)
	}
}

// FuzzTenantOfAddress tries addresses of any bytes: what is accepted names no tenant
// or a slug that is written in the address.
func FuzzTenantOfAddress(f *testing.F) {
	for _, seed := range [][2]string{{"acme.colaflow.test", ""}, {"colaflow.test:1", "tenant=acme"}, {"[::1]:80", "tenant=a&tenant=b"}, {"]a.localhost[", "%"},
		{"acme.colaflow.test.:8080", "tenant=acme"}, {"\x00.colaflow.test", "tenant=%zz"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, host, query string) {
		slug, ok := web.SlugOf("colaflow.test", requestTo(host, query))
		if !ok || slug == "" {
			return
		}
		if !tenancy.ValidSlug(slug) {
			t.Fatalf("%q?%q names %q, which is no slug", host, query, slug)
		}
		lower := strings.ToLower(host)
		values, _ := url.ParseQuery(query)
		asked := values["tenant"]
		if !strings.Contains(lower, slug+".") && (len(asked) == 0 || asked[0] != slug) {
			t.Fatalf("%q?%q does not say %q", host, query, slug)
		}
		if len(asked) > 0 && asked[0] != "" && asked[0] != slug {
			t.Fatalf("%q?%q says two tenants, and %q was taken", host, query, slug)
		}
		if !strings.Contains(lower, "colaflow.test") && !strings.Contains(lower, "localhost") && !regexp.MustCompile(`[0-9:]`).MatchString(lower) {
			t.Fatalf("%q is none of our hosts", host)
		}
	})
}

// TestAttack008_SuspendedSession suspends a tenant whose member holds a session and a
// page: both end at once where the feed tells, and where it does not.
func TestAttack008_SuspendedSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	raw, other := b.sessionOf(t, acme), b.sessionOf(t, globex)
	status, _, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 200, status)
	_, err := b.db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	b.healthy.Store(false) // nobody has told this node
	status, body, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 403, status, body)
	require.Contains(t, body, `"tenant_suspended"`)
	b.healthy.Store(true)
	b.apps.Drop(acme.ID) // what the feed does
	status, body, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 403, status, body)
	require.Contains(t, body, `"tenant_suspended"`)
	status, _, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", other)
	require.Equal(t, 200, status, "nobody else is concerned")
	_, err = b.db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	_, unknown, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", "garbage")
	status, body, _ = b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 401, status)
	require.Equal(t, unknown, body, "a deleted tenant looks like one that never was")
}

// sessionOf is session that leaves the Application to its users.
func (b *bundle) sessionOf(t *testing.T, tenant *storetest.Tenant) string {
	t.Helper()
	app, release, err := b.apps.Use(tenant.Tenant)
	require.NoError(t, err)
	defer release()
	raw, err := app.Sign(t.Context(), tenancy.KindSession, tenant.Ada.ID.String(), web.SessionLife,
		tenancy.Claims{Email: tenant.Ada.Email, Role: tenant.Ada.Role, MemberEpoch: 1})
	require.NoError(t, err)
	return raw
}

// TestFeedWasBlind disables a member while nobody hears of it: sessions from before
// are checked in the database once the feed is back.
func TestFeedWasBlind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	raw := b.sessionOf(t, acme)
	_, err := b.db.Admin(t).Exec(t.Context(), `update members set state = 'disabled', epoch = 2 where id = $1`, acme.Ada.ID)
	require.NoError(t, err)
	b.web.AnyoneChanged()
	status, _, _ := b.get(t, http.DefaultClient, "", "/api/v1/me", raw)
	require.Equal(t, 401, status)
}

// TestPage_Memory opens a page while its tenant's memory is used up: it is told to
// come back, the link is not spent, and another tenant's pages open.
func TestPage_Memory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	paths := map[string]string{}
	for _, tn := range []*storetest.Tenant{acme, globex} {
		p, link, err := b.app(t, tn.Tenant).PutPage(t.Context(), "Report", []byte("content of "+tn.Slug), "ci")
		require.NoError(t, err)
		paths[tn.Slug] = web.PageLink("", tn.Slug, p.ID, link)
	}
	budget := b.app(t, acme.Tenant).Budget()
	free, err := budget.Reserve(budget.Limit())
	require.NoError(t, err)
	status, body, header := b.get(t, http.DefaultClient, "", paths["acme"], "")
	require.Equal(t, http.StatusTooManyRequests, status, body)
	require.Equal(t, "1", header.Get("Retry-After"))
	status, _, _ = b.get(t, http.DefaultClient, "", paths["globex"], "")
	require.Equal(t, 200, status)
	free()
	status, body, _ = b.get(t, http.DefaultClient, "", paths["acme"], "")
	require.Equal(t, 200, status)
	require.Contains(t, body, "Report")
}

// TestAPI_Memory calls the API while the caller's tenant has no memory left: nothing is
// done, another tenant does not notice, and what was charged is given back.
func TestAPI_Memory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	raw, other := b.session(t, acme), b.session(t, globex)
	budget := b.app(t, acme.Tenant).Budget()
	br := b.browser(t, "colaflow.test")
	create := func(access string) (int, string, http.Header) {
		return br.do("POST", "/api/v1/tokens", `{"name":"new","permissions":{"issues":["read"]}}`+strings.Repeat(" ", 1000), bearer(access))
	}
	free, err := budget.Reserve(budget.Limit() - 64<<10 - 1000)
	require.NoError(t, err)
	status, body, h := create(raw)
	require.Equal(t, http.StatusTooManyRequests, status, body)
	require.Equal(t, "1", h.Get("Retry-After"))
	require.Contains(t, body, "memory on this server is used up")
	status, _, _ = br.do("GET", "/api/v1/me", "", bearer(raw))
	require.Equal(t, http.StatusOK, status, "what fits goes on")
	status, body, _ = create(other)
	require.Equal(t, http.StatusOK, status, body)
	free()
	var made []store.Token
	acme.Read(t, store.Tokens(&made))
	require.Empty(t, made)
	status, body, _ = create(raw)
	require.Equal(t, http.StatusOK, status, body)
	require.Eventually(t, func() bool { return budget.Used() == 0 }, 10*time.Second, time.Millisecond, "the answer may come before the handler ends")
}

// TestSendAttachment_Memory: a file that is being sent is in the tenant's memory.
func TestSendAttachment_Memory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	budget := b.app(t, acme.acme.Tenant).Budget()
	free, err := budget.Reserve(budget.Limit() - tracker.MaxAttachment)
	require.NoError(t, err)
	status, body, _ := acme.ben.do("GET", "/api/v1/attachments/"+fileOf("acme"), "", bearer(acme.own))
	require.Equal(t, http.StatusTooManyRequests, status, body)
	status, body, _ = globex.ben.do("GET", "/api/v1/attachments/"+fileOf("globex"), "", bearer(globex.own))
	require.Equal(t, http.StatusOK, status, body)
	free()
	status, body, _ = acme.ben.do("GET", "/api/v1/attachments/"+fileOf("acme"), "", bearer(acme.own))
	require.Equal(t, http.StatusOK, status, body)
	require.Eventually(t, func() bool { return budget.Used() == 0 }, 10*time.Second, time.Millisecond, "the answer may come before the handler ends")
}

// TestLoad_TenThousandPeopleAtOnce has 10,000 requests of 100 tenants in the server at
// the same moment: sessions and pages, some at addresses of others. Every answer is
// right, and none has a byte that is marked as somebody else's.
func TestLoad_TenThousandPeopleAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes it too long")
	}
	t.Parallel()
	const tenants, requests = 100, 10_000
	b := setup(t, storetest.Options{MaxConns: 16, Clock: time.Now, Wait: 5 * time.Minute})
	type person struct{ mark, session, page, cookie string }
	people := make([]person, tenants)
	for n := range people {
		tn := b.db.Tenant(t, fmt.Sprintf("canary%03d", n))
		app, release, err := b.apps.Use(tn.Tenant)
		require.NoError(t, err)
		page, _, err := app.PutPage(t.Context(), "Report", []byte("<p>report of "+tn.Slug+"</p>"), "ci")
		require.NoError(t, err)
		cookie, err := app.Sign(t.Context(), tenancy.KindPageCookie, page.ID.String(), time.Hour, tenancy.Claims{})
		require.NoError(t, err)
		release()
		people[n] = person{tn.Slug, b.sessionOf(t, tn), "/p/" + page.ID.String(), cookie}
	}
	handler := b.http.Config.Handler
	canary := regexp.MustCompile(`canary[0-9]{3}`)
	var inside, most atomic.Int64
	var begin, all sync.WaitGroup
	begin.Add(requests)
	problems := make(chan string, requests)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for n := range requests {
		all.Go(func() {
			me, neighbour := people[n%tenants], people[(n+1)%tenants]
			path, want, has := "/api/v1/me", 200, `"tenant":"`+me.mark+`"`
			host := "colaflow.test"
			switch n / tenants % 5 {
			case 1:
				path, has = me.page, "report of "+me.mark
			case 2: // my session at my neighbour's address
				host, want, has = neighbour.mark+".colaflow.test", 403, "another tenant"
			case 3: // my cookie at my neighbour's page
				path, want, has = neighbour.page, 404, "There is no page here"
			case 4:
				host = me.mark + ".colaflow.test"
			}
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
			r.Host = host
			r.Header.Set("Authorization", "Bearer "+me.session)
			r.AddCookie(&http.Cookie{Name: "cf_page", Value: me.cookie})
			w := httptest.NewRecorder()
			begin.Done()
			begin.Wait() // all are here
			if now := inside.Add(1); now > most.Load() {
				most.Store(now)
			}
			handler.ServeHTTP(w, r)
			inside.Add(-1)
			text := w.Body.String() + fmt.Sprint(w.Header())
			if w.Code != want || !strings.Contains(text, has) {
				problems <- fmt.Sprintf("%s %s of %s: %d %s", host, path, me.mark, w.Code, text)
			}
			for _, found := range canary.FindAllString(text, -1) {
				if found != me.mark {
					problems <- fmt.Sprintf("%s saw %s in %s", me.mark, found, text)
				}
			}
		})
	}
	all.Wait()
	close(problems)
	require.Empty(t, len(problems), "such as %s", <-problems)
	t.Logf("at most %d of %d requests were in the handler at once", most.Load(), requests)
	for _, app := range b.apps.Live() {
		require.LessOrEqual(t, app.Budget().Used(), int64(100), "only the page in memory is left of %s", app.Tenant().Slug)
	}
}
