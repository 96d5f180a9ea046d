package web_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// TestInvite: an admin invites somebody and makes the link they come in by; nobody makes
// one for a role above their own, or that of another tenant's member.
func TestInvite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	status, body, _ := acme.ada.do("POST", "/api/v1/members", `{"email":"cy@acme.test","name":"Cy","role":"admin"}`, bearer(acme.admin))
	require.Equal(t, http.StatusOK, status, body)
	var m tenancy.Member
	require.NoError(t, json.Unmarshal([]byte(body), &m))
	require.Equal(t, tenancy.MemberInvited, m.State)
	link := func(br *browser, id, access string) (int, string) {
		status, body, _ := br.do("POST", "/api/v1/members/"+id+"/signin-link", "", bearer(access))
		return status, body
	}
	status, body = link(acme.ada, m.ID.String(), acme.admin)
	require.Equal(t, http.StatusOK, status, body)
	var answer struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	u, err := url.Parse(answer.URL)
	require.NoError(t, err)
	cy := b.browser(t, "acme.colaflow.test")
	status, _, _ = cy.do("POST", "/signin/link?tenant=acme", url.Values{"ticket": {u.Query().Get("ticket")}}.Encode())
	require.Equal(t, http.StatusSeeOther, status)
	access := cy.refresh("acme")
	require.Equal(t, "admin", cy.me("acme").Role)

	for why, tc := range map[string]struct {
		id   string
		want int
	}{
		"an owner, by an admin":  {acme.acme.Ada.ID.String(), http.StatusForbidden},
		"of another tenant":      {globex.acme.Ben.ID.String(), http.StatusNotFound},
		"one who does not exist": {tenancy.NewID().String(), http.StatusNotFound},
	} {
		status, body := link(cy, tc.id, access)
		require.Equal(t, tc.want, status, "%s: %s", why, body)
	}
	status, _ = link(acme.ben, m.ID.String(), acme.own)
	require.Equal(t, http.StatusForbidden, status)
	for _, bad := range []string{`{"email":"nonsense","role":"viewer"}`, `{"email":"x@acme.test"}`, `{"email":"x@acme.test","role":"king"}`, `{"email":"cy@acme.test","role":"viewer"}`} {
		status, body, _ := acme.ada.do("POST", "/api/v1/members", bad, bearer(acme.admin))
		require.Contains(t, []int{http.StatusBadRequest, http.StatusConflict}, status, body)
	}
	status, body, _ = cy.do("POST", "/api/v1/members", `{"email":"boss@acme.test","role":"owner"}`, bearer(access))
	require.Equal(t, http.StatusForbidden, status, body)
}

// TestExport: an owner takes all data along, and nobody else.
func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := newOffice(t, b, "acme")
	status, body, _ := acme.ben.do("GET", "/api/v1/export", "", bearer(acme.own))
	require.Equal(t, http.StatusForbidden, status, body)
	status, body, h := acme.ada.do("GET", "/api/v1/export", "", bearer(acme.admin))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, `attachment; filename="acme.zip"`, h.Get("Content-Disposition"))
	archive, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, f := range archive.File {
		names[f.Name] = true
	}
	require.True(t, names["manifest.json"] && names["members.jsonl"], "%v", names)
}
