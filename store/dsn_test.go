package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestDSNFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dsn, role, password, want string }{
		{"postgres://postgres:old@db.example.com:5433/postgres?sslmode=require", "colaflow_app", "n/w p@ss",
			"postgres://colaflow_app:n%2Fw%20p%40ss@db.example.com:5433/colaflow?sslmode=require"},
		{"postgres:///postgres?host=/var/run/my%20sockets&user=postgres&password=old", "colaflow_app", "",
			"postgres://colaflow_app@/colaflow?host=%2Fvar%2Frun%2Fmy%20sockets"},
		{"host=/run user=postgres dbname=postgres", "colaflow_app", `it's`,
			`host=/run user=postgres dbname=postgres user='colaflow_app' password='it\'s' dbname='colaflow'`},
	} {
		got, err := store.DSNFor(test.dsn, test.role, test.password, "colaflow")
		require.NoError(t, err)
		require.Equal(t, test.want, got)
	}
	_, err := store.DSNFor("postgres://user:secret@host:port:port/", "colaflow_app", "", "colaflow")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

func TestInit_Again(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	existing, err := store.ExistingRoles(t.Context(), db.AdminDSN)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{store.OwnerRole, store.AppRole, store.SearchRole, store.DumpRole}, existing)

	_, err = store.ExistingRoles(t.Context(), "postgres://postgres:secret@127.0.0.1:1/postgres")
	require.ErrorContains(t, err, "connect as administrator")
	require.NotContains(t, err.Error(), "secret")
	_, err = store.ExistingRoles(t.Context(), "postgres://%zz")
	require.ErrorContains(t, err, "the DSN is not valid")
}

func TestCreateTenant_WithOwner(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	owner, err := tenancy.NewMember("Ada@Acme.test", "", tenancy.RoleOwner, storetest.Now)
	require.NoError(t, err)
	tenant, err := db.CreateTenant(t.Context(), "acme", "Acme", "test", owner)
	require.NoError(t, err)
	size, err := db.TenantSize(t.Context(), tenant.ID)
	require.NoError(t, err)
	require.Equal(t, store.TenantSize{Members: 1}, size)

	_, err = db.CreateTenant(t.Context(), "acme", "Acme", "test", owner)
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))
	_, err = tenancy.NewMember("Ada <ada@acme.test>", "", tenancy.RoleOwner, storetest.Now)
	require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
}
