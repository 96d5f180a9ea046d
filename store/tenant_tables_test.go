package store_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// TestExport_KnowsEveryTable fails on a table or column about which nobody has
// decided whether it travels when a tenant moves: put it into exportedTables, or
// say in stayingTables or stays why it stays. Secrets stay.
func TestExport_KnowsEveryTable(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	_, travels := store.ExportedColumns()
	stays := store.StayingColumns()
	var decided, there []string
	for table, columns := range stays {
		if columns["*"] != "" {
			require.Empty(t, travels[table], "%s both travels and stays", table)
			decided = append(decided, table)
			continue
		}
		for column, why := range columns {
			require.NotEmpty(t, why, "%s.%s: why does it stay?", table, column)
			require.NotContains(t, travels[table], column)
			decided = append(decided, table+"."+column)
		}
		for _, column := range travels[table] {
			decided = append(decided, table+"."+column)
		}
	}
	for _, table := range tenantTables(t, admin) {
		if stays[table]["*"] != "" {
			there = append(there, table)
			continue
		}
		there = append(there, strings1(t, admin, `select table_name || '.' || column_name from information_schema.columns
			where table_schema = 'public' and table_name = $1 and column_name <> 'tenant_id' and is_generated = 'NEVER'`, table)...)
	}
	require.ElementsMatch(t, there, decided)
}

// TestExport_Order: rows come after those that they refer to, and nothing that
// travels refers to what stays.
func TestExport_Order(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	order, _ := store.ExportedColumns()
	keys := strings1(t, admin, `select k.conrelid::regclass || ' ' || k.confrelid::regclass from pg_constraint k
		where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.confrelid <> 'tenants'::regclass and k.conrelid = any($1::text[]::regclass[])`, order)
	require.GreaterOrEqual(t, len(keys), 14)
	for _, key := range keys {
		from, to, _ := strings.Cut(key, " ")
		require.Contains(t, order, to, key)
		require.LessOrEqual(t, slices.Index(order, to), slices.Index(order, from), key)
	}
	// Every row has its place: the order of a table is a key of it.
	for _, table := range order {
		require.NotEmpty(t, strings1(t, admin, `select 'unique' from pg_index where indrelid = $1::text::regclass and indisprimary`, table))
	}
}

// TestExport_NewerSchema meets a database that has more than the release knows, or
// less: it refuses to leave something behind in silence.
func TestExport_NewerSchema(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		"create table wishes (tenant_id uuid not null, id uuid, primary key (tenant_id, id))": "cannot move: wishes.id",
		"alter table members add column phone text":                                           "cannot move: members.phone",
		"alter table sprints drop column goal":                                                "cannot move: sprints.goal",
		"drop table pages":                                                                    "cannot move: pages",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t)
			db.Tenant(t, "acme")
			file := exported(t, db, "acme")
			_, err := db.Admin(t).Exec(t.Context(), change)
			require.NoError(t, err)
			_, err = db.ExportTenant(t.Context(), "acme", "test", io.Discard, nil)
			require.ErrorContains(t, err, want)
			require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(err))
			_, err = tryImport(t, db, file, store.ImportOptions{Slug: "copy"})
			require.ErrorContains(t, err, want)
			_, err = db.AnyTenant(t.Context(), "copy")
			require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
		})
	}
}
