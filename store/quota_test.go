package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// write runs queries in a write of the tenant and returns its error.
func write(t *testing.T, db *storetest.DB, tn *storetest.Tenant, queries ...store.Query) error {
	t.Helper()
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: tn.ID, Kind: "job", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	return db.Write(t.Context(), tn.Scope(), entry, func(tx *store.Tx) error { return tx.Do(t.Context(), queries...) })
}

func person(n int, state tenancy.MemberState) tenancy.Member {
	return tenancy.Member{ID: tenancy.NewID(), Handle: fmt.Sprintf("person%d", n), Name: "Person", Role: tenancy.RoleMember, State: state, CreatedAt: storetest.Now}
}

func requirePlanLimit(t *testing.T, err error, text string) {
	t.Helper()
	require.Equal(t, tenancy.PlanLimit, tenancy.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, text)
}

func TestQuota_Tokens(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	db.SetPlan(t, "acme", "free")
	var last store.Token
	for range 19 {
		last, _ = acme.Token(t, "ci", `{"issues":["read"]}`)
	}
	// Eight at once want the last place.
	failed := make(chan error, 8)
	create := func() error {
		_, _, err := db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "ci", Owner: acme.Ada.Email})
		return err
	}
	for range 8 {
		go func() { failed <- create() }()
	}
	made := 0
	for range 8 {
		if err := <-failed; err == nil {
			made++
		} else {
			requirePlanLimit(t, err, "Plan free allows 20 active tokens, and this would make 21.")
		}
	}
	require.Equal(t, 1, made)
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", last.ID))
	require.NoError(t, create(), "a revoked one makes room")
	_, err := db.Store.SetPlan(t.Context(), "acme", "test", "team")
	require.NoError(t, err)
	require.NoError(t, create(), "and a larger plan does, at once")
	_, err = db.Store.SetPlan(t.Context(), "acme", "test", "free")
	require.NoError(t, err, "going back takes nothing away")
	requirePlanLimit(t, create(), "this would make 22")
}

func TestQuota_Projects(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	db.SetPlan(t, "acme", "free")
	var first tracker.Project
	for n := range 10 {
		first = acme.Project(t, fmt.Sprintf("P%d", n), "Project")
	}
	another := first
	another.ID, another.Key = tenancy.NewID(), "MORE"
	requirePlanLimit(t, write(t, db, acme, store.InsertProject(another)), "10 active projects, and this would make 11. Archive projects that are done, or")
	beta.Project(t, "WEB", "Website of another tenant")

	first.State = tracker.ProjectArchived
	require.NoError(t, write(t, db, acme, store.SaveProject(first, first)))
	require.NoError(t, write(t, db, acme, store.InsertProject(another)))
	first.State = tracker.ProjectActive
	requirePlanLimit(t, write(t, db, acme, store.SaveProject(first, first)), "this would make 11")
	another.Name = "Renamed"
	require.NoError(t, write(t, db, acme, store.SaveProject(another, another)), "what is there can be changed")
	_, err := db.LoadDataset(t.Context(), acme.Scope(), manyIssues(1), store.LoadOptions{})
	requirePlanLimit(t, err, "active projects")
}

func TestQuota_Members(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme") // ada and ben
	db.SetPlan(t, "acme", "free")
	var people, imported []tenancy.Member
	for n := range 49 {
		people = append(people, person(n, tenancy.MemberInvited))
		imported = append(imported, person(100+n, tenancy.MemberImported))
	}
	requirePlanLimit(t, write(t, db, acme, store.InsertMembers(people)), "50 members, and this would make 51. Deactivate")
	require.NoError(t, write(t, db, acme, store.InsertMembers(people[1:])))
	require.NoError(t, write(t, db, acme, store.InsertMembers(imported)), "imported people take no place")
	requirePlanLimit(t, write(t, db, acme, store.InsertMembers(people[:1])), "this would make 51")
}

func TestQuota_Text(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	db.SetPlan(t, "acme", "free")
	web := acme.Project(t, "WEB", "Website")
	issues := acme.Issues(t, web, "Twelve bytes")
	by := store.Author{MemberID: acme.Ada.ID, ChangeID: tenancy.NewID(), At: storetest.Now}
	comment := store.InsertComment(issues[0], tracker.Comment{ID: tenancy.NewID(), Body: strings.Repeat("8 bytes.", 50_000)}, "", by)
	require.NoError(t, write(t, db, acme, comment))
	ctx, cancel := context.WithCancel(t.Context())
	cleaning := make(chan struct{})
	go func() { defer close(cleaning); db.CleanEvery(ctx, 20*time.Millisecond, "") }()
	counted := func() (n int64) {
		_ = db.Admin(t).QueryRow(t.Context(), "select text_bytes from tenant_usage where tenant_id = $1", acme.ID).Scan(&n)
		return n
	}
	require.Eventually(t, func() bool { return counted() == 12+400_000 }, time.Minute, 10*time.Millisecond)
	cancel()
	<-cleaning

	admin(t, db, "update tenant_usage set text_bytes = 501::bigint << 20")
	text := "Plan free allows 500 MB of text, and this would make 501."
	requirePlanLimit(t, write(t, db, acme, store.InsertComment(issues[0], tracker.Comment{ID: tenancy.NewID(), Body: "x"}, "", by)), text)
	_, err := db.LoadDataset(t.Context(), acme.Scope(), manyIssues(1), store.LoadOptions{})
	requirePlanLimit(t, err, text)
	failed := func(tx *store.Tx) error {
		return tx.CreateIssues(t.Context(), web, []tracker.Issue{{ID: tenancy.NewID(), Title: "One too many", Type: "Task", Status: "Backlog",
			Category: tracker.Todo, Priority: tracker.Low}}, by)
	}
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	requirePlanLimit(t, db.Write(t.Context(), acme.Scope(), entry, failed), text)
	require.NotContains(t, db.Dump(t), "One too many", "the check in the trip of the commit prevents it")
	changed := issues[0]
	changed.Status, changed.Category = "Done", tracker.Done
	require.NoError(t, write(t, db, acme, store.SaveIssue(issues[0], changed, by)), "what is there can be worked off")
}
