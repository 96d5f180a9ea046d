package web_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/tenancy"
)

// connect makes a connection through the API, as the tenant's owner does, and switches
// it on.
func (o *office) connect(t *testing.T, name, body string) (id string, addresses sso.Addresses) {
	t.Helper()
	var answer struct {
		ID        string
		Addresses sso.Addresses
	}
	status, text, _ := o.ada.do("PUT", "/api/v1/sso/"+name, body, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, text)
	require.NoError(t, json.Unmarshal([]byte(text), &answer))
	require.NotContains(t, text, ssotest.ClientSecret)
	status, text, _ = o.ada.do("PATCH", "/api/v1/sso/"+name, `{"enabled":true}`, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, text)
	return answer.ID, answer.Addresses
}

// oidcBody is a connection to an OpenID provider for people of a domain.
func oidcBody(idp *ssotest.OIDC, domain, rules string) string {
	secret, _ := json.Marshal(ssotest.ClientSecret)
	return `{"title":"Log in at work","protocol":"oidc","client_secret":` + string(secret) + `,"oidc":{"issuer":"` + idp.URL + `","client_id":"colaflow"},
		"rules":{"domains":["` + domain + `"],"auto_provision":true` + rules + `}}`
}

// begin follows a sign-in to the provider; where it goes.
func (br *browser) begin(start string) string {
	br.t.Helper()
	u, err := url.Parse(start)
	require.NoError(br.t, err)
	status, body, h := br.do("GET", u.RequestURI(), "")
	require.Equal(br.t, http.StatusSeeOther, status, body)
	require.Equal(br.t, "no-store", h.Get("Cache-Control"))
	return h.Get("Location")
}

// fromElsewhere marks a request as one that another site's page caused.
func fromElsewhere(r *http.Request) {
	r.Header.Set("Origin", "null")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
}

// atWork signs in by an OpenID provider, and returns the page at the end.
func (br *browser) atWork(idp *ssotest.OIDC, id, start string) (int, string) {
	br.t.Helper()
	answer := idp.Authorize(br.t, br.begin(start))
	status, body, _ := br.do("GET", "/auth/"+id+"/callback?"+answer.Encode(), "", fromElsewhere)
	return status, body
}

func TestSSO_OIDC(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	id, at := acme.connect(t, "work", oidcBody(idp, "acme.test", `,"roles":[{"group":"admins","role":"admin"}],"default_role":"viewer"`))
	require.Equal(t, "http://acme.colaflow.test/auth/"+id+"/callback", at.Callback)

	// The sign-in page has a button for it.
	cy := b.browser(t, "acme.colaflow.test")
	status, body, _ := cy.do("GET", "/api/v1/tenant", "")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"slug":"acme","sign_in":["link"],"providers":[{"name":"work","title":"Log in at work","url":"`+at.Start+`"}]}`, body)

	// The first sign-in makes a member, the second does not; what led here goes on.
	idp.SignsIn(ssotest.Person{"sub": "cy-1", "email": "Cy@Acme.test", "email_verified": true, "name": "Cy <b>", "groups": []string{"staff"}})
	before := members(t, acme)
	status, body = cy.atWork(idp, id, at.Start+"&next=/issues/WEB-1")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `content="0;url=/issues/WEB-1?tenant=acme"`)
	me := cy.me("acme")
	require.Equal(t, "cy@acme.test", me.Email)
	require.Equal(t, "viewer", me.Role)
	require.Equal(t, "work", me.AuthProvider)
	require.Len(t, cy.cookies, 1, "the cookie of the attempt is gone: %v", cy.cookies)
	status, _ = cy.atWork(idp, id, at.Start)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, before+1, members(t, acme))

	// Groups give roles, at every sign-in, and so at the next renewal.
	idp.SignsIn(ssotest.Person{"sub": "cy-1", "email": "cy@acme.test", "email_verified": true, "groups": []string{"admins"}})
	status, _ = cy.atWork(idp, id, at.Start)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "admin", cy.me("acme").Role)

	// Who may not come in is told why, with what to do.
	for code, person := range map[sso.Code]ssotest.Person{
		sso.DomainNotAllowed: {"sub": "eve", "email": "eve@evil.test", "email_verified": true},
		sso.EmailUnverified:  {"sub": "dan", "email": "dan@acme.test"},
		sso.EmailTaken:       {"sub": "ada-2", "email": "ada@acme.test", "email_verified": true},
	} {
		idp.SignsIn(person)
		status, body = b.browser(t, "acme.colaflow.test").atWork(idp, id, at.Start)
		require.Equal(t, http.StatusForbidden, status, code)
		require.Contains(t, body, string(code))
		require.Contains(t, body, "Sign in again")
	}
	require.Equal(t, before+1, members(t, acme))

	// A deactivated member is refused, at once and at the provider's door.
	access := cy.refresh("acme")
	status, body, _ = acme.ada.do("PATCH", "/api/v1/members/"+me.ID, `{"active":false}`, bearer(acme.admin))
	require.Equal(t, http.StatusOK, status, body)
	status, _, _ = cy.do("GET", "/api/v1/sessions", "", bearer(access))
	require.Equal(t, http.StatusUnauthorized, status)
	idp.SignsIn(ssotest.Person{"sub": "cy-1", "email": "cy@acme.test", "email_verified": true})
	status, body = cy.atWork(idp, id, at.Start)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, string(sso.MemberDisabled))
}

func members(t *testing.T, o *office) (n int) {
	t.Helper()
	require.NoError(t, o.db.Admin(t).QueryRow(t.Context(), `select count(*) from members where tenant_id = $1`, o.acme.ID).Scan(&n))
	return n
}

// person is what /api/v1/me says.
type person struct {
	ID, Email, Role string
	AuthProvider    string `json:"auth_provider"`
}

func (br *browser) me(slug string) (p person) {
	br.t.Helper()
	status, body, _ := br.do("GET", "/api/v1/me?tenant="+slug, "", bearer(br.refresh(slug)))
	require.Equal(br.t, http.StatusOK, status, body)
	require.NoError(br.t, json.Unmarshal([]byte(body), &p))
	return p
}

// TestSSO_OneOfMany: two tenants with providers of their own on one server, the same
// person in both, and neither reaches the other.
func TestSSO_OneOfMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := ssotest.NewOIDC(t), ssotest.NewOIDC(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	at, there := map[string]string{}, map[string]string{}
	at["id"], _ = acme.connect(t, "work", oidcBody(first, "both.test", ""))
	there["id"], _ = globex.connect(t, "work", oidcBody(second, "both.test", ""))
	both := ssotest.Person{"sub": "one", "email": "one@both.test", "email_verified": true}
	first.SignsIn(both)
	second.SignsIn(both)
	br := b.browser(t, "colaflow.test") // keeps both sessions
	for slug, c := range map[string]struct {
		idp *ssotest.OIDC
		id  string
	}{"acme": {first, at["id"]}, "globex": {second, there["id"]}} {
		answer := c.idp.Authorize(t, br.begin("/auth/"+c.id+"/start?moved=1&tenant="+slug))
		status, body, _ := br.do("GET", "/auth/"+c.id+"/callback?"+answer.Encode(), "", fromElsewhere) // the cookie says which tenant
		require.Equal(t, http.StatusOK, status, body)
	}
	require.NotEqual(t, br.me("acme").ID, br.me("globex").ID)
	inAcme, inGlobex := br.refresh("acme"), br.refresh("globex")
	status, _, _ := br.do("GET", "/api/v1/me?tenant=globex", "", bearer(inAcme))
	require.Equal(t, http.StatusForbidden, status)
	status, _, _ = br.do("GET", "/api/v1/me?tenant=acme", "", bearer(inGlobex))
	require.Equal(t, http.StatusForbidden, status)

	// One tenant's connection is nothing at another's address: as one that is not there.
	_, unknown, _ := br.do("GET", "/auth/"+tenancy.NewID().String()+"/start?tenant=globex", "")
	for _, path := range []string{"/auth/" + at["id"] + "/start?tenant=globex", "/auth/" + at["id"] + "/start?tenant=initech", "/auth/" + at["id"] + "/start",
		"/auth/no-id/start?tenant=acme"} {
		status, body, _ := br.do("GET", path, "")
		require.Equal(t, http.StatusNotFound, status, path)
		require.Equal(t, unknown, body, path)
	}
	// And an answer of one provider is none of another's (mix-up).
	answer := first.Authorize(t, br.begin("/auth/"+at["id"]+"/start?moved=1&tenant=acme"))
	status, body, _ := br.do("GET", "/auth/"+there["id"]+"/callback?tenant=globex&"+answer.Encode(), "", fromElsewhere)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, string(sso.ProviderMismatch))
}

// TestAttack079_Callback: an answer is used once, in the browser that began, for the
// sign-in that it belongs to.
func TestAttack079_Callback(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	id, at := acme.connect(t, "work", oidcBody(idp, "acme.test", `,"link_by_email":true`))
	victim, attacker := b.browser(t, "acme.colaflow.test"), b.browser(t, "acme.colaflow.test")
	answer := idp.Authorize(t, attacker.begin(at.Start)).Encode()
	refused := func(br *browser, query, code string) {
		t.Helper()
		status, body, h := br.do("GET", "/auth/"+id+"/callback?"+query, "", fromElsewhere)
		require.Equal(t, http.StatusForbidden, status, body)
		require.Contains(t, body, code)
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
	}
	refused(victim, answer, "cookie_missing") // login CSRF: the victim would work in the attacker's account
	began := attacker.cookies
	attacker.cookies = map[string]string{}
	for name, value := range began {
		attacker.cookies[name] = value
	}
	status, _, _ := attacker.do("GET", "/auth/"+id+"/callback?"+answer, "", fromElsewhere)
	require.Equal(t, http.StatusOK, status)
	refused(attacker, answer, "cookie_missing")
	for name, value := range began {
		if strings.HasPrefix(name, "cf_login_") {
			attacker.cookies[name] = value // kept by hand
		}
	}
	attacker.begin(at.Start)
	refused(attacker, "state=&code=x", "cookie_missing")
	refused(attacker, "", "cookie_missing")
	refused(attacker, "state="+strings.Repeat("x", 5000)+"&code=x", "cookie_missing")
}

// TestAttack068_Redirects: nothing that a link says leads off our own pages.
func TestAttack068_Redirects(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	id, at := acme.connect(t, "work", oidcBody(idp, "acme.test", `,"link_by_email":true`))
	lead := regexp.MustCompile(`content="0;url=([^"]*)"`)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/\t/evil.example", "data:text/html,x", `"><script>`, "/ok\r\nSet-Cookie: a=b", ""} {
		status, body := b.browser(t, "acme.colaflow.test").atWork(idp, id, at.Start+"&"+url.Values{"next": {next}}.Encode())
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "/?tenant=acme", lead.FindStringSubmatch(body)[1], next)
	}
	// A sign-in that begins at another of our addresses moves to where it must end, once.
	br := b.browser(t, "colaflow.test")
	status, _, h := br.do("GET", "/auth/"+id+"/start?tenant=acme&next=/x", "")
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, at.Start+"&moved=1&next=%2Fx&test=", h.Get("Location"))
}

// samlOffice is a tenant with a SAML provider.
func samlOffice(t *testing.T, b *bundle, slug string, settings string) (o *office, idp *ssotest.SAML, id string, at sso.Addresses, signer *x509.Certificate) {
	t.Helper()
	o, idp = newOffice(t, b, slug), ssotest.NewSAML(t)
	metadata, err := json.Marshal(idp.Metadata())
	require.NoError(t, err)
	id, at = o.connect(t, "work", `{"protocol":"saml","saml":{"metadata":`+string(metadata)+`,"attributes":{"email":"mail","name":"displayName"}`+settings+`},
		"rules":{"domains":["acme.test"],"auto_provision":true,"link_by_email":true,"trust_email":true}}`)
	u, err := url.Parse(at.EntityID)
	require.NoError(t, err)
	status, body, h := o.ada.do("GET", u.RequestURI(), "")
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "application/samlmetadata+xml", h.Get("Content-Type"))
	require.Contains(t, body, `Location="`+at.ACS+`"`)
	signer = certificateIn(t, body)
	return o, idp, id, at, signer
}

// post brings a SAML response as another site's form does, without our cookies.
func (br *browser) post(at sso.Addresses, response []byte) (int, string, http.Header) {
	u, err := url.Parse(at.ACS)
	require.NoError(br.t, err)
	kept := br.cookies
	br.cookies = map[string]string{}
	defer func() { br.cookies = kept }()
	return br.do("POST", u.RequestURI(), ssotest.Posted(response).Encode(), fromElsewhere)
}

func TestSSO_SAML(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, idp, _, at, signer := samlOffice(t, b, "acme", "")
	br := b.browser(t, "acme.colaflow.test")
	request := ssotest.ReadRequest(t, br.begin(at.Start+"&next=/projects"), signer)
	require.Equal(t, at.ACS, request.ACS)
	require.Equal(t, at.EntityID, request.Issuer)
	before := members(t, o)
	response := idp.Answer(request, time.Now())
	response.NameID, response.Attributes["mail"] = "dora-1", []string{"dora@acme.test"}
	raw := idp.Sign(t, response.XML(), ssotest.SignAssertion)
	status, body, h := br.post(at, raw)
	require.Equal(t, http.StatusSeeOther, status, body)
	done, err := url.Parse(h.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "acme.colaflow.test", done.Host)

	// The result is for the browser that began, once.
	status, body, _ = b.browser(t, "acme.colaflow.test").do("GET", "/auth/saml/"+strings.Split(done.Path, "/")[3]+"/done?tenant=acme&handle=guessed", "", fromElsewhere)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "attempt_used")
	status, body, _ = br.do("GET", done.RequestURI(), "", fromElsewhere)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `content="0;url=/projects?tenant=acme"`)
	require.Equal(t, "dora@acme.test", br.me("acme").Email)
	require.Equal(t, before+1, members(t, o))
	status, body, _ = br.do("GET", done.RequestURI(), "", fromElsewhere)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "attempt_used")
	status, body, _ = br.post(at, raw)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "response_replayed")
}

// TestAttack087_OtherBrowser: a response that an attacker got for himself does not sign
// in whoever is made to post it, nor does one that nobody asked for.
func TestAttack087_OtherBrowser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, idp, _, at, signer := samlOffice(t, b, "acme", "")
	attacker, victim := b.browser(t, "acme.colaflow.test"), b.browser(t, "acme.colaflow.test")
	request := ssotest.ReadRequest(t, attacker.begin(at.Start), signer)
	status, _, h := victim.post(at, idp.Sign(t, idp.Answer(request, time.Now()).XML(), ssotest.SignResponse))
	require.Equal(t, http.StatusSeeOther, status)
	done, err := url.Parse(h.Get("Location"))
	require.NoError(t, err)
	status, body, _ := victim.do("GET", done.RequestURI(), "", fromElsewhere)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "cookie_missing")
	require.Empty(t, victim.cookies)

	request.ID = ""
	status, body, _ = victim.post(at, idp.Sign(t, idp.Answer(request, time.Now()).XML(), ssotest.SignResponse))
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "response_unsolicited")
	status, body, _ = victim.do("POST", "/auth/saml/"+tenancy.NewID().String()+"/acs?tenant=acme", "SAMLResponse=x", fromElsewhere)
	require.Equal(t, http.StatusNotFound, status, body)

	// Where it is allowed to begin at the provider, we ask it ourselves.
	_, other, _, there, _ := samlOffice(t, b, "globex", `,"idp_initiated":true`)
	request = ssotest.Request{ACS: there.ACS, Issuer: there.EntityID}
	br := b.browser(t, "globex.colaflow.test")
	status, _, h = br.post(there, other.Sign(t, other.Answer(request, time.Now()).XML(), ssotest.SignResponse))
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, there.Start, h.Get("Location"))
	require.Empty(t, br.cookies)
}

// TestSSO_Trial: a test in the browser tells what would happen, with every remedy, and
// changes nothing.
func TestSSO_Trial(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	status, body, _ := acme.ada.do("PUT", "/api/v1/sso/work", oidcBody(idp, "acme.test", ""), bearer(acme.admin))
	require.Equal(t, http.StatusOK, status, body)
	var c struct {
		ID        string
		Addresses sso.Addresses
	}
	require.NoError(t, json.Unmarshal([]byte(body), &c))
	br := b.browser(t, "acme.colaflow.test")
	u, err := url.Parse(c.Addresses.Start)
	require.NoError(t, err)
	status, body, _ = br.do("GET", u.RequestURI(), "")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "provider_disabled")

	var check struct {
		Works    bool
		Findings []sso.Finding
		Trial    string
	}
	test := func() {
		t.Helper()
		status, body, _ := acme.ada.do("POST", "/api/v1/sso/work/check", "", bearer(acme.admin))
		require.Equal(t, http.StatusOK, status, body)
		require.NoError(t, json.Unmarshal([]byte(body), &check))
	}
	test()
	require.True(t, check.Works, "%v", check.Findings)
	before := acme.db.Dump(t, "sso_replay", "audit_log", "audit_checkpoints")
	for want, person := range map[string]ssotest.Person{
		"would make a new member, new@acme.test, as member": {"sub": "new", "email": "new@acme.test", "email_verified": true, "name": "<script>alert(1)</script>"},
		"domain_not_allowed": {"sub": "eve", "email": "eve@evil.test", "email_verified": true},
		"email_missing":      {"sub": "eve"},
	} {
		idp.SignsIn(person)
		status, body = br.atWork(idp, c.ID, check.Trial)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, want)
		require.NotContains(t, body, "<script>")
	}
	idp.SignsIn(ssotest.Ada())
	idp.Bend(ssotest.Bends{Claims: func(claims map[string]any) { claims["aud"] = "another" }})
	_, body = br.atWork(idp, c.ID, check.Trial)
	require.Contains(t, body, "audience_wrong")
	require.Empty(t, br.cookies, "nobody is signed in")
	require.Equal(t, before, acme.db.Dump(t, "sso_replay", "audit_log", "audit_checkpoints"))

	// What does not work cannot be switched on.
	idp.Bend(ssotest.Bends{Keys: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) }})
	test()
	require.False(t, check.Works)
	status, body, _ = acme.ada.do("PATCH", "/api/v1/sso/work", `{"enabled":true}`, bearer(acme.admin))
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "RS256")
}

// TestSSO_Settings: admins set connections; secrets never come back; requiring the
// provider leaves links to owners.
func TestSSO_Settings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	for _, r := range []string{"GET /api/v1/sso", "PATCH /api/v1/sso", "PUT /api/v1/sso/x", "PATCH /api/v1/sso/x", "DELETE /api/v1/sso/x", "POST /api/v1/sso/x/check"} {
		method, path, _ := strings.Cut(r, " ")
		status, _, _ := acme.ben.do(method, path, `{}`, bearer(acme.own))
		require.Equal(t, http.StatusForbidden, status, r)
	}
	status, body, _ := acme.ada.do("PATCH", "/api/v1/sso", `{"required":true}`, bearer(acme.admin))
	require.Equal(t, http.StatusConflict, status, body)
	acme.connect(t, "work", oidcBody(idp, "acme.test", `,"link_by_email":true`))
	status, body, _ = acme.ada.do("GET", "/api/v1/sso", "", bearer(acme.admin))
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "a secret")
	status, body, _ = acme.ada.do("PUT", "/api/v1/sso/inner", strings.Replace(oidcBody(idp, "acme.test", ""), idp.URL, "http://10.0.0.1", 1), bearer(acme.admin))
	require.Equal(t, http.StatusBadRequest, status, "attack case 90: %s", body)

	ben := b.link(t, acme.acme.Tenant, acme.acme.Ben)
	ada := b.link(t, acme.acme.Tenant, acme.acme.Ada)
	status, body, _ = acme.ada.do("PATCH", "/api/v1/sso", `{"required":true}`, bearer(acme.admin))
	require.Equal(t, http.StatusNoContent, status, body)
	open := func(ticket string) int {
		status, _, _ := b.browser(t, "acme.colaflow.test").do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {ticket}}.Encode())
		return status
	}
	require.Equal(t, http.StatusForbidden, open(ben))
	require.Equal(t, http.StatusSeeOther, open(ada), "for the day that the provider is down")
	status, body, _ = acme.ada.do("DELETE", "/api/v1/sso/work", "", bearer(acme.admin))
	require.Equal(t, http.StatusNoContent, status, body)
}

// TestSSO_Plan: a plan without single sign-on neither sets it nor lets people in by it.
func TestSSO_Plan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	_, at := acme.connect(t, "work", oidcBody(idp, "acme.test", ""))
	b.db.SetPlan(t, "acme", "free")
	b.apps.Drop(acme.acme.ID)
	status, body, _ := acme.ada.do("PUT", "/api/v1/sso/work", oidcBody(idp, "acme.test", ""), bearer(acme.admin))
	require.Equal(t, http.StatusTooManyRequests, status, body)
	u, err := url.Parse(at.Start)
	require.NoError(t, err)
	status, body, _ = acme.ada.do("GET", u.RequestURI(), "")
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, body, "no single sign-on")
	status, body, _ = acme.ada.do("GET", "/api/v1/tenant", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"providers":[]`)
}

// certificateIn reads the signing certificate of metadata.
func certificateIn(t *testing.T, metadata string) *x509.Certificate {
	t.Helper()
	found := regexp.MustCompile(`X509Certificate[^>]*>([^<]+)<`).FindStringSubmatch(metadata)
	require.NotNil(t, found, metadata)
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(found[1]), ""))
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}
