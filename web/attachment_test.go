package web_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSendAttachment gives a file to be kept, whatever is in it, to members of its tenant.
func TestSendAttachment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	status, body, h := acme.ben.do("GET", "/api/v1/attachments/"+fileOf("acme"), "", bearer(acme.own))
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "<script>alert(1)</script>", body)
	for name, want := range map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Content-Disposition": "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.html.txt", "Content-Length": "25",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox"} {
		require.Equal(t, want, h.Get(name), name)
	}
	status, unknown, _ := acme.ben.do("GET", "/api/v1/attachments/019a0000-0000-7000-8000-000000000000", "", bearer(acme.own))
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, `{"error":"not_found","message":"There is no such attachment."}`, unknown)
	for _, id := range []string{"nonsense", "..%2F..%2Fme", "%00"} {
		status, body, _ = acme.ben.do("GET", "/api/v1/attachments/"+id, "", bearer(acme.own))
		require.Equal(t, http.StatusNotFound, status, id)
		require.Equal(t, unknown, body, id)
	}
	status, body, _ = globex.ada.do("GET", "/api/v1/attachments/"+fileOf("acme"), "", bearer(globex.admin))
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, unknown, body, "as if there were none")
	status, _, _ = acme.ben.do("GET", "/api/v1/attachments/"+fileOf("acme"), "")
	require.Equal(t, http.StatusUnauthorized, status)
}
