package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
)

// filled is a tenant with rows in every table, in two projects.
type filled struct {
	*storetest.Tenant
	web, api tracker.Project
}

// fill makes a tenant with at least one row in every table. A new table needs a
// row here: TestAttack051_Rows says so.
func fill(t *testing.T, db *storetest.DB, slug string) filled {
	t.Helper()
	f := filled{Tenant: db.Tenant(t, slug)}
	f.web, f.api = f.Project(t, "WEB", "Website of "+slug), f.Project(t, "API", "Interface of "+slug)
	by := store.Author{MemberID: f.Ada.ID, ChangeID: tenancy.NewID(), At: storetest.Now}
	var all []tracker.Issue
	for _, p := range []tracker.Project{f.web, f.api} {
		issues := f.Issues(t, p, "First of "+slug, "Second of "+slug)
		all = append(all, issues...)
		f.Write(t, func(tx *store.Tx) error {
			labelled := issues[0]
			labelled.Labels = []string{"label-" + slug}
			var made bool
			sprint := tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, Name: "Sprint of " + slug, State: tracker.SprintActive, StartedAt: &storetest.Now, CreatedAt: storetest.Now}
			return tx.Do(t.Context(), store.InsertSprint(sprint), store.FreezeSprint(sprint, store.SprintStart),
				store.SaveIssue(issues[0], labelled, by),
				store.InsertComment(issues[0], tracker.Comment{ID: tenancy.NewID(), IssueID: issues[0].ID, Body: "Comment of " + slug}, "", by),
				store.InsertWorklog(issues[0], tracker.Worklog{ID: tenancy.NewID(), Minutes: 90, StartedOn: storetest.Now, Comment: "Work of " + slug}, 0, by),
				store.InsertAttachment(issues[0], newFile("file of "+slug+".txt", []byte("Contents of "+slug)), []byte("Contents of "+slug), by),
				store.InsertLink(issues[0], tracker.Blocks, issues[1], by, &made))
		})
	}
	f.Write(t, func(tx *store.Tx) error {
		var made bool
		return tx.Do(t.Context(), store.InsertLink(all[0], tracker.RelatesTo, all[2], by, &made))
	})
	p := principal(t, db, f.FullToken(t))
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: f.ID, Kind: "call", Actor: "test", TokenID: &p.TokenID, Method: "test", Decision: store.Allowed}
	}
	require.NoError(t, db.Write(t.Context(), store.ForPrincipal(p), entry, func(tx *store.Tx) error {
		_, err := tx.ClaimKey(t.Context(), "tool", "key of "+slug, []byte{1})
		return err
	}))
	page := tenancy.Page{ID: tenancy.NewID(), Title: "Burndown of " + slug, CreatedBy: "ci", CreatedAt: storetest.Now, ExpiresAt: storetest.Now.Add(time.Hour)}
	require.NoError(t, db.PutPage(t.Context(), f.ID, page, 10, 1<<20))
	require.NoError(t, db.AddSigningKey(t.Context(), f.ID, "test", tenancy.SealedKey{ID: tenancy.NewID(), Sealed: "sealed", CreatedAt: storetest.Now}, storetest.Now, true))
	fresh, err := db.SpendNonce(t.Context(), f.ID, tenancy.NewID(), storetest.Now.Add(time.Hour))
	require.NoError(t, err)
	require.True(t, fresh)
	admin(t, db, `insert into sso_providers (tenant_id, id, name, title, protocol, ceiling, settings, sealed, created_at, updated_at)
		values ($1, $2, 'idp', $3, 'oidc', 'owner', '{}', 'sealed', now(), now())`, f.ID, page.ID, "Provider of "+slug)
	admin(t, db, `insert into identities (tenant_id, provider_id, issuer, subject, member_id, created_at, last_sign_in_at)
		values ($1, $2, 'https://idp.test', $3, $4, now(), now())`, f.ID, page.ID, "subject of "+slug, f.Ada.ID)
	fresh, err = db.Spend(t.Context(), f.ID, sso.Once{IDs: []string{"id of " + slug}, Until: storetest.Now.Add(time.Hour)})
	require.NoError(t, err)
	require.True(t, fresh)
	_, err = db.BeginSession(t.Context(), f.Tenant.Tenant, f.Ada.ID, store.NewSession{Provider: "link", Refresh: tokens.SessionToken{Family: tokens.Hash{7}, Hash: tokens.Hash{7}}, UserAgent: "Browser of " + slug})
	require.NoError(t, err)
	_, err = db.Connect(t.Context(), store.ForMember(f.ID, f.Ada.ID, 1), slug, f.Ada.Label(), store.Consent{ClientID: "client of " + slug,
		ClientName: "Agent of " + slug, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}, Life: time.Hour})
	require.NoError(t, err)
	_, _, err = db.Seal(t.Context(), f.ID, store.AuditHead{})
	require.NoError(t, err)
	require.NoError(t, db.CountUsage(t.Context(), f.ID, time.Hour))
	require.NoError(t, db.CatchUpTimelines(t.Context(), f.ID))
	for _, p := range []tracker.Project{f.web, f.api} {
		admin(t, db, `insert into deletions (tenant_id, id, project_id, project_key, deleted_at) values ($1, $2, $3, $4, $5)`,
			f.ID, tenancy.NewID(), p.ID, p.Key, storetest.Now)
	}
	return f
}

// principal authenticates a plain token.
func principal(t *testing.T, db *storetest.DB, plain string) tenancy.Principal {
	t.Helper()
	slug, hash, ok := tokens.Parse(plain)
	require.True(t, ok)
	p, err := db.LookupToken(t.Context(), slug, hash)
	require.NoError(t, err)
	return p
}

// as runs fn on a raw connection of the runtime role with these settings, and
// rolls back. Nil settings stay missing.
func as(t *testing.T, conn *pgx.Conn, tenant, projects *string, fn func(pgx.Tx)) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.Background())) }()
	for name, value := range map[string]*string{"app.tenant_id": tenant, "app.only_projects": projects} {
		if value != nil {
			_, err = tx.Exec(t.Context(), "select set_config($1, $2, true)", name, *value)
			require.NoError(t, err)
		}
	}
	fn(tx)
}

// attempt runs a statement in a savepoint and returns the error's SQLSTATE.
func attempt(t *testing.T, tx pgx.Tx, sql string, args ...any) string {
	t.Helper()
	point, err := tx.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, point.Rollback(context.Background())) }()
	_, err = point.Exec(t.Context(), sql, args...)
	var pg *pgconn.PgError
	if err == nil {
		return "no error"
	}
	require.ErrorAs(t, err, &pg)
	return pg.Code
}

func rowsIn(t *testing.T, tx pgx.Tx, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, tx.QueryRow(t.Context(), sql, args...).Scan(&n), sql)
	return n
}

// copyRow inserts a copy of one visible row with some columns changed.
func copyRow(t *testing.T, admin *pgx.Conn, table, changes string) string {
	t.Helper()
	columns := strings.Join(strings1(t, admin, `select quote_ident(attname) from pg_attribute
		where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''`, table), ", ")
	return fmt.Sprintf(`insert into %[1]s (%[2]s) select %[2]s from (select (jsonb_populate_record(null::%[1]s, to_jsonb(r) || '%[3]s')).* from %[1]s r limit 1) x`,
		table, columns, changes)
}

func TestAttack051_Rows(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a, b := fill(t, db, "acme"), fill(t, db, "beta")
	admin, app := db.Admin(t), db.App(t)
	tenantA, tenantB, all, none, empty := a.ID.String(), b.ID.String(), "all", "none", ""
	for _, table := range tenantTables(t, admin) {
		for _, tenant := range []string{tenantA, tenantB} {
			var n int
			require.NoError(t, admin.QueryRow(t.Context(), "select count(*) from "+table+" where tenant_id = $1", tenant).Scan(&n))
			require.NotZero(t, n, "teach fill a row of %s", table)
		}
		for _, missing := range []*string{nil, &empty} {
			as(t, app, missing, &all, func(tx pgx.Tx) {
				require.Zero(t, rowsIn(t, tx, "select count(*) from "+table), "%s without a tenant", table)
				require.Equal(t, "42501", attempt(t, tx, "insert into "+table+" (tenant_id) values ($1)", tenantA), table)
			})
		}
		as(t, app, &tenantA, &all, func(tx pgx.Tx) {
			require.NotZero(t, rowsIn(t, tx, "select count(*) from "+table), table)
			require.Zero(t, rowsIn(t, tx, "select count(*) from "+table+" where tenant_id <> $1", tenantA), table)
			require.Equal(t, "42501", attempt(t, tx, copyRow(t, admin, table, `{"tenant_id":"`+tenantB+`"}`)), "insert into %s", table)
			require.Equal(t, "42501", attempt(t, tx, "update "+table+" set tenant_id = $1", tenantB), "update %s", table)
		})
	}

	// The same for a token that is limited to one project.
	scoped := strings1(t, admin, `select a.attrelid::regclass || ' ' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where `+ourTables+` and not c.relispartition and (a.attname like '%project_id' or c.relname = 'projects' and a.attname = 'id')
		and c.relname <> 'audit_log'`)
	require.GreaterOrEqual(t, len(scoped), 8)
	only := a.web.ID.String()
	for _, pair := range scoped {
		table, column, _ := strings.Cut(pair, " ")
		for _, missing := range []*string{nil, &empty, &none} {
			as(t, app, &tenantA, missing, func(tx pgx.Tx) {
				require.Zero(t, rowsIn(t, tx, "select count(*) from "+table), "%s without projects", table)
			})
		}
		as(t, app, &tenantA, &only, func(tx pgx.Tx) {
			require.NotZero(t, rowsIn(t, tx, "select count(*) from "+table), table)
			require.Zero(t, rowsIn(t, tx, "select count(*) from "+table+" where "+column+" <> $1", a.web.ID), table)
			require.Equal(t, "42501", attempt(t, tx, copyRow(t, admin, table, `{"`+column+`":"`+a.api.ID.String()+`"}`)), "insert into %s", table)
			require.Equal(t, "42501", attempt(t, tx, "update "+table+" set "+column+" = $1", a.api.ID), "update %s", table)
		})
	}
}

// TestAttack054_ForeignKeysStayInTheTenant points every foreign key of a row of
// A at B's row, as superuser, whom row-level security does not stop.
func TestAttack054_ForeignKeysStayInTheTenant(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a, b := fill(t, db, "acme"), fill(t, db, "beta")
	admin := db.Admin(t)
	keys := strings1(t, admin, `select k.conrelid::regclass || ' ' || f.attname || ' ' || k.confrelid::regclass from pg_constraint k
		join pg_attribute f on f.attrelid = k.conrelid and f.attnum = k.conkey[2]
		where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.confrelid <> 'tenants'::regclass
		  and not exists (select from pg_class c where c.oid = k.conrelid and c.relispartition)`)
	require.GreaterOrEqual(t, len(keys), 15)
	tx, err := admin.Begin(t.Context())
	require.NoError(t, err)
	for _, key := range keys {
		part := strings.Fields(key)
		sql := fmt.Sprintf(`update %[1]s set %[2]s = (select id from %[3]s where tenant_id = $2 limit 1)
			where ctid = (select ctid from %[1]s where tenant_id = $1 limit 1)`, part[0], part[1], part[2])
		require.Equal(t, "23503", attempt(t, tx, sql, a.ID, b.ID), key)
	}
	require.NoError(t, tx.Rollback(t.Context()))

	// And through the store, as the runtime role.
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: a.ID, Kind: "job", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	err = db.Write(t.Context(), a.Scope(), entry, func(tx *store.Tx) error {
		return tx.CreateIssues(t.Context(), b.web, []tracker.Issue{{ID: tenancy.NewID(), Title: "x", Type: "Task", Status: "Backlog",
			Category: tracker.Todo, Priority: tracker.Low}}, store.Author{At: storetest.Now})
	})
	require.Error(t, err)
}

// TestAttack055_KeysAndNumbersArePerTenant also covers case 56: numbers say
// nothing about the volume of others.
func TestAttack055_KeysAndNumbersArePerTenant(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a, b := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	for n := range 3 {
		a.Issues(t, a.Project(t, fmt.Sprintf("WEB%d", n), "Website"), "One", "Two", "Three")
	}
	issues := b.Issues(t, b.Project(t, "WEB0", "Website"), "One")
	require.Equal(t, "WEB0-1", issues[0].Key.String())
	for _, id := range []uuid.UUID{issues[0].ID, issues[0].ProjectID, b.ID} {
		require.EqualValues(t, 7, id.Version())
	}
}

// TestAttack060_SearchStaysInside looks for a word that only others have.
func TestAttack060_SearchStaysInside(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a, b := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	web, api := a.Project(t, "WEB", "Website"), a.Project(t, "API", "Interface")
	a.Issues(t, web, "Zebra crossing", "Plain")
	a.Issues(t, api, "Zebra interface", "Hidden xylophone")
	b.Issues(t, b.Project(t, "WEB", "Website"), "Only beta has a quagga", "Zebra of beta")
	find := func(scope store.Scope, text string) (ids []uuid.UUID) {
		require.NoError(t, db.Read(t.Context(), scope, func(tx *store.Tx) error { return tx.Do(t.Context(), store.MatchText(tracker.Filter{Text: text}, &ids)) }))
		return ids
	}
	require.Empty(t, find(a.Scope(), "quagga"))
	require.Len(t, find(a.Scope(), "zebra"), 2)
	_, plain := a.Token(t, "web", `{"issues":["search"],"only_projects":["WEB"]}`)
	limited := store.ForPrincipal(principal(t, db, plain))
	require.Len(t, find(limited, "zebra"), 1)
	require.Empty(t, find(limited, "xylophone"))
	_, plain = a.Token(t, "nothing", `{"issues":["search"],"only_projects":[]}`)
	require.Empty(t, find(store.ForPrincipal(principal(t, db, plain)), "zebra"))
	for _, strange := range []string{"", "'", `"`, `"unclosed`, "a & b | !c:*", "(((", "-", "or or or", strings.Repeat("x ", 2000), "<->", `\`, "%", "*:A"} {
		require.Empty(t, find(a.Scope(), "quagga "+strange), strange)
		var similar []uuid.UUID
		a.Read(t, store.SimilarTo(strange, 3, &similar))
	}
	var ids []uuid.UUID
	app := db.App(t)
	rows, err := app.Query(t.Context(), `select search_issue_ids('zebra', null, null, 100)`) // outside any transaction of ours
	require.NoError(t, err)
	ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	require.NoError(t, err)
	require.Empty(t, ids, "without a tenant")
}
