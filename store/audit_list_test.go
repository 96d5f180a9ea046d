package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func listAudit(t *testing.T, db *storetest.DB, scope store.Scope, f store.AuditFilter) (rows []store.AuditRow, total int) {
	t.Helper()
	var count store.AuditCount
	if f.Limit == 0 {
		f.Limit = 100
	}
	require.NoError(t, db.Read(t.Context(), scope, func(tx *store.Tx) error { return tx.Do(t.Context(), store.AuditRows(f, &rows, &count)) }))
	require.False(t, count.TotalIsMinimum)
	return rows, count.Total
}

func TestAuditRows(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	want := fullAuditRow(acme.ID, "WEB-1")
	want.At = storetest.Now
	require.NoError(t, db.Record(t.Context(), want))
	require.NoError(t, db.Record(t.Context(), store.AuditRow{TenantID: acme.ID, Kind: "call", Method: "ping", Decision: store.Denied}))
	require.NoError(t, db.Record(t.Context(), fullAuditRow(beta.ID, "WEB-1")))

	rows, total := listAudit(t, db, acme.Scope(), store.AuditFilter{Tool: "update_issue"})
	require.Equal(t, 1, total)
	want.Repeats, want.WrittenAt = 1, rows[0].WrittenAt
	require.Equal(t, want, rows[0], "every column comes back as it was given")
	require.WithinDuration(t, time.Now(), want.WrittenAt, time.Minute)
	least, total := listAudit(t, db, acme.Scope(), store.AuditFilter{Tool: "ping"})
	require.Equal(t, 1, total)
	require.Nil(t, least[0].Args)
	require.Nil(t, least[0].TokenID)

	for name, f := range map[string]store.AuditFilter{
		"actor": {Actor: want.Actor}, "token": {Token: "ci"}, "decision": {Decision: store.Denied}, "target": {Target: "WEB-1"},
		"since": {Since: least[0].WrittenAt}, "method": {Tool: "ping"}} {
		_, total = listAudit(t, db, acme.Scope(), f)
		require.Equal(t, 1, total, name)
	}
	for _, f := range []store.AuditFilter{{Actor: "x"}, {Token: "x"}, {Token: uuid.NewString()}, {Target: "WEB"}, {Tool: "update"},
		{Until: time.Now().Add(-time.Hour)}} {
		_, total = listAudit(t, db, acme.Scope(), f)
		require.Zero(t, total, "%+v", f)
	}

	all, total := listAudit(t, db, acme.Scope(), store.AuditFilter{})
	require.Equal(t, 4, total)
	for _, oldest := range []bool{false, true} { // pages of one row make the same list
		f := store.AuditFilter{Oldest: oldest, Limit: 1}
		var seen []uuid.UUID
		for range 6 {
			page, _ := listAudit(t, db, acme.Scope(), f)
			if len(page) == 0 {
				break
			}
			at := store.PositionOfAudit(page[0])
			f.After, seen = &at, append(seen, page[0].ID)
		}
		require.Len(t, seen, 4)
		require.Equal(t, all[map[bool]int{false: 0, true: 3}[oldest]].ID, seen[0])
	}
}

// TestAuditRows_ProjectScope holds a limited token to the rows of its projects,
// though the table's policy does not.
func TestAuditRows_ProjectScope(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web, api := acme.Project(t, "WEB", "Website"), acme.Project(t, "API", "Interface")
	for _, project := range []*uuid.UUID{&web.ID, &api.ID, nil} {
		row := fullAuditRow(acme.ID, "x")
		row.ProjectID = project
		require.NoError(t, db.Record(t.Context(), row))
	}
	for projects, want := range map[string]int{`,"only_projects":["WEB"]`: 1, `,"only_projects":["WEB","API"]`: 2, `,"only_projects":[]`: 0} {
		_, plain := acme.Token(t, "auditor", `{"audit":["read"]`+projects+`}`)
		rows, total := listAudit(t, db, store.ForPrincipal(principal(t, db, plain)), store.AuditFilter{})
		require.Equal(t, want, total, projects)
		require.Len(t, rows, want, projects)
	}
}

// TestAuditRows_Count: what more would take too long to count is said to be more.
func TestAuditRows_Count(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	others := store.AuditFilter{Tool: "update_issue", Limit: 1}
	for _, c := range []struct {
		more int
		want store.AuditCount
	}{{0, store.AuditCount{}}, {9_999, store.AuditCount{Total: 9_999}}, {1, store.AuditCount{Total: 10_000}}, {1, store.AuditCount{Total: 10_000, TotalIsMinimum: true}}} {
		acme.Calls(t, c.more)
		var rows []store.AuditRow
		var count store.AuditCount
		acme.Read(t, store.AuditRows(others, &rows, &count))
		require.Equal(t, c.want, count)
	}
}

// TestAuditRows_TooWide: a search that takes too long says what to do, also where it does
// not count; another read that takes too long says what it did.
func TestAuditRows_TooWide(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	db.TooSlow(t, "audit_log")
	var rows []store.AuditRow
	for _, count := range []*store.AuditCount{nil, {}} {
		err := db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error {
			return tx.Do(t.Context(), store.AuditRows(store.AuditFilter{Actor: "nobody", Limit: 1}, &rows, count))
		})
		require.Equal(t, tenancy.TooLarge, tenancy.CodeOf(err), err)
		require.ErrorContains(t, err, "Narrow the period")
	}
	err := db.Read(t.Context(), acme.Scope(), func(tx *store.Tx) error { return tx.Do(t.Context(), raw("select from audit_log")) })
	require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err), err)
}
