package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// raw is a query of a test's own.
func raw(sql string, args ...any) store.Query {
	return func(b *pgx.Batch, _ store.Scope) { b.Queue(sql, args...) }
}

// TestAttack057_SettingsDieWithTheTransaction shares one connection between two
// tenants and ends transactions in every way.
func TestAttack057_SettingsDieWithTheTransaction(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 1})
	a, b := fill(t, db, "acme"), fill(t, db, "beta")
	clean := func(after string) {
		t.Helper()
		var tenant, projects string
		var rows int
		err := db.Pool().QueryRow(t.Context(), `select coalesce(current_setting('app.tenant_id', true), ''),
			coalesce(current_setting('app.only_projects', true), ''), (select count(*) from issues)`).Scan(&tenant, &projects, &rows)
		require.NoError(t, err, "an empty setting gives no rows, not an error")
		require.Empty(t, tenant+projects, after)
		require.Zero(t, rows, after)
	}
	mine := func(tn filled) {
		t.Helper()
		var found []tracker.Issue
		var total int
		tn.Read(t, store.SearchIssues(tracker.Filter{}, store.Page{Limit: 10}, &found, &total))
		require.Equal(t, 4, total)
		require.Contains(t, found[0].Title, tn.Slug)
		clean("a read")
	}
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: a.ID, Kind: "job", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	failed := errors.New("the handler failed")
	ways := map[string]func(){
		"an SQL error in a read": func() {
			require.Error(t, db.Read(t.Context(), a.Scope(), func(tx *store.Tx) error { return tx.Do(t.Context(), raw("select 1/0")) }))
		},
		"an SQL error in a pinned read": func() {
			require.Error(t, db.Read(t.Context(), a.Scope(), func(tx *store.Tx) error {
				tx.Pin()
				return errors.Join(tx.Do(t.Context()), tx.Do(t.Context(), raw("select 1/0")))
			}))
		},
		"an SQL error in a write": func() {
			require.Error(t, db.Write(t.Context(), a.Scope(), entry, func(tx *store.Tx) error { return tx.Do(t.Context(), raw("select 1/0")) }))
		},
		"an SQL error that the handler swallows": func() {
			require.Error(t, db.Write(t.Context(), a.Scope(), entry, func(tx *store.Tx) error {
				_ = tx.Do(t.Context(), raw("select 1/0"))
				return nil
			}))
		},
		"an error of the handler": func() {
			require.ErrorIs(t, db.Write(t.Context(), a.Scope(), entry, func(tx *store.Tx) error {
				return errors.Join(tx.Do(t.Context()), failed)
			}), failed)
		},
		"a panic": func() {
			require.Panics(t, func() {
				_ = db.Write(t.Context(), a.Scope(), entry, func(tx *store.Tx) error {
					_ = tx.Do(t.Context())
					panic("in the handler")
				})
			})
		},
		"a cancelled query": func() {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			require.Error(t, db.Read(ctx, a.Scope(), func(tx *store.Tx) error { return tx.Do(ctx, raw("select pg_sleep(3)")) }))
		},
		"a cancelled write": func() {
			ctx, cancel := context.WithCancel(t.Context())
			require.Error(t, db.Write(ctx, a.Scope(), entry, func(tx *store.Tx) error {
				err := tx.Do(ctx)
				cancel()
				return err
			}))
		},
		"a dry run": func() {
			require.NoError(t, db.Write(t.Context(), a.Scope(), entry, func(tx *store.Tx) error {
				tx.DryRun()
				return tx.Do(t.Context())
			}))
		},
		"a login": func() { principal(t, db, a.FullToken(t)) },
		"an audit row": func() {
			require.NoError(t, db.Record(t.Context(), entry()))
		},
	}
	for name, end := range ways {
		mine(b)
		end()
		clean(name)
		mine(a)
	}
}

// TestAttack020_RevokedWhileItWrites ends a token, its owner and its tenant in
// the middle of a write: the commit's own check refuses.
func TestAttack020_RevokedWhileItWrites(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	for name, end := range map[string]func(*storetest.Tenant, tenancy.Principal) string{
		"token": func(tn *storetest.Tenant, p tenancy.Principal) string {
			require.NoError(t, db.RevokeToken(t.Context(), tn.Scope(), "test", p.TokenID))
			return "unauthenticated"
		},
		"grants": func(_ *storetest.Tenant, p tenancy.Principal) string {
			admin(t, db, `update tokens set grants = '{"issues":["read"]}', epoch = epoch + 1 where id = $1`, p.TokenID)
			return "unauthenticated"
		},
		"expiry": func(_ *storetest.Tenant, p tenancy.Principal) string {
			admin(t, db, `update tokens set expires_at = clock_timestamp() where id = $1`, p.TokenID)
			return "unauthenticated"
		},
		"member": func(tn *storetest.Tenant, _ tenancy.Principal) string {
			admin(t, db, `update members set state = 'disabled', epoch = epoch + 1 where id = $1`, tn.Ada.ID)
			return "unauthenticated"
		},
		"tenant": func(tn *storetest.Tenant, _ tenancy.Principal) string {
			admin(t, db, `update tenants set state = 'suspended' where id = $1`, tn.ID)
			return "tenant_suspended"
		},
	} {
		tn := db.Tenant(t, name)
		p := tn.Project(t, "WEB", "Website")
		who := principal(t, db, tn.FullToken(t))
		entry := func() store.AuditRow {
			return store.AuditRow{TenantID: tn.ID, Kind: "call", Actor: "test", Method: "the write", Decision: store.Allowed}
		}
		var want string
		err := db.Write(t.Context(), store.ForPrincipal(who), entry, func(tx *store.Tx) error {
			issue := tracker.Issue{ID: tenancy.NewID(), Title: "Half written", Type: "Task", Status: "Backlog", Category: tracker.Todo, Priority: tracker.Low}
			if err := tx.CreateIssues(t.Context(), p, []tracker.Issue{issue}, store.Author{At: storetest.Now}); err != nil {
				return err
			}
			want = end(tn, who)
			return nil
		})
		require.Equal(t, want, string(tenancy.CodeOf(err)), name)
	}
	dump := db.Dump(t)
	require.NotContains(t, dump, "Half written")
	require.NotContains(t, dump, "the write", "the audit row of a write that never was")
}

// admin runs one statement as superuser.
func admin(t *testing.T, db *storetest.DB, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.AdminDSN)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// TestAttack016_RevokedOnAnotherNode revokes on one node and uses the principal
// that another node remembers.
func TestAttack016_RevokedOnAnotherNode(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	node2 := db.Reopen(t, storetest.Options{MaxConns: 2})
	acme := db.Tenant(t, "acme")
	for range 100 {
		who := principal(t, db, acme.FullToken(t))
		read := func() error {
			return node2.Read(t.Context(), store.ForPrincipal(who), func(tx *store.Tx) error { return tx.Do(t.Context()) })
		}
		require.NoError(t, read())
		require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", who.TokenID))
		require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(read()))
	}
}

// TestAttack095_NoAuditNoChange takes the audit away: a write then does not happen.
func TestAttack095_NoAuditNoChange(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	admin(t, db, "revoke insert on audit_log from colaflow_app")
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "test", Decision: store.Allowed}
	}
	err := db.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error {
		return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{{ID: tenancy.NewID(), Handle: "unseen", Name: "Unseen",
			Role: tenancy.RoleViewer, State: tenancy.MemberActive, CreatedAt: storetest.Now}}))
	})
	require.Error(t, err)
	require.NotContains(t, db.Dump(t), "unseen")
	require.Error(t, db.Record(t.Context(), entry()))
}

// TestAttack034_AuditOfStrangeText records what a client may send as text. A row
// that PostgreSQL cannot hold must not take down the rows of others.
func TestAttack034_AuditOfStrangeText(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	a, b := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	row := func(tn *storetest.Tenant, method, arguments string) store.AuditRow {
		return store.AuditRow{TenantID: tn.ID, Kind: "call", Actor: "test", Method: method, Decision: store.Allowed, Args: []byte(arguments)}
	}
	strange := []store.AuditRow{row(a, "nul\x00", `{}`), row(a, "nul in arguments", `{"a":"\u0000"}`), row(a, "number", `{"a":1e999999}`)}
	done := make(chan error)
	refused := row(a, "refused", `{}`)
	refused.Decision = "a word that the table does not know"
	for range 5 {
		go func() {
			if db.Record(t.Context(), refused) == nil {
				done <- errors.New("a row that was not written was reported as written")
				return
			}
			done <- nil
		}()
	}
	for range 20 { // many at once share a flush
		for _, r := range append(strange, row(b, "innocent", `{"a":1}`)) {
			go func() { done <- db.Record(t.Context(), r) }()
		}
	}
	for range 20*(len(strange)+1) + 5 {
		require.NoError(t, <-done)
	}
	var n int
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), "select count(*) from audit_log where method in ('innocent', 'number', 'nul in arguments', 'nul')").Scan(&n))
	require.Equal(t, 80, n)
}
