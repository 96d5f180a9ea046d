package oauth_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
)

// TestAttack071_MetadataDocuments asks for documents through the guard that the program
// fetches them with: nothing reaches this machine or a private network. What a document
// may say is in TestDocument_Refused.
func TestAttack071_MetadataDocuments(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	inside := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	inside.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			reached.Add(1)
		}
	}
	inside.StartTLS()
	t.Cleanup(inside.Close)
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	require.NoError(t, err)
	b := setup(t)
	b.fetch, b.http, b.oauth = sso.Reach{}.Client(), nil, nil
	b.http = b.node(t, b.db.Store)
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]",
		"2130706433", "0x7f.1"} {
		for _, id := range []string{"https://" + host + ":" + port + "/client.json", "https://" + host + "/client.json", "http://" + host + ":" + port + "/client.json"} {
			a := b.send(t, http.MethodGet, "/oauth/authorize?"+b.asked(id).Encode(), nil)
			require.Equal(t, http.StatusBadRequest, a.status, id)
			require.Empty(t, a.header.Get("Location"), id)
			require.NotContains(t, a.body, "refused", "nothing tells what is inside: %s", id)
		}
	}
	require.Zero(t, reached.Load())
	res, err := inside.Client().Get(inside.URL)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.EqualValues(t, 1, reached.Load(), "it would have been noticed")
}

// TestAttack071_NoRedirect: a public host cannot lead the guard's client on, not even to
// where it may go.
func TestAttack071_NoRedirect(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	t.Cleanup(host.Close)
	res, err := sso.Reach{Loopback: true}.Client().Get(host.URL)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusFound, res.StatusCode)
	require.EqualValues(t, 1, asked.Load())

	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("x", 10<<20)))
	}))
	t.Cleanup(large.Close)
	_, err = sso.Reach{Loopback: true}.Client().Get(large.URL)
	require.Error(t, err, "10 MB are not read")
}
