package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

// globalTables may be read before a tenant is known. They hold no secrets and
// nothing of a tenant but its slug, state and plan.
var globalTables = []string{"goose_db_version", "installation", "tenants"}

// definers are the functions that run with another role's rights, and whose.
var definers = []string{"purge_tenant(uuid,integer) " + store.OwnerRole, "search_issue_ids(text,uuid[],text[],integer) " + store.SearchRole,
	"similar_issue_ids(text,integer) " + store.SearchRole}

// strings1 runs a catalogue query of one text column.
func strings1(t *testing.T, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return list
}

const ourTables = `c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`

// tenantTables lists every table of tenants; partitions are their parent's.
func tenantTables(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	all := strings1(t, conn, `select c.relname from pg_class c where `+ourTables+` and not c.relispartition order by 1`)
	for _, table := range globalTables {
		require.Contains(t, all, table, "a reviewed exception is gone: take it off the list")
	}
	return slices.DeleteFunc(all, func(table string) bool { return slices.Contains(globalTables, table) })
}

func TestAttack051_EveryTableIsProtected(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	tables := tenantTables(t, admin)
	require.GreaterOrEqual(t, len(tables), 13)

	require.ElementsMatch(t, tables, strings1(t, admin, `select c.relname from pg_class c where `+ourTables+`
		and c.relrowsecurity and c.relforcerowsecurity`), "row-level security enabled and forced")
	require.Empty(t, strings1(t, admin, `select polrelid::regclass || ' ' || polname from pg_policy where not polpermissive`),
		"Citus drops the word RESTRICTIVE, which makes such a policy permissive")
	require.Empty(t, strings1(t, admin, `select polrelid::regclass || ' ' || polname from pg_policy where polroles = '{0}'`),
		"a policy names its role")
	for _, table := range tables {
		for _, command := range []string{"r", "a", "w", "d"} {
			require.Len(t, strings1(t, admin, `select polname from pg_policy where polrelid = $1::text::regclass and polcmd in ('*', $2::"char")
				and $3::text::regrole = any(polroles)`, table, command, store.AppRole), 1, "%s %s", table, command)
		}
		require.Len(t, strings1(t, admin, `select polname from pg_policy where polrelid = $1::text::regclass and polcmd = '*'
			and pg_get_expr(polqual, polrelid) like '%tenant_id = %app.tenant_id%'
			and pg_get_expr(polqual, polrelid) = pg_get_expr(polwithcheck, polrelid)`, table), 1, "%s: the rule of the house, for reading and writing", table)
	}
	others := []string{"issues search r {colaflow_search} true"}
	for _, table := range tables { // the owner sees and deletes nothing but what a purge names
		for _, policy := range []string{" purge d ", " purge_find r "} {
			others = append(others, table+policy+"{colaflow_owner} (tenant_id = (NULLIF(current_setting('app.purge_tenant'::text, true), ''::text))::uuid)")
		}
	}
	require.ElementsMatch(t, others, strings1(t, admin,
		`select polrelid::regclass || ' ' || polname || ' ' || polcmd::text || ' ' || polroles::regrole[]::text || ' ' || pg_get_expr(polqual, polrelid)
		from pg_policy where not $1::text::regrole = any(polroles)`, store.AppRole), "policies of other roles")
}

// TestAttack051_ProjectScope finds tables whose rows belong to a project but
// whose policy does not ask for it.
func TestAttack051_ProjectScopeInPolicy(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	open := strings1(t, admin, `select a.attrelid::regclass || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where `+ourTables+` and not c.relispartition and a.attname like '%project_id' and not exists (
		  select from pg_policy p where p.polrelid = a.attrelid and $1::text::regrole = any(p.polroles)
		    and pg_get_expr(p.polqual, p.polrelid) like '%only_projects%strpos%(' || a.attname || ')::text%') order by 1`, store.AppRole)
	// The audit is written for calls that have no project in reach. Whoever reads it
	// as a token goes through AuditRows, which asks for the project itself.
	require.Equal(t, []string{"audit_log.project_id"}, open)
}

func TestAttack051_TenantFirstInEveryKey(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	tables := tenantTables(t, admin)
	require.ElementsMatch(t, tables, strings1(t, admin, `select c.relname from pg_class c
		join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype and a.attnotnull
		where `+ourTables+` and not c.relispartition`), "tenant_id uuid not null")
	require.ElementsMatch(t, tables, strings1(t, admin, `select c.relname from pg_class c join pg_index x on x.indrelid = c.oid and x.indisprimary
		where `+ourTables+` and not c.relispartition and not c.relname = any($1)`, globalTables), "a primary key")
	require.Empty(t, strings1(t, admin, `select x.indexrelid::regclass::text from pg_index x join pg_class c on c.oid = x.indrelid
		left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
		where `+ourTables+` and not c.relname = any($1) and a.attname is distinct from 'tenant_id'`, globalTables),
		"primary keys, unique constraints and indexes begin with tenant_id")
	require.Empty(t, strings1(t, admin, `select k.conname from pg_constraint k
		left join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
		left join pg_attribute f on f.attrelid = k.confrelid and f.attnum = k.confkey[1]
		where k.contype = 'f' and k.connamespace = 'public'::regnamespace
		  and (a.attname <> 'tenant_id' or k.confrelid <> 'tenants'::regclass and (f.attname <> 'tenant_id' or array_length(k.conkey, 1) < 2))`),
		"foreign keys are composite and begin with tenant_id")
	require.Empty(t, strings1(t, admin, `select conname from pg_constraint where contype = 'f' and confdeltype not in ('a', 'r', 'c')
		and connamespace = 'public'::regnamespace`), "SET NULL would clear tenant_id")
}

// TestCitusRules asserts what the catalogue shows of the sixteen rules.
func TestCitusRules(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	require.Empty(t, strings1(t, admin, `select t.tgrelid::regclass || ' ' || t.tgname from pg_trigger t where not t.tgisinternal`), "triggers")
	require.Empty(t, strings1(t, admin, `select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where `+ourTables+` and not c.relname = any($1) and (a.attidentity <> '' or exists (
		  select from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and pg_get_expr(d.adbin, d.adrelid) like 'nextval%'))`,
		globalTables), "identity columns and sequences")
	require.Empty(t, strings1(t, admin, ourFunctions+` and p.prolang = (select oid from pg_language where lanname = 'sql')`),
		"functions in SQL are inlined over distributed tables")
	require.Empty(t, strings1(t, admin, `select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'S'
		and not exists (select from pg_depend d where d.objid = c.oid and d.refobjid = 'goose_db_version'::regclass)`), "sequences")
}

const ourFunctions = `select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'public'::regnamespace
	and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`

func TestAttack058_ViewsAndDefiners(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	require.Empty(t, strings1(t, admin, `select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace
		and (c.relkind = 'm' or c.relkind = 'v' and not coalesce('security_invoker=true' = any(c.reloptions), false))`))
	const ourDefiners = `select p.oid::regprocedure || ' ' || p.proowner::regrole from pg_proc p
		where p.pronamespace = 'public'::regnamespace and p.prosecdef`
	require.Equal(t, definers, strings1(t, admin, ourDefiners+` order by 1`))
	require.Equal(t, definers, strings1(t, admin, ourDefiners+` and p.proconfig @> '{"search_path=pg_catalog, public, pg_temp"}' order by 1`))
	require.Empty(t, strings1(t, admin, ourFunctions+` and p.prosecdef and has_function_privilege('public', p.oid, 'execute')`))
}

func TestAttack051_Grants(t *testing.T) {
	t.Parallel()
	admin := storetest.Open(t).Admin(t)
	const grants = `select c.relname || ' ' || g.grantee::regrole || ' ' || lower(g.privilege_type)
		from pg_class c, aclexplode(c.relacl) g where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
		and g.grantee <> c.relowner and not (g.grantee = $1::text::regrole and g.privilege_type = 'SELECT')` // backups read everything
	require.Empty(t, strings1(t, admin, grants+` and c.relispartition`, store.DumpRole), "partitions have no policy of their own")
	require.Empty(t, strings1(t, admin, grants+` and g.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`, store.DumpRole))
	require.Empty(t, strings1(t, admin, `select c.relname from pg_class c, aclexplode(c.relacl) g
		where c.relnamespace = 'public'::regnamespace and g.grantee = 0`), "nothing is granted to everybody")
	for _, table := range []string{"audit_log", "audit_checkpoints", "issue_events", "comments"} {
		require.ElementsMatch(t, []string{"select", "insert"}, strings1(t, admin, `select lower(g.privilege_type)
			from pg_class c, aclexplode(c.relacl) g where c.relname = $1 and g.grantee = $2::text::regrole`, table, store.AppRole), table)
	}
	require.Equal(t, []string{"issues select"}, strings1(t, admin, `select c.relname || ' ' || lower(g.privilege_type)
		from pg_class c, aclexplode(c.relacl) g where g.grantee = $1::text::regrole`, store.SearchRole))

	require.Equal(t, []string{"colaflow_app", "colaflow_search"}, strings1(t, admin, `select rolname from pg_roles r
		where rolname in ($1, $2) and rolcanlogin and not (rolinherit or rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication)
		  and not exists (select from pg_auth_members m where m.member = r.oid)
		  and not exists (select from pg_class c where c.relowner = r.oid) order by 1`, store.AppRole, store.SearchRole))
}

// TestAttack052_RefusesPowerfulRoles starts a store as every kind of role that
// could cross tenants.
func TestAttack052_RefusesPowerfulRoles(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	admin := db.Admin(t)
	as := func(role string) error {
		dsn := strings.Replace(db.AppDSN, "//"+store.AppRole+"@", "//"+role+"@", 1)
		s, err := store.Open(t.Context(), store.Config{DSN: dsn, Key: db.Key, MaxConns: 1})
		if err == nil {
			s.Close()
		}
		return err
	}
	require.NoError(t, as(store.AppRole))
	require.ErrorContains(t, as(store.OwnerRole), "owns the tables")
	require.ErrorContains(t, as("postgres"), "superuser")
	require.ErrorContains(t, as(store.DumpRole), "BYPASSRLS")

	role := "member_" + db.AppDSN[strings.Index(db.AppDSN, "test_")+5:][:12]
	for _, of := range []string{store.OwnerRole, store.SearchRole, store.DumpRole} {
		for _, sql := range []string{"create role " + role + " login noinherit", "grant " + store.AppRole + " to " + role, "grant " + of + " to " + role} {
			_, err := admin.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		err := as(role)
		_, dropErr := admin.Exec(t.Context(), "drop role "+role)
		require.NoError(t, dropErr)
		require.ErrorContains(t, err, "refusing to serve", "member of %s", of)
		require.ErrorContains(t, err, "colaflow db init", "the remedy")
	}
}
