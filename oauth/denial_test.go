package oauth_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// rows lists what the log holds of agents' connections, the oldest first.
func (b *bundle) rows(t *testing.T) (rows []store.AuditRow) {
	t.Helper()
	require.NoError(t, b.db.Read(t.Context(), store.AsKeeper(b.acme.ID, "test"), func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.AuditRows(store.AuditFilter{Oldest: true, Limit: 500}, &rows, nil))
	}))
	return rows
}

// TestAttack094_ConsentNotGiven: whoever is signed in and may not consent, or does not
// want to, leaves one row, committed before they are told; who is not signed in leaves none.
func TestAttack094_ConsentNotGiven(t *testing.T) {
	t.Parallel()
	none := store.AuditRow{}
	denied := func(code tenancy.Code, rule string) store.AuditRow {
		return store.AuditRow{Kind: "call", Code: string(code), Rule: rule}
	}
	for name, c := range map[string]struct {
		who    string
		form   []func(url.Values)
		before func(t *testing.T, b *bundle) // the answer
		status int
		row    store.AuditRow
	}{
		"declined":      {"ben@acme", []func(url.Values){with("answer", "deny")}, nil, http.StatusSeeOther, store.AuditRow{Kind: "admin", Code: "declined", Rule: "The person declined."}},
		"form of none":  {"ben@acme", []func(url.Values){with("token", "forged")}, nil, http.StatusForbidden, denied(tenancy.Forbidden, "This form was not made for this session.")},
		"not theirs":    {"ben@acme", []func(url.Values){with("allow", "members:manage")}, nil, http.StatusForbidden, denied(tenancy.Forbidden, "Your role, member, lacks members:manage.")},
		"suspended":     {"ben@acme", nil, func(_ *testing.T, b *bundle) { b.suspended = true }, http.StatusForbidden, denied(tenancy.TenantIsSuspended, "This tenant is suspended.")},
		"just demoted":  {"ben@acme", nil, func(t *testing.T, b *bundle) { b.exec(t, "update members set role = 'viewer'") }, http.StatusSeeOther, denied(tenancy.Forbidden, "You do not have issues:create yourself")},
		"just disabled": {"ben@acme", nil, func(t *testing.T, b *bundle) { b.exec(t, "update members set epoch = 2") }, http.StatusSeeOther, denied(tenancy.Unauthenticated, "The token is missing")},
		"nothing":       {"ben@acme", []func(url.Values){with("allow")}, nil, http.StatusBadRequest, none},
		"other project": {"ben@acme", []func(url.Values){with("reach", "some"), with("project", "NONE")}, nil, http.StatusSeeOther, none},
		"signed out":    {"", nil, nil, http.StatusForbidden, none},
		"stale":         {"ben@acme", []func(url.Values){with("request", "forged")}, nil, http.StatusBadRequest, none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client := b.registerClient(t, "Agent", callback)
			page := b.consentPage(t, "ben@acme", b.asked(client))
			form := fields(page.body)
			form.Set("answer", "allow")
			form.Set("reach", "all")
			form["allow"] = checked(page.body)
			for _, edit := range c.form {
				edit(form)
			}
			if c.before != nil {
				c.before(t, b)
			}
			before := len(b.rows(t))
			a := b.send(t, http.MethodPost, "/oauth/consent", form, as(c.who))
			require.Equal(t, c.status, a.status, a.body)
			require.NotContains(t, a.header.Get("Location"), "code=", "nothing is given")
			rows := b.rows(t)[before:]
			if c.row.Rule == "" {
				require.Empty(t, rows)
				return
			}
			require.Len(t, rows, 1)
			row := rows[0]
			require.Equal(t, []string{"oauth.consent", store.Denied, c.row.Kind, c.row.Code, "ben@acme.test", "Agent"},
				[]string{row.Method, row.Decision, row.Kind, row.Code, row.Actor, row.Client})
			require.Contains(t, row.Rule, c.row.Rule)
			require.Equal(t, b.acme.Ben.ID, *row.MemberID)
			require.Equal(t, a.header.Get("X-Request-Id"), row.RequestID)
			require.Contains(t, string(row.Args), client)
		})
	}
}

// exec runs SQL as a superuser.
func (b *bundle) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := b.db.Admin(t).Exec(t.Context(), sql)
	require.NoError(t, err)
}

// TestAttack094_NotEvenAsked: a person of a suspended tenant is told so instead of asked.
func TestAttack094_NotEvenAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	for _, suspend := range []func(){func() { b.exec(t, "update tenants set state = 'suspended'") }, func() { b.suspended = true }} {
		suspend() // just now, and long ago
		a := b.consentPage(t, "ben@acme", b.asked(client))
		require.Equal(t, http.StatusForbidden, a.status)
		require.Contains(t, a.body, "This tenant is suspended.")
	}
	rows := b.rows(t)
	require.Equal(t, []string{"oauth.consent", "denied", "tenant_suspended"}, []string{rows[len(rows)-1].Method, rows[len(rows)-1].Decision, rows[len(rows)-1].Code})
	require.NotEqual(t, "oauth.consent", rows[len(rows)-2].Method, "the second is counted")
}

// TestAttack094_NoRowNoAnswer: a consent that is not given is not answered before it is recorded.
func TestAttack094_NoRowNoAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	form := fields(b.consentPage(t, "ben@acme", b.asked(client)).body)
	b.exec(t, "revoke insert on audit_log from colaflow_app")
	for _, edit := range []func(url.Values){with("answer", "deny"), with("token", "forged")} {
		edit(form)
		a := b.send(t, http.MethodPost, "/oauth/consent", form, as("ben@acme"))
		require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
		require.Contains(t, a.body, a.header.Get("X-Request-Id"))
	}
}

// TestAttack094_ConsentFlood: what a person may not do is counted, and each no of theirs told.
func TestAttack094_ConsentFlood(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := b.registerClient(t, "Agent", callback)
	form := fields(b.consentPage(t, "ben@acme", b.asked(client)).body)
	before := len(b.rows(t))
	for range 3 {
		b.send(t, http.MethodPost, "/oauth/consent", form, as("ben@acme"))
	}
	require.Len(t, b.rows(t)[before:], 3)
	form.Set("token", "forged")
	for range 5 {
		b.send(t, http.MethodPost, "/oauth/consent", form, as("ben@acme"))
	}
	require.Len(t, b.rows(t)[before:], 4)
}

// TestAttack094_SecretDenied: a client that may not have what it asks for, with a secret
// that works, leaves a row; with one that does not, none.
func TestAttack094_SecretDenied(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, access, refresh := b.connect(t)
	p, ok := b.principal(t, access)
	require.True(t, ok)
	stranger := b.registerClient(t, "Stranger", callback)
	before := len(b.rows(t))
	want := []string{}
	for _, c := range []struct {
		ask func() answer
		row string
	}{
		{func() answer { return b.renew(t, client, refresh, with("scope", "members:manage")) }, "oauth.renew invalid_scope"},
		{func() answer { return b.renew(t, stranger, refresh) }, "oauth.renew invalid_grant"},
		{func() answer {
			return b.send(t, http.MethodPost, "/oauth/revoke", url.Values{"token": {access}, "client_id": {stranger}})
		}, "oauth.disconnect invalid_grant"},
		{func() answer { return b.renew(t, client, "unknown") }, ""},
		{func() answer { return b.renew(t, client, refresh, with("scope", "members:manage")) }, ""}, // counted
	} {
		a := c.ask()
		if c.row != "" {
			want = append(want, c.row+" "+a.header.Get("X-Request-Id"))
		}
	}
	require.NoError(t, b.db.RevokeToken(t.Context(), b.acme.Scope(), "test", p.TokenID))
	requireError(t, "invalid_grant", b.renew(t, client, refresh))
	got := []string{}
	for _, row := range b.rows(t)[before:] {
		if row.Decision == store.Denied {
			require.Equal(t, p.TokenID, *row.TokenID)
			got = append(got, row.Method+" "+row.Rule+" "+row.RequestID)
		}
	}
	require.Equal(t, want, got)
}
