package sso_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestOIDC_SignIn(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL)
	start := b.begin(t, p)
	asked, err := url.Parse(start.Address)
	require.NoError(t, err)
	require.Equal(t, "openid email profile", asked.Query().Get("scope"))
	require.Equal(t, "http://acme.localhost:8080/auth/"+p.Connection.ID.String()+"/callback", asked.Query().Get("redirect_uri"))
	for _, secret := range []string{"code_challenge", "state", "nonce"} {
		require.GreaterOrEqual(t, len(asked.Query().Get(secret)), 43, secret)
	}
	require.NotContains(t, start.Sealed, asked.Query().Get("nonce"))
	out, err := b.Callback(t.Context(), p, start.Sealed, idp.Authorize(t, start.Address))
	require.NoError(t, err)
	require.Equal(t, sso.Outcome{Return: "/", Identity: sso.Identity{Provider: p.Connection.ID, Issuer: idp.URL, Subject: "ada-1",
		Email: "ada@acme.test", EmailVerified: true, Name: "Ada Byron"}}, out)
	require.Equal(t, 1, idp.Visits("/.well-known/openid-configuration"), "read once for both steps")
	require.Zero(t, idp.Visits("/userinfo"), "the token says all")
}

func TestOIDC_UserInfo(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL, func(c *sso.Connection) { c.Rules.Roles = []sso.GroupRole{{Group: "staff", Role: tenancy.RoleViewer}} })
	person := ssotest.Ada()
	person["groups"] = []any{"staff", map[string]any{"name": "admin"}, 7, []string{"nested"}, nil}
	idp.SignsIn(person, "email", "email_verified", "groups")
	out, err := b.signIn(t, idp, p)
	require.NoError(t, err)
	require.Equal(t, "ada@acme.test", out.Identity.Email)
	require.True(t, out.Identity.EmailVerified)
	require.Equal(t, []string{"staff"}, out.Identity.Groups, "what is no text is no group")
	idp.Bend(ssotest.Bends{UserInfo: func(info map[string]any) { info["sub"] = "somebody else" }})
	_, err = b.signIn(t, idp, p)
	require.Equal(t, sso.TokenInvalid, sso.CodeOf(err))
}

// TestAttack079_State: a sign-in ends in the browser that began it, once.
func TestAttack079_State(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL)
	start, elsewhere := b.begin(t, p), b.begin(t, p)
	answer := idp.Authorize(t, start.Address)
	with := func(name, value string) url.Values {
		changed := url.Values{}
		for k, v := range answer {
			changed[k] = v
		}
		changed.Set(name, value)
		if value == "" {
			changed.Del(name)
		}
		return changed
	}
	for name, c := range map[string]struct {
		cookie string
		answer url.Values
		want   sso.Code
	}{
		"no cookie":              {"", answer, sso.CookieMissing},
		"other browser's cookie": {elsewhere.Sealed, answer, sso.AttemptInvalid},
		"no state":               {start.Sealed, with("state", ""), sso.AttemptInvalid},
		"wrong state":            {start.Sealed, with("state", "x"), sso.AttemptInvalid},
		"forged cookie":          {start.Sealed[:len(start.Sealed)-4] + "AAAA", answer, sso.AttemptInvalid},
		"garbage":                {"garbage", answer, sso.AttemptInvalid},
		"a test ticket":          {b.TestTicket(p), answer, sso.AttemptInvalid},
		"of another key":         {sso.NewService(sso.Config{Key: tenancy.NewMasterKey(), Reach: b.Reach}).TestTicket(p), answer, sso.AttemptInvalid},
	} {
		_, err := b.Callback(t.Context(), p, c.cookie, c.answer)
		require.Equal(t, c.want, sso.CodeOf(err), name)
	}
	require.Zero(t, idp.Visits("/token"), "refused before the provider is asked")

	// Two nodes, many tries, one sign-in.
	node := b.node()
	var group sync.WaitGroup
	results := make(chan error, 16)
	for n := range 16 {
		group.Go(func() {
			service := b.Service
			if n%2 == 0 {
				service = node
			}
			_, err := service.Callback(t.Context(), p, start.Sealed, answer)
			results <- err
		})
	}
	group.Wait()
	close(results)
	var won, used int
	for err := range results {
		switch {
		case err == nil:
			won++
		case sso.CodeOf(err) == sso.AttemptUsed:
			used++
		}
	}
	require.Equal(t, []int{1, 15}, []int{won, used})
	require.Equal(t, 1, idp.Visits("/token"))

	answer = idp.Authorize(t, elsewhere.Address)
	b.clock.move(sso.AttemptLife)
	_, err := b.Callback(t.Context(), p, elsewhere.Sealed, answer)
	require.Equal(t, sso.AttemptExpired, sso.CodeOf(err))
}

// TestAttack080_Tokens refuses ID tokens of every wrong kind. Each sign-in is
// honest up to the token.
func TestAttack080_Tokens(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	byStranger := func(input []byte) []byte {
		sum := sha256.Sum256(input)
		signature, err := rsa.SignPKCS1v15(rand.Reader, stranger, crypto.SHA256, sum[:])
		require.NoError(t, err)
		return signature
	}
	mac := func(key []byte) func([]byte) []byte {
		return func(input []byte) []byte { h := hmac.New(sha256.New, key); h.Write(input); return h.Sum(nil) }
	}
	public, err := json.Marshal(idp.Public("published"))
	require.NoError(t, err)
	modulus, err := x509.MarshalPKIXPublicKey(stranger.Public())
	require.NoError(t, err)
	alg := func(name string) func(map[string]any) { return func(h map[string]any) { h["alg"] = name } }
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	drop := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, c := range map[string]struct {
		bends ssotest.Bends
		want  sso.Code
	}{
		"other audience":           {ssotest.Bends{Claims: set("aud", "another client")}, sso.AudienceWrong},
		"audience as a prefix":     {ssotest.Bends{Claims: set("aud", ssotest.ClientID+"2")}, sso.AudienceWrong},
		"no audience":              {ssotest.Bends{Claims: drop("aud")}, sso.AudienceWrong},
		"two audiences, no azp":    {ssotest.Bends{Claims: set("aud", []string{ssotest.ClientID, "x"})}, sso.AudienceWrong},
		"azp of another":           {ssotest.Bends{Claims: set("azp", "x")}, sso.AudienceWrong},
		"other issuer":             {ssotest.Bends{Claims: set("iss", "https://evil.test")}, sso.IssuerWrong},
		"issuer with a slash":      {ssotest.Bends{Claims: set("iss", idp.URL+"/")}, sso.IssuerWrong},
		"no issuer":                {ssotest.Bends{Claims: drop("iss")}, sso.IssuerWrong},
		"no nonce":                 {ssotest.Bends{Claims: drop("nonce")}, sso.NonceWrong},
		"nonce of another":         {ssotest.Bends{Claims: set("nonce", "x")}, sso.NonceWrong},
		"expired":                  {ssotest.Bends{Claims: set("exp", at(-10*time.Minute))}, sso.TimeWrong},
		"no end":                   {ssotest.Bends{Claims: drop("exp")}, sso.TokenInvalid},
		"from the future":          {ssotest.Bends{Claims: set("iat", at(10*time.Minute))}, sso.TimeWrong},
		"not yet valid":            {ssotest.Bends{Claims: set("nbf", at(10*time.Minute))}, sso.TimeWrong},
		"old":                      {ssotest.Bends{Claims: set("iat", at(-time.Hour))}, sso.TimeWrong},
		"no iat":                   {ssotest.Bends{Claims: drop("iat")}, sso.TokenInvalid},
		"no subject":               {ssotest.Bends{Claims: drop("sub")}, sso.SubjectMissing},
		"numeric subject":          {ssotest.Bends{Claims: set("sub", 7)}, sso.TokenInvalid},
		"subject twice, folded":    {ssotest.Bends{Claims: set("ſub", "victim")}, sso.TokenInvalid},
		"issuer twice, folded":     {ssotest.Bends{Claims: set("iſs", "https://evil.test")}, sso.TokenInvalid},
		"alg none":                 {ssotest.Bends{Header: alg("none"), Sign: func([]byte) []byte { return nil }}, sso.TokenInvalid},
		"alg None":                 {ssotest.Bends{Header: alg("None"), Sign: func([]byte) []byte { return nil }}, sso.TokenInvalid},
		"HS256 by the secret":      {ssotest.Bends{Header: alg("HS256"), Sign: mac([]byte(ssotest.ClientSecret))}, sso.TokenInvalid},
		"HS256 by the public key":  {ssotest.Bends{Header: alg("HS256"), Sign: mac(public)}, sso.TokenInvalid},
		"HS256 by another's PKIX":  {ssotest.Bends{Header: alg("HS256"), Sign: mac(modulus)}, sso.TokenInvalid},
		"RS256 by a stranger":      {ssotest.Bends{Sign: byStranger}, sso.TokenInvalid},
		"key in the header":        {ssotest.Bends{Header: set("jwk", idp.Public("published")), Sign: byStranger}, sso.TokenInvalid},
		"address in the header":    {ssotest.Bends{Header: set("jku", "https://evil.test/keys"), Sign: byStranger}, sso.TokenInvalid},
		"no signature":             {ssotest.Bends{Sign: func([]byte) []byte { return nil }}, sso.TokenInvalid},
		"hash of another token":    {ssotest.Bends{Claims: set("at_hash", "x")}, sso.TokenInvalid},
		"critical extension":       {ssotest.Bends{Header: set("crit", []string{"x"})}, sso.TokenInvalid},
		"aud as a nested list":     {ssotest.Bends{Claims: set("aud", []any{[]string{ssotest.ClientID}})}, sso.TokenInvalid},
		"no ID token":              {ssotest.Bends{Token: tokenAnswer(200, `{"access_token":"x","token_type":"Bearer"}`)}, sso.TokenInvalid},
		"an ID token that is none": {ssotest.Bends{Token: tokenAnswer(200, `{"access_token":"x","token_type":"Bearer","id_token":"a.b"}`)}, sso.TokenInvalid},
		"no JSON":                  {ssotest.Bends{Token: tokenAnswer(200, `<html>`)}, sso.ProviderError},
		"invalid client":           {ssotest.Bends{Token: tokenAnswer(401, `{"error":"invalid_client"}`)}, sso.ClientRejected},
		"invalid grant":            {ssotest.Bends{Token: tokenAnswer(400, `{"error":"invalid_grant"}`)}, sso.CodeRejected},
		"broken":                   {ssotest.Bends{Token: tokenAnswer(500, `oops`)}, sso.ProviderError},
		"redirects the secret": {ssotest.Bends{Token: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/keys", http.StatusTemporaryRedirect)
		}}, sso.AddressInvalid},
	} {
		idp.Bend(c.bends)
		out, err := b.signIn(t, idp, p)
		require.Equal(t, c.want, sso.CodeOf(err), "%s: %v", name, err)
		require.Empty(t, out.Identity, name)
		require.NotContains(t, fmt.Sprint(err), ssotest.ClientSecret)
	}
	idp.Bend(ssotest.Bends{Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{ssotest.ClientID, "x"}, ssotest.ClientID }})
	_, err = b.signIn(t, idp, p)
	require.NoError(t, err, "two audiences with azp are fine")
	for _, d := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		idp.Bend(ssotest.Bends{Claims: func(c map[string]any) { c["iat"], c["exp"] = at(d), at(d+time.Minute) }})
		_, err = b.signIn(t, idp, p)
		require.NoError(t, err, "clocks may differ by %v", d)
	}
}

func tokenAnswer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestAttack080_UnknownKey: an unknown key id costs one request for the keys, and
// a key that is new is found by it.
func TestAttack080_UnknownKey(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL)
	_, err := b.signIn(t, idp, p)
	require.NoError(t, err)
	require.Equal(t, 1, idp.Visits("/keys"))
	kid := func(h map[string]any) { h["kid"] = "unknown" }
	idp.Bend(ssotest.Bends{Header: kid})
	_, err = b.signIn(t, idp, p)
	require.Equal(t, sso.TokenInvalid, sso.CodeOf(err))
	require.Equal(t, 2, idp.Visits("/keys"))
	idp.Bend(ssotest.Bends{Header: kid, Keys: func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": "AAAA"}, idp.Public("unknown")}})
	}})
	_, err = b.signIn(t, idp, p)
	require.NoError(t, err, "the provider has rotated its key")
	require.Equal(t, 3, idp.Visits("/keys"))
	for name, c := range map[string]struct {
		keys http.HandlerFunc
		want sso.Code
	}{
		"gone":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, sso.TokenInvalid},
		"endless":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }, sso.AnswerTooLarge},
		"symbolic": {tokenAnswer(200, `{"keys":[{"kty":"oct","kid":"other","k":"c2VjcmV0"}]}`), sso.TokenInvalid},
	} {
		idp.Bend(ssotest.Bends{Header: func(h map[string]any) { h["kid"] = "other" }, Keys: c.keys})
		_, err = b.signIn(t, idp, p)
		require.Equal(t, c.want, sso.CodeOf(err), name)
	}
}

// TestAttack081_MixUp: an answer belongs to one tenant and one connection, and is
// refused before any token request where it does not.
func TestAttack081_MixUp(t *testing.T) {
	t.Parallel()
	b, honest, evil := setup(t), ssotest.NewOIDC(t), ssotest.NewOIDC(t)
	a, e := b.oidc(t, honest.URL), b.oidc(t, evil.URL)
	require.NotEqual(t, a.Connection.CallbackURL(), e.Connection.CallbackURL(), "each connection has a redirect URI of its own")
	beta := a
	beta.Tenant = b.db.Tenant(t, "beta").Tenant
	startA, startE := b.begin(t, a), b.begin(t, e)
	answerE := evil.Authorize(t, startE.Address)
	for name, c := range map[string]struct {
		party  sso.Party
		cookie string
		want   sso.Code
	}{
		"evil's answer on the honest redirect URI": {a, startE.Sealed, sso.ProviderMismatch},
		"evil's answer for the honest attempt":     {a, startA.Sealed, sso.AttemptInvalid},
		"another tenant":                           {beta, startE.Sealed, sso.ProviderMismatch},
		"a connection that is not there any more":  {other(e), startE.Sealed, sso.ProviderMismatch},
	} {
		_, err := b.Callback(t.Context(), c.party, c.cookie, answerE)
		require.Equal(t, c.want, sso.CodeOf(err), name)
	}
	// RFC 9207: an answer that names its issuer names the right one.
	for name, iss := range map[string][]string{"other": {evil.URL}, "empty": {""}, "twice": {honest.URL, evil.URL}} {
		honest.Bend(ssotest.Bends{Answer: func(back url.Values) { back["iss"] = iss }})
		_, err := b.signIn(t, honest, a)
		require.Contains(t, []sso.Code{sso.ProviderMismatch, sso.AttemptInvalid}, sso.CodeOf(err), name)
	}
	b.clock.move(6 * time.Minute) // what was read of the provider is forgotten
	announced := func(doc map[string]any) { doc["authorization_response_iss_parameter_supported"] = true }
	honest.Bend(ssotest.Bends{Discovery: announced})
	_, err := b.signIn(t, honest, a)
	require.Equal(t, sso.ProviderMismatch, sso.CodeOf(err), "it was taken away")
	require.Zero(t, honest.Visits("/token")+evil.Visits("/token"))
	honest.Bend(ssotest.Bends{Discovery: announced, Answer: func(back url.Values) { back.Set("iss", honest.URL) }})
	_, err = b.signIn(t, honest, a)
	require.NotEqual(t, sso.ProviderMismatch, sso.CodeOf(err))
}

func TestOIDC_ProviderSaysNo(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL)
	for code, want := range map[string]sso.Code{"access_denied": sso.SignInDenied, "login_required": sso.SignInDenied, "server_error": sso.ProviderError, "": sso.AttemptInvalid} {
		idp.Bend(ssotest.Bends{Answer: func(back url.Values) {
			back.Del("code")
			if code != "" {
				back.Set("error", code)
				back.Set("error_description", "<script>alert(1)</script>\x1b[2J")
			}
		}})
		_, err := b.signIn(t, idp, p)
		require.Equal(t, want, sso.CodeOf(err), code)
		require.NotContains(t, err.Error(), "\x1b")
	}
	require.Zero(t, idp.Visits("/token"))
	p.Connection.Enabled = false
	_, err := b.Start(t.Context(), p, "/", "")
	require.Equal(t, sso.ProviderDisabled, sso.CodeOf(err))
}

func TestOIDC_Discovery(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   sso.Code
	}{
		"other issuer":       {func(d map[string]any) { d["issuer"] = idp.URL + "/" }, sso.IssuerMismatch},
		"no token endpoint":  {func(d map[string]any) { delete(d, "token_endpoint") }, sso.DiscoveryInvalid},
		"private endpoint":   {func(d map[string]any) { d["token_endpoint"] = "http://10.0.0.1/token" }, sso.AddressInvalid},
		"script as endpoint": {func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" }, sso.AddressInvalid},
		"file as keys":       {func(d map[string]any) { d["jwks_uri"] = "file:///etc/passwd" }, sso.AddressInvalid},
		"userinfo":           {func(d map[string]any) { d["userinfo_endpoint"] = "//evil" }, sso.AddressInvalid},
		"wrong type":         {func(d map[string]any) { d["issuer"] = 7 }, sso.DiscoveryInvalid},
	} {
		idp.Bend(ssotest.Bends{Discovery: c.change})
		_, err := b.Start(t.Context(), b.oidc(t, idp.URL), "/", "")
		require.Equal(t, c.want, sso.CodeOf(err), "%s: %v", name, err)
	}
	_, err := b.Start(t.Context(), b.oidc(t, idp.URL+"/nothing"), "/", "")
	require.Equal(t, sso.AddressUnreachable, sso.CodeOf(err))
}

// TestOIDC_Entra checks the tenant where one issuer serves all companies.
func TestOIDC_Entra(t *testing.T) {
	t.Parallel()
	const own, foreign = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	b, idp := setup(t), ssotest.NewOIDC(t)
	template := func(d map[string]any) { d["issuer"] = idp.URL + "/{tenantid}/v2.0" }
	p := b.oidc(t, idp.URL+"/common/v2.0", func(c *sso.Connection) { c.OIDC.Preset, c.OIDC.EntraTenants = "entra", []string{own} })
	from := func(iss, tid string, more ...string) error {
		idp.Bend(ssotest.Bends{Discovery: template, Claims: func(c map[string]any) {
			c["iss"], c["tid"] = idp.URL+"/"+iss+"/v2.0", tid
			delete(c, "email_verified")
			for _, name := range more {
				c[name] = true
			}
		}})
		out, err := b.signIn(t, idp, p)
		if err == nil {
			require.Equal(t, idp.URL+"/"+own+"/v2.0", out.Identity.Issuer, "the identity is that of the tenant, not of the shared issuer")
			require.Equal(t, len(more) > 0, out.Identity.EmailVerified)
		}
		return err
	}
	require.NoError(t, from(own, own))
	require.NoError(t, from(own, own, "xms_edov"))
	require.Equal(t, sso.TenantNotAllowed, sso.CodeOf(from(foreign, foreign)))
	require.Equal(t, sso.IssuerWrong, sso.CodeOf(from(foreign, own)), "tid and issuer are of one tenant")
	require.Equal(t, sso.IssuerWrong, sso.CodeOf(from("{tenantid}", own)))
	require.Equal(t, sso.IssuerWrong, sso.CodeOf(from(own+"/x", own)))
	require.Equal(t, sso.IssuerWrong, sso.CodeOf(from("", "")))

	idp.Bend(ssotest.Bends{Discovery: template, Claims: func(c map[string]any) {
		c["iss"], c["tid"], c["_claim_names"] = idp.URL+"/"+own+"/v2.0", own, map[string]string{"groups": "src1"}
		c["_claim_sources"] = map[string]any{"src1": map[string]string{"endpoint": "https://graph.windows.net/groups"}}
	}})
	out, err := b.signIn(t, idp, p)
	require.NoError(t, err)
	require.True(t, out.Identity.GroupsWithheld, "more groups than fit into a token")

	single := b.oidc(t, idp.URL+"/"+own+"/v2.0", func(c *sso.Connection) { c.OIDC.Preset = "entra" })
	idp.Bend(ssotest.Bends{Claims: func(c map[string]any) { c["iss"], c["tid"] = idp.URL+"/"+foreign+"/v2.0", foreign }})
	_, err = b.signIn(t, idp, single)
	require.Equal(t, sso.IssuerWrong, sso.CodeOf(err))
	// A shared issuer is nothing for another preset.
	_, err = b.Start(t.Context(), b.oidc(t, idp.URL+"/common/v2.0", func(c *sso.Connection) { c.UpdatedAt = time.Now() }), "/", "")
	require.NoError(t, err, "its own issuer is /common/v2.0 here")
	idp.Bend(ssotest.Bends{Discovery: template})
	_, err = b.Start(t.Context(), b.oidc(t, idp.URL+"/common/v2.0"), "/", "")
	require.Equal(t, sso.IssuerMismatch, sso.CodeOf(err))
}

// TestOIDC_Google checks the hosted domain: Google signs in everybody.
func TestOIDC_Google(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL, func(c *sso.Connection) { c.OIDC.Preset, c.OIDC.HostedDomains = "google", []string{"Acme.test"} })
	for hd, want := range map[any]sso.Code{"acme.test": "", "ACME.test": "", "evil.test": sso.HostedDomainWrong, "": sso.HostedDomainWrong, nil: sso.HostedDomainWrong, true: sso.HostedDomainWrong} {
		person := ssotest.Ada()
		person["hd"] = hd
		idp.SignsIn(person)
		_, err := b.signIn(t, idp, p)
		require.Equal(t, want, sso.CodeOf(err), hd)
	}
}

func TestOIDC_ClientAuthentication(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	var basic, form []bool
	watch := func(methods ...string) ssotest.Bends {
		return ssotest.Bends{Discovery: func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = methods },
			Token: func(w http.ResponseWriter, r *http.Request) {
				_, _, ok := r.BasicAuth()
				basic, form = append(basic, ok), append(form, r.PostFormValue("client_secret") == ssotest.ClientSecret)
				tokenAnswer(400, `{"error":"invalid_grant"}`)(w, r)
			}}
	}
	for _, methods := range [][]string{{"client_secret_basic", "client_secret_post"}, {"client_secret_post"}} {
		idp.Bend(watch(methods...))
		_, err := b.signIn(t, idp, b.oidc(t, idp.URL))
		require.Equal(t, sso.CodeRejected, sso.CodeOf(err))
	}
	public := b.oidc(t, idp.URL)
	public.Secrets = sso.Secrets{}
	_, err := b.signIn(t, idp, public)
	require.Equal(t, sso.CodeRejected, sso.CodeOf(err))
	require.Equal(t, []bool{true, false, false}, basic)
	require.Equal(t, []bool{false, true, false}, form)
}

func TestOIDC_Check(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	check := func(change ...func(*sso.Connection)) (map[string]sso.Finding, bool) {
		list := b.Check(t.Context(), b.oidc(t, idp.URL, change...))
		by := map[string]sso.Finding{}
		for _, f := range list {
			by[f.Name] = f
			require.Equal(t, f.Level != sso.Fine, f.Remedy != "", f)
			require.Equal(t, f.Level != sso.Fine, f.Code != "", f)
		}
		return by, sso.Problems(list) == nil
	}
	by, works := check()
	require.True(t, works, by)
	require.Len(t, by, 4)

	b.clock.move(-90 * time.Second)
	by, works = check()
	require.True(t, works, "90 s are a warning")
	require.Equal(t, sso.ClockOff, by["clock"].Code)
	require.Contains(t, by["clock"].Text, "1m")
	b.clock.move(-time.Hour)
	by, works = check()
	require.False(t, works)
	require.Equal(t, sso.Failed, by["clock"].Level)
	b.clock.move(time.Hour + 90*time.Second)

	for name, c := range map[string]struct {
		bends ssotest.Bends
		want  sso.Code
	}{
		"keys":     {ssotest.Bends{Keys: tokenAnswer(200, `{"keys":[{"kty":"oct","k":"AA"}]}`)}, sso.KeysUnusable},
		"provider": {ssotest.Bends{Discovery: func(d map[string]any) { d["issuer"] = "https://other" }}, sso.IssuerMismatch},
	} {
		idp.Bend(c.bends)
		by, works = check()
		require.False(t, works, name)
		require.Equal(t, c.want, by[name].Code)
	}
	idp.Bend(ssotest.Bends{Discovery: func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} }})
	by, _ = check()
	require.Equal(t, sso.KeysUnusable, by["keys"].Code)
	idp.Bend(ssotest.Bends{Answer: func(back url.Values) { back.Set("error", "invalid_scope") }})
	by, _ = check()
	require.Equal(t, sso.RequestRefused, by["request"].Code)
	idp.Bend(ssotest.Bends{})
	by, works = check(func(c *sso.Connection) { c.OIDC.ClientID = "unknown" })
	require.False(t, works)
	require.Equal(t, sso.RequestRefused, by["request"].Code)
	require.Contains(t, by["request"].Text, "/callback", "it says what to register")
	by, works = check(func(c *sso.Connection) { c.Rules = sso.Rules{} })
	require.False(t, works)
	require.Equal(t, sso.DomainNotAllowed, by["domains"].Code)
}

// TestTest_Ticket lets an admin try a connection that is not enabled, and nobody else.
func TestTest_Ticket(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL, func(c *sso.Connection) { c.Enabled = false })
	start, err := b.Start(t.Context(), p, "/", b.TestTicket(p))
	require.NoError(t, err)
	out, err := b.Callback(t.Context(), p, start.Sealed, idp.Authorize(t, start.Address))
	require.NoError(t, err)
	require.True(t, out.Dry)
	late := b.TestTicket(p)
	for name, ticket := range map[string]string{"garbage": "garbage", "other connection": b.TestTicket(other(p)), "an attempt": start.Sealed} {
		_, err = b.Start(t.Context(), p, "/", ticket)
		require.Equal(t, sso.AttemptExpired, sso.CodeOf(err), name)
	}
	b.clock.move(sso.AttemptLife)
	_, err = b.Start(t.Context(), p, "/", late)
	require.Equal(t, sso.AttemptExpired, sso.CodeOf(err))
}

// TestAttack087_ReturnPath: a sign-in ends on our side, whatever was asked for.
func TestAttack087_ReturnPath(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewOIDC(t)
	p := b.oidc(t, idp.URL)
	for back, want := range map[string]string{"/issues/WEB-1?x=1": "/issues/WEB-1?x=1", "": "/", "//evil.test": "/", "https://evil.test": "/", "javascript:alert(1)": "/",
		`/\evil.test`: "/", "/\t/evil.test": "/", "\\\\evil": "/", "/a\r\nSet-Cookie: x": "/", "/" + strings.Repeat("x", 2_001): "/", "/\u2028": "/"} {
		start, err := b.Start(t.Context(), p, back, "")
		require.NoError(t, err)
		out, err := b.Callback(t.Context(), p, start.Sealed, idp.Authorize(t, start.Address))
		require.NoError(t, err)
		require.Equal(t, want, out.Return, back)
	}
}
