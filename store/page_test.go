package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func newPage(title string, content string, at time.Time) tenancy.Page {
	return tenancy.Page{ID: tenancy.NewID(), Title: title, Content: []byte(content), Bytes: len(content), CreatedBy: "ci", CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
}

func TestPages(t *testing.T) {
	t.Parallel()
	now := storetest.Now
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: func() time.Time { return now }})
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	put := func(p tenancy.Page, number int, bytes int64) error {
		return db.PutPage(t.Context(), acme.ID, p, number, bytes)
	}
	titles := func(tenant tenancy.TenantID) (list []string) {
		pages, err := db.Pages(t.Context(), tenant)
		require.NoError(t, err)
		for _, p := range pages {
			require.Empty(t, p.Content, "lists have no content")
			list = append(list, p.Title)
		}
		return list
	}
	first, second := newPage("First", "12345", now), newPage("Second", "1234567890", now.Add(time.Minute))
	require.NoError(t, put(first, 2, 15))
	require.NoError(t, put(second, 2, 15))
	require.Equal(t, []string{"Second", "First"}, titles(acme.ID))
	require.Empty(t, titles(beta.ID))
	got, err := db.Page(t.Context(), acme.ID, first.ID)
	require.NoError(t, err)
	require.Equal(t, "12345", string(got.Content))
	require.Equal(t, 5, got.Bytes)

	requirePlanLimit(t, put(newPage("Third", "", now), 2, 1<<20), "2 live pages, as many as it may. Delete some")
	requirePlanLimit(t, put(newPage("Third", "1", now), 3, 15), "pages take 0 of 0 MB, so a page of 1 KB does not fit")
	require.NoError(t, db.DeletePage(t.Context(), beta.ID, first.ID, "eve"), "another tenant's is one that is not there")
	_, err = db.Page(t.Context(), acme.ID, first.ID)
	require.NoError(t, err)
	_, err = db.Page(t.Context(), beta.ID, first.ID)
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
	_, unknown := db.Page(t.Context(), beta.ID, uuid.New())
	require.Equal(t, unknown, err, "another tenant's page looks like none")

	now = now.Add(time.Hour)
	require.Equal(t, []string{"Second"}, titles(acme.ID), "the first has expired")
	require.NoError(t, put(newPage("Third", "12345", now), 2, 15), "the expired one makes room, in number and bytes")
	require.NoError(t, db.DeletePage(t.Context(), acme.ID, second.ID, "ada"))
	require.Equal(t, []string{"Third"}, titles(acme.ID))
	require.Equal(t, []string{"ada page.delete " + second.ID.String()}, strings1(t, db.Admin(t),
		`select actor || ' ' || method || ' ' || target from audit_log where tenant_id = $1 and method = 'page.delete'`, acme.ID))
}

// TestPutPage_AtOnce has many want the last places: the limit holds.
func TestPutPage_AtOnce(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8})
	acme := db.Tenant(t, "acme")
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := db.PutPage(t.Context(), acme.ID, newPage("Page", "1234567890", storetest.Now), 100, 50)
			if err == nil {
				made.Add(1)
			} else {
				require.Equal(t, tenancy.PlanLimit, tenancy.CodeOf(err), "%v", err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 5, made.Load())
}

// TestSigningKeys retires keys, sooner but never later, and cleans them up.
func TestSigningKeys(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: time.Now})
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	add := func(retire time.Time, first bool) uuid.UUID {
		key := tenancy.SealedKey{ID: tenancy.NewID(), Sealed: "sealed", CreatedAt: time.Now()}
		require.NoError(t, db.AddSigningKey(t.Context(), acme.ID, "cli:ada", key, retire, first))
		return key.ID
	}
	live := func(tenant tenancy.TenantID) (ids []uuid.UUID) {
		keys, err := db.SigningKeys(t.Context(), tenant)
		require.NoError(t, err)
		for _, k := range keys {
			ids = append(ids, k.ID)
		}
		return ids
	}
	one := add(time.Now(), true)
	add(time.Now(), true) // there is one already
	require.Equal(t, []uuid.UUID{one}, live(acme.ID))
	two := add(time.Now().Add(time.Hour), false)
	require.Equal(t, []uuid.UUID{two, one}, live(acme.ID))
	add(time.Now().Add(24*time.Hour), false)
	require.Len(t, live(acme.ID), 3)
	require.Equal(t, 1, countRows(t, db, `select count(*) from signing_keys where id = $1 and retires_at < now() + interval '2 hours'`, one), "its end did not move away")
	now := add(time.Now(), false)
	require.Equal(t, []uuid.UUID{now}, live(acme.ID), "an emergency: all others end at once")
	require.Empty(t, live(beta.ID))

	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, 4, countRows(t, db, `select count(*) from signing_keys`), "nodes may still trust them")
	admin(t, db, `update signing_keys set retires_at = retires_at - interval '61 minutes'`)
	require.NoError(t, db.Cleanup(t.Context()))
	require.Equal(t, []uuid.UUID{now}, live(acme.ID))
	require.Equal(t, 1, countRows(t, db, `select count(*) from signing_keys`))
	require.Equal(t, 4, countRows(t, db, `select count(*) from audit_log where method = 'signing_key.add' and actor = 'cli:ada' and tenant_id = $1`, acme.ID))
}

func countRows(t *testing.T, db *storetest.DB, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}
