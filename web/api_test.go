package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// openAPI is the description of the API.
type openAPI struct {
	Paths map[string]map[string]any
	whole map[string]any
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	data, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	var api openAPI
	require.NoError(t, yaml.Unmarshal(data, &api))
	require.NoError(t, yaml.Unmarshal(data, &api.whole))
	return api
}

// isPublic reports whether an operation asks for no access token.
func isPublic(operation any) bool {
	_, own := operation.(map[string]any)["security"]
	return own
}

// TestOpenAPI_Routes: every route is described, and everything that is described is served.
func TestOpenAPI_Routes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	described, served := []string{}, []string{}
	for path, operations := range readOpenAPI(t).Paths {
		for method := range operations {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	for _, r := range b.web.Routes() {
		served = append(served, r.Method+" "+r.Path)
	}
	require.ElementsMatch(t, served, described)
}

// office is a tenant with an owner's and a member's browser.
type office struct {
	*bundle
	acme       *storetest.Tenant
	ada, ben   *browser
	admin, own string // access tokens
	token      store.Token
	page       tenancy.Page
}

func newOffice(t *testing.T, b *bundle, slug string) *office {
	t.Helper()
	o := &office{bundle: b, acme: b.db.Tenant(t, slug)}
	o.ada, o.ben = b.browser(t, slug+".colaflow.test"), b.browser(t, slug+".colaflow.test")
	o.admin, o.own = o.ada.signIn(o.acme.Tenant, o.acme.Ada), o.ben.signIn(o.acme.Tenant, o.acme.Ben)
	o.token, _ = o.acme.Token(t, "agent of "+slug, `{"issues":["read"]}`)
	var err error
	o.page, _, err = b.app(t, o.acme.Tenant).PutPage(t.Context(), "Page of "+slug, []byte("<p>"), "test")
	require.NoError(t, err)
	return o
}

// ids are those of a tenant, by the resource that a path names before {id}.
func (o *office) ids() map[string]string {
	return map[string]string{"tokens": o.token.ID.String(), "members": o.acme.Ben.ID.String(), "pages": o.page.ID.String(), "sessions": o.acme.Ada.ID.String(),
		"attachments": fileOf(o.acme.Slug)}
}

// works gives a tenant a connection to a provider that does not answer, by which ben has
// come in.
func (o *office) works(t *testing.T) {
	t.Helper()
	c, err := o.db.SaveSSOProvider(t.Context(), o.acme.Scope(), "test", sso.Connection{ID: tenancy.NewID(), Name: "work", Title: "Work", Protocol: sso.OIDC,
		Settings: sso.Settings{Address: "http://colaflow.test", OIDC: &sso.OIDCSettings{Issuer: "https://127.0.0.1:1", ClientID: "colaflow"},
			Rules: sso.Rules{Domains: []string{o.acme.Slug + ".test"}, LinkByEmail: true, DefaultRole: tenancy.RoleMember}}}, &sso.Secrets{})
	require.NoError(t, err)
	_, err = o.db.SignIn(t.Context(), o.acme.ID, sso.Identity{Provider: c.ID, Issuer: "https://127.0.0.1:1", Subject: "ben", Email: o.acme.Ben.Email, EmailVerified: true})
	require.NoError(t, err)
}

func fillPath(path string, ids map[string]string) string {
	parts := strings.Split(path, "/")
	for n, part := range parts {
		switch part {
		case "{id}":
			parts[n] = ids[parts[n-1]]
		case "{name}":
			if parts[n] = "get_me"; parts[n-1] == "sso" {
				parts[n] = "work"
			}
		case "{member}":
			parts[n] = ids["members"]
		}
	}
	return strings.Join(parts, "/")
}

// bodies are what an operation takes, where it takes something.
var bodies = map[string]string{
	"POST /api/v1/tokens": `{"name":"new","permissions":{"issues":["read"]}}`, "PATCH /api/v1/tokens/{id}": `{"name":"renamed"}`,
	"POST /api/v1/tokens/{id}/rotate": `{}`, "POST /api/v1/tokens/{id}/explain": `{"target":"issue:WEB-1","verb":"read"}`,
	"POST /api/v1/members": `{"email":"new@acme.test","role":"viewer"}`, "PATCH /api/v1/members/{id}": `{"role":"viewer"}`, "POST /api/v1/tokens/preview": `{"permissions":{"issues":["read"]}}`, "POST /api/v1/tools/{name}": `{"a":1}`,
	"PUT /api/v1/settings/state": `{"state":"suspended","confirm":"acme"}`,
	"PATCH /api/v1/sso":          `{"required":false}`, "PATCH /api/v1/sso/{name}": `{"enabled":false}`,
	"PUT /api/v1/sso/{name}": `{"protocol":"oidc","oidc":{"issuer":"https://127.0.0.1:1","client_id":"colaflow"},"rules":{"domains":["acme.test"]}}`,
}

// TestAPI_Matrix calls every operation without a token, with one of another tenant, with
// forged and foreign ids, and as the owner: the answers are 401, 403, 404, and one that
// fits its description.
func TestAPI_Matrix(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	acme.works(t)
	globex.works(t)
	api := readOpenAPI(t)
	compiler := jsonschema.NewCompiler()
	data, err := json.Marshal(api.whole)
	require.NoError(t, err)
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	require.NoError(t, compiler.AddResource("openapi.json", whole))
	unknown := map[string]string{}
	for kind := range acme.ids() {
		unknown[kind] = tenancy.NewID().String()
	}
	for _, r := range b.web.Routes() {
		name := r.Method + " " + r.Path
		call := func(br *browser, path, access string) (int, string) {
			var edits []func(*http.Request)
			if access != "" {
				edits = append(edits, bearer(access))
			}
			status, body, h := br.do(r.Method, path, bodies[name], edits...)
			require.Equal(t, "no-store", h.Get("Cache-Control"), name)
			return status, body
		}
		if !isPublic(api.Paths[r.Path][strings.ToLower(r.Method)]) {
			path := fillPath(r.Path, acme.ids())
			status, _ := call(acme.ada, path, "")
			require.Equal(t, http.StatusUnauthorized, status, name)
			status, _ = call(acme.ada, path, acme.admin+"x")
			require.Equal(t, http.StatusUnauthorized, status, name)
			status, body := call(acme.ada, path, globex.admin)
			require.Equal(t, http.StatusForbidden, status, "%s: a session of another tenant: %s", name, body)
		}
		if strings.Contains(r.Path, "{id}") {
			wantStatus, want := call(acme.ada, fillPath(r.Path, unknown), acme.admin)
			status, body := call(acme.ada, fillPath(r.Path, globex.ids()), acme.admin)
			require.Equal(t, wantStatus, status, name)
			require.Equal(t, strip(want), strip(body), "%s: another tenant's id looks like one that does not exist", name)
			status, _ = call(acme.ada, strings.ReplaceAll(r.Path, "{id}", "no-id"), acme.admin)
			require.Equal(t, http.StatusNotFound, status, name)
		}
	}
	for _, r := range ordered(b) { // what ends a session comes last
		name := r.Method + " " + r.Path
		ids := acme.ids()
		if r.Path == "/api/v1/sessions/{id}" {
			continue // TestSessions_ListAndEnd
		}
		status, body, h := acme.ada.do(r.Method, fillPath(r.Path, ids), bodies[name], bearer(acme.admin))
		require.Less(t, status, 300, "%s: %s", name, body)
		if status == http.StatusOK && h.Get("Content-Type") == "application/json" {
			pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(r.Path)
			schema, err := compiler.Compile("openapi.json#/paths/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer) + "/" + strings.ToLower(r.Method) + "/responses/200/content/application~1json/schema")
			require.NoError(t, err, name)
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
			require.NoError(t, err, name)
			require.NoError(t, schema.Validate(v), "%s: %s", name, body)
		}
	}
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// strip takes out what the caller sent.
func strip(body string) string { return anyID.ReplaceAllString(strings.TrimSpace(body), "ID") }

// ordered lists the routes, those that destroy what others need at the end.
func ordered(b *bundle) (list []routeName) {
	var last []routeName
	for _, r := range b.web.Routes() {
		n := routeName{r.Method, r.Path}
		if r.Method == "DELETE" || strings.HasSuffix(r.Path, "logout") || strings.HasSuffix(r.Path, "state") {
			last = append(last, n)
		} else {
			list = append(list, n)
		}
	}
	slices.SortStableFunc(last, func(a, b routeName) int { return strings.Compare(a.Method, b.Method) }) // what stops the tenant is a PUT
	return append(list, last...)
}

type routeName struct{ Method, Path string }

// TestAPI_Roles: a member sees and ends what is theirs, and nothing of the administration.
func TestAPI_Roles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	for _, path := range []string{"GET /api/v1/audit", "GET /api/v1/audit/verification", "GET /api/v1/settings", "POST /api/v1/settings/rotate-keys", "PUT /api/v1/settings/state",
		"PATCH /api/v1/members/" + o.acme.Ada.ID.String(), "DELETE /api/v1/pages/" + o.page.ID.String()} {
		method, target, _ := strings.Cut(path, " ")
		status, body, _ := o.ben.do(method, target, `{"role":"viewer"}`, bearer(o.own))
		require.Equal(t, http.StatusForbidden, status, "%s: %s", path, body)
	}
	_, body, _ := o.ben.do("GET", "/api/v1/tokens", "", bearer(o.own))
	require.Equal(t, "[]", strip(body), "ada's token is not ben's to see")
	status, _, _ := o.ben.do("DELETE", "/api/v1/tokens/"+o.token.ID.String(), "", bearer(o.own))
	require.Equal(t, http.StatusNotFound, status)
	status, body, _ = o.ben.do("POST", "/api/v1/tokens", `{"name":"mine","permissions":{"members":["manage"]}}`, bearer(o.own))
	require.Equal(t, http.StatusForbidden, status, body)
	status, body, _ = o.ben.do("POST", "/api/v1/tokens", `{"name":"mine","service":true,"role":"owner","permissions":{"issues":["read"]}}`, bearer(o.own))
	require.Equal(t, http.StatusForbidden, status, body)
}

// TestAttack015_ShownOnceInTheAPI: the plain token is in the answer that makes it, and in
// none after.
func TestAttack015_ShownOnceInTheAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	status, body, _ := o.ada.do("POST", "/api/v1/tokens", `{"name":"new","permissions":{"issues":["*"]},"expires_at":"2999-01-01T00:00:00Z","allowed_ips":["10.0.0.0/8"]}`, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, body)
	var made struct {
		Token store.Token
		Plain string
	}
	require.NoError(t, json.Unmarshal([]byte(body), &made))
	require.Regexp(t, `^mcp_acme_[0-9a-f]{32}$`, made.Plain)
	for _, path := range []string{"/api/v1/tokens", "/api/v1/tokens/" + made.Token.ID.String(), "/api/v1/audit"} {
		_, body, _ := o.ada.do("GET", path, "", bearer(o.admin))
		require.NotContains(t, body, made.Plain[len(made.Plain)-32:], path)
		require.Contains(t, body, made.Token.ID.String(), path)
	}
	require.NotContains(t, b.db.Dump(t), made.Plain[len(made.Plain)-32:])
}

// TestAttack012_GrantsOverTheAPI: permissions that are not understood make no token.
func TestAttack012_GrantsOverTheAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	for _, permissions := range []string{`{"issues":["fly"]}`, `{"admin":["*"]}`, `{"issues":"read"}`, `[]`, `"*"`, `{"issues":["read"],"issues":["*"]}`,
		`{"issues":["read"],"deny":{"issues":["fly"]}}`, `{"issues":[["read"]]}`} {
		status, body, _ := o.ada.do("POST", "/api/v1/tokens", `{"name":"x","permissions":`+permissions+`}`, bearer(o.admin))
		require.Equal(t, http.StatusBadRequest, status, "%s: %s", permissions, body)
	}
	status, _, _ := o.ada.do("POST", "/api/v1/tokens", `{"name":"x","permissions":{},"owner":"ben"}`, bearer(o.admin))
	require.Equal(t, http.StatusBadRequest, status, "a name that is not known is refused")
	status, _, _ = o.ada.do("POST", "/api/v1/tokens", `{"name":"x"} {}`, bearer(o.admin))
	require.Equal(t, http.StatusBadRequest, status)
	status, _, _ = o.ada.do("POST", "/api/v1/tokens", "name=x", bearer(o.admin))
	require.Equal(t, http.StatusBadRequest, status, "a form is no JSON: other sites can send forms")
}

// TestAttack068_TokensAtTheWrongDoor: an agent's token opens nothing here.
func TestAttack068_TokensAtTheWrongDoor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	link := b.link(t, o.acme.Tenant, o.acme.Ada)
	for name, credential := range map[string]string{"an agent's token": o.acme.FullToken(t), "a sign-in link": link, "a refresh token": o.ada.cookies["__Host-cf_acme"]} {
		status, _, _ := o.ada.do("GET", "/api/v1/me", "", bearer(credential))
		require.Equal(t, http.StatusUnauthorized, status, name)
	}
}

func TestAudit_Pages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	for range 5 {
		_, _, _ = o.ada.do("POST", "/api/v1/settings/rotate-keys", "", bearer(o.admin))
	}
	seen, cursor := map[string]bool{}, ""
	var total int
	for range 50 {
		_, body, _ := o.ada.do("GET", "/api/v1/audit?limit=3&cursor="+cursor, "", bearer(o.admin))
		var page struct {
			Items []struct{ ID string }
			Total int
			Next  string `json:"next_cursor"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &page), body)
		for _, row := range page.Items {
			require.False(t, seen[row.ID])
			seen[row.ID] = true
		}
		if total, cursor = page.Total, page.Next; cursor == "" {
			break
		}
	}
	require.Len(t, seen, total)
	for _, bad := range []string{"limit=0", "limit=x", "since=yesterday", "cursor=%21"} {
		status, _, _ := o.ada.do("GET", "/api/v1/audit?"+bad, "", bearer(o.admin))
		require.Equal(t, http.StatusBadRequest, status, bad)
	}
	_, body, _ := o.ada.do("GET", "/api/v1/audit?since="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "", bearer(o.admin))
	require.Contains(t, body, `"total":0`)
	o.acme.Calls(t, 10_001)
	_, body, _ = o.ada.do("GET", "/api/v1/audit?tool=update_issue&limit=1", "", bearer(o.admin))
	require.Contains(t, body, `"total":10000,"total_is_minimum":true`)
}

// TestAudit_TooWide: a search that takes too long says what to do.
func TestAudit_TooWide(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	b.db.TooSlow(t, "audit_log")
	status, body, _ := o.ada.do("GET", "/api/v1/audit?actor=nobody", "", bearer(o.admin))
	require.Equal(t, http.StatusRequestEntityTooLarge, status, body)
	require.Contains(t, body, "Narrow the period")
}

// TestMembers_Former: who can let somebody back in sees those whose access has ended.
func TestMembers_Former(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	cy := tenancy.Member{ID: tenancy.NewID(), Handle: "cy", Email: "cy@acme.test", Role: tenancy.RoleMember, State: tenancy.MemberActive, CreatedAt: storetest.Now}
	o.acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{cy})) })
	status, body, _ := o.ada.do("PATCH", "/api/v1/members/"+cy.ID.String(), `{"active":false}`, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, body)
	_, body, _ = o.ada.do("GET", "/api/v1/members", "", bearer(o.admin))
	require.Contains(t, body, "cy@acme.test")
	_, body, _ = o.ben.do("GET", "/api/v1/members", "", bearer(o.own))
	require.Contains(t, body, "ada@acme.test")
	require.NotContains(t, body, "cy@acme.test")
	status, body, _ = o.ada.do("PATCH", "/api/v1/members/"+cy.ID.String(), `{"active":true}`, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, body)
}
