package web

import "github.com/colaflow/colaflow/tenancy"

// verifiedAtOnce is how many tenants' audit logs are verified at once: each takes a
// connection and a processor.
const verifiedAtOnce = 2

// heavyLimits are the same in every plan.
func heavyLimits(string) tenancy.Limits {
	return tenancy.Limits{TokenWrites: 10, TenantWrites: 20}
}

// pay holds a member to the limits of the tenant's plan, as agents are.
func (s *Server) pay(me session, write bool) error { return s.throttle.Admit(me.caller(), write) }

// payHeavy is for what costs far more than other requests.
func (s *Server) payHeavy(me session) error { return s.heavy.Admit(me.caller(), true) }

// caller is the member whom limits count for.
func (me session) caller() tenancy.Principal {
	t := me.app.Tenant()
	return tenancy.Principal{TenantID: t.ID, Plan: t.Plan, MemberID: me.member}
}
