package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// TestReportPage goes the whole way: an agent asks for a page, a person opens its
// link with a click, once, and reloads it.
func TestReportPage(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0")
	status, body := s.post(t, acme.FullToken(t), `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_report","arguments":{"type":"workload","page":true}}}`)
	require.Equal(t, http.StatusOK, status)
	var answer struct {
		Result struct {
			StructuredContent struct{ Page struct{ Link string } }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	link := answer.Result.StructuredContent.Page.Link
	require.True(t, strings.HasPrefix(link, s.url+"/p/"), body)

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	person := &http.Client{Jar: jar}
	read := func(res *http.Response, err error) (int, string, http.Header) {
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		data, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(data), res.Header
	}
	for range 2 { // looking spends nothing
		status, text, _ := read(person.Get(link))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, text, "Workload: WEB")
		require.NotContains(t, text, "2 issues open")
	}
	at, err := url.Parse(link)
	require.NoError(t, err)
	ticket := url.Values{"ticket": {at.Query().Get("ticket")}}
	status, text, header := read(person.PostForm(s.url+at.Path+"?tenant=acme", ticket))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "2 issues open")
	require.Contains(t, text, "<svg ")
	require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	status, text, _ = read(person.Get(s.url + at.Path + "?tenant=acme"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "2 issues open", "reloaded")
	status, text, _ = read(http.PostForm(s.url+at.Path+"?tenant=acme", ticket))
	require.Equal(t, http.StatusGone, status)
	require.NotContains(t, text, "issues open")
}
