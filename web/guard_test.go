package web_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

// TestHeaders asks for every kind of answer: each is closed to frames, scripts and
// referrers, and says so about TLS where the installation has it.
func TestHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	raw := b.session(t, acme)
	id := tenancy.NewID().String()
	ids := map[string]string{"tokens": id, "members": id, "pages": id, "sessions": id, "attachments": id}
	for _, public := range []string{"http://colaflow.test", "https://colaflow.test"} {
		b.restart(t, func(c *web.Config) { c.PublicURL = public })
		paths := []string{"GET /p/x", "GET /p/" + tenancy.NewID().String(), "GET /signin/link", "POST /signin/link", "GET /", "GET /tokens", "GET /assets/none.js"}
		for _, r := range b.web.Routes() {
			paths = append(paths, r.Method+" "+fillPath(r.Path, ids))
		}
		for _, path := range paths {
			method, target, _ := strings.Cut(path, " ")
			br := b.browser(t, "colaflow.test")
			for _, token := range []string{"", raw} {
				status, _, h := br.do(method, target+"?tenant=acme", "", bearer(token))
				name := method + " " + target + http.StatusText(status)
				require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'", name)
				require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", name)
				require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), name)
				require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), name)
				require.Regexp(t, `^[0-9a-f]{16}$`, h.Get("X-Request-Id"), name)
				require.Equal(t, strings.HasPrefix(public, "https"), h.Get("Strict-Transport-Security") == "max-age=31536000", name)
			}
		}
	}
}

// TestTwoTenants: an address names one tenant, in every route.
func TestTwoTenants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	raw := b.session(t, acme)
	br := b.browser(t, "colaflow.test")
	for _, query := range []string{"?tenant=acme&tenant=globex", "?tenant=globex&tenant=acme", "?tenant=acme&tenant=acme", "?tenant=&tenant=acme"} {
		for _, path := range []string{"GET /api/v1/me", "GET /api/v1/tenant", "POST /api/v1/auth/refresh", "POST /api/v1/auth/logout", "GET /signin/link", "POST /signin/link", "GET /p/x"} {
			method, target, _ := strings.Cut(path, " ")
			status, body, _ := br.do(method, target+query, "", bearer(raw))
			require.Equal(t, http.StatusBadRequest, status, path+query+body)
			require.Contains(t, body, "more than one tenant")
		}
	}
}

// TestClientIP: what a proxy that is trusted says is what sessions and calls are from.
func TestClientIP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	b.restart(t, func(c *web.Config) {
		c.ClientIP = func(r *http.Request) netip.Addr {
			return tenancy.ClientAddr(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")})
		}
	})
	br := b.browser(t, "colaflow.test")
	from := func(addr string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Forwarded-For", addr) }
	}
	status, _, _ := br.do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {b.link(t, acme.Tenant, acme.Ada)}}.Encode(), from("198.51.100.7"))
	require.Equal(t, http.StatusSeeOther, status)
	access := br.refresh("acme")
	var list []store.Session
	read := func() store.Session {
		_, body, _ := br.do("GET", "/api/v1/sessions", "", bearer(access))
		list = decodeAs[[]store.Session](t, body)
		require.Len(t, list, 1)
		return list[0]
	}
	require.Contains(t, []string{"127.0.0.1", "::1"}, read().ClientIP, "the proxy itself, if it says nothing")
	status, _, _ = br.do("POST", "/api/v1/auth/refresh?tenant=acme", "", from("1.1.1.1, 198.51.100.8"))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "198.51.100.8", read().ClientIP)
	_, body, _ := br.do("POST", "/api/v1/tools/get_me", `{}`, bearer(access), from("198.51.100.9"))
	require.Contains(t, body, `"client_ip":"198.51.100.9"`)
}

// TestSignIn_Pace: an address that guesses is slowed down, and only that one.
func TestSignIn_Pace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	var now atomic.Int64
	now.Store(time.Now().Unix())
	b.restart(t, func(c *web.Config) {
		c.Clock = func() time.Time { return time.Unix(now.Load(), 0) }
		c.ClientIP = func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("X-Test-Addr")) }
	})
	from := func(addr string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Test-Addr", addr) }
	}
	honest := b.browser(t, "colaflow.test")
	status, _, _ := honest.do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {b.link(t, acme.Tenant, acme.Ada)}}.Encode(), from("192.0.2.1"))
	require.Equal(t, http.StatusSeeOther, status)
	tries := map[string]func(br *browser) (int, http.Header){
		"192.0.2.66": func(br *browser) (int, http.Header) {
			br.cookies["__Host-cf_acme"] = "cfs_acme_" + strings.Repeat("0", 64)
			status, _, h := br.do("POST", "/api/v1/auth/refresh?tenant=acme", "", from("192.0.2.66"))
			return status, h
		},
		"192.0.2.67": func(br *browser) (int, http.Header) {
			status, _, h := br.do("POST", "/signin/link?tenant=acme", "ticket=guess", from("192.0.2.67"))
			return status, h
		},
	}
	for addr, try := range tries {
		thief := b.browser(t, "colaflow.test")
		refused := 0
		for refused = 0; refused < 50; refused++ {
			status, h := try(thief)
			if status == http.StatusTooManyRequests {
				require.NotEmpty(t, h.Get("Retry-After"))
				break
			}
			require.Contains(t, []int{http.StatusUnauthorized, http.StatusGone}, status)
		}
		require.Equal(t, 11, refused, "%s: 120 buys 11 tries", addr)
		for range 30 { // one's own wait does not grow by asking
			status, _ := try(thief)
			require.Equal(t, http.StatusTooManyRequests, status)
		}
		for _, look := range []string{"/api/v1/tenant?tenant=acme", "/signin?tenant=acme"} {
			status, _, h := thief.do("GET", look, "", from(addr))
			require.Equal(t, http.StatusTooManyRequests, status, look)
			require.NotEmpty(t, h.Get("Retry-After"))
		}
		now.Add(12)
		status, _ := try(thief)
		require.NotEqual(t, http.StatusTooManyRequests, status)
	}
	for range 60 { // an office at nine o'clock
		for _, look := range []string{"/api/v1/tenant?tenant=acme", "/signin?tenant=acme"} {
			status, _, _ := honest.do("GET", look, "", from("192.0.2.1"))
			require.Contains(t, []int{http.StatusOK, http.StatusSeeOther}, status, look)
		}
		status, _, _ := honest.do("POST", "/api/v1/auth/refresh?tenant=acme", "", from("192.0.2.1"))
		require.Equal(t, http.StatusOK, status)
	}
}

// TestAttack010_TenantsThatAreNot floods the API, pages and sign-in with JWTs of tenants
// that do not exist: few are looked up, and who has a session goes on.
func TestAttack010_TenantsThatAreNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	var lookups atomic.Int64
	cfg := tenancy.AppsConfig{Ports: tenancy.Ports{Keys: b.db.Store, Nonces: b.db.Store, Pages: b.db.Store}, Key: b.db.Key, Issuer: "http://colaflow.test",
		Lookup: func(ctx context.Context, id tenancy.TenantID) (tenancy.Tenant, error) {
			lookups.Add(1)
			return b.db.TenantByID(ctx, id)
		}}
	b.apps = tenancy.NewApplications(cfg)
	t.Cleanup(func() { require.NoError(t, b.apps.Close(context.Background())) })
	b.restart(t, func(c *web.Config) {
		c.Apps, c.Clock = b.apps, func() time.Time { return storetest.Now } // time stands still
		c.ClientIP = func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("X-Test-Addr")) }
	})
	raw := b.sessionOf(t, acme)
	from := func(addr string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Test-Addr", addr) }
	}
	forged := func() string {
		header := fmt.Sprintf(`{"alg":"HS256","typ":"cf-session","kid":"%s.%s"}`, tenancy.NewID(), tenancy.NewID())
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln"
	}
	br := b.browser(t, "colaflow.test")
	for n := range 100 {
		status, body, _ := br.do("GET", "/api/v1/me", "", bearer(forged()), from("192.0.2.66"))
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusTooManyRequests}, status, body)
		_, _, _ = br.do("GET", "/p/"+tenancy.NewID().String()+"?ticket="+forged(), "", from("192.0.2.66"))
		_, _, _ = br.do("GET", "/signin/link?ticket="+forged(), "", from("192.0.2.66"))
		_, _, _ = br.do("POST", "/signin/link", "ticket="+forged(), from("192.0.2.66"))
		require.LessOrEqual(t, lookups.Load(), int64(13), "after %d rounds", n+1)
	}
	require.Positive(t, lookups.Load())
	status, body, _ := br.do("GET", "/api/v1/me", "", bearer(raw), from("192.0.2.66"))
	require.Equal(t, http.StatusOK, status, body)
	status, _, _ = br.do("GET", "/api/v1/me", "", bearer(forged()), from("192.0.2.67"))
	require.Equal(t, http.StatusUnauthorized, status, "another address is asked about as ever")
}

// TestPages_DeactivatedMember: pages are listed and deleted by who is a member still, also
// on a node that has not heard.
func TestPages_DeactivatedMember(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	status, _, _ := o.ada.do("GET", "/api/v1/pages", "", bearer(o.admin))
	require.Equal(t, http.StatusOK, status)
	_, err := b.db.Admin(t).Exec(t.Context(), `update members set state = 'disabled', epoch = epoch + 1 where id = $1`, o.acme.Ada.ID)
	require.NoError(t, err)
	for _, path := range []string{"GET /api/v1/pages", "DELETE /api/v1/pages/" + o.page.ID.String(), "GET /api/v1/settings"} {
		method, target, _ := strings.Cut(path, " ")
		status, body, _ := o.ada.do(method, target, "", bearer(o.admin))
		require.Equal(t, http.StatusUnauthorized, status, path+body)
	}
	_, err = b.app(t, o.acme.Tenant).OpenPage(t.Context(), o.page.ID)
	require.NoError(t, err, "it is there still")
}

// TestMember_OneTransaction changes role and state in one step: all of it, or nothing.
func TestMember_OneTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	eve, err := b.db.InviteMember(t.Context(), o.acme.Scope(), "test", "eve@acme.test", "Eve", tenancy.RoleMember)
	require.NoError(t, err)
	status, body, _ := o.ada.do("PATCH", "/api/v1/members/"+eve.ID.String(), `{"role":"admin","active":true}`, bearer(o.admin))
	require.Equal(t, http.StatusConflict, status, body)
	_, body, _ = o.ada.do("GET", "/api/v1/members?prefix=eve", "", bearer(o.admin))
	require.Equal(t, []struct{ Role, State string }{{"member", "invited"}}, decodeAs[[]struct{ Role, State string }](t, body), "nothing of a change that fails")
	ben := o.acme.Ben.ID.String()
	status, body, _ = o.ada.do("PATCH", "/api/v1/members/"+ben, `{"role":"viewer","active":false}`, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, struct{ Role, State string }{"viewer", "disabled"}, decodeAs[struct{ Role, State string }](t, body))
	var rows []store.AuditRow
	o.acme.Read(t, store.AuditRows(store.AuditFilter{Target: "ben@acme.test", Limit: 10}, &rows, nil))
	changes := 0
	for _, row := range rows {
		if strings.HasPrefix(row.Method, "member.") {
			changes++
			require.Equal(t, "member.change", row.Method)
			require.Contains(t, string(row.Changes), "viewer")
		}
	}
	require.Equal(t, 1, changes, "one transaction, one row")
	status, _, _ = o.ada.do("PATCH", "/api/v1/members/"+ben, `{"role":"king"}`, bearer(o.admin))
	require.Equal(t, http.StatusBadRequest, status)
	status, _, _ = o.ada.do("PATCH", "/api/v1/members/"+ben, `{}`, bearer(o.admin))
	require.Equal(t, http.StatusBadRequest, status)
}
