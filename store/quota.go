package store

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// held counts what a tenant ($1) holds of a quota.
var held = map[tenancy.Quota]string{
	tenancy.QuotaTokens:      `select count(*) from tokens where tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
	tenancy.QuotaProjects:    `select count(*) from projects where tenant_id = $1 and state = 'active'`,
	tenancy.QuotaMembers:     `select count(*) from members where tenant_id = $1 and state in ('active', 'invited')`,
	tenancy.QuotaText:        `select coalesce((select text_bytes >> 20 from tenant_usage where tenant_id = $1), 0)`,
	tenancy.QuotaAttachments: `select coalesce((select attachment_bytes >> 20 from tenant_usage where tenant_id = $1), 0)`,
}

// holdQuota keeps others who add to the quota waiting until this write commits,
// so that two of them cannot both take the last place.
func holdQuota(q tenancy.Quota) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select pg_advisory_xact_lock(hashtextextended($1::uuid::text || ' ' || $2::text, 0))`, scope.Tenant, string(q))
	}
}

// withinPlan fails with PlanLimit if the tenant, with what this write has added
// so far and more to come, holds more of q than its plan allows.
func withinPlan(q tenancy.Quota, more int64) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select within_plan($1, $2, (`+held[q]+`) + $3, $4)`, scope.Tenant, string(q), more, limits(q))
	}
}

// withinPlanIf holds the quota and checks it, where adds says that something was added.
func withinPlanIf(adds bool, q tenancy.Quota) Query {
	return func(b *pgx.Batch, scope Scope) {
		if adds {
			holdQuota(q)(b, scope)
			withinPlan(q, 0)(b, scope)
		}
	}
}

// withinPlanIfRevived is withinPlan for a project that may be archived now and
// active after this write.
func withinPlanIfRevived(p tracker.Project) Query {
	return func(b *pgx.Batch, scope Scope) {
		if p.State != tracker.ProjectActive {
			return
		}
		const q = tenancy.QuotaProjects
		holdQuota(q)(b, scope)
		b.Queue(`select within_plan($1, $2, (`+held[q]+`) + 1, $3) from projects p where p.tenant_id = $1 and p.id = $4 and p.state <> 'active'`,
			scope.Tenant, string(q), limits(q), p.ID)
	}
}

// limits are those of every plan, as within_plan reads them.
func limits(q tenancy.Quota) []byte {
	of := map[string]int64{}
	for _, p := range tenancy.Plans() {
		of[p.Name] = p.Limit(q)
	}
	return asJSON(of)
}

// planLimit is the error that within_plan raised.
func planLimit(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	n, parseErr := strconv.ParseInt(pg.Hint, 10, 64)
	if parseErr != nil {
		return fmt.Errorf("database: %w", err)
	}
	return tenancy.PlanOf(pg.Detail).Check(tenancy.Quota(pg.Message), n)
}
