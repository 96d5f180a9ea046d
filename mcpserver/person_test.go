package mcpserver_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// person is a signed-in member as another surface hands them over.
func person(t tenancy.Tenant, m tenancy.Member) tenancy.Principal {
	return tenancy.Principal{TenantID: t.ID, TenantSlug: t.Slug, Plan: t.Plan, MemberID: m.ID, MemberName: m.Name, MemberEmail: m.Email, Role: m.Role,
		Epoch: 1, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}, Permissions: m.Role.Permissions()}
}

// TestCallAs: a member works with the same catalogue, under their role, in their tenant,
// and the audit names them.
func TestCallAs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	acme.Project(t, "WEB", "Website")
	beta.Issues(t, beta.Project(t, "SEC", "Secret"), "Hidden")
	ben, request := person(acme.Tenant, acme.Ben), tenancy.Request{ID: "0123", ClientIP: "192.0.2.1"}
	call := func(p tenancy.Principal, tool, arguments string) (json.RawMessage, error) {
		answer, err := b.mcp.CallAs(request.In(t.Context()), p, mcpserver.PersonCall{Tool: tool, Arguments: json.RawMessage(arguments), Client: "console"})
		require.Nil(t, answer.File)
		return answer.Data, err
	}
	made, err := call(ben, "create_issue", `{"project":"WEB","title":"By a person"}`)
	require.NoError(t, err)
	require.Contains(t, string(made), `"key":"WEB-1"`)
	found, err := call(ben, "search_issues", `{}`)
	require.NoError(t, err)
	require.Contains(t, string(found), `"total":1`)
	_, err = call(ben, "get_issue", `{"keys":"SEC-1"}`)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	_, err = call(ben, "search_audit_log", ``)
	require.ErrorContains(t, err, "Your role, member, lacks audit:read")
	for _, bad := range []string{`{`, `[]`, `{"a":1,"a":2}`, `{"nonsense":1}`} {
		_, err = call(ben, "search_issues", bad)
		require.Error(t, err, bad)
	}
	for _, more := range []string{``, `,"dry_run":true`} {
		_, err = call(ben, "create_issue", `{"project":"WEB","title":"Once","idempotency_key":"k"`+more+`}`)
		require.Equal(t, tenancy.UnknownArgument, tenancy.CodeOf(err), "what has no effect is refused by name")
		require.ErrorContains(t, err, "idempotency_key")
	}
	_, err = call(ben, "no_such_tool", ``)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))

	var rows []store.AuditRow
	acme.Read(t, store.AuditRows(store.AuditFilter{Tool: "create_issue", Decision: store.Allowed, Limit: 5}, &rows, nil))
	require.Len(t, rows, 1)
	require.Nil(t, rows[0].TokenID)
	require.Equal(t, acme.Ben.ID, *rows[0].MemberID)
	require.Equal(t, "ben@acme.test", rows[0].Actor)
	require.Equal(t, request, tenancy.Request{ID: rows[0].RequestID, ClientIP: rows[0].ClientIP})

	_, err = b.db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
	require.NoError(t, err)
	_, err = call(ben, "search_issues", `{}`)
	require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err), "deactivation is in force at once")
	acme.Read(t, store.AuditRows(store.AuditFilter{Decision: store.Denied, Oldest: true, Limit: 5}, &rows, nil))
	require.Len(t, rows, 2, "attack case 94: so is everything that was denied")
	require.Equal(t, []string{"search_audit_log", "search_issues"}, []string{rows[0].Tool, rows[1].Tool})
	require.Equal(t, "unauthenticated", rows[1].Code)
}

// TestCallAs_Viewer: the role is asked for every tool of the catalogue.
func TestCallAs_Viewer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	_, err := b.db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleViewer)
	require.NoError(t, err)
	viewer := acme.Ben
	viewer.Role = tenancy.RoleViewer
	p := person(acme.Tenant, viewer)
	p.Epoch = 2
	for _, tool := range mcpserver.Catalogue() {
		_, err := b.mcp.CallAs(t.Context(), p, mcpserver.PersonCall{Tool: tool.Name, Arguments: json.RawMessage(`{"nonsense":1}`)})
		allowed := tool.Permission == nil || tenancy.RoleViewer.Permissions().Has(*tool.Permission)
		require.Equal(t, allowed, tenancy.CodeOf(err) != tenancy.Forbidden, "%s: %v", tool.Name, err)
	}
}
