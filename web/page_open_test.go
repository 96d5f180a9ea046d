package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOpenOwnPage opens a page in the console, for members of its tenant alone.
func TestOpenOwnPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	page := "/p/" + acme.page.ID.String()
	status, body, _ := acme.ben.do("GET", page, "")
	require.Equal(t, http.StatusNotFound, status, "nobody has opened it")
	status, body, h := acme.ben.do("POST", "/api/v1/pages/"+acme.page.ID.String()+"/open", "", bearer(acme.own))
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"url":"`+page+`?tenant=acme"}`, body)
	cookie := h.Get("Set-Cookie")
	for _, part := range []string{"cf_page=", "Path=" + page, "HttpOnly", "SameSite=Lax"} {
		require.Contains(t, cookie, part)
	}
	value, _, _ := strings.Cut(cookie, ";")
	shown := func(r *http.Request) { r.Header.Set("Cookie", value) }
	status, body, _ = acme.ben.do("GET", page, "", shown)
	require.Equal(t, http.StatusOK, status, body)
	status, _, _ = globex.ben.do("GET", page, "", shown)
	require.Equal(t, http.StatusNotFound, status, "not at another tenant's address")
	status, _, _ = acme.ben.do("GET", "/p/"+globex.page.ID.String(), "", shown)
	require.Equal(t, http.StatusNotFound, status, "and no other page")

	status, body, h = globex.ada.do("POST", "/api/v1/pages/"+acme.page.ID.String()+"/open", "", bearer(globex.admin))
	require.Equal(t, http.StatusNotFound, status, body)
	require.Empty(t, h.Get("Set-Cookie"))
}
