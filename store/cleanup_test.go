package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

func TestCleanup(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	revoked, plain := acme.Token(t, "revoked long ago", `{"issues":["read"]}`)
	expired, _ := acme.Token(t, "expired long ago", `{"issues":["read"]}`)
	recent, _ := acme.Token(t, "revoked lately", `{"issues":["read"]}`)
	kept, _ := acme.Token(t, "works", `{"issues":["read"]}`)
	admin(t, db, `update tokens set revoked_at = now() - interval '91 days' where id = $1`, revoked.ID)
	admin(t, db, `update tokens set expires_at = now() - interval '91 days' where id = $1`, expired.ID)
	admin(t, db, `update tokens set revoked_at = now() - interval '89 days', previous_hash = 'x', previous_until = now() - interval '1 day' where id = $1`, recent.ID)
	for _, tn := range []*storetest.Tenant{acme, beta} {
		token, _ := tn.Token(t, "caller", `{"issues":["read"]}`)
		admin(t, db, `insert into idempotency_keys (tenant_id, token_id, tool, key, args_digest, created_at)
			select $1, $2, 'create_issue', 'key ' || n, 'x', now() - n * interval '1 minute' from generate_series(1, 3000) n`, tn.ID, token.ID)
	}
	admin(t, db, `insert into spent_nonces (tenant_id, nonce, expires_at) select $1, gen_random_uuid(), now() + n * interval '30 minutes'
		from generate_series(-4, 4) n`, acme.ID)
	admin(t, db, `insert into pages (tenant_id, id, title, content, created_by, created_at, expires_at)
		select $1, gen_random_uuid(), 'page', 'x', 'x', now(), now() + n * interval '30 minutes' from generate_series(-4, 4) n`, acme.ID)
	count := func(sql string, args ...any) (n int) {
		require.NoError(t, db.Admin(t).QueryRow(t.Context(), sql, args...).Scan(&n))
		return n
	}
	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, 2*1439, count(`select count(*) from idempotency_keys`), "those of the last 24 hours stay")
	require.Equal(t, 6, count(`select count(*) from spent_nonces`), "those of the last hour and later stay")
	require.Equal(t, 6, count(`select count(*) from pages`))
	var listed []store.Token
	acme.Read(t, store.Tokens(&listed))
	names := []string{}
	for _, token := range listed {
		names = append(names, token.Name)
	}
	require.ElementsMatch(t, []string{"revoked lately", "works", "caller"}, names)
	_, err := lookup(t, db, plain)
	require.Error(t, err)
	require.Equal(t, 2, count(`select count(*) from tokens where name like '%long ago' and hash is null`), "the names stay for the history")
	require.Zero(t, count(`select count(*) from tokens where previous_hash is not null`))
	require.Equal(t, 4, count(`select count(*) from audit_log where method = 'cleanup' and target = 'idempotency_keys'`), "one row for each batch that removed something")
	rows := count(`select count(*) from audit_log`)
	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, rows, count(`select count(*) from audit_log`), "nothing to do, nothing to tell")
	require.Error(t, db.RevokeToken(t.Context(), acme.Scope(), "test", revoked.ID))
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", kept.ID))
}

// TestCleanup_OneNodeAtATime holds one tenant's lock, as another node would.
func TestCleanup_OneNodeAtATime(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	for _, tn := range []*storetest.Tenant{acme, beta} {
		token, _ := tn.Token(t, "old", `{"issues":["read"]}`)
		admin(t, db, `update tokens set revoked_at = now() - interval '91 days' where id = $1`, token.ID)
	}
	other, err := db.App(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), `select pg_advisory_xact_lock(hashtextextended('colaflow cleanup ' || $1::text, 0))`, acme.ID)
	require.NoError(t, err)
	require.NoError(t, db.Cleanup(t.Context()))
	left := func() []string {
		rows, err := db.Admin(t).Query(t.Context(), `select n.slug from tokens t join tenants n on n.id = t.tenant_id where t.removed_at is null order by 1`)
		require.NoError(t, err)
		slugs, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return slugs
	}
	require.Equal(t, []string{"acme"}, left())
	require.NoError(t, other.Rollback(t.Context()))

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { db.CleanEvery(ctx, time.Hour, ""); close(done) }()
	require.Eventually(t, func() bool { return len(left()) == 0 }, 20*time.Second, 10*time.Millisecond)
	cancel()
	<-done
}
