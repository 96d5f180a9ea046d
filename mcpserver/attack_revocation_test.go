package mcpserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

// node is one serving process of several over the bundle's database, behind a
// proxy that says whom it speaks for.
type node struct {
	*mcpserver.Server
	store *store.Store
	auth  *tokens.Authenticator
	url   string
	http  *http.Client
}

func (b *bundle) node(t *testing.T, opt storetest.Options) *node {
	t.Helper()
	if opt.MaxConns == 0 {
		opt.MaxConns = 8
	}
	opt.Log, opt.Heartbeat = b.logger(), time.Second
	s := b.db.Reopen(t, opt)
	n := &node{store: s, auth: tokens.NewAuthenticator(s), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(n.auth.Close)
	t.Cleanup(n.http.CloseIdleConnections)
	server, h := b.serve(t, mcpserver.Config{Store: s, Tokens: n.auth, Clock: opt.Clock, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	n.Server, n.url = server, h.URL
	return n
}

// follow starts the feed and waits for it.
func (n *node) follow(t *testing.T) *node {
	t.Helper()
	n.Follow()
	require.Eventually(t, n.auth.Healthy, 20*time.Second, 5*time.Millisecond)
	return n
}

// send posts a message as a client at an address and returns status, header and body.
func (n *node) send(ctx context.Context, token, from, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("X-Forwarded-For", from)
	res, err := n.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(data)}, err
}

func (n *node) post(t *testing.T, token, from, body string) answer {
	t.Helper()
	a, err := n.send(t.Context(), token, from, body)
	require.NoError(t, err)
	return a
}

// TestAttack010_FloodOfUnknownTokens tries random tokens from one address, as
// fast as this machine can, beside agents whose tokens work.
func TestAttack010_FloodOfUnknownTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.node(t, storetest.Options{}).follow(t)
	acme := b.db.Tenant(t, "acme")
	good, neighbour, late := acme.FullToken(t), acme.FullToken(t), acme.FullToken(t)
	calls := func(token, from string) time.Duration {
		var took []time.Duration
		for range 100 {
			began := time.Now()
			require.Equal(t, http.StatusOK, n.post(t, token, from, callBody("get_me", `{}`)).status, from)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[98]
	}
	before := calls(good, "198.51.100.1")
	calls(neighbour, "203.0.113.7")
	ctx, stop := context.WithCancel(t.Context())
	var unauthorized, limited, other atomic.Int64
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20_000 {
				plain, _ := tokens.Mint("acme")
				a, err := n.send(ctx, plain, "203.0.113.7", ping)
				switch {
				case ctx.Err() != nil:
					return
				case err == nil && a.status == http.StatusUnauthorized:
					unauthorized.Add(1)
				case err == nil && a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != "":
					limited.Add(1)
				default:
					other.Add(1)
				}
			}
		}()
	}
	require.Eventually(t, func() bool { return limited.Load() > 0 }, 20*time.Second, time.Millisecond)
	during := calls(good, "198.51.100.1")
	calls(neighbour, "203.0.113.7") // the same address: a token that works is not locked out
	require.Eventually(t, func() bool { return n.post(t, late, "203.0.113.7", ping).status == http.StatusOK }, 20*time.Second, time.Millisecond,
		"nor is a new one, for long")
	require.Eventually(t, func() bool { return limited.Load() > 1000 }, 30*time.Second, time.Millisecond)
	stop()
	for range 8 {
		<-done
	}
	require.LessOrEqual(t, unauthorized.Load(), int64(100))
	require.Zero(t, other.Load())
	require.LessOrEqual(t, strings.Count(b.log.String(), "token refused"), 3, "the log is sampled")
	t.Logf("%d answered 429, %d answered 401; p99 of a good token %s before, %s during", limited.Load(), unauthorized.Load(), before, during)
}

// TestAttack014_ClocksOfNodes runs nodes whose clocks are five minutes off.
func TestAttack014_ClocksOfNodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	var nodes []*node
	for _, off := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		nodes = append(nodes, b.node(t, storetest.Options{Clock: func() time.Time { return time.Now().Add(off) }}).follow(t))
	}
	expiring := func(in string) string {
		token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
		b.exec(t, "update tokens set expires_at = clock_timestamp() + $2::interval where id = $1", token.ID, in)
		return plain
	}
	past, future, soon := expiring("-1 minute"), expiring("1 minute"), expiring("2 seconds")
	for _, n := range nodes {
		for _, body := range []string{ping, listTools, callBody("get_me", `{}`)} {
			require.Equal(t, http.StatusUnauthorized, n.post(t, past, "", body).status)
			require.Equal(t, http.StatusOK, n.post(t, future, "", body).status)
		}
		n.post(t, soon, "", listTools) // remembered
	}
	time.Sleep(2100 * time.Millisecond)
	for _, n := range nodes {
		for _, body := range []string{ping, listTools, callBody("get_me", `{}`)} {
			require.Equal(t, http.StatusUnauthorized, n.post(t, soon, "", body).status, body)
		}
	}
}

// TestAttack016_TenThousandTries revokes tokens under load and calls two nodes
// that remember them. No call that began after the revoke returned may succeed.
func TestAttack016_TenThousandTries(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	nodes := []*node{b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t)}
	const workers, tries = 4, 5 // of each of four callers
	rounds := 125
	if testing.Short() {
		rounds = 10
	}
	bodies := []string{callBody("get_me", `{}`), callBody("search_issues", `{}`), callBody("get_issue", `{"keys":"WEB-1"}`),
		callBody("create_issue", `{"project":"WEB","title":"Too late"}`)}
	var tried, late, worked, odd atomic.Int64
	var address atomic.Uint32
	hammer := func(n *node, plain string, first int, revoked *atomic.Bool) {
		for after, i := 0, first; after < tries; i++ {
			began := revoked.Load()
			from := netip.AddrFrom4([4]byte{10, byte(address.Add(1) >> 16), byte(address.Load() >> 8), byte(address.Load())})
			a, err := n.send(t.Context(), plain, from.String(), bodies[i%len(bodies)])
			switch {
			case err != nil || a.status != http.StatusOK && a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests:
				odd.Add(1)
			case a.status == http.StatusOK && began:
				late.Add(1)
			case a.status == http.StatusOK:
				worked.Add(1)
			}
			if began {
				after++
				tried.Add(1)
			}
		}
	}
	began := time.Now()
	done := make(chan error)
	for range workers {
		go func() {
			done <- func() error {
				for range rounds {
					token, plain, err := b.db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "ci", Owner: acme.Ada.Email,
						Grants: tenancy.Grants{Allow: tenancy.AllPermissions}})
					if err != nil {
						return err
					}
					var revoked atomic.Bool
					callers := make(chan struct{})
					for i := range 4 {
						go func() { hammer(nodes[i%2], plain, i, &revoked); callers <- struct{}{} }()
					}
					time.Sleep(3 * time.Millisecond)
					err = b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID)
					revoked.Store(true)
					for range 4 {
						<-callers
					}
					if err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range workers {
		require.NoError(t, <-done)
	}
	require.Zero(t, late.Load(), "calls that began after the revoke returned")
	require.Zero(t, odd.Load())
	require.Positive(t, worked.Load())
	require.EqualValues(t, workers*rounds*4*tries, tried.Load())
	t.Logf("%d tries after %d revocations, 0 succeeded; %d calls worked before; %s", tried.Load(), workers*rounds, worked.Load(), time.Since(began).Round(time.Millisecond))
}

// TestAttack020_TenSecondsOfWriting revokes a token early in a long write, on a
// node that has no feed to cut the call off: its own check at the end refuses.
func TestAttack020_TenSecondsOfWriting(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.node(t, storetest.Options{})
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token, plain := acme.Token(t, "slow", `{"issues":["create"]}`)
	long := 10 * time.Second
	if testing.Short() {
		long = time.Second
	}
	n.Hook("create_issue", func(ctx context.Context, c *mcpserver.Call) error {
		if err := c.Tx.Ensure(ctx); err != nil {
			return err
		}
		time.Sleep(long / 10)
		if err := b.db.RevokeToken(ctx, acme.Scope(), "test", token.ID); err != nil {
			return err
		}
		time.Sleep(long * 9 / 10)
		return nil
	})
	a := n.post(t, plain, "", callBody("create_issue", `{"project":"WEB","title":"Half written"}`))
	require.Equal(t, http.StatusUnauthorized, a.status, a.body)
	require.NotContains(t, b.db.Dump(t, "audit_log"), "Half written")
	require.Contains(t, b.deniedRule(t, token), "revoked")
}

// deniedRule is the rule of the token's only denied call.
func (b *bundle) deniedRule(t *testing.T, token store.Token) (rule string) {
	t.Helper()
	var n int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select count(*), coalesce(min(rule), '') from audit_log
		where decision = 'denied' and token_id = $1`, token.ID).Scan(&n, &rule))
	require.Equal(t, 1, n)
	return rule
}

// hang makes a tool wait in its transaction until its call is cut off.
func (n *node) hang(tool string) (started chan struct{}) {
	started = make(chan struct{}, 16)
	n.Hook(tool, func(ctx context.Context, c *mcpserver.Call) error {
		if err := c.Tx.Ensure(ctx); err != nil {
			return err
		}
		started <- struct{}{}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Second):
			return nil
		}
	})
	return started
}

// TestAttack021_RunningCallsAreCutOff revokes a token with calls in progress on
// two nodes. Open streams run through the same list of calls.
func TestAttack021_RunningCallsAreCutOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token, plain := acme.Token(t, "ci", `{"issues":["*"],"projects":["*"]}`)
	other := acme.FullToken(t)
	ended := make(chan answer, 8)
	var nodes []*node
	for range 2 {
		n := b.node(t, storetest.Options{}).follow(t)
		nodes = append(nodes, n)
		for _, tool := range []string{"create_issue", "list_projects"} {
			started := n.hang(tool)
			go func() {
				a, err := n.send(t.Context(), plain, "", callBody(tool, `{"project":"WEB","title":"Half written"}`))
				if tool == "list_projects" {
					a, err = n.send(t.Context(), plain, "", callBody(tool, `{}`))
				}
				if err != nil {
					a.body = err.Error()
				}
				ended <- a
			}()
			if tool == "create_issue" {
				<-started
			}
		}
	}
	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	began := time.Now()
	for range 4 {
		select {
		case a := <-ended:
			require.Equal(t, http.StatusUnauthorized, a.status, a.body)
		case <-time.After(10 * time.Second):
			t.Fatal("a call of a revoked token goes on")
		}
	}
	t.Logf("the last of 4 calls on two nodes was cut off %s after the revoke returned", time.Since(began))
	require.NotContains(t, b.db.Dump(t, "audit_log"), "Half written")
	require.Equal(t, http.StatusOK, nodes[0].post(t, other, "", callBody("get_me", `{}`)).status)
}

// TestAttack021_RevokedWhileItIsRecorded revokes a token between the answer of a method
// that reads no data and its audit row: the call gets its answer or 401, and never an
// internal error.
func TestAttack021_RevokedWhileItIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["*"]}`)
	recording, goOn := make(chan struct{}), make(chan struct{})
	auth := tokens.NewAuthenticator(b.db)
	t.Cleanup(auth.Close)
	s, h := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: auth, Record: func(ctx context.Context, row store.AuditRow) error {
		if row.Method == "tools/list" && row.Decision == store.Allowed {
			close(recording)
			<-goOn
		}
		return b.db.Record(ctx, row)
	}})
	s.Follow()
	require.Eventually(t, auth.Healthy, 20*time.Second, 5*time.Millisecond)
	c := &client{t: t, url: h.URL, token: plain}
	ended := make(chan error, 1)
	go func() {
		_, err := c.do(context.Background(), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		ended <- err
	}()
	<-recording
	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	require.Eventually(t, func() bool {
		_, err := auth.Authenticate(t.Context(), plain)
		return err != nil
	}, 20*time.Second, 5*time.Millisecond, "the word has come")
	close(goOn)
	if err := <-ended; err != nil {
		require.ErrorContains(t, err, "HTTP 401")
	}
	require.Equal(t, http.StatusUnauthorized, c.post(ping).status)
}

// TestAttack025_DatabaseDown takes the database away from a node that remembers
// a token, and gives it back.
func TestAttack025_DatabaseDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	proxy := b.db.Proxy(t)
	n := b.node(t, storetest.Options{DSN: proxy.DSN}).follow(t)
	plain := acme.FullToken(t)
	leaked, plainLeaked := acme.Token(t, "leaked", `{"issues":["read"]}`)
	bodies := []string{ping, listTools, callBody("get_me", `{}`), callBody("list_projects", `{}`), callBody("create_issue", `{"project":"WEB","title":"Lost"}`),
		`{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, callBody("no_such_tool", `{}`)}
	for _, token := range []string{plain, plainLeaked} {
		require.Equal(t, http.StatusOK, n.post(t, token, "", callBody("get_me", `{}`)).status)
	}
	proxy.Break()
	unknown, _ := tokens.Mint("acme")
	for _, token := range []string{plain, plainLeaked, unknown} {
		for _, body := range bodies {
			a := n.post(t, token, "", body)
			require.Equal(t, http.StatusServiceUnavailable, a.status, "%s: %s: %s", body, a.body, b.log)
			require.NotEmpty(t, a.header.Get("Retry-After"))
			require.NotContains(t, a.body, "127.0.0.1", "what is wrong is in the log only")
		}
	}
	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", leaked.ID)) // another node still reaches it
	proxy.Mend()
	require.Eventually(t, func() bool { return n.post(t, plain, "", callBody("get_me", `{}`)).status == http.StatusOK }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, http.StatusUnauthorized, n.post(t, plainLeaked, "", callBody("get_me", `{}`)).status)
	require.Eventually(t, n.auth.Healthy, 30*time.Second, 10*time.Millisecond, "the feed comes back by itself")
	require.NotContains(t, b.db.Dump(t, "audit_log"), "Lost")
}

// TestAttack093_NetworksChange moves a token to another network while it is
// remembered on two nodes and a call of it runs.
func TestAttack093_NetworksChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	nodes := []*node{b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{})}
	token, plain := acme.Token(t, "ci", `{"issues":["*"],"projects":["*"]}`)
	only := func(networks ...string) {
		_, err := b.db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, _ time.Time) (err error) {
			s.Networks, err = tenancy.ParseNetworks(networks)
			return err
		})
		require.NoError(t, err)
	}
	status := func(n *node, from string) int {
		a := n.post(t, plain, from, callBody("get_me", `{}`))
		if a.status != http.StatusOK {
			require.Contains(t, a.body, `"ip_not_allowed"`)
		}
		return a.status
	}
	for _, n := range nodes {
		require.Equal(t, http.StatusOK, status(n, "10.1.1.1"))
	}
	only("192.0.2.0/24", "2001:db8::/32")
	for _, n := range nodes {
		for _, from := range []string{"10.1.1.1", "192.0.3.1", "::ffff:10.1.1.1", "192.0.2.7, 10.1.1.1", "2001:db9::1"} {
			require.Equal(t, http.StatusForbidden, status(n, from), from)
		}
		for _, from := range []string{"192.0.2.7", "::ffff:192.0.2.7", "10.1.1.1, 192.0.2.7", "192.0.2.7, 127.0.0.1", "2001:db8::1"} {
			require.Equal(t, http.StatusOK, status(n, from), from)
		}
	}
	started, ended := nodes[0].hang("list_projects"), make(chan answer, 1)
	go func() {
		a, err := nodes[0].send(t.Context(), plain, "192.0.2.7", callBody("list_projects", `{}`))
		if err != nil {
			a.body = err.Error()
		}
		ended <- a
	}()
	<-started
	only("192.0.2.0/25", "198.51.100.0/24")
	require.Equal(t, http.StatusOK, status(nodes[0], "192.0.2.7"))
	select {
	case a := <-ended:
		t.Fatalf("a call from a network that stays was cut off: %s", a.body)
	case <-time.After(200 * time.Millisecond):
	}
	only("198.51.100.0/24")
	select {
	case a := <-ended:
		require.Equal(t, http.StatusForbidden, a.status, a.body)
	case <-time.After(10 * time.Second):
		t.Fatal("a call from a network that was taken away goes on")
	}
	require.Equal(t, http.StatusOK, nodes[1].post(t, acme.FullToken(t), "10.1.1.1", ping).status, fmt.Sprint("another token is not held"))
	for _, n := range nodes {
		n.store.Close() // writes the repeats that it has counted
	}
	var calls int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), `select sum(repeats) from audit_log where token_id = $1 and decision = 'denied'
		and code = 'ip_not_allowed' and client_ip <> ''`, token.ID).Scan(&calls))
	require.Equal(t, 11, calls, "each refused call is in the log")
}
