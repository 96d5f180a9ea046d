package tenancy

// Limits are what a tenant may use of one node. Zero means no limit.
type Limits struct {
	TokenReads   int // calls a minute of one token
	TokenWrites  int
	TenantReads  int // calls a minute of all tokens of the tenant
	TenantWrites int
	Concurrent   int // calls in progress at once
	TokenStreams int // open at once of one token
}

// LimitsOf returns the limits of a plan: free, team or enterprise. An unknown
// plan gets those of free.
func LimitsOf(plan string) Limits {
	switch plan {
	case "team":
		return Limits{TokenReads: 3_000, TokenWrites: 600, TenantReads: 30_000, TenantWrites: 6_000, Concurrent: 64, TokenStreams: 20}
	case "enterprise":
		return Limits{TokenReads: 30_000, TokenWrites: 6_000, TenantReads: 300_000, TenantWrites: 60_000, Concurrent: 256, TokenStreams: 100}
	default:
		return Limits{TokenReads: 600, TokenWrites: 120, TenantReads: 3_000, TenantWrites: 600, Concurrent: 16, TokenStreams: 5}
	}
}

// PerNode divides the limits among the nodes that share a tenant's traffic.
func (l Limits) PerNode(nodes int) Limits {
	share := func(n int) int {
		if n == 0 || nodes <= 1 {
			return n
		}
		return max(1, n/nodes)
	}
	return Limits{TokenReads: share(l.TokenReads), TokenWrites: share(l.TokenWrites), TenantReads: share(l.TenantReads),
		TenantWrites: share(l.TenantWrites), Concurrent: share(l.Concurrent), TokenStreams: share(l.TokenStreams)}
}
