package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func TestPlans_Grow(t *testing.T) {
	t.Parallel()
	plans := tenancy.Plans()
	for n, larger := range plans[1:] {
		for _, q := range tenancy.Quotas() {
			small, large := plans[n].Limit(q), larger.Limit(q)
			require.True(t, large == 0 || small > 0 && large > small, "%s: %s", larger.Name, q)
		}
		require.Greater(t, larger.AuditDays, plans[n].AuditDays)
		require.NotEqual(t, tenancy.LimitsOf(plans[n].Name), tenancy.LimitsOf(larger.Name))
	}
}

func TestPlan_Check(t *testing.T) {
	t.Parallel()
	free, err := tenancy.ParsePlan("free")
	require.NoError(t, err)
	require.NoError(t, free.Check(tenancy.QuotaTokens, 20))
	err = free.Check(tenancy.QuotaTokens, 21)
	require.Equal(t, tenancy.PlanLimit, tenancy.CodeOf(err))
	require.EqualError(t, err, "plan_limit: Plan free allows 20 active tokens, and this would make 21. "+
		"Revoke tokens that nobody uses, or have an operator move the tenant to a larger plan (colaflow tenant set-plan).")
	require.NoError(t, tenancy.PlanOf("enterprise").Check(tenancy.QuotaText, 1<<40))

	_, err = tenancy.ParsePlan("gold")
	require.ErrorContains(t, err, `Plan "gold" is not known. Use one of free, team, enterprise.`)
	require.Equal(t, free, tenancy.PlanOf("gold"), "an unknown plan gets the smallest")
}
