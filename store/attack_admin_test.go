package store_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// office is a tenant in which an administrative change is about to be made.
type office struct {
	*storetest.DB
	ctx   context.Context // of a request
	acme  *storetest.Tenant
	token store.Token
	other store.Token
	page  tenancy.Page
	// code and refresh are of two clients that ben connected.
	code, refresh string
	agent         tenancy.Principal // of the one that is connected
	session       string            // refresh token of ben's browser
	idp, off      sso.Connection
	known         tenancy.Member // who has signed in by idp
	fresh         uuid.UUID
	file          []byte // of tenant halted, exported
}

const officer = "operator"

// officeRequest is what the change is made for.
var officeRequest = tenancy.Request{ID: "0123456789abcdef", ClientIP: "192.0.2.1"}

// changes are all administrative changes by the method that their audit row names. A
// new one needs a line here: TestAttack094_EveryAdministrativeChange says so.
var changes = map[string]func(t *testing.T, o *office) error{
	"token.create": func(t *testing.T, o *office) error {
		_, _, err := o.CreateToken(o.ctx, o.acme.Scope(), "acme", officer, store.NewToken{Name: "new", Role: tenancy.RoleViewer})
		return err
	},
	"token.update": func(t *testing.T, o *office) error {
		_, err := o.UpdateToken(o.ctx, o.acme.Scope(), officer, o.token.ID, func(s *store.TokenSettings, _ time.Time) error {
			s.Name = "renamed"
			return nil
		})
		return err
	},
	"token.rotate": func(t *testing.T, o *office) error {
		_, _, err := o.RotateToken(o.ctx, o.acme.Scope(), officer, o.token.ID, time.Hour)
		return err
	},
	"token.revoke": func(t *testing.T, o *office) error {
		return o.RevokeToken(o.ctx, o.acme.Scope(), officer, o.token.ID)
	},
	"token.revoke_all": func(t *testing.T, o *office) error {
		_, err := o.RevokeIssuedBefore(o.ctx, o.acme.Scope(), officer, storetest.Now.Add(time.Hour))
		return err
	},
	"member.invite": func(t *testing.T, o *office) error {
		_, err := o.InviteMember(o.ctx, o.acme.Scope(), officer, "new@acme.test", "", tenancy.RoleViewer)
		return err
	},
	"member.set_role": func(t *testing.T, o *office) error {
		_, err := o.SetMemberRole(o.ctx, o.acme.Scope(), officer, o.acme.Ben.ID, tenancy.RoleAdmin)
		return err
	},
	"member.deactivate": func(t *testing.T, o *office) error {
		_, err := o.DeactivateMember(o.ctx, o.acme.Scope(), officer, o.acme.Ben.ID)
		return err
	},
	"member.reactivate": func(t *testing.T, o *office) error {
		_, err := o.ReactivateMember(o.ctx, o.acme.Scope(), officer, o.acme.Ben.ID)
		return err
	},
	"member.change": func(t *testing.T, o *office) error {
		active := false
		_, err := o.ChangeMember(o.ctx, o.acme.Scope(), officer, o.acme.Ben.ID, store.MemberChange{Role: tenancy.RoleViewer, Active: &active})
		return err
	},
	"tenant.create": func(t *testing.T, o *office) error {
		owner, err := tenancy.NewMember("cy@gamma.test", "Cy", tenancy.RoleOwner, storetest.Now)
		require.NoError(t, err)
		_, err = o.CreateTenant(o.ctx, "gamma", "Gamma", officer, owner)
		return err
	},
	"tenant.suspend": func(t *testing.T, o *office) error {
		_, err := o.SuspendTenant(o.ctx, "acme", officer)
		return err
	},
	"tenant.resume": func(t *testing.T, o *office) error {
		_, err := o.ResumeTenant(o.ctx, "halted", officer)
		return err
	},
	"tenant.delete": func(t *testing.T, o *office) error {
		_, err := o.DeleteTenant(o.ctx, "acme", officer, time.Hour)
		return err
	},
	"tenant.set_plan": func(t *testing.T, o *office) error {
		_, err := o.Store.SetPlan(o.ctx, "acme", officer, "team")
		return err
	},
	"tenant.configure": func(t *testing.T, o *office) error {
		_, err := o.ConfigureTenant(o.ctx, o.acme.Scope(), officer, func(c *tenancy.AppConfig) { c.MaxPages = 7 })
		return err
	},
	"tenant.import": func(t *testing.T, o *office) error {
		r, err := export.Open(bytes.NewReader(o.file), int64(len(o.file)))
		require.NoError(t, err)
		_, err = o.ImportTenant(o.ctx, r, store.ImportOptions{Slug: "moved", Actor: officer, Plan: "enterprise"})
		return err
	},
	"signing_key.add": func(t *testing.T, o *office) error {
		return o.AddSigningKey(o.ctx, o.acme.ID, officer, tenancy.SealedKey{ID: o.fresh, Sealed: "sealed", CreatedAt: storetest.Now}, storetest.Now, false)
	},
	"page.put": func(t *testing.T, o *office) error {
		p := o.page
		p.ID, p.CreatedBy = o.fresh, officer
		return o.PutPage(o.ctx, o.acme.ID, p, 10, 1<<20)
	},
	"page.delete": func(t *testing.T, o *office) error {
		return o.DeletePage(o.ctx, o.acme.ID, o.page.ID, officer)
	},
	"link.spend": func(t *testing.T, o *office) error {
		_, err := o.SpendNonce(o.ctx, o.acme.ID, o.fresh, storetest.Now.Add(time.Hour))
		return err
	},
	"oauth.consent": func(t *testing.T, o *office) error {
		_, err := o.Connect(o.ctx, store.ForMember(o.acme.ID, o.acme.Ben.ID, 1), "acme", officer, consent("another"))
		return err
	},
	"oauth.redeem": func(t *testing.T, o *office) error {
		_, err := o.RedeemCode(o.ctx, store.Redemption{Code: o.code, ClientID: "waiting", Challenge: "challenge", Secrets: secrets(2)})
		return err
	},
	"oauth.renew": func(t *testing.T, o *office) error {
		_, err := o.Renew(o.ctx, store.Renewal{Refresh: o.refresh, ClientID: "connected", Secrets: secrets(3)})
		return err
	},
	"oauth.ask": func(t *testing.T, o *office) error {
		_, err := o.AskMore(o.ctx, store.ForPrincipal(o.agent), "agent", tenancy.NewPermissionSet(tenancy.IssuesCreate))
		return err
	},
	"sso.save": func(t *testing.T, o *office) error {
		_, err := o.SaveSSOProvider(o.ctx, o.acme.Scope(), officer, connection("new"), &sso.Secrets{ClientSecret: "s"})
		return err
	},
	"sso.enable": func(t *testing.T, o *office) error {
		_, err := o.SetSSOProvider(o.ctx, o.acme.Scope(), officer, o.off.ID, true)
		return err
	},
	"sso.disable": func(t *testing.T, o *office) error {
		_, err := o.SetSSOProvider(o.ctx, o.acme.Scope(), officer, o.idp.ID, false)
		return err
	},
	"sso.remove": func(t *testing.T, o *office) error {
		return o.RemoveSSOProvider(o.ctx, o.acme.Scope(), officer, o.idp.ID)
	},
	"sso.require": func(t *testing.T, o *office) error {
		return o.RequireSSO(o.ctx, o.acme.Scope(), officer, true)
	},
	"sso.unlink": func(t *testing.T, o *office) error {
		return o.Unlink(o.ctx, o.acme.Scope(), officer, o.idp.ID, o.known.ID)
	},
	"sso.sign_in": func(t *testing.T, o *office) error {
		_, err := o.SignIn(o.ctx, o.acme.ID, identity(o.idp, "2", "newcomer@acme.test"))
		return err
	},
	"member.signin_link": func(t *testing.T, o *office) error {
		_, err := o.AllowSignInLink(o.ctx, o.acme.Scope(), officer, o.acme.Ben.ID)
		return err
	},
	"member.rest": func(t *testing.T, o *office) error { return o.RestIdle(o.ctx, o.acme.Tenant) },
	"sso.spend": func(t *testing.T, o *office) error {
		_, err := o.Spend(o.ctx, o.acme.ID, sso.Once{IDs: []string{"another"}, Until: storetest.Now.Add(time.Hour)})
		return err
	},
	"sso.take_result": func(t *testing.T, o *office) error {
		_, err := o.TakeResult(o.ctx, o.acme.ID, "handle")
		return err
	},
	"session.begin": func(t *testing.T, o *office) error {
		_, err := o.BeginSession(o.ctx, o.acme.Tenant, o.acme.Ben.ID, store.NewSession{Provider: "link", Refresh: tokens.SessionToken{Family: tokens.Hash{9}, Hash: tokens.Hash{9}}})
		return err
	},
	"session.renew": func(t *testing.T, o *office) error {
		_, err := o.RenewSession(o.ctx, o.session, tokens.Hash{8})
		return err
	},
	"session.end": func(t *testing.T, o *office) error { return o.EndSession(o.ctx, o.session) },
	"session.end_all": func(t *testing.T, o *office) error {
		return o.EndOwnSessions(o.ctx, store.ForMember(o.acme.ID, o.acme.Ben.ID, 1), officer)
	},
	"oauth.disconnect": func(t *testing.T, o *office) error { return o.Disconnect(o.ctx, o.refresh, "connected") },
}

// elsewhere are methods whose rows other tests hold to their changes, and names that
// are no changes.
var elsewhere = map[string]string{
	"audit.drop_before": "TestAudit_Remove: the row goes first, on purpose",
	"audit.erase":       "TestAudit_Remove",
	"audit.remove":      "reads",
	"audit.retain":      "reads; what goes is audit.drop_before",
	"tenant.export":     "TestMove_Audit: reads, and tells of it",
	"tenant.show":       "reads",
	"tenant.stats":      "reads",
}

func consent(client string) store.Consent {
	return store.Consent{ClientID: client, ClientName: client, Challenge: "challenge", Grants: tenancy.Grants{Allow: tenancy.NewPermissionSet(tenancy.IssuesRead)},
		Life: time.Hour}
}

func secrets(n byte) store.Secrets {
	return store.Secrets{Access: tokens.Hash{n}, Hint: "abcd", Refresh: tokens.SessionToken{Family: tokens.Hash{n, 1}, Hash: tokens.Hash{n, 1}}}
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db := storetest.Open(t)
	o := &office{DB: db, ctx: officeRequest.In(t.Context()), acme: db.Tenant(t, "acme"), fresh: tenancy.NewID()}
	o.token, _ = o.acme.Token(t, "one", `{"issues":["read"]}`)
	o.other, _ = o.acme.Token(t, "two", `{"issues":["read"]}`)
	o.page = tenancy.Page{ID: tenancy.NewID(), Title: "Page", CreatedBy: "test", CreatedAt: storetest.Now, ExpiresAt: storetest.Now.Add(time.Hour)}
	require.NoError(t, db.PutPage(t.Context(), o.acme.ID, o.page, 10, 1<<20))
	db.Tenant(t, "halted")
	_, err := db.SuspendTenant(t.Context(), "halted", "test")
	require.NoError(t, err)
	o.file = exported(t, db, "halted")
	ben := store.ForMember(o.acme.ID, o.acme.Ben.ID, 1)
	o.code, err = db.Connect(t.Context(), ben, "acme", "test", consent("waiting"))
	require.NoError(t, err)
	connected, err := db.Connect(t.Context(), ben, "acme", "test", consent("connected"))
	require.NoError(t, err)
	refresh, hash := tokens.MintRefresh("acme")
	o.refresh = refresh
	_, err = db.RedeemCode(t.Context(), store.Redemption{Code: connected, ClientID: "connected", Challenge: "challenge",
		Secrets: store.Secrets{Access: tokens.Hash{1}, Hint: "abcd", Refresh: hash}})
	require.NoError(t, err)
	o.agent, err = db.LookupToken(t.Context(), "acme", tokens.Hash{1})
	require.NoError(t, err)
	_, err = db.Spend(t.Context(), o.acme.ID, sso.Once{IDs: []string{"one"}, Handle: "handle", Sealed: "sealed", Waits: storetest.Now.Add(time.Hour), Until: storetest.Now.Add(time.Hour)})
	require.NoError(t, err)
	o.off, err = db.SaveSSOProvider(t.Context(), o.acme.Scope(), "test", connection("off"), nil)
	require.NoError(t, err)
	o.idp = provider(t, db, o.acme, connection("idp"))
	o.known, err = db.SignIn(t.Context(), o.acme.ID, identity(o.idp, "1", "known@acme.test"))
	require.NoError(t, err)
	admin(t, db, `update identities set last_sign_in_at = now() - interval '31 days'`)
	plain, first := tokens.MintSession("acme")
	o.session = plain
	_, err = db.BeginSession(t.Context(), o.acme.Tenant, o.acme.Ben.ID, store.NewSession{Provider: "link", Refresh: first})
	require.NoError(t, err)
	return o
}

// rows lists what the audit log gained since a count, as method, decision, actor, and
// for which request.
func (o *office) rows(t *testing.T, since int) (rows []string, count int) {
	t.Helper()
	all := strings1(t, o.Admin(t), `select method || ' ' || decision || ' ' || actor || ' ' || (tenant_id is not null and mac is not null) || ' ' || coalesce(request_id, '') || ' ' || coalesce(client_ip, '') from audit_log order by written_at, id`)
	return all[since:], len(all)
}

// TestAttack094_EveryAdministrativeChange makes each change twice: first where the audit
// cannot be written, and nothing may change (case 95); then where it can, and exactly
// one row tells of it and of the request, in the change's own transaction.
func TestAttack094_EveryAdministrativeChange(t *testing.T) {
	t.Parallel()
	for method, change := range changes {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			_, before := o.rows(t, 0)
			was := o.Dump(t)
			admin(t, o.DB, "revoke insert on audit_log from colaflow_app")
			require.Error(t, change(t, o), "case 95")
			require.Equal(t, was, o.Dump(t), "case 95: the change is undone with its row")
			admin(t, o.DB, "grant insert on audit_log to colaflow_app")

			require.NoError(t, change(t, o))
			rows, _ := o.rows(t, before)
			require.Len(t, rows, 1)
			require.Regexp(t, `^`+regexp.QuoteMeta(method)+` allowed \S+ true 0123456789abcdef 192\.0\.2\.1$`, rows[0])
			require.NotEqual(t, was, o.Dump(t, "audit_log", "audit_checkpoints", "token_usage"))
		})
	}
}

// TestAttack094_NoChangeIsForgotten reads the methods from the source.
func TestAttack094_NoChangeIsForgotten(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	literal := regexp.MustCompile(`"((?:audit|link|member|oauth|page|session|signing_key|sso|tenant|token)\.[a-z_]+)"`)
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
			found[m[1]] = true
		}
	}
	known := slices.AppendSeq(slices.Collect(maps.Keys(changes)), maps.Keys(elsewhere))
	require.ElementsMatch(t, slices.Collect(maps.Keys(found)), known, "a change without a line in changes, or a line without a change")
}
