package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestAttack064_RedirectVariants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback, "http://127.0.0.1/cb")
	for _, given := range []string{
		callback + "/extra", callback + "/../callback", "https://agent.example/x/../callback", "https://user@agent.example/callback",
		"https://agent.example@evil.example/callback", "https://agent.example:8443/callback", "http://agent.example/callback", callback + "#x",
		"https://agent.example/callback%2f", "https://agent.example/%63allback", "https://AGENT.example/callback", "HTTPS://agent.example/callback",
		callback + "?x=1", "//evil.example", "javascript:alert(1)", "https://agent.example.evil.example/callback", callback + "\\@evil.example",
		callback + "/", "https://agent.example:443/callback", "https://agent.example/%2e%2e/callback", "https://agent.example//callback", callback + "%00", callback + "?", "",
		"http://127.0.0.1:1/cb/x", "http://127.0.0.1:1/cb?x", "http://localhost:1/cb", "http://127.0.0.1@evil.example/cb", "http://127.0.0.2:1/cb", " " + callback,
	} {
		a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("redirect_uri", given)).Encode(), nil)
		require.Equal(t, http.StatusBadRequest, a.status, given)
		require.Empty(t, a.header.Get("Location"), given)
		require.Contains(t, a.header.Get("Content-Type"), "text/html")
	}
	twice := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("redirect_uri", callback, "https://evil.example")).Encode(), nil)
	require.Equal(t, http.StatusBadRequest, twice.status)
	port := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("redirect_uri", "http://127.0.0.1:49152/cb")).Encode(), nil)
	require.Equal(t, http.StatusOK, port.status, "the port of a loopback address is the program's to choose")
}

func TestAttack065_PKCE(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	for name, edit := range map[string]func(url.Values){
		"none": func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") },
		"plain": func(q url.Values) {
			q.Set("code_challenge", verifier)
			q.Set("code_challenge_method", "plain")
		},
		"plain by default": func(q url.Values) { q.Del("code_challenge_method") },
		"too short":        with("code_challenge", "short"),
	} {
		a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, edit).Encode(), nil)
		require.Equal(t, http.StatusFound, a.status, name)
		require.Contains(t, a.header.Get("Location"), "error=invalid_request", name)
	}
	for name, edit := range map[string]func(url.Values){
		"no verifier":    func(q url.Values) { q.Del("code_verifier") },
		"wrong verifier": with("code_verifier", strings.Repeat("x", 43)),
		"the challenge":  with("code_verifier", challenge(verifier)),
	} {
		code := b.allow(t, "ada@acme", b.asked(client))
		requireError(t, "invalid_grant", b.redeem(t, client, code, edit))
		if name != "no verifier" {
			requireError(t, "invalid_grant", b.redeem(t, client, code)) // a code that was guessed at is spent
		}
	}
	const another = "another-verifier-of-at-least-forty-three-chars"
	code, other := b.allow(t, "ada@acme", b.asked(client)), b.allow(t, "ada@acme", b.asked(client, with("code_challenge", challenge(another))))
	requireError(t, "invalid_grant", b.redeem(t, client, code, with("code_verifier", another)))
	require.Equal(t, http.StatusOK, b.redeem(t, client, other, with("code_verifier", another)).status, "which is good for its own code")
}

func TestAttack066_CodeTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	code := b.allow(t, "ada@acme", b.asked(client))
	first := b.redeem(t, client, code)
	require.Equal(t, http.StatusOK, first.status)
	requireError(t, "invalid_grant", b.redeem(t, client, code))
	_, ok := b.principal(t, first.json(t)["access_token"].(string))
	require.False(t, ok, "what the code gave is revoked")
	requireError(t, "invalid_grant", b.renew(t, client, first.json(t)["refresh_token"].(string)))

	code = b.allow(t, "ada@acme", b.asked(client))
	renewed := b.renew(t, client, b.redeem(t, client, code).json(t)["refresh_token"].(string)).json(t)
	p, ok := b.principal(t, renewed["access_token"].(string))
	require.True(t, ok)
	requireError(t, "invalid_grant", b.redeem(t, client, code))
	_, ok = b.principal(t, renewed["access_token"].(string))
	require.False(t, ok, "and what followed from it")
	requireError(t, "invalid_grant", b.renew(t, client, renewed["refresh_token"].(string)))
	var shown store.Token
	b.acme.Read(t, store.TokenByID(p.TokenID, &shown))
	require.Equal(t, store.EndedReused, shown.EndedWhy)
}

func TestAttack066_FiftyAtOnceOnTwoNodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nodes := []*httptest.Server{b.http, b.node(t, b.db.Reopen(t, storetest.Options{MaxConns: 4}))}
	client := b.registerClient(t, "Agent", callback)
	code := b.allow(t, "ada@acme", b.asked(client))
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	answers := make([]answer, 50)
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() { answers[n] = b.send(t, http.MethodPost, nodes[n%2].URL+"/oauth/token", form) })
	}
	all.Wait()
	won := 0
	for _, a := range answers {
		if a.status == http.StatusOK {
			won++
			_, ok := b.principal(t, a.json(t)["access_token"].(string))
			require.False(t, ok, "those who came late ended it")
			requireError(t, "invalid_grant", b.renew(t, client, a.json(t)["refresh_token"].(string)))
			continue
		}
		requireError(t, "invalid_grant", a)
	}
	require.Equal(t, 1, won)
}

func TestAttack067_OtherClientRedirectResource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, other := b.registerClient(t, "Agent", callback, "https://agent.example/other"), b.registerClient(t, "Other", callback)
	for code, edit := range map[string]func(url.Values){
		"invalid_grant":  with("client_id", other),
		"invalid_target": with("resource", "https://other.example/mcp"),
	} {
		requireError(t, code, b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client)), edit))
	}
	requireError(t, "invalid_grant", b.redeem(t, client, b.allow(t, "ada@acme", b.asked(client)), with("redirect_uri", "https://agent.example/other")))
	a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("resource", "https://other.example/mcp")).Encode(), nil)
	require.Contains(t, a.header.Get("Location"), "error=invalid_target")
	code := b.allow(t, "ada@acme", b.asked(client))
	requireError(t, "invalid_grant", b.redeem(t, other, code))
	requireError(t, "invalid_grant", b.redeem(t, client, code)) // it is spent for its own client too
}

func TestAttack069_RefreshReuse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, _, first := b.connect(t)
	second := b.renew(t, client, first).json(t)
	again := b.renew(t, client, first).json(t)
	require.Equal(t, second["access_token"], again["access_token"], "an answer that got lost is given again")
	require.Equal(t, second["refresh_token"], again["refresh_token"])
	third := b.renew(t, client, second["refresh_token"].(string)).json(t)
	p, ok := b.principal(t, third["access_token"].(string))
	require.True(t, ok)
	_, err := b.db.Admin(t).Exec(t.Context(), "update oauth_connections set refreshed_at = now() - interval '1 minute'")
	require.NoError(t, err)
	requireError(t, "invalid_grant", b.renew(t, client, second["refresh_token"].(string)))
	_, ok = b.principal(t, third["access_token"].(string))
	require.False(t, ok, "whoever has the newest one loses it too")
	requireError(t, "invalid_grant", b.renew(t, client, third["refresh_token"].(string)))
	var shown store.Token
	b.acme.Read(t, store.TokenByID(p.TokenID, &shown))
	require.Equal(t, store.EndedReused, shown.EndedWhy, "which the console tells the person, as in tests/console")
	var rows []store.AuditRow
	b.acme.Read(t, store.AuditRows(store.AuditFilter{Limit: 1, Decision: store.Denied}, &rows, nil))
	require.Equal(t, "oauth.renew", rows[0].Method)
	require.Contains(t, rows[0].Rule, "came again")
}

// TestAttack069_AnyAncestor: a refresh token that was replaced long ago, or just now by
// two, ends the connection as well, whatever else the request asks for.
func TestAttack069_AnyAncestor(t *testing.T) {
	t.Parallel()
	for behind := 2; behind <= 4; behind++ {
		b := setup(t)
		client, _, refresh := b.connect(t)
		lineage, access := []string{refresh}, ""
		for range 4 {
			v := b.renew(t, client, lineage[len(lineage)-1]).json(t)
			access = v["access_token"].(string)
			lineage = append(lineage, v["refresh_token"].(string))
		}
		_, ok := b.principal(t, access)
		require.True(t, ok)
		requireError(t, "invalid_grant", b.renew(t, client, lineage[len(lineage)-1-behind], with("scope", "issues:delete")))
		_, ok = b.principal(t, access)
		require.False(t, ok, "%d behind", behind)
		requireError(t, "invalid_grant", b.renew(t, client, lineage[len(lineage)-1]))
	}
}

func TestAttack069_ParallelRefreshKeepsOneLineage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nodes := []*httptest.Server{b.http, b.node(t, b.db.Reopen(t, storetest.Options{MaxConns: 4}))}
	client, _, refresh := b.connect(t)
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {refresh}}
	answers := make([]answer, 20)
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() { answers[n] = b.send(t, http.MethodPost, nodes[n%2].URL+"/oauth/token", form) })
	}
	all.Wait()
	want := answers[0].json(t)
	for _, a := range answers {
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.Equal(t, want["refresh_token"], a.json(t)["refresh_token"])
		require.Equal(t, want["access_token"], a.json(t)["access_token"])
	}
	require.Equal(t, http.StatusOK, b.renew(t, client, want["refresh_token"].(string)).status)
}

func TestAttack070_RefreshForMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, _, refresh := b.connect(t)
	other := b.registerClient(t, "Other", callback)
	requireError(t, "invalid_scope", b.renew(t, client, refresh, with("scope", "issues:read issues:delete")))
	requireError(t, "invalid_target", b.renew(t, client, refresh, with("resource", "https://other.example/mcp")))
	requireError(t, "invalid_grant", b.renew(t, other, refresh))
	a := b.renew(t, client, refresh, with("scope", "issues:read"))
	require.Equal(t, http.StatusOK, a.status, "asking for less is no attack: %s", a.body)
	require.Equal(t, "projects:read issues:read issues:search issues:create", a.json(t)["scope"], "nor is it heeded: one connection is one token")
}

func TestAttack072_Registration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, uri := range []string{"javascript:alert(1)", "data:text/html,x", "myapp://callback", "http://agent.example/cb", "file:///etc/passwd", "cursor:x", "https://", ""} {
		requireError(t, "invalid_redirect_uri", b.postJSON(t, "/oauth/register", map[string]any{"client_name": "x", "redirect_uris": []string{uri}}))
	}
	b.registerClient(t, "Cursor", "cursor://anysphere.cursor-mcp/oauth/callback")
	const flood = "192.0.2.7"
	for n := range 10_000 {
		a := b.direct(t, "/oauth/register", flood, `{"client_name":"x","redirect_uris":["`+callback+`"]}`)
		if n < 12 { // what a full bucket buys
			require.Equal(t, http.StatusCreated, a.Code)
			continue
		}
		require.Equal(t, http.StatusTooManyRequests, a.Code)
		require.NotEmpty(t, a.Header().Get("Retry-After"))
	}
	for range 10 { // what is left of the address's bucket buys a few
		b.send(t, http.MethodPost, "/oauth/token", nil, func(r *http.Request) { r.Header.Set("Test-IP", flood) })
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		a := b.send(t, method, "/oauth/consent", nil, func(r *http.Request) { r.Header.Set("Test-IP", flood) })
		require.Equal(t, http.StatusTooManyRequests, a.status, method)
		require.NotEmpty(t, a.header.Get("Retry-After"))
	}
	b.registerClient(t, "Of another address", callback)

	client := b.registerClient(t, "Agent", callback)
	b.clock.now = b.clock.now.Add(180*24*time.Hour - time.Second)
	require.Equal(t, http.StatusOK, b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client).Encode(), nil).status)
	b.clock.now = b.clock.now.Add(time.Second)
	a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client).Encode(), nil)
	require.Equal(t, http.StatusBadRequest, a.status, "a registration expires")
	for _, id := range []string{client, "cfo_nonsense", "x"} {
		a := b.renew(t, id, "cfr_x")
		requireError(t, "invalid_client", a) // so that it registers anew
		require.Equal(t, http.StatusUnauthorized, a.status)
	}
}

// TestAttack072_OfManyAddresses: ten thousand registrations, of as many addresses, leave
// nothing behind: there is no table to fill, and each id is its own registration.
func TestAttack072_OfManyAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, ids := b.db.Dump(t), map[string]bool{}
	for n := range 10_000 {
		from := netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}).String()
		a := b.direct(t, "/oauth/register", from, `{"client_name":"x","redirect_uris":["`+callback+`"]}`)
		require.Equal(t, http.StatusCreated, a.Code)
		var registered struct {
			ID string `json:"client_id"`
		}
		require.NoError(t, json.Unmarshal(a.Body.Bytes(), &registered))
		ids[registered.ID] = true
	}
	require.Len(t, ids, 10_000)
	require.Equal(t, before, b.db.Dump(t))
	for id := range ids {
		require.Equal(t, http.StatusOK, b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(id).Encode(), nil).status)
		break
	}
}

func TestAttack073_ConsentPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "<script>alert(1)</script>\u202eeltseb\u200b", callback)
	page := b.consentPage(t, "ada@acme", b.asked(client))
	require.NotContains(t, page.body, "<script>alert")
	require.NotContains(t, page.body, "\u202e")
	require.Contains(t, page.body, "&lt;script&gt;")
	require.Contains(t, page.body, "agent.example", "where the answer goes is shown")
	require.NotContains(t, page.header.Get("Content-Security-Policy"), "form-action", "the client's callback may lead on")
	start := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client).Encode(), nil)
	tenant := b.send(t, http.MethodGet, "/oauth/consent?"+fields(start.body).Encode(), nil)
	require.Contains(t, tenant.body, `name="tenant"`)
	for name, shown := range map[string]answer{"start": start, "tenant": tenant, "consent": page, "refused": b.send(t, http.MethodGet, "/oauth/consent", nil)} {
		require.Equal(t, "DENY", shown.header.Get("X-Frame-Options"), name)
		require.Contains(t, shown.header.Get("Content-Security-Policy"), "frame-ancestors 'none'", name)
		require.Contains(t, shown.header.Get("Content-Security-Policy"), "default-src 'none'", name)
		require.NotContains(t, shown.body, "<script", name)
		require.Empty(t, shown.header.Get("Cross-Origin-Opener-Policy"), "%s: a client's popup stays its own", name)
		require.Equal(t, name != "consent", strings.Contains(shown.header.Get("Content-Security-Policy"), "form-action 'self'"), name)
	}
	twin := b.consentPage(t, "ada@acme", b.asked(b.registerClient(t, "\u0421laude", callback))) // with a Cyrillic first letter
	require.Contains(t, twin.body, "calls itself <b>[U&#43;0421]laude</b>")

	local := b.registerClient(t, "Agent", "http://127.0.0.1/cb")
	warned := b.consentPage(t, "ada@acme", b.asked(local, with("redirect_uri", "http://127.0.0.1:7000/cb")))
	require.Contains(t, warned.body, "only if you have just started this")

	form := fields(page.body)
	form.Set("answer", "allow")
	form.Set("reach", "all")
	form.Set("allow", "issues:read")
	for name, edit := range map[string]func(url.Values){
		"no token":            func(f url.Values) { f.Del("token") },
		"token of other form": with("token", fields(warned.body).Get("token")),
		"changed token":       with("token", form.Get("token")+"A"),
		"changed request":     with("request", form.Get("request")+"A"),
	} {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		edit(f)
		a := b.send(t, http.MethodPost, "/oauth/consent", f, as("ada@acme"))
		require.GreaterOrEqual(t, a.status, 400, name)
		require.Empty(t, a.header.Get("Location"), name)
	}
	for name, who := range map[string]string{"nobody": "", "another member": "ben@acme", "of another tenant": "ada@globex"} {
		a := b.send(t, http.MethodPost, "/oauth/consent", form, as(who))
		require.Equal(t, http.StatusForbidden, a.status, name)
	}
	otherTime := b.send(t, http.MethodPost, "/oauth/consent", form, as("ada@acme"), inSession(uuid.New()))
	require.Equal(t, http.StatusForbidden, otherTime.status, "a form of another session of hers")
	require.Empty(t, otherTime.header.Get("Location"))
	b.clock.now = b.clock.now.Add(time.Hour)
	require.Equal(t, http.StatusBadRequest, b.send(t, http.MethodPost, "/oauth/consent", form, as("ada@acme")).status, "a request grows old")
}

func TestAttack074_IssuerAndState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	state := `%2F"<&>+ü~` + strings.Repeat("s", 500)
	issuer := b.send(t, http.MethodGet, "/.well-known/oauth-authorization-server", nil).json(t)["issuer"]
	back := func(a answer, want string) url.Values {
		t.Helper()
		u, err := url.Parse(a.header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, want, u.Query().Get("state"))
		require.Equal(t, issuer, u.Query().Get("iss"))
		return u.Query()
	}
	for name, edit := range map[string]func(url.Values){"unsupported_response_type": with("response_type", "token"), "invalid_request": with("code_challenge", ""),
		"invalid_target": with("resource", "https://other.example/mcp")} {
		a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("state", state), edit).Encode(), nil)
		require.Equal(t, name, back(a, state).Get("error"))
	}
	for _, state := range []string{state, "\xff\x00\xfe not UTF-8", " ", strings.Repeat("s", 2_000)} {
		form := fields(b.consentPage(t, "ada@acme", b.asked(client, with("state", state))).body)
		form.Set("answer", "deny")
		require.Equal(t, "access_denied", back(b.send(t, http.MethodPost, "/oauth/consent", form, as("ada@acme")), state).Get("error"))
		form.Set("answer", "allow")
		form.Set("allow", "issues:read")
		form.Set("project", "NONE") // is not there
		require.Equal(t, "access_denied", back(b.send(t, http.MethodPost, "/oauth/consent", form, as("ada@acme")), state).Get("error"))
	}
	long := strings.Repeat("s", 2_001)
	require.Equal(t, "invalid_request", back(b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(client, with("state", long)).Encode(), nil), long).Get("error"))
	b.allow(t, "ada@acme", b.asked(client, with("state", state))) // asserts both
}

func TestAttack075_Metadata(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.send(t, http.MethodGet, "/.well-known/oauth-protected-resource", nil)
	path := b.send(t, http.MethodGet, "/.well-known/oauth-protected-resource/mcp", nil)
	require.Equal(t, http.StatusOK, root.status)
	require.Equal(t, root.body, path.body)
	narrow := b.send(t, http.MethodGet, "/.well-known/oauth-protected-resource/mcp/readonly", nil)
	require.Equal(t, b.http.URL+"/mcp/readonly", narrow.json(t)["resource"], "what a client connects to must be named (RFC 9728, 3.3)")
	require.Equal(t, anys((tenancy.Everyday() & tenancy.RoleViewer.Permissions()).Strings()), narrow.json(t)["scopes_supported"])
	require.Equal(t, path.json(t)["authorization_servers"], narrow.json(t)["authorization_servers"])
	nothing := b.send(t, http.MethodGet, "/.well-known/oauth-protected-resource/mcp/other", nil)
	require.Equal(t, http.StatusNotFound, nothing.status)
	require.NotEmpty(t, nothing.json(t)["error"])
	resource := root.json(t)
	require.Equal(t, b.http.URL+"/mcp", resource["resource"])
	require.Equal(t, []any{b.http.URL}, resource["authorization_servers"])
	require.Equal(t, anys(tenancy.Everyday().Strings()), resource["scopes_supported"], "to begin with; and no offline_access")
	server := b.send(t, http.MethodGet, "/.well-known/oauth-authorization-server", nil).json(t)
	require.Equal(t, b.http.URL, server["issuer"])
	require.Equal(t, anys(tenancy.AllPermissions.Strings()), server["scopes_supported"])
	require.Equal(t, []any{"S256"}, server["code_challenge_methods_supported"])
	require.Equal(t, true, server["client_id_metadata_document_supported"])
	require.Equal(t, true, server["authorization_response_iss_parameter_supported"])
	for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"} {
		require.True(t, strings.HasPrefix(server[endpoint].(string), b.http.URL+"/oauth/"), endpoint)
	}
	require.NotContains(t, server["scopes_supported"], "offline_access")
	for name, a := range map[string]answer{"root": root, "path": path} {
		require.Equal(t, http.StatusOK, a.status, name)
		require.Empty(t, a.header.Get("Location"), name)
		require.Equal(t, "application/json", a.header.Get("Content-Type"), name)
		require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"), name)
	}
}

// anys is a list as JSON gives it.
func anys(list []string) (all []any) {
	for _, item := range list {
		all = append(all, item)
	}
	return all
}

// TestToken_BadRequests: parameters twice, in the URL, of unknown grants.
func TestToken_BadRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	requireError(t, "unsupported_grant_type", b.send(t, http.MethodPost, "/oauth/token", url.Values{"grant_type": {"password"}, "client_id": {client}}))
	for _, lacking := range []url.Values{{}, {"client_id": {client}}, {"grant_type": {"authorization_code"}, "code": {"x"}}, {"grant_type": {"refresh_token"}, "client_id": {client}},
		{"grant_type": {"authorization_code"}, "client_id": {client}, "code_verifier": {verifier}}} {
		requireError(t, "invalid_request", b.send(t, http.MethodPost, "/oauth/token", lacking))
	}
	requireError(t, "invalid_request", b.send(t, http.MethodPost, "/oauth/revoke", url.Values{"client_id": {client}}))
	requireError(t, "invalid_request", b.send(t, http.MethodPost, "/oauth/token?code=x", url.Values{"grant_type": {"authorization_code"}}))
	requireError(t, "invalid_request", b.redeem(t, client, "x", with("code", "a", "b")))
	for _, code := range []string{"x", "cfc_acme_" + strings.Repeat("0", 32), "cfc_nobody_" + strings.Repeat("0", 32), "mcp_acme_" + strings.Repeat("0", 32)} {
		requireError(t, "invalid_grant", b.redeem(t, client, code))
		requireError(t, "invalid_grant", b.renew(t, client, code))
	}
}

// TestDump_NoSecrets: neither codes nor refresh nor access tokens are in the database.
func TestDump_NoSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	code := b.allow(t, "ada@acme", b.asked(client))
	first := b.redeem(t, client, code).json(t)
	second := b.renew(t, client, first["refresh_token"].(string)).json(t)
	dump := b.db.Dump(t)
	for _, secret := range []any{code, first["access_token"], first["refresh_token"], second["access_token"], second["refresh_token"]} {
		text := fmt.Sprint(secret)
		require.NotContains(t, dump, text[len(text)-32:])
	}
	data, err := json.Marshal(first)
	require.NoError(t, err)
	require.NotContains(t, string(data), code)
}
