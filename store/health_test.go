package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	health, err := db.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Health{Schema: store.LatestVersion(), AuditMonths: 24}, health)

	admin := db.Admin(t)
	_, err = admin.Exec(t.Context(), `do $$ declare t text; begin
		for t in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
			where i.inhparent = 'audit_log'::regclass and c.relname ~ '[0-9]$' order by 1 desc limit 23
		loop execute 'drop table ' || t; end loop; end $$`)
	require.NoError(t, err)
	health, err = db.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, health.AuditMonths)

	_, err = admin.Exec(t.Context(), `delete from goose_db_version where version_id > 1`)
	require.NoError(t, err)
	_, err = db.Health(t.Context())
	require.ErrorContains(t, err, "this release needs")
}
