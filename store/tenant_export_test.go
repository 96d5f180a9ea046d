package store_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/dataset/github"
	"github.com/colaflow/colaflow/tracker/demo"
)

// exported exports a tenant and returns the file.
func exported(t require.TestingT, db *storetest.DB, slug string) []byte {
	var file bytes.Buffer
	done, err := db.ExportTenant(context.Background(), slug, "test", &file, nil)
	require.NoError(t, err)
	sum := sha256.Sum256(file.Bytes())
	require.Equal(t, hex.EncodeToString(sum[:]), done.SHA256)
	return file.Bytes()
}

// tryImport imports a file as a tenant of the largest plan unless the options name one.
func tryImport(t require.TestingT, db *storetest.DB, file []byte, opt store.ImportOptions) (store.Imported, error) {
	r, err := export.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return store.Imported{}, err
	}
	if opt.Actor = "test"; opt.Plan == "" {
		opt.Plan = "enterprise"
	}
	return db.ImportTenant(context.Background(), r, opt)
}

func imported(t require.TestingT, db *storetest.DB, file []byte, slug string) store.Imported {
	done, err := tryImport(t, db, file, store.ImportOptions{Slug: slug})
	require.NoError(t, err)
	return done
}

// contents are the files of an export by name.
func contents(t require.TestingT, file []byte) map[string]string {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	all := map[string]string{}
	for _, f := range archive.File {
		opened, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(opened)
		require.NoError(t, err)
		all[f.Name] = string(text)
	}
	return all
}

// requireSame asserts that two exports hold the same bytes, but for what says where
// and when they were made, and the audit log, which does not move.
func requireSame(t require.TestingT, want, got []byte) {
	a, b := contents(t, want), contents(t, got)
	for _, name := range []string{"manifest.json", "audit_log.jsonl"} {
		require.Contains(t, a, name)
		require.Contains(t, b, name)
		delete(a, name)
		delete(b, name)
	}
	require.GreaterOrEqual(t, len(a), 10)
	require.Equal(t, a, b)
}

// requireSameRows asserts that two tenants have equal rows in the tables that move,
// looking behind the store's back.
func requireSameRows(t *testing.T, from *pgx.Conn, a tenancy.TenantID, to *pgx.Conn, b tenancy.TenantID) {
	t.Helper()
	tables, _ := store.ExportedColumns()
	for _, table := range tables {
		leave := `'{tenant_id}'::text[]`
		switch table {
		case "audit_log":
			continue
		case "tokens": // end, and lose what they were worth
			leave = `'{tenant_id,hash,hint,previous_hash,previous_until,grants,scope,allowed_ips,epoch,expires_at,revoked_at,rotated_at,removed_at}'::text[]`
		case "tenant_settings":
			leave = `'{tenant_id,name}'::text[]`
		case "members":
			leave = `'{tenant_id,epoch}'::text[]`
		case "projects", "sprints", "issue_events": // tx is of the server
			leave = `'{tenant_id,tx}'::text[]`
		}
		sql := `select (to_jsonb(r) - ` + leave + `)::text from ` + table + ` r where tenant_id = $1 order by 1`
		require.Equal(t, strings1(t, from, sql, a), strings1(t, to, sql, b), table)
	}
}

func TestMove_RoundTrip(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := fill(t, db, "acme")
	threads(t, db.Admin(t), acme)
	_, err := db.Admin(t).Exec(t.Context(), `update issues set parent_id = null where title in ('Hen', 'Egg')`) // no circles
	require.NoError(t, err)
	_, err = db.ConfigureTenant(t.Context(), acme.Scope(), "test", func(c *tenancy.AppConfig) { c.MaxPages, c.PageLife = 7, 90*time.Minute })
	require.NoError(t, err)
	file := exported(t, db, "acme")

	// On the same server, ids and all; and on another one, with another master key.
	other := storetest.Open(t)
	require.NotEqual(t, db.Key, other.Key)
	for _, to := range []*storetest.DB{db, other} {
		done, err := tryImport(t, to, file, store.ImportOptions{Slug: "copy", Name: "Copy\x1b of\nAcme"})
		require.NoError(t, err)
		require.NotEqual(t, acme.ID, done.Tenant.ID)
		again := exported(t, to, "copy")
		requireSame(t, file, again)
		requireSameRows(t, db.Admin(t), acme.ID, to.Admin(t), done.Tenant.ID)
		r, err := export.Open(bytes.NewReader(again), int64(len(again)))
		require.NoError(t, err)
		require.Equal(t, export.Tenant{ID: done.Tenant.ID, Slug: "copy", Name: "Copy of Acme", State: "active", Plan: "enterprise",
			CreatedAt: done.Tenant.CreatedAt}, r.Manifest.Tenant)

		// What is made of it works, and is gone without a trace of the other's.
		before := rowsOf(t, db.Admin(t), acme.ID)
		copied := to.Find(t, "copy")
		var web tracker.Project
		copied.Read(t, store.ProjectByKey("WEB", &web))
		require.Equal(t, 8, copied.Issues(t, web, "After the move")[0].Key.Number)
		_, plain := copied.Token(t, "new", `{"issues":["read"]}`)
		require.Equal(t, done.Tenant.ID, principal(t, to, plain).TenantID)
		_, err = to.DeleteTenant(t.Context(), "copy", "test", 0)
		require.NoError(t, err)
		_, err = to.PurgeDeleted(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, rowsOf(t, to.Admin(t), done.Tenant.ID))
		require.Equal(t, before, rowsOf(t, db.Admin(t), acme.ID))
	}
}

// TestMove_AnyTenant moves tenants that are made up, there and back again.
func TestMove_AnyTenant(t *testing.T) {
	t.Parallel()
	db, other := storetest.Open(t), storetest.Open(t)
	draws, moves := 0, 0
	var made tenancy.Tenant
	rapid.Check(t, func(rt *rapid.T) {
		if draws%8 == 0 { // a tenant of eight projects at a time
			var err error
			made, err = db.CreateTenant(t.Context(), fmt.Sprintf("t%d", draws), rapid.StringMatching(`[^\x00]{0,9}`).Draw(rt, "name"), "test")
			require.NoError(rt, err)
		}
		draws++
		d := drawDataset(rt, fmt.Sprintf("R%d", draws))
		for i := range d.Issues {
			for c := range rapid.IntRange(0, 2).Draw(rt, "comments") {
				d.Issues[i].Comments = append(d.Issues[i].Comments, dataset.Comment{Author: "ada", Body: rapid.StringMatching(`x[^\x00]{0,9}`).Draw(rt, "comment"),
					At: loadDay.Add(time.Duration(c) * time.Minute), ExternalID: fmt.Sprint(c)})
			}
		}
		_, err := db.LoadDataset(t.Context(), store.AsSystem(made.ID, "test"), d, store.LoadOptions{})
		require.NoError(rt, err)
		if draws%8 != 0 {
			return
		}
		moves++
		file := exported(rt, db, made.Slug)
		imported(rt, other, file, made.Slug)
		there := exported(rt, other, made.Slug)
		requireSame(rt, file, there)
		imported(rt, db, there, made.Slug+"-back")
		requireSame(rt, file, exported(rt, db, made.Slug+"-back"))
	})
	require.Greater(t, moves, 1) // 12 of a full run, two of a short one
}

// TestMove_RealData moves tenants with real archives, and those of the demo.
func TestMove_RealData(t *testing.T) {
	t.Parallel()
	move := func(t *testing.T, slug string, datasets ...*dataset.Dataset) {
		db, other := storetest.Open(t), storetest.Open(t)
		acme := db.Tenant(t, slug)
		for _, d := range datasets {
			_, err := db.LoadDataset(t.Context(), acme.Scope(), d, store.LoadOptions{})
			require.NoError(t, err)
		}
		start := time.Now()
		file := exported(t, db, slug)
		took := time.Since(start)
		start = time.Now()
		done := imported(t, other, file, slug)
		t.Logf("%d rows, %d kB: exported in %s, imported in %s", done.Rows, len(file)>>10, took.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		requireSame(t, file, exported(t, other, slug))
		requireSameRows(t, db.Admin(t), acme.ID, other.Admin(t), done.Tenant.ID)
		require.Contains(t, contents(t, file)["issues.jsonl"], datasets[0].Issues[0].Now().Title)
	}
	t.Run("Archives", func(t *testing.T) {
		t.Parallel()
		var both []*dataset.Dataset
		for key, name := range map[string]string{"MLS": "mls-protocol", "PASS": "privacypass"} {
			f, err := os.Open(storetest.Archive(t, name))
			require.NoError(t, err)
			defer func() { _ = f.Close() }()
			d, err := github.ReadArchive(f, true)
			require.NoError(t, err)
			d.Project.Key = key
			both = append(both, d)
		}
		move(t, "ietf", both...)
	})
	for _, tenant := range demo.Tenants(storetest.Now) {
		t.Run(tenant.Slug, func(t *testing.T) {
			t.Parallel()
			move(t, tenant.Slug, tenant.Datasets...)
		})
	}
}

func TestExport_AnyState(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	fill(t, db, "acme")
	active := exported(t, db, "acme")
	_, err := db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	requireSame(t, active, exported(t, db, "acme"))
	_, err = db.DeleteTenant(t.Context(), "acme", "test", time.Hour)
	require.NoError(t, err)
	deleted := exported(t, db, "acme")
	requireSame(t, active, deleted)
	require.Contains(t, contents(t, deleted)["manifest.json"], `"state": "deleted"`)
	require.Equal(t, tenancy.TenantActive, imported(t, db, deleted, "copy").Tenant.State)
	_, err = db.DeleteTenant(t.Context(), "acme", "test", 0)
	require.NoError(t, err)
	_, err = db.PurgeDeleted(t.Context(), nil)
	require.NoError(t, err)
	for _, gone := range []string{"acme", "nobody"} {
		_, err = db.ExportTenant(t.Context(), gone, "test", io.Discard, nil)
		require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	}
}

// TestExport_OneMoment changes the tenant in the middle of an export.
func TestExport_OneMoment(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := fill(t, db, "acme")
	want := exported(t, db, "acme")
	calls := int64(0)
	var file bytes.Buffer
	_, err := db.ExportTenant(t.Context(), "acme", "test", &file, func(done, total int64) {
		if calls++; calls == 3 {
			acme.Issues(t, acme.web, "Written meanwhile")
		}
		require.Equal(t, calls, done)
		require.LessOrEqual(t, done, total)
		if done == total {
			calls = -1
		}
	})
	require.NoError(t, err)
	require.Equal(t, int64(-1), calls, "the last call says that all is done")
	requireSame(t, want, file.Bytes())
	require.Contains(t, contents(t, exported(t, db, "acme"))["issues.jsonl"], "Written meanwhile")
}

// TestAttack063_ExportHoldsNothingOfOthers looks for anything of another tenant.
func TestAttack063_ExportHoldsNothingOfOthers(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	fill(t, db, "acme")
	other := fill(t, db, "canary")
	admin := db.Admin(t)
	all := ""
	for _, text := range contents(t, exported(t, db, "acme")) {
		all += text
	}
	require.Contains(t, all, "Website of acme")
	require.NotContains(t, strings.ToLower(all), "canary")
	ids := 0
	for _, column := range strings1(t, admin, `select c.relname || ' ' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where `+ourTables+` and not c.relispartition and a.atttypid = 'uuid'::regtype and exists (
		  select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id')`) {
		table, name, _ := strings.Cut(column, " ")
		for _, id := range strings1(t, admin, `select `+name+`::text from `+table+` where tenant_id = $1 and `+name+` is not null`, other.ID) {
			require.NotContains(t, all, id, column)
			ids++
		}
	}
	require.Greater(t, ids, 100)
}

// TestExport_HoldsNoSecrets looks for everything that must not leave the server.
func TestExport_HoldsNoSecrets(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := fill(t, db, "acme")
	admin := db.Admin(t)
	_, plain := acme.Token(t, "agent", `{"issues":["read"]}`)
	_, _, err := db.RotateToken(t.Context(), acme.Scope(), "test", principal(t, db, plain).TokenID, time.Hour)
	require.NoError(t, err)
	require.NoError(t, db.AddSigningKey(t.Context(), acme.ID, "test", tenancy.SealedKey{ID: tenancy.NewID(), Sealed: "sealed-signing-key", CreatedAt: storetest.Now}, storetest.Now, true))
	all := strings.ToLower(fmt.Sprint(contents(t, exported(t, db, "acme"))))
	// Bytes are secrets, but those of people's files.
	secrets, from := db.Issued(), map[string]bool{}
	for _, column := range strings1(t, admin, `select c.relname || ' ' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where `+ourTables+` and not c.relispartition and c.relname <> 'attachments' and (a.atttypid = 'bytea'::regtype and a.attname <> 'args_digest' or a.attname = 'sealed')`) {
		table, name, _ := strings.Cut(column, " ")
		found := strings1(t, admin, `select `+name+`::text from `+table+` where `+name+` is not null`)
		secrets, from[column] = append(secrets, found...), len(found) > 0
	}
	for _, column := range []string{"tokens hash", "tokens previous_hash", "signing_keys sealed", "audit_log mac", "audit_checkpoints mac", "oauth_connections code_hash"} {
		require.True(t, from[column], "there is something to hide in %s", column)
	}
	require.Greater(t, len(secrets), 12)
	for _, secret := range secrets {
		if secret = strings.TrimPrefix(strings.ToLower(secret), `\x`); len(secret) > 8 {
			require.NotContains(t, all, secret)
		}
	}
}

// TestMove_Audit: both ends tell of the move, and the old log stays to be read.
func TestMove_Audit(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := fill(t, db, "acme")
	file := exported(t, db, "acme")
	sum := sha256.Sum256(file)
	digest := hex.EncodeToString(sum[:])
	require.Contains(t, lastChanges(t, db, "tenant.export"), `"sha256":"`+digest+`"`)
	done := imported(t, db, file, "copy")
	changes := lastChanges(t, db, "tenant.import")
	for _, part := range []string{`"sha256":"` + digest + `"`, `"from":"acme"`, acme.ID.String(), fmt.Sprintf(`"rows":%d`, done.Rows)} {
		require.Contains(t, changes, part)
	}
	require.Equal(t, []string{"tenant.import allowed copy"}, strings1(t, db.Admin(t),
		`select method || ' ' || decision || ' ' || target from audit_log where tenant_id = $1`, done.Tenant.ID), "the new log begins here")
	require.Equal(t, 1, strings.Count(contents(t, file)["audit_log.jsonl"], `"method":"test"`), "the old one travels in the file")

	// An export that cannot be audited fails.
	_, err := db.Admin(t).Exec(t.Context(), "alter table audit_log rename to audit_gone")
	require.NoError(t, err)
	_, err = db.ExportTenant(t.Context(), "acme", "test", io.Discard, nil)
	require.Error(t, err)
}
