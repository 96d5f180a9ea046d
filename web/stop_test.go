package web_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

// TestStopTenant lets an owner suspend and delete their own tenant, and nobody else, and
// not by mistake.
func TestStopTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	const path = "/api/v1/settings/state"
	for _, test := range []struct {
		name, body string
		br         *browser
		access     string
		want       int
	}{
		{"a member", `{"state":"deleted","confirm":"acme"}`, acme.ben, acme.own, http.StatusForbidden},
		{"an owner of another tenant, here", `{"state":"deleted","confirm":"acme"}`, acme.ada, globex.admin, http.StatusForbidden},
		{"an owner of another tenant, at home", `{"state":"deleted","confirm":"acme"}`, globex.ada, globex.admin, http.StatusBadRequest},
		{"no confirmation", `{"state":"deleted"}`, acme.ada, acme.admin, http.StatusBadRequest},
		{"another confirmation", `{"state":"deleted","confirm":"ACME"}`, acme.ada, acme.admin, http.StatusBadRequest},
		{"another state", `{"state":"active","confirm":"acme"}`, acme.ada, acme.admin, http.StatusBadRequest},
	} {
		status, body, _ := test.br.do("PUT", path, test.body, bearer(test.access))
		require.Equal(t, test.want, status, "%s: %s", test.name, body)
	}
	state := func(slug string) tenancy.TenantState {
		found, err := b.db.AnyTenant(t.Context(), slug)
		require.NoError(t, err)
		return found.State
	}
	require.Equal(t, tenancy.TenantActive, state("acme"))

	status, body, _ := acme.ada.do("PUT", path, `{"state":"suspended","confirm":"acme"}`, bearer(acme.admin))
	require.Equal(t, http.StatusNoContent, status, body)
	require.Equal(t, tenancy.TenantSuspended, state("acme"))
	status, body, _ = acme.ada.do("GET", "/api/v1/members", "", bearer(acme.admin))
	require.Equal(t, http.StatusForbidden, status, body)
	require.Contains(t, body, "tenant_suspended")
	require.Equal(t, tenancy.TenantActive, state("globex"))
	_, body, _ = acme.ada.do("GET", "/api/v1/tenant", "")
	require.JSONEq(t, `{"slug":"acme","sign_in":["link"],"providers":[]}`, body, "it looks like one that never was")

	status, body, _ = globex.ada.do("PUT", path, `{"state":"deleted","confirm":"globex"}`, bearer(globex.admin))
	require.Equal(t, http.StatusNoContent, status, body)
	found, err := b.db.AnyTenant(t.Context(), "globex")
	require.NoError(t, err)
	require.Equal(t, tenancy.TenantDeleted, found.State)
	require.NotNil(t, found.DeleteAfter, "it can be taken back")
	back, err := b.db.ResumeTenant(t.Context(), "globex", "test")
	require.NoError(t, err)
	require.Equal(t, tenancy.TenantActive, back.State)
}

// TestStopTenant_Admin refuses an admin, and an owner who is one no more.
func TestStopTenant_Admin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	body := `{"state":"suspended","confirm":"acme"}`
	status, answer, _ := o.ada.do("PATCH", "/api/v1/members/"+o.acme.Ben.ID.String(), `{"role":"admin"}`, bearer(o.admin))
	require.Equal(t, http.StatusOK, status, answer)
	admin := o.ben.signIn(o.acme.Tenant, o.acme.Ben)
	status, answer, _ = o.ben.do("PUT", "/api/v1/settings/state", body, bearer(admin))
	require.Equal(t, http.StatusForbidden, status, answer)
	require.Contains(t, answer, "Only an owner")

	_, err := b.db.Admin(t).Exec(t.Context(), `update members set role = 'member', epoch = epoch + 1 where id = $1`, o.acme.Ada.ID)
	require.NoError(t, err)
	status, answer, _ = o.ada.do("PUT", "/api/v1/settings/state", body, bearer(o.admin))
	require.Equal(t, http.StatusUnauthorized, status, answer)
	found, err := b.db.AnyTenant(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, tenancy.TenantActive, found.State)
}
