package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// cookies are the refresh tokens that one browser got, oldest first.
type cookies struct {
	db    *storetest.DB
	slug  string
	plain []string
}

var renewals = []byte("key of the tests' renewals")

func signIn(t *testing.T, db *storetest.DB, tenant tenancy.Tenant, member uuid.UUID) (*cookies, store.Person) {
	t.Helper()
	plain, refresh := tokens.MintSession(tenant.Slug)
	p, err := db.BeginSession(tenancy.Request{ClientIP: "192.0.2.1"}.In(t.Context()), tenant, member, store.NewSession{Provider: "link", Refresh: refresh, UserAgent: "Browser"})
	require.NoError(t, err)
	return &cookies{db, tenant.Slug, []string{plain}}, p
}

func (c *cookies) last() string { return c.plain[len(c.plain)-1] }

// renew renews with a token, as a browser that has it would.
func (c *cookies) renew(t *testing.T, plain string) error {
	t.Helper()
	next, refresh := tokens.NextSession(renewals, plain)
	_, err := c.db.RenewSession(tenancy.Request{ClientIP: "192.0.2.2"}.In(t.Context()), plain, refresh.Hash)
	if err == nil {
		c.plain = append(c.plain, next)
	}
	return err
}

// later lets the grace of what was renewed pass.
func later(t *testing.T, db *storetest.DB) {
	t.Helper()
	_, err := db.Admin(t).Exec(t.Context(), "update sessions set renewed_at = now() - interval '1 minute'")
	require.NoError(t, err)
}

// ended is why each session of a tenant ended; empty for one that goes on.
func ended(t *testing.T, db *storetest.DB, tenant tenancy.TenantID) (why []string) {
	t.Helper()
	rows, err := db.Admin(t).Query(t.Context(), "select coalesce(ended_why, '') from sessions where tenant_id = $1 order by id", tenant)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		why = append(why, one)
	}
	require.NoError(t, rows.Err())
	return why
}

// TestAttack069_ReuseOfAnyAncestor: a refresh token that was replaced ends the session
// however long ago that was, or a thief who renews twice would keep it. Within the
// grace the one before gets the same answer, an older one does not.
func TestAttack069_ReuseOfAnyAncestor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		renewals int // before the reuse
		reuse    int // which of the tokens comes again
		grace    bool
		goesOn   bool
	}{
		"the one before, in the grace": {renewals: 1, reuse: 0, grace: true, goesOn: true},
		"the one before, later":        {renewals: 1, reuse: 0},
		"two before, in the grace":     {renewals: 2, reuse: 0, grace: true},
		"two before, later":            {renewals: 2, reuse: 0},
		"nine before":                  {renewals: 9, reuse: 0},
		"one of the middle":            {renewals: 9, reuse: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t)
			acme := db.Tenant(t, "acme")
			browser, _ := signIn(t, db, acme.Tenant, acme.Ada.ID)
			other, _ := signIn(t, db, acme.Tenant, acme.Ada.ID)
			for range c.renewals {
				require.NoError(t, browser.renew(t, browser.last()))
			}
			if !c.grace {
				later(t, db)
			}
			newest := browser.last()
			err := browser.renew(t, browser.plain[c.reuse])
			if c.goesOn {
				require.NoError(t, err)
				require.Equal(t, newest, browser.last(), "the same answer")
				require.NoError(t, browser.renew(t, newest))
				return
			}
			require.ErrorIs(t, err, store.ErrSessionEnded)
			require.ErrorIs(t, browser.renew(t, newest), store.ErrSessionEnded, "the newest one has ended with it")
			_, err = db.PersonOf(t.Context(), newest)
			require.ErrorIs(t, err, store.ErrSessionEnded)
			require.NoError(t, other.renew(t, other.last()), "another browser of theirs has nothing to do with it")
			require.Equal(t, []string{"reuse", ""}, ended(t, db, acme.ID))
			var rows []store.AuditRow
			acme.Read(t, store.AuditRows(store.AuditFilter{Decision: store.Denied, Limit: 10}, &rows, nil))
			require.Len(t, rows, 1, "told once")
			require.Contains(t, rows[0].Rule, "came again")
			require.Equal(t, "192.0.2.2", rows[0].ClientIP)
		})
	}
}

// TestRenewSession_Forged: who does not have a token of the session can neither renew
// nor end it, whatever they know of it.
func TestRenewSession_Forged(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, globex := db.Tenant(t, "acme"), db.Tenant(t, "globex")
	browser, p := signIn(t, db, acme.Tenant, acme.Ada.ID)
	foreign, _ := signIn(t, db, globex.Tenant, globex.Ada.ID)
	minted, _ := tokens.MintSession("acme")
	other := "cfs_acme_" + foreign.last()[len("cfs_globex_"):]
	for name, plain := range map[string]string{"unknown": minted, "another tenant's under this name": other, "the session's id": "cfs_acme_" + p.Session.String(),
		"nothing": "", "no tenant": "cfs_nobody_" + minted[len("cfs_acme_"):]} {
		_, err := db.RenewSession(t.Context(), plain, tokens.Hash{1})
		require.ErrorIs(t, err, store.ErrSessionEnded, name)
	}
	require.NoError(t, browser.renew(t, browser.last()))
	require.NoError(t, foreign.renew(t, foreign.last()))
}

// TestDeactivateMember_Sessions: what was signed in does not come back with the member.
func TestDeactivateMember_Sessions(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	first, _ := signIn(t, db, acme.Tenant, acme.Ben.ID)
	second, _ := signIn(t, db, acme.Tenant, acme.Ben.ID)
	adas, _ := signIn(t, db, acme.Tenant, acme.Ada.ID)
	_, err := db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
	require.NoError(t, err)
	_, err = db.ReactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
	require.NoError(t, err)
	for _, browser := range []*cookies{first, second} {
		require.ErrorIs(t, browser.renew(t, browser.last()), store.ErrSessionEnded)
	}
	require.NoError(t, adas.renew(t, adas.last()))
	require.Equal(t, []string{"deactivated", "deactivated", ""}, ended(t, db, acme.ID))
	again, _ := signIn(t, db, acme.Tenant, acme.Ben.ID)
	require.NoError(t, again.renew(t, again.last()), "and they can sign in anew")
}

// TestDeactivateMember_DuringSignIn: whichever comes first, no session stays.
func TestDeactivateMember_DuringSignIn(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	for range 10 {
		var both sync.WaitGroup
		for range 3 {
			both.Go(func() {
				_, refresh := tokens.MintSession("acme")
				_, err := db.BeginSession(t.Context(), acme.Tenant, acme.Ben.ID, store.NewSession{Provider: "link", Refresh: refresh})
				if err != nil {
					assert.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err), err)
				}
			})
		}
		both.Go(func() {
			_, err := db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
			assert.NoError(t, err)
		})
		both.Wait()
		require.NotContains(t, ended(t, db, acme.ID), "")
		_, err := db.ReactivateMember(t.Context(), acme.Scope(), "test", acme.Ben.ID)
		require.NoError(t, err)
	}
}

// TestSetMemberRole_Sessions: a new role does not sign anybody out.
func TestSetMemberRole_Sessions(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	browser, before := signIn(t, db, acme.Tenant, acme.Ben.ID)
	_, err := db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleViewer)
	require.NoError(t, err)
	require.NoError(t, browser.renew(t, browser.last()))
	after, err := db.PersonOf(t.Context(), browser.last())
	require.NoError(t, err)
	require.Equal(t, tenancy.RoleViewer, after.Role)
	require.Greater(t, after.Epoch, before.Epoch)
}

// TestSession_Most renews a session for a month: it ends then, however often it was used.
func TestSession_Most(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	plain, refresh := tokens.MintSession("acme")
	p, err := db.BeginSession(t.Context(), acme.Tenant, acme.Ada.ID, store.NewSession{Provider: "link", Refresh: refresh})
	require.NoError(t, err)
	require.Equal(t, 30*24*time.Hour, store.SessionMost)
	renew := func() error {
		next, token := tokens.NextSession([]byte("key"), plain)
		_, err := db.RenewSession(t.Context(), plain, token.Hash)
		if err == nil {
			plain = next
		}
		return err
	}
	left := func() (d time.Duration) {
		require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select expires_at - greatest(renewed_at, created_at) from sessions where id = $1`, p.Session).Scan(&d))
		return d
	}
	for _, test := range []struct {
		days int
		left time.Duration
	}{{6, store.SessionLife}, {22, store.SessionLife}, {27, 3 * 24 * time.Hour}, {29, 24 * time.Hour}} {
		admin(t, db, `update sessions set created_at = now() - $2 * interval '1 day' where id = $1`, p.Session, test.days)
		require.NoError(t, renew(), test.days)
		require.InDelta(t, test.left, left(), float64(time.Hour), "on day %d", test.days)
	}
	admin(t, db, `update sessions set created_at = now() - interval '30 days' where id = $1`, p.Session)
	require.ErrorIs(t, renew(), store.ErrSessionEnded)
	_, err = db.PersonOf(t.Context(), plain)
	require.ErrorIs(t, err, store.ErrSessionEnded)
}
