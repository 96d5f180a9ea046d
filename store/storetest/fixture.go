package storetest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Tenant is a tenant with an owner, ada, and a member, ben.
type Tenant struct {
	tenancy.Tenant
	db  *DB
	Ada tenancy.Member // owner
	Ben tenancy.Member // member
}

// Scope is the tenant's system scope.
func (tn *Tenant) Scope() store.Scope { return store.AsSystem(tn.ID, "test") }

// SetPlan moves a tenant to another plan without a trace.
func (db *DB) SetPlan(t testing.TB, slug, plan string) {
	t.Helper()
	admin, err := pgx.Connect(t.Context(), db.AdminDSN)
	require.NoError(t, err)
	defer func() { _ = admin.Close(context.Background()) }()
	_, err = admin.Exec(t.Context(), "update tenants set plan = $2 where slug = $1", slug, plan)
	require.NoError(t, err)
}

// Tenant creates a tenant with people, of a plan whose limits no test meets.
func (db *DB) Tenant(t testing.TB, slug string) *Tenant {
	t.Helper()
	tenant, err := db.CreateTenant(t.Context(), slug, "Tenant "+slug, "test")
	require.NoError(t, err)
	tenant.Plan = "enterprise"
	db.SetPlan(t, slug, tenant.Plan)
	tn := &Tenant{Tenant: tenant, db: db}
	person := func(handle, name string, role tenancy.Role) tenancy.Member {
		return tenancy.Member{ID: tenancy.NewID(), Handle: handle, Email: handle + "@" + slug + ".test", Name: name,
			Role: role, State: tenancy.MemberActive, CreatedAt: Now}
	}
	tn.Ada, tn.Ben = person("ada", "Ada Byron", tenancy.RoleOwner), person("ben", "Ben Okri", tenancy.RoleMember)
	tn.Write(t, func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{tn.Ada, tn.Ben}))
	})
	return tn
}

// Find returns a tenant that is there, with the people that Tenant makes.
func (db *DB) Find(t testing.TB, slug string) *Tenant {
	t.Helper()
	tenant, err := db.AnyTenant(t.Context(), slug)
	require.NoError(t, err)
	tn := &Tenant{Tenant: tenant, db: db}
	for handle, into := range map[string]*tenancy.Member{"ada": &tn.Ada, "ben": &tn.Ben} {
		var found []tenancy.Member
		tn.Read(t, store.MembersByName([]string{handle}, &found))
		require.Len(t, found, 1)
		*into = found[0]
	}
	return tn
}

// Write runs fn as the system of the tenant.
func (tn *Tenant) Write(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: tn.ID, Kind: "job", Actor: "test", Method: "fixture", Decision: store.Allowed}
	}
	require.NoError(t, tn.db.Write(t.Context(), tn.Scope(), entry, fn))
}

// Read runs fn as the system of the tenant.
func (tn *Tenant) Read(t testing.TB, queries ...store.Query) {
	t.Helper()
	require.NoError(t, tn.db.Read(t.Context(), tn.Scope(), func(tx *store.Tx) error { return tx.Do(t.Context(), queries...) }))
}

// Token creates a token of ada with these grants (JSON) and returns its plain form.
func (tn *Tenant) Token(t testing.TB, name, grants string) (store.Token, string) {
	t.Helper()
	var g tenancy.Grants
	require.NoError(t, json.Unmarshal([]byte(grants), &g))
	token, plain, err := tn.db.CreateToken(t.Context(), tn.Scope(), tn.Slug, "test", store.NewToken{Name: name, Owner: tn.Ada.Email, Grants: g})
	require.NoError(t, err)
	tn.db.issue(plain)
	return token, plain
}

// FullToken creates a token that may do everything.
func (tn *Tenant) FullToken(t testing.TB) string {
	t.Helper()
	grants, err := json.Marshal(tenancy.Grants{Allow: tenancy.AllPermissions})
	require.NoError(t, err)
	_, plain := tn.Token(t, "full", string(grants))
	return plain
}

// Project creates a scrum project.
func (tn *Tenant) Project(t testing.TB, key, name string) tracker.Project {
	t.Helper()
	template, err := tracker.FindTemplate("scrum")
	require.NoError(t, err)
	p := tracker.Project{ID: tenancy.NewID(), Key: key, Name: name, State: tracker.ProjectActive, LeadID: tn.Ada.ID,
		Template: template.Name, Timezone: "UTC", Workflow: template.Workflow, IssueTypes: template.IssueTypes,
		Version: 1, CreatedAt: Now, UpdatedAt: Now}
	tn.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertProject(p)) })
	return p
}

// Issues creates issues with these titles in a project and returns them.
func (tn *Tenant) Issues(t testing.TB, p tracker.Project, titles ...string) []tracker.Issue {
	t.Helper()
	issues := make([]tracker.Issue, len(titles))
	for n, title := range titles {
		start := p.Workflow.Initial()
		issues[n] = tracker.Issue{ID: tenancy.NewID(), Title: title, Type: "Task", Status: start.Name, Category: start.Category,
			Priority: tracker.Medium, ReporterID: tn.Ada.ID, Reporter: tn.Ada.Label()}
	}
	by := store.Author{MemberID: tn.Ada.ID, ChangeID: tenancy.NewID(), At: Now}
	tn.Write(t, func(tx *store.Tx) error { return tx.CreateIssues(t.Context(), p, issues, by) })
	return issues
}
