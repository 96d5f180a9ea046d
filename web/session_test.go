package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/web"
)

// callTool echoes a call: what tools do is tested where they are. Each tenant has one file.
func (b *bundle) callTool(ctx context.Context, p tenancy.Principal, call web.ToolCall) (web.ToolAnswer, error) {
	switch {
	case call.Tool == "unknown":
		return web.ToolAnswer{}, tenancy.Errorf(tenancy.NotFound, "Tool %q is not known.", call.Tool)
	case call.Tool == "get_attachment" && string(call.Arguments) == `{"id":"`+fileOf(p.TenantSlug)+`"}`:
		return web.ToolAnswer{Data: json.RawMessage(`{"name":"größe.html","type":"text/plain","sha256":"00"}`), File: []byte("<script>alert(1)</script>")}, nil
	case call.Tool == "get_attachment":
		return web.ToolAnswer{}, tenancy.Errorf(tenancy.NotFound, "Attachment not found.")
	}
	data, err := json.Marshal(map[string]any{"tool": call.Tool, "member": p.MemberEmail, "tenant": p.TenantSlug, "arguments": call.Arguments, "client_ip": tenancy.RequestOf(ctx).ClientIP})
	return web.ToolAnswer{Data: data}, err
}

// fileOf is the id of the one attachment of a tenant.
func fileOf(slug string) string { return uuid.NewSHA1(uuid.Nil, []byte(slug)).String() }

// listTools knows one tool, for who may read issues.
func listTools(set tenancy.PermissionSet) []web.ToolInfo {
	if !set.Has(tenancy.IssuesRead) {
		return []web.ToolInfo{}
	}
	return []web.ToolInfo{{Name: "get_issue", Title: "Get issue", ReadOnly: true, Tokens: 120}}
}

// browser is one with the cookies of a host. It sends what browsers send by themselves.
type browser struct {
	t       *testing.T
	b       *bundle
	host    string
	cookies map[string]string
}

func (b *bundle) browser(t *testing.T, host string) *browser {
	return &browser{t: t, b: b, host: host, cookies: map[string]string{}}
}

// do sends a request from a page of the browser's host; edit may say that it is another.
func (br *browser) do(method, path, body string, edit ...func(*http.Request)) (int, string, http.Header) {
	br.t.Helper()
	req, err := http.NewRequestWithContext(br.t.Context(), method, br.b.http.URL+path, strings.NewReader(body))
	require.NoError(br.t, err)
	req.Host = br.host
	req.Header.Set("Origin", "http://"+br.host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range br.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, e := range edit {
		e(req)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(br.t, err)
	br.b.named.Store(res.Header.Get("X-Request-Id"), true)
	for _, c := range res.Cookies() {
		if br.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(br.cookies, c.Name)
		}
		if strings.HasPrefix(c.Name, "__Host-cf_") {
			require.True(br.t, c.HttpOnly && c.Secure, "attack case 77")
			require.Equal(br.t, http.SameSiteStrictMode, c.SameSite)
			require.Equal(br.t, "/", c.Path)
			require.Empty(br.t, c.Domain)
		}
	}
	defer func() { _ = res.Body.Close() }()
	var text strings.Builder
	_, err = copyTo(&text, res)
	require.NoError(br.t, err)
	return res.StatusCode, text.String(), res.Header
}

// link makes a sign-in link's ticket for a member.
func (b *bundle) link(t *testing.T, tenant tenancy.Tenant, m tenancy.Member) string {
	t.Helper()
	ticket, err := b.app(t, tenant).Sign(t.Context(), tenancy.KindSignInLink, m.ID.String(), time.Hour, tenancy.Claims{Email: m.Email})
	require.NoError(t, err)
	return ticket
}

// signIn signs a member in by a link, and returns an access token.
func (br *browser) signIn(tenant tenancy.Tenant, m tenancy.Member) (access string) {
	br.t.Helper()
	status, _, h := br.do("POST", "/signin/link?tenant="+tenant.Slug, url.Values{"ticket": {br.b.link(br.t, tenant, m)}}.Encode())
	require.Equal(br.t, http.StatusSeeOther, status)
	require.Equal(br.t, "/?tenant="+tenant.Slug, h.Get("Location"))
	return br.refresh(tenant.Slug)
}

func (br *browser) refresh(slug string) (access string) {
	br.t.Helper()
	status, body, _ := br.do("POST", "/api/v1/auth/refresh?tenant="+slug, "")
	require.Equal(br.t, http.StatusOK, status, body)
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	require.NoError(br.t, json.Unmarshal([]byte(body), &answer))
	require.Equal(br.t, 3600, answer.ExpiresIn)
	return answer.AccessToken
}

func bearer(access string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+access) }
}

func TestSignInLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	br := b.browser(t, "colaflow.test")
	ticket := b.link(t, acme.Tenant, acme.Ada)
	for range 3 { // previews spend nothing
		status, body, h := br.do("GET", "/signin/link?tenant=acme&next=/x&ticket="+ticket, "")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "ada@acme.test")
		require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
	status, _, h := br.do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {ticket}, "next": {"/oauth/consent?request=1"}}.Encode())
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/oauth/consent?request=1&tenant=acme", h.Get("Location"))
	status, _, _ = br.do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {ticket}}.Encode())
	require.Equal(t, http.StatusGone, status, "once")

	access := br.refresh("acme")
	status, body, _ := br.do("GET", "/api/v1/me", "", bearer(access))
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"auth_provider":"link"`)
	require.Contains(t, body, `"role":"owner"`)
}

func TestSignInLink_Refused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	_, err := b.db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
	require.NoError(t, err)
	br := b.browser(t, "colaflow.test")
	post := func(path, ticket string, edit ...func(*http.Request)) int {
		status, _, _ := br.do("POST", path, url.Values{"ticket": {ticket}}.Encode(), edit...)
		return status
	}
	from := func(origin, site string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Origin", origin)
			r.Header.Set("Sec-Fetch-Site", site)
		}
	}
	for _, other := range []func(*http.Request){from("null", "cross-site"), from("null", ""), from("https://evil.test", "cross-site")} {
		require.Equal(t, http.StatusGone, post("/signin/link?tenant=acme", b.link(t, acme.Tenant, acme.Ada), other), "a form of another site")
	}
	require.Equal(t, http.StatusForbidden, post("/signin/link?tenant=acme", b.link(t, acme.Tenant, acme.Ben)), "deactivated")
	require.Equal(t, http.StatusGone, post("/signin/link?tenant=globex", b.link(t, acme.Tenant, acme.Ada)), "another tenant's address")
	require.Equal(t, http.StatusGone, post("/signin/link", "nonsense"))
	page, err := b.app(t, globex.Tenant).Sign(t.Context(), tenancy.KindPageLink, globex.Ada.ID.String(), time.Hour, tenancy.Claims{})
	require.NoError(t, err)
	require.Equal(t, http.StatusGone, post("/signin/link?tenant=globex", page), "a link of another kind")
	require.Empty(t, br.cookies)
	require.Equal(t, http.StatusSeeOther, post("/signin/link?tenant=acme", b.link(t, acme.Tenant, acme.Ada), from("null", "same-origin")),
		"what Chromium sends from a page without a referrer")
}

// TestAttack064_NextStaysHere: whatever a link says, the browser stays on this host.
func TestAttack064_NextStaysHere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	for _, next := range []string{"//evil.test", "https://evil.test", "/\\evil.test", "\\\\evil.test", "javascript:alert(1)", "/\x00/evil", "///evil.test",
		"/%5cevil.test\n", " /x", "evil.test", "http:evil.test", "/@evil.test//\\x"} {
		br := b.browser(t, "colaflow.test")
		status, _, h := br.do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {b.link(t, acme.Tenant, acme.Ada)}, "next": {next}}.Encode())
		require.Equal(t, http.StatusSeeOther, status, next)
		require.Equal(t, "/?tenant=acme", h.Get("Location"), next)
	}
}

// TestAttack077_RefreshCookie also takes two tenants on one host, other sites, and
// logging out.
func TestAttack077_RefreshCookie(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := b.db.Tenant(t, "acme"), b.db.Tenant(t, "globex")
	br := b.browser(t, "colaflow.test")
	first, second := br.signIn(acme.Tenant, acme.Ada), br.signIn(globex.Tenant, globex.Ada)
	require.Len(t, br.cookies, 2, "two tenants keep two cookies")
	for slug, access := range map[string]string{"acme": first, "globex": second} {
		_, body, _ := br.do("GET", "/api/v1/me", "", bearer(access))
		require.Contains(t, body, `"tenant":"`+slug+`"`)
	}
	for name, edit := range map[string]func(*http.Request){
		"another origin":      func(r *http.Request) { r.Header.Set("Origin", "https://evil.test") },
		"another site":        func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a sibling subdomain": func(r *http.Request) { r.Header.Set("Origin", "http://globex.colaflow.test") },
		"origin null":         func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a form":              func(r *http.Request) { r.Header.Del("Origin"); r.Header.Del("Sec-Fetch-Site") },
	} {
		for _, path := range []string{"/api/v1/auth/refresh?tenant=acme", "/api/v1/auth/logout?tenant=acme"} {
			status, _, _ := br.do("POST", path, "", edit)
			require.Equal(t, http.StatusForbidden, status, name)
		}
	}
	stolen := br.cookies["__Host-cf_acme"]
	status, _, _ := br.do("POST", "/api/v1/auth/logout?tenant=acme", "")
	require.Equal(t, http.StatusNoContent, status)
	require.Len(t, br.cookies, 1)
	br.cookies["__Host-cf_acme"] = stolen
	status, _, _ = br.do("POST", "/api/v1/auth/refresh?tenant=acme", "")
	require.Equal(t, http.StatusUnauthorized, status, "logging out is done on the server")
	require.NotEmpty(t, br.refresh("globex"), "and only in one tenant")
	br.cookies["__Host-cf_acme"] = br.cookies["__Host-cf_globex"]
	status, _, _ = br.do("POST", "/api/v1/auth/refresh?tenant=acme", "")
	require.Equal(t, http.StatusUnauthorized, status, "a cookie under another tenant's name")
}

// TestRefresh_Lineage: windows that ask at once keep one lineage; a token that comes again
// later ends the session, and the audit tells why.
func TestRefresh_Lineage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	br := b.browser(t, "colaflow.test")
	br.signIn(acme.Tenant, acme.Ada)
	shared := br.cookies["__Host-cf_acme"]
	got := make([]string, 8)
	var all sync.WaitGroup
	for n := range got {
		all.Go(func() {
			window := b.browser(t, "colaflow.test")
			window.cookies["__Host-cf_acme"] = shared
			window.refresh("acme")
			got[n] = window.cookies["__Host-cf_acme"]
		})
	}
	all.Wait()
	for _, cookie := range got {
		require.Equal(t, got[0], cookie)
	}
	require.NotEqual(t, shared, got[0])
	_, err := b.db.Admin(t).Exec(t.Context(), "update sessions set renewed_at = now() - interval '1 minute'")
	require.NoError(t, err)
	thief := b.browser(t, "colaflow.test")
	thief.cookies["__Host-cf_acme"] = shared
	status, _, _ := thief.do("POST", "/api/v1/auth/refresh?tenant=acme", "")
	require.Equal(t, http.StatusUnauthorized, status)
	br.cookies["__Host-cf_acme"] = got[0]
	status, _, _ = br.do("POST", "/api/v1/auth/refresh?tenant=acme", "")
	require.Equal(t, http.StatusUnauthorized, status, "the session has ended for both")
	var rows []store.AuditRow
	acme.Read(t, store.AuditRows(store.AuditFilter{Decision: store.Denied, Limit: 10}, &rows, nil))
	require.Len(t, rows, 1)
	require.Contains(t, rows[0].Rule, "came again")
}

func TestSessions_ListAndEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	here, there, bens := b.browser(t, "colaflow.test"), b.browser(t, "colaflow.test"), b.browser(t, "colaflow.test")
	access := here.signIn(acme.Tenant, acme.Ada)
	there.signIn(acme.Tenant, acme.Ada)
	ben := bens.signIn(acme.Tenant, acme.Ben)
	var list []struct {
		ID      string
		Current bool
	}
	_, body, _ := here.do("GET", "/api/v1/sessions", "", bearer(access))
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list, 2, "one's own only")
	var elsewhere string
	for _, s := range list {
		if !s.Current {
			elsewhere = s.ID
		}
	}
	status, _, _ := bens.do("DELETE", "/api/v1/sessions/"+elsewhere, "", bearer(ben))
	require.Equal(t, http.StatusNotFound, status, "another member's session does not exist")
	b.web.SessionEnded(acme.ID, tenancy.NewID()) // the word of others changes nothing
	status, _, _ = here.do("DELETE", "/api/v1/sessions/"+elsewhere, "", bearer(access))
	require.Equal(t, http.StatusNoContent, status)
	status, _, _ = there.do("POST", "/api/v1/auth/refresh?tenant=acme", "")
	require.Equal(t, http.StatusUnauthorized, status)
	status, _, _ = here.do("DELETE", "/api/v1/sessions", "", bearer(access))
	require.Equal(t, http.StatusNoContent, status)
	status, _, _ = here.do("POST", "/api/v1/auth/refresh?tenant=acme", "")
	require.Equal(t, http.StatusUnauthorized, status)
	require.NotEmpty(t, bens.refresh("acme"))
}

// TestSessionEnded: the word of a session's end makes its access tokens worthless here.
func TestSessionEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	auth := tokens.NewAuthenticator(b.db)
	t.Cleanup(auth.Close)
	auth.Follow(b.db.Store, func(c tokens.Change) {
		if c.Subject == tokens.SubjectSession {
			b.web.SessionEnded(c.Tenant, c.ID)
		}
	})
	require.Eventually(t, auth.Healthy, 30*time.Second, 10*time.Millisecond)
	br, other := b.browser(t, "colaflow.test"), b.browser(t, "colaflow.test")
	access, stays := br.signIn(acme.Tenant, acme.Ada), other.signIn(acme.Tenant, acme.Ben)
	status, _, _ := br.do("POST", "/api/v1/auth/logout?tenant=acme", "")
	require.Equal(t, http.StatusNoContent, status)
	require.Eventually(t, func() bool {
		status, _, _ := br.do("GET", "/api/v1/me", "", bearer(access))
		return status == http.StatusUnauthorized
	}, 30*time.Second, 10*time.Millisecond)
	status, _, _ = other.do("GET", "/api/v1/me", "", bearer(stays))
	require.Equal(t, http.StatusOK, status)
}

// TestPerson: pages without an access token know who is there by the cookie.
func TestPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	br := b.browser(t, "colaflow.test")
	br.signIn(acme.Tenant, acme.Ben)
	ask := func(slug string) (store.Person, error) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
		require.NoError(t, err)
		for name, value := range br.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		return b.web.Person(r, slug)
	}
	p, err := ask("acme")
	require.NoError(t, err)
	require.Equal(t, acme.Ben.ID, p.ID)
	require.EqualValues(t, 1, p.Epoch)
	_, err = ask("globex")
	require.ErrorIs(t, err, store.ErrSessionEnded)
	_, err = b.db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	p, err = ask("acme")
	require.Equal(t, tenancy.TenantIsSuspended, tenancy.CodeOf(err))
	require.Equal(t, acme.Ben.ID, p.ID, "it is known whom the tenant's suspension keeps out")
	_, err = b.db.ResumeTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	_, err = b.db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
	require.NoError(t, err)
	for _, state := range []string{"active", "suspended"} {
		_, err = b.db.Admin(t).Exec(t.Context(), `update tenants set state = $1 where slug = 'acme'`, state)
		require.NoError(t, err)
		_, err = ask("acme")
		require.ErrorIs(t, err, store.ErrSessionEnded, "deactivation is in force at once")
	}
	require.False(t, strings.Contains(b.db.Dump(t), br.cookies["__Host-cf_acme"]), "the database has only the hash")
}

// TestBeginSession_Invited: signing in accepts an invitation.
func TestBeginSession_Invited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, err := b.db.Admin(t).Exec(t.Context(), "update members set state = 'invited' where tenant_id = $1 and id = $2", acme.ID, acme.Ben.ID)
	require.NoError(t, err)
	br := b.browser(t, "colaflow.test")
	access := br.signIn(acme.Tenant, acme.Ben)
	_, body, _ := br.do("GET", "/api/v1/members", "", bearer(access))
	require.Contains(t, body, `"state":"active"`)
	require.NotContains(t, body, `"invited"`)
}

// decodeAs reads an answer.
func decodeAs[T any](t *testing.T, body string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	return v
}
