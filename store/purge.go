package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// purgeBatch rows go in one transaction: a purge that is killed goes on where it
// was, and never holds much for long.
const purgeBatch = 2_000

// Purge says how many rows of a deleted tenant were removed.
type Purge struct {
	Slug    string `json:"slug"`
	Removed int64  `json:"removed"` // rows
}

// PurgeDeleted removes everything of the tenants whose grace is over, until no
// row of theirs is left in any table. It may run on several nodes at once, and
// goes on where an earlier one was killed.
func (s *Store) PurgeDeleted(ctx context.Context, progress func(Purge)) ([]Purge, error) {
	// Calls that ended just when their tenant was deleted may leave an audit row
	// behind the purge, so that tenants are looked at again for a while.
	rows, err := s.pool.Query(ctx, `select `+tenantColumns+` from tenants where state = 'deleted' and delete_after <= now()
		and (purged_at is null or purged_at > now() - interval '1 hour') order by delete_after, id`)
	if err != nil {
		return nil, interpret(err)
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t tenancy.Tenant, err error) { return t, scanTenant(row, &t) })
	if err != nil {
		return nil, interpret(fmt.Errorf("list deleted tenants: %w", err))
	}
	done := []Purge{}
	for _, t := range due {
		p, err := s.purge(ctx, t, progress)
		if err != nil {
			return done, fmt.Errorf("purge tenant %s: %w", t.Slug, err)
		}
		if p.Removed > 0 {
			s.log.Info("deleted tenant purged", "tenant", t.Slug, "rows", p.Removed)
			done = append(done, p)
		}
	}
	return done, nil
}

func (s *Store) purge(ctx context.Context, t tenancy.Tenant, progress func(Purge)) (Purge, error) {
	p := Purge{Slug: t.Slug}
	for {
		var removed *int64
		if err := s.poolOf(t.ID).QueryRow(ctx, `select purge_tenant($1, $2)`, t.ID, purgeBatch).Scan(&removed); err != nil {
			return p, interpret(err)
		}
		if removed == nil || *removed == 0 { // resumed meanwhile, or nothing left
			return p, nil
		}
		p.Removed += *removed
		if progress != nil {
			progress(p)
		}
	}
}
