package mcpserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
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

// TestAttack044_Constraints breaks rules that only the database knows of.
func TestAttack044_Constraints(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "Taken")
	c := b.client(t, acme.FullToken(t))
	const raises = `create function hunter2() returns trigger language plpgsql as $$ begin raise exception 'hunter2 at postgres://db.internal' using errcode = '%s', hint = 'select 1', detail = 'relation issues'; end $$;
		create trigger hunter2 before insert on issues for each row execute function hunter2()`
	for name, rule := range map[string]struct{ made, dropped string }{
		"check":            {"alter table issues add constraint hunter2 check (title <> 'Taken') not valid", "alter table issues drop constraint hunter2"},
		"unique":           {"create unique index hunter2 on issues (tenant_id, title)", "drop index hunter2"},
		"exclusion":        {"alter table issues add constraint hunter2 exclude (title with =)", "alter table issues drop constraint hunter2"},
		"foreign key":      {"alter table issues add constraint hunter2 foreign key (tenant_id, title) references projects (tenant_id, key) not valid", "alter table issues drop constraint hunter2"},
		"not null":         {"alter table issues add column hunter2 text; update issues set hunter2 = ''; alter table issues alter hunter2 set not null", "alter table issues drop column hunter2"},
		"trigger":          {fmt.Sprintf(raises, "P0001"), "drop function hunter2 cascade"},
		"division by zero": {fmt.Sprintf(raises, "22012"), "drop function hunter2 cascade"},
		"too long":         {fmt.Sprintf(raises, "22001"), "drop function hunter2 cascade"},
		"disk full":        {fmt.Sprintf(raises, "53100"), "drop function hunter2 cascade"},
		"read only":        {fmt.Sprintf(raises, "25006"), "drop function hunter2 cascade"},
		"privilege":        {fmt.Sprintf(raises, "42501"), "drop function hunter2 cascade"},
		"corrupt":          {fmt.Sprintf(raises, "XX001"), "drop function hunter2 cascade"},
	} {
		b.exec(t, rule.made)
		a := c.post(callBody("create_issue", `{"project":"WEB","title":"Taken"}`))
		require.Regexp(t, `"isError":true|"error"`, a.body, name)
		requireNoInternals(t, a.body)
		b.exec(t, rule.dropped)
	}
	require.Equal(t, "WEB-2", c.ok("create_issue", args{"project": "WEB", "title": "Taken"})["key"], "none of them left anything")
}

// TestAttack044_PanicBesideTheHandlers: what breaks on the way to a handler, or after it, is
// as generic, and takes no room from the calls that follow.
func TestAttack044_PanicBesideTheHandlers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	var breaks atomic.Bool
	account := tenancy.NewBudget(1 << 20)
	s, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, Limits: func(string) tenancy.Limits { return tenancy.Limits{Concurrent: 2} },
		Budget: budgets{acme.ID: account}.of,
		Record: func(ctx context.Context, row store.AuditRow) error {
			if breaks.Load() {
				panic("hunter2 select from tokens")
			}
			return b.db.Record(ctx, row)
		}})
	c := &client{t: t, url: h.URL, token: acme.FullToken(t)}
	for range 5 { // more than may run at once
		breaks.Store(true)
		for _, body := range []string{ping, listTools, callBody("get_me", `{}`), callBody("list_projects", `{}`), callBody("no_such_tool", `{}`)} {
			a := c.post(body)
			require.Equal(t, http.StatusInternalServerError, a.status, body)
			require.Regexp(t, `Internal error, request [0-9a-f]{16}\.`, a.body)
			requireNoInternals(t, a.body)
			var out strings.Builder
			require.NoError(t, s.ServeStdio(t.Context(), strings.NewReader(body+"\n"), &out, c.token, mcpserver.Narrowing{}))
			require.Regexp(t, `"message":"Internal error, request [0-9a-f]{16}\."`, out.String())
			requireNoInternals(t, out.String())
		}
		breaks.Store(false)
		c.ok("get_me", nil)
	}
	require.Zero(t, account.Used(), "everything was given back")
	require.Contains(t, b.log.String(), "hunter2")
}

// TestAttack044_EverySurface asks by everything but tools, while the database refuses its
// tables: each answer is a plain sentence with a number, by which the log tells why.
func TestAttack044_EverySurface(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	c := b.client(t, acme.FullToken(t))
	s := b.stdio(t.Context(), t, c.token)
	b.exec(t, "revoke select on projects, issues from colaflow_app")
	for name, message := range map[string]string{
		"tool":       callBody("get_project", `{"project":"WEB"}`),
		"write":      callBody("update_issue", `{"key":"WEB-1","title":"x"}`),
		"prompt":     `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"standup","arguments":{"project":"WEB"}}}`,
		"completion": `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"standup"},"argument":{"name":"project","value":""}}}`,
		"resource":   `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"colaflow://projects/WEB"}}`,
		"resources":  `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`,
		"subscribe":  `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"colaflow://projects/WEB"}}`,
		"listen":     listenBody("1", "colaflow://projects/WEB"),
	} {
		answers := map[string]string{"stdio": s.send(message)}
		switch name {
		case "subscribe": // only there
		case "listen":
			answers["HTTP"] = c.listen([]string{"colaflow://projects/WEB"}).body
		default:
			answers["HTTP"] = c.post(message).body
		}
		for way, answer := range answers {
			told := regexp.MustCompile(`Internal error, request ([0-9a-f]{16})\.`).FindStringSubmatch(answer)
			require.NotNil(t, told, "%s over %s: %s", name, way, answer)
			requireNoInternals(t, answer)
			require.Regexp(t, `level=ERROR .*request=`+told[1]+` .*42501`, b.log.String(), "%s over %s", name, way)
		}
	}
}

func requireNoInternals(t *testing.T, text string) {
	t.Helper()
	require.NotRegexp(t, `(?i)hunter2|postgres|select |insert |sqlstate|permission denied|relation|column|\.go|goroutine|runtime|/srv|/tmp|panic|pgx|colaflow_app`, text)
}
