package bench

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const (
	publicURL = "http://localhost"
	tenants   = 4      // that are read, and as many that are written to
	issues    = 10_000 // of each
	rounds    = 5
	lasts     = time.Second // of one case in one round
)

// generous limits are counted like any, and never reached.
var generous = tenancy.Limits{TokenReads: 1e9, TokenWrites: 1e9, TenantReads: 1e9, TenantWrites: 1e9, Concurrent: 1e6}

// searches are texts of different frequency: a rare word, two common ones, a
// phrase, a common one without another.
var searches = []string{"kujotro", "upload retry", `\"export import\"`, "migration -login", "zenipel or backup", "cookie session timeout"}

// job is one kind of call. variant tells apart two uses of one tool.
type job struct {
	name    string
	writes  bool
	message func(e era, token string, n int) []byte
}

func jobs() []job {
	key := func() string { return fmt.Sprintf("P%d-%d", rand.IntN(5), 1+rand.IntN(issues/5)) }
	return []job{
		{name: "ping", message: func(e era, token string, _ int) []byte { return e.message(token, e.ping(), "", "") }},
		{name: "get_issue", message: func(e era, token string, _ int) []byte {
			return e.call(token, "get_issue", `{"keys":"%s"}`, key())
		}},
		{name: "search_issues filter", message: func(e era, token string, n int) []byte {
			return e.call(token, "search_issues", `{"project":"P%d"}`, n%5)
		}},
		{name: "search_issues text", message: func(e era, token string, n int) []byte {
			return e.call(token, "search_issues", `{"query":"%s"}`, searches[n%len(searches)])
		}},
		{name: "create_issue", writes: true, message: func(e era, token string, n int) []byte {
			return e.call(token, "create_issue", `{"project":"P%d","title":"Upload fails after %d retries of %s"}`, n%5, n, key())
		}},
	}
}

// contender is a server under test.
type contender struct {
	name string
	addr string
}

// BenchmarkCalls compares our whole server with a bare one, call by call, in
// both eras of the protocol. The servers take turns, so that whatever else the
// machine does hits all alike; the ratios are what to read.
func BenchmarkCalls(b *testing.B) {
	db := open(b)
	read, write := populate(b, db, "read"), populate(b, db, "write")
	servers := contenders(b, db, slices.Concat(read, write))
	out := newTable("Whole calls against bare mcp-go and pgx", "era", "call", "server", "calls/s", "p50 ms", "p99 ms", "µs server", "µs PostgreSQL",
		"of bare", "of bare, by CPU")
	for _, e := range []era{legacy, modern} {
		for _, j := range jobs() {
			on := read
			if j.writes {
				on = write
			}
			b.Run(string(e)+"/"+j.name, func(b *testing.B) {
				results := db.compare(b, servers, func(conn, n int) []byte { return j.message(e, on[conn%tenants].token, n) })
				for n, s := range results {
					out.row(e, j.name, servers[n].name, int(s.rate), ms(s.p50), ms(s.p99), s.cpu.server.Microseconds(), s.cpu.postgres.Microseconds(),
						s.rate/results[0].rate, float64(results[0].cpu.sum())/float64(s.cpu.sum()))
				}
				b.ReportMetric(0, "ns/op") // means nothing here
			})
		}
	}
	out.print()
}

// compare lets the servers take turns and returns the median of each.
func (db *database) compare(b *testing.B, servers []contender, request func(conn, n int) []byte) []sample {
	b.Helper()
	taken := make([][]sample, len(servers))
	for round := range rounds {
		for n, c := range servers {
			taken[n] = append(taken[n], db.run(b, c.addr, lasts, func(conn, n int) []byte { return request(conn, n*conns+conn+round) }))
		}
	}
	results := make([]sample, len(servers))
	for n := range servers {
		results[n] = median(taken[n])
	}
	return results
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// customer is a tenant that is full of issues, with a token.
type customer struct {
	*storetest.Tenant
	token string
}

func populate(b *testing.B, db *database, name string) []customer {
	b.Helper()
	all := make([]customer, tenants)
	for n := range all {
		t := db.Tenant(b, fmt.Sprintf("%s%d", name, n))
		t.Fill(b, issues)
		all[n] = customer{t, t.FullToken(b)}
	}
	return all
}

// contenders starts the servers; the first is what the others are measured against.
func contenders(b *testing.B, db *database, customers []customer) []contender {
	b.Helper()
	pool, err := pgxpool.New(b.Context(), db.AdminDSN+"&pool_max_conns=16&plan_cache_mode=force_generic_plan")
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	naked := &bare{pool: pool, tenants: map[string]tenant{}}
	for _, c := range customers {
		naked.tenants["Bearer "+c.token] = tenant{c.ID, c.Slug, c.Ada.ID}
	}
	auth := tokens.NewAuthenticator(db.Store)
	b.Cleanup(auth.Close)
	cfg := mcpserver.Config{Store: db.Store, Tokens: auth, Key: db.Key, PublicURL: publicURL, Version: "bench", Log: slog.New(slog.DiscardHandler), Limits: func(string) tenancy.Limits { return generous }}
	audited, err := mcpserver.New(cfg)
	require.NoError(b, err)
	audited.Follow()
	require.Eventually(b, auth.Healthy, 10*time.Second, 10*time.Millisecond)
	cfg.Record = func(context.Context, store.AuditRow) error { return nil }
	unaudited, err := mcpserver.New(cfg)
	require.NoError(b, err)
	serve := func(name string, h http.Handler) contender {
		s := httptest.NewServer(h)
		b.Cleanup(s.Close)
		return contender{name, s.Listener.Addr().String()}
	}
	return []contender{serve("bare", naked.handler()), serve("ours, unaudited", unaudited.Handler()), serve("ours", audited.Handler())}
}
