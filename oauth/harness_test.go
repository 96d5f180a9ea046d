package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/oauth"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const callback = "https://agent.example/callback"

// bundle is an authorization server over a fresh database, reached over HTTP. Who
// is signed in, a test says with a header of the browser.
type bundle struct {
	db    *storetest.DB
	acme  *storetest.Tenant
	http  *httptest.Server
	oauth *oauth.Server
	clock *clock
	fetch *http.Client // of metadata documents; nil: http.DefaultClient
	// suspended is what signedIn says of the tenant.
	suspended bool
}

// clock is moved by tests. The database has its own.
type clock struct{ now time.Time }

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: storetest.Open(t), clock: &clock{storetest.Now}}
	b.acme = b.db.Tenant(t, "acme")
	b.acme.Project(t, "WEB", "Website")
	b.http = b.node(t, b.db.Store)
	return b
}

// node starts a server over a store; the first one's address is the issuer of all.
func (b *bundle) node(t *testing.T, s *store.Store) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	h := httptest.NewServer(mux)
	t.Cleanup(h.Close)
	issuer, fetch := h.URL, b.fetch
	if fetch == nil {
		fetch = http.DefaultClient
	}
	if b.http != nil {
		issuer = b.http.URL
	}
	server, err := oauth.New(oauth.Config{Store: s, Key: b.db.Key, PublicURL: issuer, Fetch: fetch, Log: slog.New(slog.DiscardHandler),
		Clock:     func() time.Time { return b.clock.now },
		ClientIP:  func(r *http.Request) netip.Addr { a, _ := netip.ParseAddr(r.Header.Get("Test-IP")); return a },
		SignInURL: func(slug, next string) string { return "/signin?tenant=" + slug + "&next=" + url.QueryEscape(next) },
		SignedIn:  b.signedIn, FirstScope: firstScope})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	server.Register(mux)
	if b.oauth == nil {
		b.oauth = server
	}
	return h
}

// firstScope serves the endpoint itself, and a path that narrows it.
func firstScope(path string) (tenancy.PermissionSet, bool) {
	switch path {
	case "/mcp", "/mcp/":
		return tenancy.Everyday(), true
	case "/mcp/readonly":
		return tenancy.Everyday() & tenancy.RoleViewer.Permissions(), true
	}
	return 0, false
}

// session is what the header of a signed-in browser says, unless it names another.
var session = uuid.MustParse("0199e1a2-0000-7000-8000-000000000001")

func inSession(id uuid.UUID) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Test-Session", id.String()) }
}

func (b *bundle) signedIn(r *http.Request, slug string) (oauth.Person, error) {
	handle, ok := strings.CutSuffix(r.Header.Get("Test-Signed-In"), "@"+slug)
	if !ok {
		return oauth.Person{}, store.ErrSessionEnded
	}
	member := map[string]tenancy.Member{"ada": b.acme.Ada, "ben": b.acme.Ben}[handle]
	id, err := uuid.Parse(r.Header.Get("Test-Session"))
	if err != nil {
		id, err = session, nil
	}
	if b.suspended {
		err = tenancy.Errorf(tenancy.TenantIsSuspended, "This tenant is suspended.")
	}
	return oauth.Person{Tenant: b.acme.Tenant, Member: member, Epoch: 1, Session: id}, err
}

// answer is an HTTP answer, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v
}

// send sends a request and follows no redirect.
func (b *bundle) send(t *testing.T, method, target string, form url.Values, edit ...func(*http.Request)) answer {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.http.URL + target
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, e := range edit {
		e(req)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(body)}
}

// direct gives a request from an address to the server's handler, without a connection.
func (b *bundle) direct(t *testing.T, path, from, body string) *httptest.ResponseRecorder {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Test-IP", from)
	b.http.Config.Handler.ServeHTTP(w, r)
	return w
}

func as(who string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Test-Signed-In", who) }
}

// registerClient registers a client with one redirect URI.
func (b *bundle) registerClient(t *testing.T, name string, redirects ...string) string {
	t.Helper()
	a := b.postJSON(t, "/oauth/register", map[string]any{"client_name": name, "redirect_uris": redirects})
	require.Equal(t, http.StatusCreated, a.status, a.body)
	return a.json(t)["client_id"].(string)
}

func (b *bundle) postJSON(t *testing.T, path string, v any) answer {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return b.send(t, http.MethodPost, path, nil, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(data))), int64(len(data))
	})
}

const verifier = "a-verifier-of-at-least-forty-three-characters-1"

func challenge(verifier string) string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// asked is an authorization request in order; edit changes it.
func (b *bundle) asked(client string, edit ...func(url.Values)) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "state": {"state/1 ü"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}, "resource": {b.oauth.Resource()},
		"scope": {"projects:read issues:read issues:search issues:create"}}
	for _, e := range edit {
		e(q)
	}
	return q
}

func with(name string, values ...string) func(url.Values) {
	return func(q url.Values) { q[name] = values }
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]+)">`)

// fields are the hidden fields of a page's form.
func fields(page string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
	}
	return form
}

// consentPage goes as far as the consent page of who is signed in.
func (b *bundle) consentPage(t *testing.T, who string, q url.Values) answer {
	t.Helper()
	start := b.send(t, http.MethodGet, "/oauth/authorize?"+q.Encode(), nil)
	require.Equal(t, http.StatusOK, start.status, start.body)
	next := fields(start.body)
	next.Set("tenant", "acme")
	return b.send(t, http.MethodGet, "/oauth/consent?"+next.Encode(), nil, as(who))
}

// allow goes through consent as a person, who keeps what is asked for, and returns
// the code.
func (b *bundle) allow(t *testing.T, who string, q url.Values, edit ...func(url.Values)) string {
	t.Helper()
	page := b.consentPage(t, who, q)
	require.Equal(t, http.StatusOK, page.status, page.body)
	form := fields(page.body)
	form.Set("answer", "allow")
	form.Set("reach", "all")
	form["allow"] = checked(page.body)
	for _, e := range edit {
		e(form)
	}
	a := b.send(t, http.MethodPost, "/oauth/consent", form, as(who))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	back, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, b.http.URL, back.Query().Get("iss"))
	require.Equal(t, q.Get("state"), back.Query().Get("state"))
	require.NotEmpty(t, back.Query().Get("code"), a.header.Get("Location"))
	return back.Query().Get("code")
}

var box = regexp.MustCompile(`name="allow" value="([^"]+)"( checked)?`)

func checked(page string) (list []string) {
	for _, m := range box.FindAllStringSubmatch(page, -1) {
		if m[2] != "" {
			list = append(list, m[1])
		}
	}
	return list
}

// redeem exchanges a code.
func (b *bundle) redeem(t *testing.T, client, code string, edit ...func(url.Values)) answer {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {callback},
		"code_verifier": {verifier}, "resource": {b.oauth.Resource()}}
	for _, e := range edit {
		e(form)
	}
	return b.send(t, http.MethodPost, "/oauth/token", form)
}

// renew exchanges a refresh token.
func (b *bundle) renew(t *testing.T, client, refresh string, edit ...func(url.Values)) answer {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {refresh}}
	for _, e := range edit {
		e(form)
	}
	return b.send(t, http.MethodPost, "/oauth/token", form)
}

// connect does it all: a registered client, ada's consent, and the tokens.
func (b *bundle) connect(t *testing.T) (client, access, refresh string) {
	t.Helper()
	client = b.registerClient(t, "Agent", callback)
	a := b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	v := a.json(t)
	return client, v["access_token"].(string), v["refresh_token"].(string)
}

// principal is what an access token may do now, by the database; false: it does not work.
func (b *bundle) principal(t *testing.T, access string) (tenancy.Principal, bool) {
	t.Helper()
	slug, hash, ok := tokens.Parse(access)
	require.True(t, ok, "not the form of a token")
	p, err := b.db.LookupToken(context.WithoutCancel(t.Context()), slug, hash)
	if tenancy.CodeOf(err) == tenancy.Unauthenticated {
		return p, false
	}
	require.NoError(t, err)
	return p, true
}

func requireError(t *testing.T, code string, a answer) {
	t.Helper()
	require.GreaterOrEqual(t, a.status, 400, a.body)
	require.Equal(t, code, a.json(t)["error"], a.body)
	require.NotEmpty(t, a.json(t)["error_description"])
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
}
