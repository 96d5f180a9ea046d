package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

func TestUUID_RoundTrip(t *testing.T) {
	t.Parallel()
	acme := storetest.Open(t).Tenant(t, "acme")
	for range 100 {
		want, none := uuid.New(), (*uuid.UUID)(nil)
		var one uuid.UUID
		var list []uuid.UUID
		var pointer, null *uuid.UUID
		zero := want
		var text string
		acme.Read(t, func(b *pgx.Batch, _ store.Scope) {
			b.Queue(`select $1::uuid, $2::uuid[], $1::uuid, $3::uuid, $3::uuid, $1::uuid::text`, want, []uuid.UUID{want, uuid.Nil}, none).
				QueryRow(func(row pgx.Row) error { return row.Scan(&one, &list, &pointer, &null, &zero, &text) })
		})
		require.Equal(t, want, one)
		require.Equal(t, []uuid.UUID{want, uuid.Nil}, list)
		require.Equal(t, &want, pointer)
		require.Nil(t, null)
		require.Equal(t, uuid.Nil, zero)
		require.Equal(t, want.String(), text)
	}
}
