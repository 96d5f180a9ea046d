package tenancy

import (
	"fmt"
	"strings"
	"time"
)

// Quota is something that a plan limits the amount of.
type Quota string

// The quotas of a plan.
const (
	QuotaTokens      Quota = "active tokens"
	QuotaProjects    Quota = "active projects"
	QuotaMembers     Quota = "members" // active or invited; imported people do not count
	QuotaText        Quota = "MB of text"
	QuotaAttachments Quota = "MB of attachments"
)

// Quotas lists every quota.
func Quotas() []Quota {
	return []Quota{QuotaTokens, QuotaProjects, QuotaMembers, QuotaText, QuotaAttachments}
}

// Plan is what a tenant may hold, beside the traffic that LimitsOf allows. Zero
// means no limit.
type Plan struct {
	Name         string `json:"name"`
	Tokens       int64  `json:"tokens"`
	Projects     int64  `json:"projects"`
	Members      int64  `json:"members"`
	TextMB       int64  `json:"text_mb"` // of issues and comments, as counted every few minutes
	AttachmentMB int64  `json:"attachment_mb"`
	AuditDays    int    `json:"audit_days"` // how long audit rows are kept
	SSO          bool   `json:"sso"`        // people may sign in by the company's identity provider
	// Bounds are the most that an admin may set of the tenant's Application.
	Bounds AppConfig `json:"bounds"`
}

const day = 24 * time.Hour

// Plans lists every plan, the smallest first.
func Plans() []Plan {
	return []Plan{
		{Name: "free", Tokens: 20, Projects: 10, Members: 50, TextMB: 500, AttachmentMB: 200, AuditDays: 90,
			Bounds: AppConfig{MaxPages: 1_000, PageLife: day, PageTokenLife: day, PageSpace: 100 << 20, Memory: 100 << 20}},
		{Name: "team", Tokens: 500, Projects: 200, Members: 1_000, TextMB: 20_000, AttachmentMB: 20_000, AuditDays: 400, SSO: true,
			Bounds: AppConfig{MaxPages: 5_000, PageLife: 7 * day, PageTokenLife: 7 * day, PageSpace: 500 << 20, Memory: 256 << 20}},
		{Name: "enterprise", AuditDays: 7 * 365, SSO: true,
			Bounds: AppConfig{MaxPages: 10_000, PageLife: 30 * day, PageTokenLife: 30 * day, PageSpace: 1 << 30, Memory: 1 << 30}},
	}
}

// ParsePlan returns the plan of this name, or an InvalidValue error that lists them.
func ParsePlan(name string) (Plan, error) {
	var names []string
	for _, p := range Plans() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Plan{}, Errorf(InvalidValue, "Plan %q is not known.", name).WithNext("Use one of " + strings.Join(names, ", ") + ".")
}

// PlanOf is ParsePlan where an unknown name gets the smallest plan.
func PlanOf(name string) Plan {
	p, err := ParsePlan(name)
	if err != nil {
		return Plans()[0]
	}
	return p
}

// Limit returns how much of q the plan allows; 0 means no limit.
func (p Plan) Limit(q Quota) int64 {
	return map[Quota]int64{QuotaTokens: p.Tokens, QuotaProjects: p.Projects, QuotaMembers: p.Members, QuotaText: p.TextMB, QuotaAttachments: p.AttachmentMB}[q]
}

// Check returns a PlanLimit error if a tenant that holds so much of q, with what
// it is adding, is beyond its plan.
func (p Plan) Check(q Quota, held int64) error {
	limit := p.Limit(q)
	if limit == 0 || held <= limit {
		return nil
	}
	remedy := map[Quota]string{
		QuotaTokens:      "Revoke tokens that nobody uses",
		QuotaProjects:    "Archive projects that are done",
		QuotaMembers:     "Deactivate members who left",
		QuotaAttachments: "Take away files that nobody needs",
		QuotaText:        "Move finished work to another tenant",
	}[q]
	return Errorf(PlanLimit, "Plan %s allows %d %s, and this would make %d.", p.Name, limit, q, held).
		WithNext(fmt.Sprintf("%s, or have an operator move the tenant to a larger plan (colaflow tenant set-plan).", remedy))
}
