package mcpserver_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// TestAttack044_NothingInternalGetsOut breaks a handler in every way, and the
// database beneath it.
func TestAttack044_NothingInternalGetsOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	c := b.client(t, acme.FullToken(t))
	secret := "postgres://colaflow_app:hunter2@db.internal:5432/prod select * from tokens /srv/colaflow/secret.go"
	for name, broken := range map[string]func(context.Context, *mcpserver.Call) error{
		"error": func(context.Context, *mcpserver.Call) error { return errors.New(secret) },
		"panic": func(context.Context, *mcpserver.Call) error { panic(secret) },
		"nil pointer": func(context.Context, *mcpserver.Call) error {
			var p *tenancy.Principal
			return errors.New(p.TenantSlug)
		},
		"wrapped": func(context.Context, *mcpserver.Call) error {
			return fmt.Errorf("%s: %w", secret, tenancy.Errorf(tenancy.NotFound, "Plain words."))
		},
	} {
		for tool, arguments := range map[string]args{"get_me": nil, "create_issue": {"project": "WEB", "title": "Broken"}} {
			b.mcp.Hook(tool, broken)
			r := c.call(tool, arguments)
			require.True(t, r.isError)
			if name == "wrapped" {
				require.Equal(t, "not_found: Plain words.", r.text)
			} else {
				require.Regexp(t, `^internal: Internal error, request [0-9a-f]{16}\. `, r.text, name)
			}
			requireNoInternals(t, r.text)
		}
	}
	for _, tool := range []string{"get_me", "create_issue"} {
		b.mcp.Hook(tool, func(context.Context, *mcpserver.Call) error { return nil })
	}
	require.NotContains(t, b.db.Dump(t), "hunter2")
	require.Contains(t, b.log.String(), "hunter2", "the log has the detail")
	require.NotContains(t, b.db.Dump(t, "audit_log"), "Broken")

	b.exec(t, "revoke select on issues from colaflow_app")
	b.exec(t, "alter table comments drop column body cascade")
	for tool, arguments := range map[string]args{"get_issue": {"keys": "WEB-1"}, "search_issues": {}, "update_issue": {"key": "WEB-1", "title": "x"},
		"list_activity": {}} {
		r := c.call(tool, arguments)
		require.True(t, r.isError, tool)
		require.Regexp(t, `^internal: `, r.text, tool)
		requireNoInternals(t, r.text)
	}
	_, rpcError := c.read("colaflow://issues/WEB-1")
	require.Contains(t, rpcError, "Internal error, request")
	requireNoInternals(t, rpcError)
	b.exec(t, "revoke insert on audit_log from colaflow_app")
	res := c.post(callBody("list_projects", `{}`))
	requireNoInternals(t, res.body)
	require.NotContains(t, res.body, "WEB", "no answer without its audit row")
}

func requireNoInternals(t *testing.T, text string) {
	t.Helper()
	require.NotRegexp(t, `(?i)hunter2|postgres|select |insert |sqlstate|permission denied|relation|column|\.go|goroutine|runtime|/srv|/tmp|panic|pgx|colaflow_app`, text)
}
