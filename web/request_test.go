package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

// leavesRows are the methods of the rows that TestAttack094_RowsNameTheirRequest must meet.
var leavesRows = []string{
	"GET /api/v1/audit", // a denial
	"link.spend", "member.invite", "member.set_role", "member.signin_link", "page.delete", "session.begin", "session.end", "session.end_all", "session.renew",
	"signing_key.add", "sso.disable", "sso.remove", "sso.require", "sso.save", "sso.sign_in", "sso.spend", "sso.take_result", "sso.unlink",
	"tenant.export", "tenant.suspend", "token.create", "token.revoke", "token.rotate", "token.update",
}

// TestAttack094_RowsNameTheirRequest signs people in and out in every way, calls every
// operation, opens a page, and is refused: each row that this leaves, of whatever kind,
// says from where, and names a request whose answer said so.
func TestAttack094_RowsNameTheirRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, saml, samlID, at, signer := samlOffice(t, b, "acme", "")
	idp := ssotest.NewOIDC(t)
	oidc, oidcAt := o.connect(t, "oidc", oidcBody(idp, "acme.test", ""))
	_, err := b.db.Admin(t).Exec(t.Context(), `update sso_providers set name = 'saml' where name = 'work'`)
	require.NoError(t, err)
	o.works(t)
	p, ticket, err := b.app(t, o.acme.Tenant).PutPage(t.Context(), "Page", []byte("<p>"), "test")
	require.NoError(t, err)
	viewer, _ := o.as(t, tenancy.RoleViewer)
	before := o.rows(t)

	cy := b.browser(t, "acme.colaflow.test")
	cy.signIn(o.acme.Tenant, o.acme.Ben)
	idp.SignsIn(ssotest.Person{"sub": "cy-1", "email": "cy@acme.test", "email_verified": true})
	status, body := cy.atWork(idp, oidc, oidcAt.Start)
	require.Equal(t, http.StatusOK, status, body)
	idp.SignsIn(ssotest.Person{"sub": "eve", "email": "eve@evil.test", "email_verified": true})
	status, _ = b.browser(t, "acme.colaflow.test").atWork(idp, oidc, oidcAt.Start)
	require.Equal(t, http.StatusForbidden, status)
	answer := saml.Answer(ssotest.ReadRequest(t, cy.begin(at.Start), signer), time.Now())
	answer.NameID, answer.Attributes["mail"] = "dora-1", []string{"dora@acme.test"}
	_, _, h := cy.post(at, saml.Sign(t, answer.XML(), ssotest.SignAssertion))
	status, body, _ = cy.do("GET", "/auth/saml/"+samlID+"/done?"+strings.SplitN(h.Get("Location"), "?", 2)[1], "", fromElsewhere)
	require.Equal(t, http.StatusOK, status, body)
	status, _, _ = cy.do("POST", "/p/"+p.ID.String(), url.Values{"ticket": {ticket}}.Encode())
	require.Equal(t, http.StatusSeeOther, status)
	status, _, _ = cy.do("GET", "/api/v1/audit", "", bearer(viewer))
	require.Equal(t, http.StatusForbidden, status)
	status, body, _ = cy.do("POST", "/api/v1/auth/logout", "")
	require.Equal(t, http.StatusNoContent, status, body)
	for _, r := range ordered(b) {
		if r.Path == "/api/v1/sessions/{id}" {
			continue // cy has signed out
		}
		status, body, _ := o.ada.do(r.Method, fillPath(r.Path, o.ids()), bodies[r.Method+" "+r.Path], bearer(o.admin))
		require.Less(t, status, 300, "%s %s: %s", r.Method, r.Path, body)
	}

	methods := []string{}
	for _, row := range o.rows(t)[len(before):] {
		_, named := b.named.Load(row.RequestID)
		require.True(t, named && row.RequestID != "", "%s %s: %q", row.Method, row.Decision, row.RequestID)
		require.Equal(t, "127.0.0.1", row.ClientIP, row.Method)
		methods = append(methods, row.Method)
	}
	slices.Sort(methods)
	require.Equal(t, leavesRows, slices.Compact(methods))
}

// rows lists the whole log, the oldest first.
func (o *office) rows(t *testing.T) (rows []store.AuditRow) {
	t.Helper()
	require.NoError(t, o.db.Read(t.Context(), store.AsKeeper(o.acme.ID, "test"), func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.AuditRows(store.AuditFilter{Oldest: true, Limit: 1000}, &rows, nil))
	}))
	return rows
}

// TestInternalErrors: whatever breaks tells the person no more than the id by which an
// admin finds it in the log.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := newOffice(t, b, "acme")
	var log bytes.Buffer
	for name, breaks := range map[string]func() error{
		"error": func() error { return errors.New("secret detail") },
		"panic": func() error { panic("secret detail") },
	} {
		b.restart(t, func(c *web.Config) {
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			c.CallTool = func(context.Context, tenancy.Principal, web.ToolCall) (web.ToolAnswer, error) {
				return web.ToolAnswer{}, breaks()
			}
		})
		log.Reset()
		status, body, h := o.ada.do("POST", "/api/v1/tools/get_me", `{}`, bearer(o.admin))
		require.Equal(t, http.StatusInternalServerError, status, name)
		require.JSONEq(t, `{"error":"internal","message":"Internal error, request `+h.Get("X-Request-Id")+`.",
			"next":"Nothing was changed; tell your admin the request id if it happens again."}`, body)
		require.Contains(t, log.String(), "request="+h.Get("X-Request-Id"), name)
		require.Contains(t, log.String(), "secret detail", name)
	}
	_, err := b.db.Admin(t).Exec(t.Context(), "drop table sso_providers cascade")
	require.NoError(t, err)
	for _, path := range []string{"/signin?tenant=acme", "/auth/" + o.page.ID.String() + "/start?tenant=acme"} {
		log.Reset()
		status, body, h := b.browser(t, "colaflow.test").do("GET", path, "")
		require.GreaterOrEqual(t, status, 500, path)
		require.Contains(t, body, "Internal error, request "+h.Get("X-Request-Id"), path)
		require.NotContains(t, body, "sso_providers")
		require.Contains(t, log.String(), "request="+h.Get("X-Request-Id"), path)
	}
}
