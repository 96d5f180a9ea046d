package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/web"
)

// plainClient is one connection with one call in flight.
type plainClient struct {
	conn net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

func newClient(b *testing.B, addr string) *plainClient {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	return &plainClient{conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}
}

func (c *plainClient) exchange(message []byte) error {
	return exchange(c.conn, c.in, message, &c.body)
}

func (c *plainClient) close() { _ = c.conn.Close() }

// The quiet tenant works in rounds, by turns beside a silent and a noisy one, so that
// what else the machine does falls on both alike.
const (
	quietRounds = 10
	quietCalls  = 100 // a round, twenty a second
)

// BenchmarkNeighbour lets one tenant ask for about a hundred times what it may, while
// another works at a steady pace: the quiet one's latency with and without.
func BenchmarkNeighbour(b *testing.B) {
	db := open(b)
	noisy, quiet := db.Tenant(b, "noisy"), db.Tenant(b, "quiet")
	noisy.Fill(b, 2_000)
	quiet.Fill(b, 2_000)
	db.SetPlan(b, "noisy", "free")
	auth := tokens.NewAuthenticator(db.Store)
	b.Cleanup(auth.Close)
	// Sixteen connections that are told to wait after each refusal ask about a hundred times a second.
	s, err := mcpserver.New(mcpserver.Config{Store: db.Store, Tokens: auth, Key: db.Key, PublicURL: publicURL, Version: "bench",
		Log: slog.New(slog.DiscardHandler), Limits: func(plan string) tenancy.Limits {
			if plan == "free" {
				return tenancy.Limits{TokenReads: 60, TenantReads: 60, Concurrent: 16}
			}
			return tenancy.Limits{}
		}})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	s.Follow()
	require.Eventually(b, auth.Healthy, 10*time.Second, 10*time.Millisecond)
	h := httptest.NewServer(s.Handler())
	b.Cleanup(h.Close)
	addr := h.Listener.Addr().String()
	calm, flood := legacy.call(quiet.FullToken(b), "get_issue", `{"keys":"P1-7"}`), legacy.call(noisy.FullToken(b), "get_issue", `{"keys":"P1-7"}`)

	work := func() (took []time.Duration) {
		c := newClient(b, addr)
		defer c.close()
		for range quietCalls {
			start := time.Now()
			require.NoError(b, c.exchange(calm))
			took = append(took, time.Since(start))
			time.Sleep(50*time.Millisecond - min(took[len(took)-1], 50*time.Millisecond))
		}
		return took
	}
	var alone, beside []time.Duration
	var n flooded
	for range quietRounds {
		alone = append(alone, work()...)
		stop := n.start(b, addr, flood)
		beside = append(beside, work()...)
		stop()
	}
	out := newTable("A quiet tenant beside one that asks for a hundred times what it may", "the other tenant", "its calls/s", "of them refused", "p50 ms of the quiet one", "p99 ms")
	slices.Sort(alone)
	slices.Sort(beside)
	out.row("silent", 0, 0, ms(alone[len(alone)/2]), ms(alone[len(alone)*99/100]))
	out.row("far beyond its limit of one a second", int(float64(n.calls)/n.took.Seconds()), n.refused, ms(beside[len(beside)/2]), ms(beside[len(beside)*99/100]))
	out.print()
	b.ReportMetric(0, "ns/op") // means nothing here
}

// flooded is what a flood of calls came to.
type flooded struct {
	mu             sync.Mutex
	calls, refused int
	took           time.Duration
}

// start floods an address from sixteen connections until stop is called.
func (f *flooded) start(b *testing.B, addr string, message []byte) (stop func()) {
	b.Helper()
	end := make(chan struct{})
	var all sync.WaitGroup
	begun := time.Now()
	for range 16 {
		c := newClient(b, addr)
		all.Go(func() {
			defer c.close()
			for {
				select {
				case <-end:
					return
				default:
				}
				err := c.exchange(message)
				f.mu.Lock()
				f.calls++
				if err != nil && (strings.Contains(err.Error(), "HTTP 429") || strings.Contains(err.Error(), "rate_limited")) {
					f.refused++
				}
				f.mu.Unlock()
			}
		})
	}
	return func() { close(end); all.Wait(); f.took += time.Since(begun) }
}

// BenchmarkMe measures GET /api/v1/me with a person's JWT against a handler that
// answers the same bytes, and what verifying the JWT costs by itself.
func BenchmarkMe(b *testing.B) {
	db := open(b)
	acme := db.Tenant(b, "acme")
	apps := tenancy.NewApplications(tenancy.AppsConfig{Ports: tenancy.Ports{Keys: db.Store, Nonces: db.Store, Pages: db.Store}, Key: db.Key,
		Issuer: publicURL, Lookup: db.TenantByID})
	b.Cleanup(func() { require.NoError(b, apps.Close(context.Background())) })
	app, release, err := apps.Use(acme.Tenant)
	require.NoError(b, err)
	jwt, err := app.Sign(b.Context(), tenancy.KindSession, acme.Ada.ID.String(), time.Hour, tenancy.Claims{Email: acme.Ada.Email, Role: acme.Ada.Role,
		TenantPlan: acme.Plan, MemberEpoch: 1, SessionID: uuid.NewString()})
	require.NoError(b, err)
	server, err := web.New(web.Config{Apps: apps, FeedHealthy: func() bool { return true }, PublicURL: publicURL, Log: slog.New(slog.DiscardHandler),
		CheckMember: func(ctx context.Context, tenant tenancy.TenantID, member uuid.UUID, epoch int64) error {
			return db.Read(ctx, store.ForMember(tenant, member, epoch), func(tx *store.Tx) error { return tx.Ensure(ctx) })
		}})
	require.NoError(b, err)
	mux := http.NewServeMux()
	server.Register(mux)
	ours := httptest.NewServer(mux)
	b.Cleanup(ours.Close)
	request := []byte("GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + jwt + "\r\n\r\n")
	var answer bytes.Buffer
	c := newClient(b, ours.Listener.Addr().String())
	defer c.close()
	_, err = c.conn.Write(request)
	require.NoError(b, err)
	res, err := http.ReadResponse(c.in, nil)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, res.StatusCode)
	_, err = answer.ReadFrom(res.Body)
	require.NoError(b, err)
	bareServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer.Bytes())
	}))
	b.Cleanup(bareServer.Close)

	out := newTable("GET /api/v1/me with a JWT", "server", "requests/s", "p50 ms", "p99 ms", "of bare")
	var bareRate float64
	for _, s := range []contender{{"bare net/http", bareServer.Listener.Addr().String()}, {"ours", ours.Listener.Addr().String()}} {
		sample := db.runGet(b, s.addr, request)
		if bareRate == 0 {
			bareRate = sample.rate
		}
		out.row(s.name, int(sample.rate), ms(sample.p50), ms(sample.p99), sample.rate/bareRate)
	}
	out.print()
	const n = 20_000
	start := time.Now()
	for range n {
		_, err := app.Verify(b.Context(), tenancy.KindSession, jwt)
		require.NoError(b, err)
	}
	fmt.Printf("Verification of the JWT alone: %.1f µs.\n", us(time.Since(start))/n)
	release()
	b.ReportMetric(0, "ns/op") // means nothing here
}

// runGet is run for a request whose answer is no JSON-RPC.
func (db *database) runGet(b *testing.B, addr string, request []byte) sample {
	b.Helper()
	took := make([][]time.Duration, conns)
	start := time.Now().Add(warmUp)
	end := start.Add(3 * time.Second)
	var all sync.WaitGroup
	for n := range conns {
		c := newClient(b, addr)
		all.Go(func() {
			defer c.close()
			for {
				sent := time.Now()
				if sent.After(end) {
					return
				}
				if _, err := c.conn.Write(request); err != nil {
					return
				}
				res, err := http.ReadResponse(c.in, nil)
				if err != nil {
					return
				}
				c.body.Reset()
				if _, err := c.body.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
					return
				}
				if sent.After(start) {
					took[n] = append(took[n], time.Since(sent))
				}
			}
		})
	}
	all.Wait()
	calls := slices.Concat(took...)
	require.NotEmpty(b, calls)
	slices.Sort(calls)
	return sample{rate: float64(len(calls)) / 3, p50: calls[len(calls)/2], p99: calls[len(calls)*99/100]}
}
