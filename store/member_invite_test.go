package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestInviteMember(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	imported := tenancy.Member{ID: tenancy.NewID(), Handle: "octocat", Name: "Octo Cat", Role: tenancy.RoleMember, State: tenancy.MemberImported, CreatedAt: storetest.Now}
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{imported})) })

	m, err := db.InviteMember(t.Context(), acme.Scope(), "test", "Octocat@acme.test", "", tenancy.RoleViewer)
	require.NoError(t, err)
	require.Equal(t, imported.ID, m.ID, "what they wrote before stays theirs")
	require.Equal(t, tenancy.MemberInvited, m.State)
	fresh, err := db.InviteMember(t.Context(), acme.Scope(), "test", "cy@acme.test", "Cy", tenancy.RoleMember)
	require.NoError(t, err)
	require.NotEqual(t, imported.ID, fresh.ID)

	for email, code := range map[string]tenancy.Code{"cy@acme.test": tenancy.Conflict, "ada@other.test": tenancy.Conflict, "x": tenancy.InvalidValue} {
		_, err := db.InviteMember(t.Context(), acme.Scope(), "test", email, "", tenancy.RoleMember)
		require.Equal(t, code, tenancy.CodeOf(err), "%s: %v", email, err)
	}
	// Nobody invites above themselves, and members invite nobody.
	ben := store.ForMember(acme.ID, acme.Ben.ID, 1)
	_, err = db.InviteMember(t.Context(), ben, "ben", "dee@acme.test", "", tenancy.RoleViewer)
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err))
	_, err = db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleAdmin)
	require.NoError(t, err)
	_, err = db.InviteMember(t.Context(), store.ForMember(acme.ID, acme.Ben.ID, 2), "ben", "dee@acme.test", "", tenancy.RoleOwner)
	require.Equal(t, tenancy.Forbidden, tenancy.CodeOf(err))
	_, err = db.InviteMember(t.Context(), store.ForMember(acme.ID, acme.Ben.ID, 2), "ben", "dee@acme.test", "", tenancy.RoleAdmin)
	require.NoError(t, err)
}

// TestLastOwner_AtOnce: two owners who unmake each other at the same moment leave one.
func TestLastOwner_AtOnce(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	for round := range 5 {
		acme := db.Tenant(t, "acme"+string(rune('a'+round)))
		_, err := db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleOwner)
		require.NoError(t, err)
		errs := make([]error, 2)
		var both sync.WaitGroup
		for n, m := range []tenancy.Member{acme.Ada, acme.Ben} {
			both.Go(func() { _, errs[n] = db.DeactivateMember(t.Context(), acme.Scope(), "test", m.ID) })
		}
		both.Wait()
		require.True(t, (errs[0] == nil) != (errs[1] == nil), "exactly one of them: %v", errs)
	}
}

// TestNonce_FiftyTimesOnTwoNodes: a link that is used fifty times at once, on two nodes,
// works once.
func TestNonce_FiftyTimesOnTwoNodes(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	acme := db.Tenant(t, "acme")
	nodes := []*store.Store{db.Store, db.Reopen(t, storetest.Options{MaxConns: 8})}
	nonce := tenancy.NewID()
	fresh := make([]bool, 50)
	var all sync.WaitGroup
	for n := range fresh {
		all.Go(func() {
			var err error
			if fresh[n], err = nodes[n%2].SpendNonce(t.Context(), acme.ID, nonce, storetest.Now.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	won := 0
	for _, f := range fresh {
		if f {
			won++
		}
	}
	require.Equal(t, 1, won)
}

func TestTenantStatsAndIndexes(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	for _, row := range []store.AuditRow{
		{Tool: "get_issue", Decision: store.Allowed, DurationUS: 1000}, {Tool: "get_issue", Decision: store.Allowed, DurationUS: 3000},
		{Tool: "get_issue", Decision: store.Denied}, {Method: "tools/list", Decision: store.Failed},
	} {
		row.TenantID, row.Kind, row.Actor, row.Method = acme.ID, "call", "test", "tools/call"
		if row.Tool == "" {
			row.Tool, row.Method = "", "tools/list"
		}
		require.NoError(t, db.Record(t.Context(), row))
	}
	stats, err := db.TenantStats(t.Context(), acme.ID, time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, stats.Members)
	require.Len(t, stats.Calls, 2)
	require.Equal(t, "get_issue", stats.Calls[0].Tool)
	require.EqualValues(t, 2, stats.Calls[0].Allowed)
	require.EqualValues(t, 1, stats.Calls[0].Denied)
	later, err := db.TenantStats(t.Context(), acme.ID, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Empty(t, later.Calls)
	list, err := db.Indexes(t.Context())
	require.NoError(t, err)
	for _, a := range list {
		require.NotEmpty(t, a.Table)
		require.NotEmpty(t, a.Advice)
	}
}
