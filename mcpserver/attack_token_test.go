package mcpserver_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// exec changes the database behind the server's back, as superuser.
func (b *bundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := b.db.Admin(t).Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// counted is a lookup that counts how often the database is asked.
type counted struct {
	tokens.Lookup
	asked atomic.Int64
}

func (c *counted) LookupToken(ctx context.Context, slug string, hash tokens.Hash) (tenancy.Principal, error) {
	c.asked.Add(1)
	return c.Lookup.LookupToken(ctx, slug, hash)
}

func TestAttack001_NoToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.client(t, "").post(ping)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, []string{"Bearer"}, a.header["Www-Authenticate"], "a token host says no more")
	require.JSONEq(t, `{"error":"unauthorized","message":"Send a token: Authorization: Bearer mcp_..."}`, a.body)
}

// TestAttack002_OneAnswerForAllBadTokens also covers case 3.
func TestAttack002_OneAnswerForAllBadTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	revoked, plainRevoked := acme.Token(t, "revoked", `{"issues":["read"]}`)
	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", revoked.ID))
	expired, plainExpired := acme.Token(t, "expired", `{"issues":["read"]}`)
	b.exec(t, "update tokens set expires_at = now() - interval '1 second' where id = $1", expired.ID)
	_, plainBeta := beta.Token(t, "beta", `{"issues":["read"]}`)
	disabled := beta.FullToken(t)
	b.exec(t, "update members set state = 'disabled', epoch = epoch + 1 where tenant_id = $1", beta.ID)
	unknown, _ := tokens.Mint("acme")
	nobody, _ := tokens.Mint("nosuchtenant")

	var want answer
	for name, token := range map[string]string{
		"unknown": unknown, "unknown tenant": nobody, "revoked": plainRevoked, "expired": plainExpired, "disabled owner": disabled,
		"another tenant's slug": strings.Replace(plainBeta, "mcp_beta_", "mcp_acme_", 1),
	} {
		a := b.client(t, token).post(ping)
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.Equal(t, `Bearer error="invalid_token"`, a.header.Get("WWW-Authenticate"), name)
		a.header.Del("X-Request-Id")
		a.header.Del("Date")
		if want.status == 0 {
			want = a
		}
		require.Equal(t, want, a, name)
	}
}

func TestAttack004_MalformedTokensNeverReachTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	lookup := &counted{Lookup: b.db}
	auth := tokens.NewAuthenticator(lookup)
	t.Cleanup(auth.Close)
	_, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: auth})
	plain := b.db.Tenant(t, "acme").FullToken(t)
	secret := plain[len(plain)-32:]
	for _, token := range []string{
		"mcp_a_b_" + secret, strings.ToUpper(plain), "mcp_acme_" + strings.ToUpper(secret), plain[:len(plain)-1], plain + "0",
		"mcp_acme_" + strings.Repeat("a", 10_000), "mcp_acme_" + secret[:31] + "٣", "mcp_acme_" + secret[:31] + "g", "mcp__" + secret,
		"mcp_-acme_" + secret, "mcp_acme-_" + secret, "MCP_acme_" + secret, "acme_" + secret, secret, "mcp_acme" + secret, "mcp_" + strings.Repeat("a", 41) + "_" + secret,
	} {
		c := &client{t: t, url: h.URL, token: token}
		a := c.post(ping)
		require.Equal(t, http.StatusUnauthorized, a.status, token)
		require.Equal(t, `Bearer error="invalid_token"`, a.header.Get("WWW-Authenticate"))
	}
	require.Zero(t, lookup.asked.Load())
	c := &client{t: t, url: h.URL, token: plain}
	require.Equal(t, http.StatusOK, c.post(ping).status)
	require.EqualValues(t, 1, lookup.asked.Load())
}

func TestAttack005_TokenInTheWrongPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	plain := b.db.Tenant(t, "acme").FullToken(t)
	c := b.client(t, "")
	for name, a := range map[string]answer{
		"query":  (&client{t: t, url: b.http.URL + "/?access_token=" + plain}).post(ping),
		"cookie": c.post(ping, header("Cookie", "access_token="+plain)),
		"body":   c.post(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"access_token":"` + plain + `"}}`),
		"header": c.post(ping, header("X-Api-Key", plain)),
	} {
		require.Equal(t, http.StatusUnauthorized, a.status, name)
	} // setup's cleanup looks for the token in the log
}

// TestAttack006_SeveralTokens also covers case 7.
func TestAttack006_SeveralTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	one, two := acme.FullToken(t), acme.FullToken(t)
	c := b.client(t, "")
	for _, values := range [][]string{
		{"Bearer " + one, "Bearer " + two}, {"Bearer " + one, "Bearer " + one}, {"Bearer " + one + ", Bearer " + two}, {"Bearer " + one + "," + two},
		{"Basic " + one}, {"Bearer"}, {one}, {"Bearer  " + one}, {"Bearer " + one, "Basic x"}, {"Basic x", "Bearer " + one}, {"Bearer " + one + " x"},
	} {
		a := c.post(ping, func(r *http.Request) { r.Header["Authorization"] = values })
		require.Equal(t, http.StatusBadRequest, a.status, values)
		require.Equal(t, `Bearer error="invalid_request"`, a.header.Get("WWW-Authenticate"))
	}
	for _, scheme := range []string{"bearer", "BEARER", "Bearer"} {
		require.Equal(t, http.StatusOK, c.post(ping, header("Authorization", scheme+" "+one)).status, "case 7")
	}
}

// TestAttack008_SuspendedTenant also ends a member, while the server remembers
// both as good.
func TestAttack008_SuspendedTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	c, d := b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))
	c.ok("get_me", nil)
	d.ok("get_me", nil)
	b.exec(t, "update tenants set state = 'suspended' where id = $1", acme.ID)
	b.exec(t, "update members set state = 'disabled', epoch = epoch + 1 where id = $1", beta.Ada.ID)
	for _, body := range []string{ping, callBody("get_me", `{}`), callBody("list_projects", `{}`), callBody("create_project", `{"name":"x"}`)} {
		a := c.post(body)
		require.Equal(t, http.StatusForbidden, a.status, body)
		require.Contains(t, a.body, "tenant_suspended")
		require.Equal(t, http.StatusUnauthorized, d.post(body).status, body)
	}
}

func callBody(tool, arguments string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `}}`
}

// TestAttack009_NoTokenIsKept sends tokens where they do not belong. What a
// client says about itself and its call is audited, so it must lose them.
func TestAttack009_NoTokenIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, b.db.Tenant(t, "acme").FullToken(t))
	token := c.token
	escaped := strings.Replace(token, "mcp_", `\u006dcp\u005f`, 1)
	for _, body := range []string{
		callBody("list_projects", `{"query":"`+token+`"}`), callBody("list_projects", `{"query":"`+escaped+`"}`),
		callBody("list_projects", `{"`+token+`":1}`), callBody("list_projects", `{"`+escaped+`":["`+token+`"]}`),
		callBody(token, `{}`), `{"jsonrpc":"2.0","id":1,"method":"` + token + `"}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"colaflow://projects/` + token + `"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"colaflow://` + token + `"}}`,
		`{"jsonrpc":"2.0","id":"` + token + `","method":"ping","params":{"clientInfo":{"name":"` + token + `","version":"` + token + `"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_issue","arguments":{"keys":["` + token + `"]}}}`,
		`{"` + token + `":1}`, token,
	} {
		c.post(body, header("User-Agent", token), header("X-Forwarded-For", token), header("Mcp-Session-Id", token))
	}
	require.Contains(t, b.db.Dump(t), "[token]")
	b.requireNoTokenKept(t)
	b.log.Write([]byte(token))
	require.Contains(t, b.log.String(), token, "the check would find one")
	*b.log = logBuffer{}
}

// TestAttack013_WithoutTheGrant also covers the role: what its owner may not do,
// a token may not do either.
func TestAttack013_WithoutTheGrant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	_, reader := acme.Token(t, "ci-bot", `{"issues":["read","search"],"projects":["read"]}`)
	c := b.client(t, reader)
	before := b.db.Dump(t, "audit_log", "token_usage", "tokens")
	require.Equal(t, `forbidden: Token "ci-bot" lacks issues:create. An admin can grant it in the console. Do not retry.`,
		c.fails("forbidden", "create_issue", args{"project": "WEB", "title": "x"}))
	require.Contains(t, c.fails("forbidden", "update_issue", args{"key": "WEB-1", "title": "x"}), "issues:update")
	require.Contains(t, c.fails("forbidden", "get_issue", args{"keys": "WEB-1", "include": "comments"}), "comments:read")
	require.Contains(t, c.fails("forbidden", "list_projects", args{"query": "x"}), "projects:search")

	full := b.client(t, acme.FullToken(t))
	full.ok("get_me", nil)
	b.exec(t, "update members set role = 'viewer', epoch = epoch + 1 where id = $1", acme.Ada.ID)
	require.Contains(t, full.fails("forbidden", "create_issue", args{"project": "WEB", "title": "x"}), "issues:create")
	b.exec(t, "update members set role = 'owner', epoch = 1 where id = $1", acme.Ada.ID)
	after := b.db.Dump(t, "audit_log", "token_usage", "tokens")
	require.Equal(t, before, after, "nothing changed")

	var denied int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select count(*) from audit_log where decision = 'denied' and rule like '%lacks%'
		and token_id is not null and request_id <> '' and client_ip = '127.0.0.1'`).Scan(&denied))
	require.Equal(t, 5, denied, "case 94: every denied call leaves a row")
}

func TestAttack015_TokenIsShownOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	var list []store.Token
	acme.Read(t, store.Tokens(&list))
	require.Len(t, list, 1)
	shown := fmt.Sprintf("%+v %+v", list, token)
	require.NotContains(t, shown, plain[len(plain)-32:])
	require.NotContains(t, shown, "hash")
}

// TestAttack014_DatabaseTimeDecides expires a token that the server remembers.
func TestAttack014_DatabaseTimeDecides(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	token, plain := acme.Token(t, "short", `{"issues":["read"]}`)
	b.mcp.Follow()
	require.Eventually(t, b.auth.Healthy, 20*time.Second, 5*time.Millisecond)
	b.exec(t, "update tokens set expires_at = clock_timestamp() + interval '3 seconds' where id = $1", token.ID)
	c := b.client(t, plain)
	require.Equal(t, http.StatusOK, c.post(ping).status)
	require.Eventually(t, func() bool { return c.post(ping).status == http.StatusUnauthorized }, 20*time.Second, 20*time.Millisecond)
	for _, body := range []string{ping, callBody("get_me", `{}`), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`} {
		require.Equal(t, http.StatusUnauthorized, c.post(body).status, body)
	}
}

// TestAttack020_RevokedInMidCall revokes a token while its call holds a write
// open. Nothing is written, the answer is 401, and the audit says why.
func TestAttack020_RevokedInMidCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token, plain := acme.Token(t, "ci", `{"issues":["create"]}`)
	b.mcp.Hook("create_issue", func(ctx context.Context, c *mcpserver.Call) error {
		if err := c.Tx.Ensure(ctx); err != nil {
			return err
		}
		return b.db.RevokeToken(ctx, acme.Scope(), "test", token.ID)
	})
	a := b.client(t, plain).post(callBody("create_issue", `{"project":"WEB","title":"Half written"}`))
	require.Equal(t, http.StatusUnauthorized, a.status, a.body)
	require.Equal(t, `Bearer error="invalid_token"`, a.header.Get("WWW-Authenticate"))
	require.NotContains(t, b.db.Dump(t, "audit_log"), "Half written")
	var rule string
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select rule from audit_log where decision = 'denied' and tool = 'create_issue'
		and token_id = $1`, token.ID).Scan(&rule))
	require.Contains(t, rule, "revoked")
}

// TestAttack016_RevokedOnAnotherNode revokes on one node and calls on another
// that remembers the token.
func TestAttack016_RevokedOnAnotherNode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	node2 := b.db.Reopen(t, storetest.Options{MaxConns: 2})
	auth2 := tokens.NewAuthenticator(node2)
	t.Cleanup(auth2.Close)
	s2, h := b.serve(t, mcpserver.Config{Store: node2, Tokens: auth2})
	s2.Follow()
	require.Eventually(t, auth2.Healthy, 20*time.Second, 5*time.Millisecond)
	for range 50 {
		token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
		c := &client{t: t, url: h.URL, token: plain}
		c.ok("get_me", nil)
		require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
		require.Equal(t, http.StatusUnauthorized, c.post(callBody("get_me", `{}`)).status)
	}
}

// TestAttack068_OtherDoors: what another server of the same tenant's name gave out, and what
// signs people in to the console, is no token here. The console's door is in web.
func TestAttack068_OtherDoors(t *testing.T) {
	t.Parallel()
	x, y := setup(t), setup(t)
	_, main := y.serve(t, mcpserver.Config{Store: y.db.Store, Tokens: y.auth, ResourceMetadata: "https://colaflow.test/.well-known/oauth-protected-resource"})
	there, here := x.db.Tenant(t, "acme"), y.db.Tenant(t, "acme")
	const reads = `{"issues":["read"]}`
	apps := tenancy.NewApplications(tenancy.AppsConfig{Ports: tenancy.Ports{Keys: y.db.Store, Nonces: y.db.Store, Pages: y.db.Store}, Key: y.db.Key, Issuer: "https://colaflow.test"})
	app, release, err := apps.Use(here.Tenant)
	require.NoError(t, err)
	t.Cleanup(release)
	session, err := app.Sign(t.Context(), tenancy.KindSession, here.Ada.ID.String(), time.Hour, tenancy.Claims{Email: here.Ada.Email, Role: tenancy.RoleOwner, MemberEpoch: 1})
	require.NoError(t, err)
	refresh, _ := tokens.MintRefresh("acme")
	code, _ := tokens.Code.Mint("acme")
	for name, token := range map[string]string{"for another resource": connect(t, x, there, there.Ben, reads), "console's JWT": session, "refresh token": refresh, "code": code} {
		a := (&client{t: t, url: main.URL + "/mcp", token: token}).post(ping)
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.Contains(t, a.header.Get("WWW-Authenticate"), `error="invalid_token"`, name)
	}
	a := (&client{t: t, url: main.URL + "/mcp", token: connect(t, y, here, here.Ben, reads)}).post(ping)
	require.Equal(t, http.StatusOK, a.status, a.body)
}
