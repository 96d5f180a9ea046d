package clients

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// startProxy starts a reverse proxy, and returns its address and what tells it where to pass
// requests on to. It has a connection of its own for each of them, and reads it whole before:
// nothing of other tests, or of a client that is still sending, can cut an answer off.
func startProxy(t *testing.T, edit func(*httputil.ProxyRequest), seen func(*http.Response)) (address string, leadTo func(server string)) {
	t.Helper()
	var target *url.URL
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
			if body, err := io.ReadAll(p.In.Body); err == nil && len(body) > 0 {
				p.Out.Body = io.NopCloser(bytes.NewReader(body))
			}
			edit(p)
		},
		ModifyResponse: func(res *http.Response) error { seen(res); return nil }})
	t.Cleanup(proxy.Close)
	return proxy.URL, func(server string) {
		var err error
		target, err = url.Parse(server)
		require.NoError(t, err)
		target.Path = ""
	}
}
