package web_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/web"
)

// TestConsole: the console's views are one page that nobody may keep, its files are kept
// for ever, and what is neither is not found.
func TestConsole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, _, first := b.get(t, http.DefaultClient, "", "/", "")
	for _, path := range []string{"/", "/?tenant=acme", "/tokens", "/issues/WEB-12?tenant=acme", "/projects/WEB"} {
		status, body, h := b.get(t, http.DefaultClient, "", path, "")
		require.Equal(t, http.StatusOK, status, path)
		require.Contains(t, body, `<div id="root">`)
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		policy := h.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self';")
		require.NotContains(t, policy, "unsafe")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotEqual(t, first.Get("Content-Security-Policy"), policy, "a nonce is used once")
		nonce := regexp.MustCompile(`'nonce-(\w+)'`).FindStringSubmatch(policy)
		require.NotNil(t, nonce)
		require.Contains(t, body, `nonce="`+nonce[1]+`"`)
		require.NotContains(t, body, "CSP_NONCE")
		require.NotRegexp(t, `<script[^>]*>[^<]`, body, "no script is inline")
	}
	_, body, _ := b.get(t, http.DefaultClient, "", "/", "")
	files := regexp.MustCompile(`/assets/[^"]+`).FindAllString(body, -1)
	require.NotEmpty(t, files)
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for _, file := range files {
		status, _, h := b.get(t, http.DefaultClient, "", file, "")
		require.Equal(t, http.StatusOK, status, file)
		require.Equal(t, "public, max-age=31536000, immutable", h.Get("Cache-Control"))
		require.Equal(t, kinds[file[strings.LastIndex(file, "."):]], h.Get("Content-Type"), file)
	}
	whole := http.Client{Transport: &http.Transport{DisableCompression: true}}
	_, packed, h := b.get(t, http.DefaultClient, "", files[0], "") // it asks for gzip, and unpacks it
	_, plain, bare := b.get(t, &whole, "", files[0], "")
	require.Equal(t, plain, packed)
	require.Equal(t, "Accept-Encoding", h.Get("Vary"))
	require.Empty(t, bare.Get("Content-Encoding"))
	for _, path := range []string{"/assets/none.js", "/assets/", "/assets/..%2findex.html", "/nothing", "/api/v1/nothing", "/favicon.ico"} {
		status, body, _ := b.get(t, http.DefaultClient, "", path, "")
		require.Equal(t, http.StatusNotFound, status, path)
		require.NotContains(t, body, "root", path)
	}
}

// TestConsole_Paths: the server shows the console at the addresses that its router knows.
func TestConsole_Paths(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("console/src/app.tsx")
	require.NoError(t, err)
	var routed []string
	for _, m := range regexp.MustCompile(`<Route path="([^"*]+)"`).FindAllStringSubmatch(string(source), -1) {
		path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(m[1], "{$1}")
		if path == "/" {
			path = "/{$}"
		}
		routed = append(routed, path)
	}
	require.ElementsMatch(t, web.ConsolePaths(), routed)
}

// TestPermissions: the vocabulary and the preview say what a token would be.
func TestPermissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	_, body, _ := o.ben.do("GET", "/api/v1/permissions", "", bearer(o.own))
	require.Contains(t, body, `{"name":"comments","verbs":["read","create"]}`)
	require.Contains(t, body, `"name":"ci-reporter"`)
	require.NotContains(t, body[strings.Index(body, `"own"`):], "members:manage", "ben is a member")
	preview := func(who *browser, access, ask string) (int, string) {
		status, body, _ := who.do("POST", "/api/v1/tokens/preview", ask, bearer(access))
		return status, strings.TrimSpace(body)
	}
	for _, c := range []struct {
		ask    string
		status int
		want   string
	}{
		{`{"permissions":{"issues":["read"]}}`, 200, `{"tools":[{"name":"get_issue","title":"Get issue","read_only":true,"tokens":120}],"tokens":120}`},
		{`{"permissions":{"issues":["read"],"deny":{"issues":["*"]}}}`, 200, `{"tools":[],"tokens":0}`},
		{`{"permissions":{},"role":"viewer"}`, 200, `{"tools":[],"tokens":0}`},
		{`{"permissions":{"issues":["fly"]}}`, 400, ""},
		{`{"permissions":{},"role":"king"}`, 400, ""},
		{`{"grants":{}}`, 400, ""},
	} {
		status, body := preview(o.ben, o.own, c.ask)
		require.Equal(t, c.status, status, c.ask+body)
		if c.want != "" {
			require.Equal(t, c.want, body)
		}
	}
}
