package store

import (
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// held counts what a tenant ($1) holds of a quota.
var held = map[tenancy.Quota]string{
	tenancy.QuotaTokens:   `select count(*) from tokens where tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
	tenancy.QuotaProjects: `select count(*) from projects where tenant_id = $1 and state = 'active'`,
	tenancy.QuotaMembers:  `select count(*) from members where tenant_id = $1 and state in ('active', 'invited')`,
	tenancy.QuotaText:     `select coalesce((select text_bytes >> 20 from tenant_usage where tenant_id = $1), 0)`,
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
		b.Queue(`select t.plan, (`+held[q]+`) from tenants t where t.id = $1`, scope.Tenant).QueryRow(func(row pgx.Row) error {
			var plan string
			var n int64
			if err := row.Scan(&plan, &n); err != nil {
				return err
			}
			return tenancy.PlanOf(plan).Check(q, n+more)
		})
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
		holdQuota(tenancy.QuotaProjects)(b, scope)
		b.Queue(`select t.plan, (`+held[tenancy.QuotaProjects]+`) from tenants t
			join projects p on p.tenant_id = t.id and p.id = $2 and p.state <> 'active' where t.id = $1`, scope.Tenant, p.ID).
			Query(func(rows pgx.Rows) error {
				var plan string
				var n int64
				_, err := pgx.ForEachRow(rows, []any{&plan, &n}, func() error { return tenancy.PlanOf(plan).Check(tenancy.QuotaProjects, n+1) })
				return err
			})
	}
}
