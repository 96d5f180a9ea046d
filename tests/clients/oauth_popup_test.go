package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tests/program"
)

// TestOAuthPopup: a client on the web asks in a popup, and its callback leads on to another
// origin, as those of hosted agents lead to their applications. The popup reaches its end,
// and can still tell the page that opened it.
func TestOAuthPopup(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	serve := func(answer http.HandlerFunc) string {
		s := httptest.NewServer(answer)
		t.Cleanup(s.Close)
		return s.URL
	}
	application := serve(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<p>Connected.</p><script>opener.postMessage("connected", "*")</script>`)
	})
	agent := serve(func(w http.ResponseWriter, hr *http.Request) {
		if strings.HasPrefix(hr.URL.Path, "/callback") {
			http.Redirect(w, hr, application+"/?"+hr.URL.RawQuery, http.StatusTemporaryRedirect)
			return
		}
		_, _ = fmt.Fprint(w, `<script>onmessage = told => { document.title = "told " + told.data }</script>`)
	})

	res, err := http.Post(r.url+"/oauth/register", "application/json", bytes.NewReader(mustJSON(t, args{"client_name": "On the web", "redirect_uris": []string{agent + "/callback"}})))
	require.NoError(t, err)
	var registered struct {
		ID string `json:"client_id"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&registered))
	require.NoError(t, res.Body.Close())
	challenge := sha256.Sum256([]byte(strings.Repeat("v", 43)))
	asks := r.url + "/oauth/authorize?" + url.Values{"response_type": {"code"}, "client_id": {registered.ID}, "redirect_uri": {agent + "/callback"}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}}.Encode()

	cmd := exec.CommandContext(t.Context(), r.browser(t, person{Answer: "Allow", Opener: agent}), asks)
	cmd.Env = append(cmd.Environ(), "COLAFLOW_CHROMIUM="+program.Chromium(t))
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Run())
	ada := r.saw(t, 1)[0]
	require.False(t, ada.Lost, "the page that opened it would take the popup for closed")
	require.False(t, ada.Wide, "the popup is as narrow as a phone")
	require.False(t, ada.Offered, "who ticks a project means that one alone")
	require.Equal(t, "Connected.", ada.Landed)
	require.Contains(t, ada.Back, application)
	require.Contains(t, ada.Back, "code=")
}
