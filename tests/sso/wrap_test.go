package sso

import (
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso/ssotest"
)

// stroll is a browser without scripts, of which a test sends the forms.
type stroll struct {
	client http.Client
}

func newStroll(t *testing.T) *stroll {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &stroll{http.Client{Jar: jar, Timeout: time.Minute, Transport: from(strangers.Add(1))}}
}

// page reads an answer.
func (s *stroll) page(t *testing.T, res *http.Response, err error) (at *url.URL, text string) {
	t.Helper()
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.Request.URL, string(data)
}

var (
	inputTag  = regexp.MustCompile(`<input[^>]*>`)
	attribute = regexp.MustCompile(`(name|value)="([^"]*)"`)
)

// fields are the inputs of a page's forms.
func fields(page string) url.Values {
	found := url.Values{}
	for _, tag := range inputTag.FindAllString(page, -1) {
		parts := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
			parts[m[1]] = html.UnescapeString(m[2])
		}
		if parts["name"] != "" {
			found.Set(parts["name"], parts["value"])
		}
	}
	return found
}

// answer signs in at SimpleSAMLphp as far as the response that the browser would post.
func (s *stroll) answer(t *testing.T, start, who string) []byte {
	t.Helper()
	res, err := s.client.Get(start)
	at, page := s.page(t, res, err)
	form := fields(page)
	form.Set("username", who)
	form.Set("password", "pass")
	at.RawQuery = ""
	res, err = s.client.PostForm(at.String(), form)
	_, page = s.page(t, res, err)
	raw, err := base64.StdEncoding.DecodeString(fields(page).Get("SAMLResponse"))
	require.NoError(t, err)
	require.NotEmpty(t, raw, page)
	return raw
}

// TestAttack085_LiveResponses wraps genuine responses of SimpleSAMLphp in each known way,
// with either part signed: none signs in whom the forgery names.
func TestAttack085_LiveResponses(t *testing.T) {
	t.Parallel()
	b := setup(t, "acme")
	idp, metadata := startSimpleSAML(t)
	c := b.set(t, "acme", "set-saml", "work", "--metadata-url", idp+"/saml2/idp/metadata.php", "--email-claim", "mail", "--trust-email", "--link-by-email")
	know(t, metadata, c, "'saml20.sign.assertion' => true, 'saml20.sign.response' => true")
	b.run(t, "sso", "enable", "work", "--tenant", "acme")
	post := func(s *stroll, response []byte) string {
		res, err := s.client.PostForm(c.Addresses.ACS, ssotest.Posted(response))
		_, page := s.page(t, res, err)
		return page
	}
	tried := 0
	for kind := 1; kind <= ssotest.Wraps; kind++ {
		s := newStroll(t)
		genuine := s.answer(t, c.Addresses.Start, "dora")
		forged, ok := ssotest.Wrap(t, kind, genuine, ssotest.Forge("owner"))
		require.True(t, ok, kind)
		page := post(s, forged)
		require.Contains(t, page, "You are not signed in", "XSW%d", kind)
		require.Regexp(t, `For your admin: (response_unreadable|signature_invalid|response_unsigned)`, page, "XSW%d", kind)
		require.Contains(t, post(s, genuine), "You are signed in", "the genuine one was not spent by the forgery")
		tried++
	}
	require.Equal(t, 8, tried)
	require.NotContains(t, b.run(t, "member", "list", "--tenant", "acme"), "forged")

	// Changed after it was signed, or with a comment that splits a name.
	s := newStroll(t)
	genuine := s.answer(t, c.Addresses.Start, "dora")
	for why, change := range map[string][2]string{
		"address":    {"dora@acme.test", "owner@acme.test"},
		"name":       {">dora<", ">owner<"},
		"comment":    {">dora<", ">do<!-- -->ra<"},
		"time":       {fmt.Sprint(time.Now().UTC().Year()), fmt.Sprint(time.Now().UTC().Year() + 1)},
		"entity":     {`<samlp:Response`, `<!DOCTYPE x [<!ENTITY e "owner">]><samlp:Response`},
		"statement":  {"</saml:Assertion>", "<saml:AttributeStatement/></saml:Assertion>"},
		"of another": {c.Addresses.EntityID, strings.Replace(c.Addresses.EntityID, "acme", "globex", 1)},
	} {
		require.Contains(t, string(genuine), change[0], why)
		page := post(s, []byte(strings.ReplaceAll(string(genuine), change[0], change[1])))
		require.Contains(t, page, "You are not signed in", why)
	}
	require.Contains(t, post(s, genuine), "You are signed in")
}
