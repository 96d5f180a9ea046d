package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

// denied is the row of a call that was refused to a token.
func denied(tn *storetest.Tenant, token store.Token, tool, rule string) store.AuditRow {
	return store.AuditRow{TenantID: tn.ID, Kind: "call", Actor: "ada", TokenID: &token.ID, Method: "tools/call", Tool: tool,
		Decision: store.Denied, Rule: rule}
}

func TestRecord_RepeatedDenials(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	one, _ := acme.Token(t, "one", `{}`)
	two, _ := acme.Token(t, "two", `{}`)
	repeats := func() (list []int) {
		rows, _ := listAudit(t, db, acme.Scope(), store.AuditFilter{Decision: store.Denied, Oldest: true})
		for _, r := range rows {
			list = append(list, r.Repeats)
		}
		return list
	}
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if err := db.Record(t.Context(), denied(acme, one, "create_issue", "lacks issues:create")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Equal(t, []int{1}, repeats(), "the first has its row when it is answered")
	for _, other := range []store.AuditRow{denied(acme, two, "create_issue", "lacks issues:create"),
		denied(acme, one, "update_issue", "lacks issues:create"), denied(acme, one, "create_issue", "120 writes a minute")} {
		require.NoError(t, db.Record(t.Context(), other))
	}
	require.Equal(t, []int{1, 1, 1, 1}, repeats(), "another token, tool or rule has its own")
	db.FlushDenials()
	require.Equal(t, []int{1, 1, 1, 1, 99}, repeats())
	require.NoError(t, db.Record(t.Context(), denied(acme, one, "create_issue", "lacks issues:create")))
	require.NoError(t, db.Record(t.Context(), denied(acme, two, "create_issue", "lacks issues:create")))
	require.Equal(t, []int{1, 1, 1, 1, 99, 1}, repeats(), "what had no repeat was forgotten")
	db.FlushDenials()
	db.FlushDenials()
	require.NoError(t, db.Record(t.Context(), denied(acme, one, "create_issue", "lacks issues:create")))
	require.Equal(t, []int{1, 1, 1, 1, 99, 1, 1, 1}, repeats())

	node := db.Reopen(t, storetest.Options{MaxConns: 2})
	for range 3 {
		require.NoError(t, node.Record(t.Context(), denied(acme, one, "ping", "")))
	}
	node.Close()
	require.Equal(t, []int{1, 1, 1, 1, 99, 1, 1, 1, 1, 2}, repeats(), "closing writes what was counted")
	report, err := db.VerifyAudit(t.Context(), acme.Scope(), store.AuditHead{})
	require.NoError(t, err)
	require.True(t, report.OK(), report.Findings)
}

// TestRecord_RepeatedDenialsOfMembers: who has no token is told apart by their member; what
// is no call has a row each time.
func TestRecord_RepeatedDenialsOfMembers(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, globex := db.Tenant(t, "acme"), db.Tenant(t, "globex")
	byMember := func(tn *storetest.Tenant, kind string, n int, member *uuid.UUID) {
		for range n {
			require.NoError(t, db.Record(t.Context(), store.AuditRow{TenantID: tn.ID, Kind: kind, Actor: "someone", MemberID: member, Method: "GET /api/v1/audit",
				Decision: store.Denied, Rule: "lacks audit:read"}))
		}
	}
	byMember(acme, "call", 5, &acme.Ada.ID)
	byMember(acme, "call", 4, &acme.Ben.ID)
	byMember(globex, "call", 3, &acme.Ada.ID) // an imported tenant has members of the same ids
	byMember(acme, "sign_in", 2, &acme.Ada.ID)
	byMember(acme, "call", 2, nil)
	db.FlushDenials()
	for tn, want := range map[*storetest.Tenant][]int{acme: {1, 1, 1, 1, 1, 1, 3, 4}, globex: {1, 2}} {
		var repeats []int
		rows, _ := listAudit(t, db, tn.Scope(), store.AuditFilter{Decision: store.Denied})
		for _, r := range rows {
			repeats = append(repeats, r.Repeats)
		}
		require.ElementsMatch(t, want, repeats)
	}
}

func TestRecord_DenialsAreBounded(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	token, _ := acme.Token(t, "one", `{}`)
	var group sync.WaitGroup
	for worker := range 50 {
		group.Go(func() {
			for n := range 100 {
				if err := db.Record(t.Context(), denied(acme, token, "tool", fmt.Sprint(worker, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	_, total := listAudit(t, db, acme.Scope(), store.AuditFilter{Decision: store.Denied})
	require.Equal(t, 5_000, total)
	require.LessOrEqual(t, db.OpenDenials(), 4_096)
}

// TestRecord_DenialThatFails has no repeat rely on a row that was not written.
func TestRecord_DenialThatFails(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	token, _ := acme.Token(t, "one", `{}`)
	admin(t, db, "revoke insert on audit_log from colaflow_app")
	for range 2 {
		require.Error(t, db.Record(t.Context(), denied(acme, token, "tool", "rule")))
	}
	admin(t, db, "grant insert on audit_log to colaflow_app")
	require.NoError(t, db.Record(t.Context(), denied(acme, token, "tool", "rule")))
	_, total := listAudit(t, db, acme.Scope(), store.AuditFilter{Decision: store.Denied})
	require.Equal(t, 1, total)
}
