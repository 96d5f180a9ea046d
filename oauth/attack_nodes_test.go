package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// TestAttack066_069_AnyNode: each step of a connection may come to another node: what was
// registered, asked and shown at one is taken by the other, and a code or refresh token
// that was used at one is used for all.
func TestAttack066_069_AnyNode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nodes := [2]*httptest.Server{b.http, b.node(t, b.db.Reopen(t, storetest.Options{MaxConns: 4}))}
	token := func(node int, form url.Values) answer {
		return b.send(t, http.MethodPost, nodes[node].URL+"/oauth/token", form)
	}
	client := b.registerClient(t, "Agent", callback)

	asked := b.send(t, http.MethodGet, nodes[1].URL+"/oauth/authorize?"+b.asked(client).Encode(), nil)
	require.Equal(t, http.StatusOK, asked.status, asked.body)
	next := fields(asked.body)
	next.Set("tenant", "acme")
	page := b.send(t, http.MethodGet, nodes[0].URL+"/oauth/consent?"+next.Encode(), nil, as("ada@acme"))
	form := fields(page.body)
	form.Set("answer", "allow")
	form.Set("reach", "all")
	form["allow"] = checked(page.body)
	allowed := b.send(t, http.MethodPost, nodes[1].URL+"/oauth/consent", form, as("ada@acme"))
	require.Equal(t, http.StatusSeeOther, allowed.status, allowed.body)
	back, err := url.Parse(allowed.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, b.http.URL, back.Query().Get("iss"), "whichever node answers")

	code := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {back.Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {verifier}}
	first := token(0, code)
	require.Equal(t, http.StatusOK, first.status, first.body)
	renewal := func(a answer) url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {a.json(t)["refresh_token"].(string)}}
	}
	second := token(1, renewal(first))
	again := token(0, renewal(first))
	for _, secret := range []string{"access_token", "refresh_token"} {
		require.Equal(t, second.json(t)[secret], again.json(t)[secret], "a lost answer is given again by the other node")
	}
	third := token(0, renewal(second))
	require.Equal(t, http.StatusOK, third.status)
	requireError(t, "invalid_grant", token(1, renewal(first)))
	_, ok := b.principal(t, third.json(t)["access_token"].(string))
	require.False(t, ok, "the thief's try at one node ended it for all")
	requireError(t, "invalid_grant", token(0, renewal(third)))
	requireError(t, "invalid_grant", token(1, code))
}
