package web_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/web"
)

// TestSignInWays: whoever must sign in for a page of ours comes back to it by any way.
func TestSignInWays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	idp := ssotest.NewOIDC(t)
	acme := newOffice(t, b, "acme")
	id, at := acme.connect(t, "work", oidcBody(idp, "acme.test", ""))
	next := "/oauth/consent?request=" + strings.Repeat("r", 1_500)
	page := web.SignInPath("acme", next)

	cy := b.browser(t, "acme.colaflow.test")
	status, body, h := cy.do("GET", page, "", fromElsewhere)
	require.Equal(t, http.StatusOK, status, "nobody is sent on without a session")
	require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	back := next + "&tenant=acme"
	require.Contains(t, html.UnescapeString(body), `href="`+back+`"`)
	require.Contains(t, html.UnescapeString(body), at.Start+"&next="+url.QueryEscape(back))

	idp.SignsIn(ssotest.Person{"sub": "cy-1", "email": "cy@acme.test", "email_verified": true})
	status, body = cy.atWork(idp, id, at.Start+"&next="+url.QueryEscape(back))
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, html.UnescapeString(body), `content="0;url=`+back+`"`, "a page of our own leads on")
	status, _, h = cy.do("GET", page, "")
	require.Equal(t, http.StatusSeeOther, status)
	location, err := url.Parse(h.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "/oauth/consent", location.Path)

	for path, want := range map[string]int{"/signin": 400, "/signin?tenant=Not_One": 400, "/signin?tenant=nobody": 200, "/signin?tenant=acme&tenant=globex": 400} {
		status, _, _ := b.browser(t, "colaflow.test").do("GET", path, "")
		require.Equal(t, want, status, path)
	}
	for _, next := range []string{"https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"} {
		_, body, _ := b.browser(t, "colaflow.test").do("GET", web.SignInPath("acme", next), "")
		require.NotContains(t, body, "evil", next)
		require.NotContains(t, body, "javascript", next)
	}
}
