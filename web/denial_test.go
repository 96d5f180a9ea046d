package web_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

// roleOf is who may use each operation that asks for an access token: this role and
// those above. TestAttack094_DeniedByRole holds it against the routes.
var roleOf = map[tenancy.Role][]string{
	tenancy.RoleViewer: {"GET /api/v1/me", "GET /api/v1/sessions", "DELETE /api/v1/sessions", "DELETE /api/v1/sessions/{id}", "GET /api/v1/tokens",
		"POST /api/v1/tokens", "GET /api/v1/permissions", "POST /api/v1/tokens/preview", "GET /api/v1/tokens/{id}", "PATCH /api/v1/tokens/{id}",
		"DELETE /api/v1/tokens/{id}", "POST /api/v1/tokens/{id}/rotate", "GET /api/v1/members", "GET /api/v1/pages", "POST /api/v1/pages/{id}/open", "GET /api/v1/attachments/{id}",
		"POST /api/v1/tools/{name}"},
	tenancy.RoleAdmin: {"POST /api/v1/tokens/{id}/explain", "POST /api/v1/members", "PATCH /api/v1/members/{id}", "POST /api/v1/members/{id}/signin-link",
		"GET /api/v1/audit", "GET /api/v1/audit/verification", "GET /api/v1/settings", "POST /api/v1/settings/rotate-keys", "GET /api/v1/sso",
		"PATCH /api/v1/sso", "PUT /api/v1/sso/{name}", "PATCH /api/v1/sso/{name}", "DELETE /api/v1/sso/{name}/accounts/{member}",
		"DELETE /api/v1/sso/{name}", "POST /api/v1/sso/{name}/check", "DELETE /api/v1/pages/{id}"},
	tenancy.RoleOwner: {"PUT /api/v1/settings/state", "GET /api/v1/export"},
}

// as signs an access token for a new member of a role.
func (o *office) as(t *testing.T, role tenancy.Role) (access string, m tenancy.Member) {
	t.Helper()
	m = tenancy.Member{ID: tenancy.NewID(), Role: role, State: tenancy.MemberActive, CreatedAt: storetest.Now}
	m.Handle = "m" + m.ID.String()[:13]
	m.Email = m.Handle + "@acme.test"
	o.acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{m})) })
	access, err := o.app(t, o.acme.Tenant).Sign(t.Context(), tenancy.KindSession, m.ID.String(), web.SessionLife,
		tenancy.Claims{Email: m.Email, Role: role, MemberEpoch: 1, SessionID: o.acme.Ben.ID.String()})
	require.NoError(t, err)
	return access, m
}

// denials lists the rows of what was denied, the oldest first.
func (o *office) denials(t *testing.T) (rows []store.AuditRow) {
	t.Helper()
	o.acme.Read(t, store.AuditRows(store.AuditFilter{Decision: store.Denied, Oldest: true, Limit: 200}, &rows, nil))
	return rows
}

// TestAttack094_DeniedByRole calls every operation as everybody whose role is too low: it
// leaves exactly one row, committed before the answer; what is not denied leaves none.
func TestAttack094_DeniedByRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	o.works(t)
	api, known, seen := readOpenAPI(t), []string{}, 0
	for _, names := range roleOf {
		known = append(known, names...)
	}
	asked := []string{}
	for _, r := range b.web.Routes() {
		if !isPublic(api.Paths[r.Path][strings.ToLower(r.Method)]) {
			asked = append(asked, r.Method+" "+r.Path)
		}
	}
	require.ElementsMatch(t, asked, known, "an operation belongs to a role")
	for _, role := range []tenancy.Role{tenancy.RoleViewer, tenancy.RoleMember, tenancy.RoleAdmin} {
		access, m := o.as(t, role)
		for least, names := range roleOf {
			for _, name := range names {
				method, path, _ := strings.Cut(name, " ")
				if !least.Exceeds(role) && method != http.MethodGet {
					continue
				}
				status, body, _ := o.ben.do(method, fillPath(path, o.ids()), bodies[name], bearer(access))
				require.Equal(t, least.Exceeds(role), status == http.StatusForbidden, "%s as %s: %s", name, role, body)
				rows := o.denials(t)
				if status != http.StatusForbidden {
					require.Len(t, rows, seen, "%s as %s", name, role)
					continue
				}
				seen++
				require.Len(t, rows, seen, "%s as %s", name, role)
				row := rows[seen-1]
				require.Equal(t, name, row.Method)
				require.Equal(t, m.ID, *row.MemberID)
				require.Equal(t, []string{m.Email, "call", "forbidden", "127.0.0.1", "console"}, []string{row.Actor, row.Kind, row.Code, row.ClientIP, row.Client}, name)
				require.Nil(t, row.TokenID)
				require.Equal(t, 1, row.Repeats)
				require.Contains(t, body, row.Rule)
				require.JSONEq(t, `{"session":"`+o.acme.Ben.ID.String()+`"}`, string(row.Args))
				if strings.Contains(path, "{id}") {
					require.Contains(t, fillPath(path, o.ids()), row.Target)
				}
			}
		}
	}
	require.Equal(t, 2*(len(roleOf[tenancy.RoleAdmin])+len(roleOf[tenancy.RoleOwner]))+len(roleOf[tenancy.RoleOwner]), seen)
	report, err := b.db.VerifyAudit(t.Context(), o.acme.Scope(), store.AuditHead{})
	require.NoError(t, err)
	require.True(t, report.OK(), report.Findings)
}

// TestAttack094_DeniedByTheData: what the database refuses, or the address, or a limit,
// leaves its row too.
func TestAttack094_DeniedByTheData(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	b.db.Tenant(t, "globex")
	o.works(t)
	_, err := b.db.Admin(t).Exec(t.Context(), `update sso_providers set ceiling = 'owner'`)
	require.NoError(t, err)
	ada := o.acme.Ada.ID.String()
	for _, c := range []struct {
		role         tenancy.Role
		call, body   string
		status       int
		method, rule string
	}{
		{tenancy.RoleViewer, "POST /api/v1/tokens", `{"name":"x","permissions":{"issues":["create"]}}`, 403, "", "You do not have issues:create yourself"},
		{tenancy.RoleMember, "POST /api/v1/tokens", `{"name":"x","service":true,"role":"viewer","permissions":{}}`, 403, "", "Only an admin may manage the tokens of others."},
		{tenancy.RoleAdmin, "POST /api/v1/tokens", `{"name":"x","service":true,"role":"owner","permissions":{}}`, 403, "", "Role owner is above your own"},
		{tenancy.RoleAdmin, "POST /api/v1/members", `{"email":"new@acme.test","role":"owner"}`, 403, "", "Role owner is above your own"},
		{tenancy.RoleAdmin, "PATCH /api/v1/members/" + ada, `{"role":"viewer"}`, 403, "PATCH /api/v1/members/{id}", "Role owner is above your own"},
		{tenancy.RoleAdmin, "PATCH /api/v1/members/ME", `{"active":false}`, 403, "PATCH /api/v1/members/{id}", "Nobody may change what they act with."},
		{tenancy.RoleAdmin, "POST /api/v1/members/" + ada + "/signin-link", ``, 403, "POST /api/v1/members/{id}/signin-link", "Role owner is above your own"},
		{tenancy.RoleAdmin, "PATCH /api/v1/sso/work", `{"enabled":false}`, 403, "PATCH /api/v1/sso/{name}", `Connection "work" was set up by an owner.`},
		{tenancy.RoleMember, "GET /api/v1/me?tenant=globex", ``, 403, "GET /api/v1/me", "This address belongs to another tenant."},
	} {
		seen := len(o.denials(t))
		access, m := o.as(t, c.role)
		method, path, _ := strings.Cut(strings.ReplaceAll(c.call, "ME", m.ID.String()), " ")
		host := o.ben
		if strings.Contains(path, "tenant=") {
			host = b.browser(t, "colaflow.test")
		}
		status, body, _ := host.do(method, path, c.body, bearer(access))
		require.Equal(t, c.status, status, "%s: %s", c.call, body)
		rows := o.denials(t)
		require.Len(t, rows, seen+1, c.call)
		if c.method == "" {
			c.method = c.call
		}
		require.Equal(t, c.method, rows[seen].Method)
		require.Contains(t, rows[seen].Rule, c.rule)
	}
	stale, m := o.as(t, tenancy.RoleMember)
	_, err = b.db.SetMemberRole(t.Context(), o.acme.Scope(), "test", m.ID, tenancy.RoleAdmin) // and no feed has told this server
	require.NoError(t, err)
	status, body, h := o.ben.do("GET", "/api/v1/sessions", "", bearer(stale))
	require.Equal(t, http.StatusUnauthorized, status)
	require.NotEmpty(t, h.Get("WWW-Authenticate"))
	_, want, _ := o.ben.do("GET", "/api/v1/sessions", "")
	require.Equal(t, want, body)
	b.healthy.Store(false)
	status, _, _ = o.ben.do("GET", "/api/v1/me", "", bearer(stale))
	require.Equal(t, http.StatusUnauthorized, status)
	rows := o.denials(t)
	require.Equal(t, []string{"GET /api/v1/sessions", "GET /api/v1/me"}, []string{rows[len(rows)-2].Method, rows[len(rows)-1].Method})
	require.Equal(t, "unauthenticated", rows[len(rows)-1].Code)
}

// TestAttack094_NoRowNoAnswer: a denial that cannot be recorded is not answered as one.
func TestAttack094_NoRowNoAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	viewer, _ := o.as(t, tenancy.RoleViewer)
	admin := b.db.Admin(t)
	_, err := admin.Exec(t.Context(), "revoke insert on audit_log from colaflow_app")
	require.NoError(t, err)
	for range 2 {
		status, body, _ := o.ben.do("GET", "/api/v1/audit", "", bearer(viewer))
		require.GreaterOrEqual(t, status, 500, body)
		require.NotContains(t, body, "audit_log")
	}
	_, err = admin.Exec(t.Context(), "grant insert on audit_log to colaflow_app")
	require.NoError(t, err)
	status, _, _ := o.ben.do("GET", "/api/v1/audit", "", bearer(viewer))
	require.Equal(t, http.StatusForbidden, status)
	require.Len(t, o.denials(t), 1)
}

// TestAttack094_FloodOfDenials: who keeps on asking fills no log, whether it is forbidden or
// beyond a limit; how often it was is in the row of the minute.
func TestAttack094_FloodOfDenials(t *testing.T) {
	t.Parallel()
	b := setup(t)
	node := b.db.Reopen(t, storetest.Options{MaxConns: 4, Clock: time.Now})
	o := newOffice(t, b, "acme")
	access, _ := o.as(t, tenancy.RoleMember)
	b.restart(t, func(c *web.Config) {
		c.Store, c.Clock = node, func() time.Time { return storetest.Now } // time stands still
		c.Limits = func(string) tenancy.Limits { return tenancy.Limits{TokenReads: 40} }
	})
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			for range 10 {
				o.ben.do("GET", "/api/v1/audit", "", bearer(access))
			}
		})
	}
	group.Wait()
	require.Len(t, o.denials(t), 2)
	node.Close()
	sums := map[string]int{}
	rows := o.denials(t)
	require.Len(t, rows, 4)
	for _, row := range rows {
		sums[row.Code] += row.Repeats
	}
	require.Equal(t, map[string]int{"forbidden": 20, "rate_limited": 80}, sums)
	rules := []string{rows[0].Rule, rows[1].Rule}
	slices.Sort(rules)
	require.Equal(t, []string{"40 reads a minute for this member.", "Your role, member, lacks audit:read."}, rules)
}
