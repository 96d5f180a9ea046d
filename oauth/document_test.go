package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/oauth"
)

// documents serves client metadata documents over TLS, as clients' hosts do.
func documents(t *testing.T) (b *bundle, host *httptest.Server, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	mux := http.NewServeMux()
	host = httptest.NewTLSServer(mux)
	t.Cleanup(host.Close)
	serve := func(path, kind string, body func(id string) string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body(host.URL + path)))
		})
	}
	document := func(id string, more string) string {
		return `{"client_id":"` + id + `","client_name":"Cloud Agent","redirect_uris":["` + callback + `"]` + more + `}`
	}
	serve("/client.json", "application/json; charset=utf-8", func(id string) string { return document(id, "") })
	serve("/other-id", "application/json", func(string) string { return document("https://elsewhere.example/client", "") })
	serve("/html", "text/html", func(id string) string { return document(id, "") })
	serve("/not-json", "application/json", func(string) string { return "hello" })
	serve("/huge", "application/json", func(id string) string { return document(id, `,"x":"`+strings.Repeat("x", 70_000)+`"`) })
	serve("/secret", "application/json", func(id string) string { return document(id, `,"token_endpoint_auth_method":"client_secret_basic"`) })
	serve("/bad-redirect", "application/json", func(id string) string {
		return `{"client_id":"` + id + `","redirect_uris":["javascript:alert(1)"]}`
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/client.json", http.StatusFound) })
	mux.HandleFunc("/inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://10.0.0.1/client.json", http.StatusFound)
	})
	serve("/10-megabytes", "application/json", func(id string) string { return document(id, `,"x":"`+strings.Repeat("x", 10<<20)+`"`) })
	serve("/plain", "text/plain", func(id string) string { return document(id, "") })
	serve("/no-type", "", func(id string) string { return document(id, "") })
	serve("/case", "application/json", func(id string) string { return document(strings.ToUpper(id), "") })
	serve("/slash", "application/json", func(id string) string { return document(id+"/", "") })
	serve("/agent/", "application/json", func(id string) string { return document(id, "") })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	b = setup(t)
	client := host.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.fetch, b.http, b.oauth = client, nil, nil
	b.http = b.node(t, b.db.Store)
	return b, host, asked
}

func TestDocument(t *testing.T) {
	t.Parallel()
	b, host, asked := documents(t)
	id := host.URL + "/client.json"
	page := b.consentPage(t, "ada@acme", b.asked(id))
	require.Contains(t, page.body, "Cloud Agent")
	require.Contains(t, page.body, "127.0.0.1", "the host vouches for the name")
	a := b.redeem(t, id, b.allow(t, "ada@acme", b.asked(id)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.EqualValues(t, 1, asked.Load(), "a document is remembered for a while")
	require.Contains(t, b.consentPage(t, "ada@acme", b.asked(host.URL+"/agent/")).body, "Cloud Agent", "the slash is part of its id")
}

func TestDocument_Refused(t *testing.T) {
	t.Parallel()
	b, host, _ := documents(t)
	for _, id := range []string{
		host.URL + "/other-id", host.URL + "/html", host.URL + "/not-json", host.URL + "/huge", host.URL + "/secret", host.URL + "/bad-redirect",
		host.URL + "/moved", host.URL + "/inside", host.URL + "/10-megabytes", host.URL + "/plain", host.URL + "/no-type", host.URL + "/case", host.URL + "/slash", host.URL + "/gone", host.URL + "/", host.URL, strings.Replace(host.URL, "https", "http", 1) + "/client.json",
		host.URL + "/x/../client.json", host.URL + "/x/%2e%2e/client.json", host.URL + "/./client.json", host.URL + "/client.json#x", strings.Replace(host.URL, "https://", "https://user@", 1) + "/client.json",
		"https://127.0.0.1:1/client.json", "cfo_nonsense", "", "x", "https://" + strings.Repeat("x", 3000) + "/y",
	} {
		a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(id).Encode(), nil)
		require.Equal(t, http.StatusBadRequest, a.status, id)
		require.Empty(t, a.header.Get("Location"), "nobody is sent anywhere")
	}
}

// TestAttack071_SlowDocument: a host that keeps the document back, or gives it byte by byte,
// keeps nobody waiting: it is given up after five seconds, and the connection closed.
func TestAttack071_SlowDocument(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no answer": "", "no end": `{"client_id":"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			host := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body != "" {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(body))
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done() // as the client hangs up
				close(gone)
			}))
			t.Cleanup(host.Close)
			b := setup(t)
			b.fetch, b.http, b.oauth = host.Client(), nil, nil
			b.http = b.node(t, b.db.Store)
			a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(host.URL+"/client.json").Encode(), nil)
			require.Equal(t, http.StatusBadRequest, a.status)
			require.Empty(t, a.header.Get("Location"))
			<-gone
		})
	}
}

func FuzzRegister(f *testing.F) {
	for _, seed := range []string{`{"client_name":"x","redirect_uris":["https://a.example/cb"]}`, `{}`, `{"redirect_uris":["http://127.0.0.1:1/"]}`, `[`, `{"redirect_uris":["cursor://x/y"]}`} {
		f.Add(seed)
	}
	server := oauth.NewForTest(f)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/oauth/register", strings.NewReader(body)))
		var answer struct {
			ID           string   `json:"client_id"`
			RedirectURIs []string `json:"redirect_uris"`
			Error        string
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		require.Equal(t, w.Code == http.StatusCreated, answer.ID != "" && answer.Error == "")
		for _, uri := range answer.RedirectURIs {
			u, err := url.Parse(uri)
			require.NoError(t, err)
			require.Contains(t, []string{"https", "http", "cursor", "vscode", "vscode-insiders"}, u.Scheme)
			require.NotEmpty(t, u.Host)
			require.Nil(t, u.User)
		}
	})
}
