package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
)

// TestAttack008_SuspendedEverywhere suspends on one node and uses what another
// one remembers.
func TestAttack008_SuspendedEverywhere(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	node2 := db.Reopen(t, storetest.Options{MaxConns: 2})
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	plain := acme.FullToken(t)
	who, other := principal(t, db, plain), principal(t, db, beta.FullToken(t))
	read := func(p tenancy.Principal) tenancy.Code {
		return tenancy.CodeOf(node2.Read(t.Context(), store.ForPrincipal(p), func(tx *store.Tx) error { return tx.Do(t.Context()) }))
	}
	lookup := func() tenancy.Code {
		slug, hash, _ := tokens.Parse(plain)
		_, err := node2.LookupToken(t.Context(), slug, hash)
		return tenancy.CodeOf(err)
	}
	require.Empty(t, read(who))
	suspended, err := db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Equal(t, tenancy.TenantSuspended, suspended.State)
	require.Equal(t, tenancy.TenantIsSuspended, read(who))
	require.Equal(t, tenancy.TenantIsSuspended, lookup())
	require.Empty(t, read(other))
	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err, "once more is no error")

	_, err = db.ResumeTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Empty(t, read(who))
	deleted, err := db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	require.Equal(t, tenancy.Unauthenticated, read(who))
	require.Equal(t, tenancy.Unauthenticated, lookup(), "a deleted tenant is not known any more")
	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))

	again, err := db.DeleteTenant(t.Context(), "acme", "test", 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, deleted.DeleteAfter, again.DeleteAfter, "the grace does not grow")
	_, err = db.CreateTenant(t.Context(), "acme", "Another", "test")
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))
	_, err = db.ResumeTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Empty(t, read(who), "a deletion can be taken back")
	_, err = db.ResumeTenant(t.Context(), "nobody", "test")
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))

	require.Equal(t, []string{"tenant.create", "tenant.delete", "tenant.resume", "tenant.resume", "tenant.suspend"}, strings1(t, db.Admin(t),
		`select method from audit_log where tenant_id = $1 and method like 'tenant.%' order by 1`, acme.ID), "what changed nothing is not told")
}

// TestSuspendTenant_WaitsForCommits has a write on the way when the tenant is
// suspended: it is either in before the suspension returns, or not at all.
func TestSuspendTenant_WaitsForCommits(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	for round := range 10 {
		tn := db.Tenant(t, "round-"+string(rune('a'+round)))
		p := tn.Project(t, "WEB", "Website")
		who := principal(t, db, tn.FullToken(t))
		entry := func() store.AuditRow {
			return store.AuditRow{TenantID: tn.ID, Kind: "call", Actor: "test", Method: "write", Decision: store.Allowed}
		}
		count := func() (n int) {
			require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select count(*) from issues where tenant_id = $1`, tn.ID).Scan(&n))
			return n
		}
		stop, writers := make(chan struct{}), make(chan error)
		for range 4 {
			go func() {
				for {
					err := db.Write(t.Context(), store.ForPrincipal(who), entry, func(tx *store.Tx) error {
						return tx.CreateIssues(t.Context(), p, []tracker.Issue{{ID: tenancy.NewID(), Title: "x", Type: "Task", Status: "Backlog",
							Category: tracker.Todo, Priority: tracker.Low}}, store.Author{At: storetest.Now})
					})
					select {
					case <-stop:
						writers <- err
						return
					default:
					}
				}
			}()
		}
		time.Sleep(time.Duration(round) * time.Millisecond)
		_, err := db.SuspendTenant(t.Context(), tn.Slug, "test")
		require.NoError(t, err)
		before := count()
		close(stop)
		for range 4 {
			<-writers
		}
		require.Equal(t, before, count(), "nothing is committed after the suspension returned")
	}
}

// TestSuspendTenant_TellsEveryNode follows the feed of another node.
func TestSuspendTenant_TellsEveryNode(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	node2 := db.Reopen(t, storetest.Options{MaxConns: 4})
	acme := db.Tenant(t, "acme")
	auth := tokens.NewAuthenticator(node2)
	told := make(chan tokens.Change, 10)
	auth.Follow(node2, func(c tokens.Change) {
		if c.Subject != tokens.SubjectAny { // told when the feed begins
			told <- c
		}
	})
	t.Cleanup(auth.Close)
	require.Eventually(t, auth.Healthy, 20*time.Second, 5*time.Millisecond)
	plain := acme.FullToken(t)
	p, err := auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	require.Equal(t, "enterprise", p.Plan)

	_, err = db.Store.SetPlan(t.Context(), "acme", "test", "team")
	require.NoError(t, err)
	require.Equal(t, tokens.Change{Subject: tokens.SubjectTenant, Tenant: acme.ID, ID: acme.ID}, <-told)
	p, err = auth.Authenticate(t.Context(), plain)
	require.NoError(t, err)
	require.Equal(t, "team", p.Plan, "in force at once")

	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Equal(t, tokens.Change{Subject: tokens.SubjectTenant, Tenant: acme.ID, ID: acme.ID, Ended: true}, <-told)
	_, err = auth.Authenticate(t.Context(), plain)
	require.Equal(t, tenancy.TenantIsSuspended, tenancy.CodeOf(err))
	_, err = db.Store.SetPlan(t.Context(), "acme", "test", "free")
	require.NoError(t, err, "also while it is suspended")
}

func TestCreateTenant_AllOrNothing(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	twin := tenancy.Member{ID: tenancy.NewID(), Handle: "ada", Name: "Ada", Role: tenancy.RoleOwner, State: tenancy.MemberActive, CreatedAt: storetest.Now}
	other := twin
	other.ID = tenancy.NewID()
	_, err := db.CreateTenant(t.Context(), "acme", "Acme", "test", twin, other)
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))
	_, err = db.CreateTenant(t.Context(), "acme", "Acme", "test", twin)
	require.NoError(t, err, "the failure took no slug")
	_, err = db.CreateTenant(t.Context(), "acme", "Acme", "test", twin)
	require.ErrorContains(t, err, `Tenant slug "acme" is taken.`)
}
