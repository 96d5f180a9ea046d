package clients

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

const openStreams = "colaflow_streams_open"

// TestNodes_Clients does the jobs with clients of both eras by way of the proxy. Every
// request may reach the other node than the one before.
func TestNodes_Clients(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	for _, protocol := range []string{modern, legacy} {
		t.Run("go-sdk/"+protocol, func(t *testing.T) {
			work(t, s.transport(t, "http", s.office(t, "go-"+protocol).agent), protocol, agentJob("go-"+protocol))
		})
	}
	for name, protocol := range map[string]string{"sdk": legacy, "client": modern} {
		t.Run(name, func(t *testing.T) {
			s.drive(t, name, "http", s.office(t, "npm-"+name).agent, protocol, agentJob("npm-"+name))
		})
	}
	here, there := s.nodes[0].metric(t, "colaflow_messages_total"), s.nodes[1].metric(t, "colaflow_messages_total")
	t.Logf("%d messages reached one node, %d the other", here, there)
	require.InDelta(t, here, there, float64(here+there)/4, "no client stays with a node")
}

// TestNodes_SubscribeAndRevoke watches by both nodes, with a real client too: a change is
// told by both, wherever it was made, and a token that is revoked loses the streams of both.
func TestNodes_SubscribeAndRevoke(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	acme := s.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	token, plain := acme.Token(t, "watcher", `{"issues":["*"],"projects":["*"]}`)
	const uri, streams = "colaflow://issues/WEB-1", 20
	updated := make(chan string, 100)
	client := mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.8.0"}, &mcp.ClientOptions{
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) { updated <- r.Params.URI }})
	full := acme.FullToken(t)
	session, err := client.Connect(t.Context(), s.transport(t, "http", full), &mcp.ClientSessionOptions{ProtocolVersion: modern})
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	require.NoError(t, session.Subscribe(t.Context(), &mcp.SubscribeParams{URI: uri}))
	var watching []<-chan string
	for range streams {
		watching = append(watching, s.watch(t, plain, uri))
	}
	open := func() (here, there int) {
		return s.nodes[0].metric(t, openStreams), s.nodes[1].metric(t, openStreams)
	}
	require.Eventually(t, func() bool { here, there := open(); return here+there == streams+1 }, time.Minute, 10*time.Millisecond)
	here, there := open()
	require.InDelta(t, here, there, 5, "both nodes have streams")

	change := func(title string) {
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "update_issue", Arguments: args{"key": "WEB-1", "title": title}})
		require.NoError(t, err)
		require.False(t, result.IsError)
	}
	change("Uno")
	require.Equal(t, uri, next(t, updated))
	for _, told := range watching {
		require.Contains(t, next(t, told), uri)
	}
	began := time.Now()
	revoke := exec.CommandContext(t.Context(), s.bin, "token", "revoke", "--tenant", "acme", token.ID.String())
	revoke.Env = s.environment()
	out, err := revoke.CombinedOutput()
	require.NoError(t, err, string(out))
	returned := time.Now()
	change("Secret")
	for _, told := range watching {
		require.Contains(t, next(t, told), `"code":-32001`, "nothing of what was done after the revocation")
		require.Empty(t, next(t, told), "the stream has ended")
	}
	t.Logf("the command took %s; all %d streams had ended %s after it", returned.Sub(began), streams, time.Since(returned))
	require.Equal(t, uri, next(t, updated), "another token's goes on")
	require.Eventually(t, func() bool { here, there := open(); return here+there == 1 }, time.Minute, 10*time.Millisecond)
}

// TestNodes_StopAndKill stops one node and kills the other while agents write: who repeats
// a call that was not answered finds everything exactly once.
func TestNodes_StopAndKill(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	acme := s.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token := acme.FullToken(t)
	var made [4][]string // titles that each writer was told are there
	done, stop := make(chan struct{}), make(chan struct{})
	var writers sync.WaitGroup
	for w := range made {
		own := acme.FullToken(t) // for all, the writes of a minute are soon used up
		writers.Go(func() { made[w] = s.write(t, own, []string{modern, legacy}[w%2], w, stop) })
	}
	go func() { writers.Wait(); close(done) }()
	t.Cleanup(func() { <-done })
	stopWriters := sync.OnceFunc(func() { close(stop) })
	t.Cleanup(stopWriters)

	var streams []*lastWord
	for round, end := range []func(n *serving){
		func(n *serving) { require.Equal(t, 0, n.End(t, syscall.SIGTERM), "it ends in peace") },
		func(n *serving) { require.Equal(t, -1, n.End(t, syscall.SIGKILL)) },
	} {
		leaving, staying := s.nodes[round], s.nodes[1-round]
		for leaving.metric(t, openStreams) == 0 || staying.metric(t, openStreams) == 0 {
			streams = append(streams, &lastWord{told: s.watch(t, token, "colaflow://projects/WEB")})
		}
		leaving.works(t)
		staying.works(t)
		lost := leaving.metric(t, openStreams)
		end(leaving)
		staying.works(t)
		require.Eventually(t, func() bool {
			ended := 0
			for _, s := range streams {
				if s.look() {
					ended++
				}
			}
			return ended == lost
		}, time.Minute, 10*time.Millisecond, "the streams of the node that has gone end, and no others")
		for _, s := range streams {
			require.True(t, !s.ended || round > 0 || strings.Contains(s.text, `"resultType":"complete"`), s.text)
		}
		streams = slices.DeleteFunc(streams, func(s *lastWord) bool { return s.ended })
		again := &lastWord{told: s.watch(t, token, "colaflow://projects/WEB")}
		require.Contains(t, next(t, again.told), "colaflow://projects/WEB", "whoever comes again finds the other node")
		streams = append(streams, again)
		s.startNode(t, leaving)
		leaving.works(t)
	}
	stopWriters()
	<-done
	rows, err := s.db.Admin(t).Query(t.Context(), "select title from issues order by title")
	require.NoError(t, err)
	var there []string
	for rows.Next() {
		var title string
		require.NoError(t, rows.Scan(&title))
		there = append(there, title)
	}
	require.NoError(t, rows.Err())
	told := slices.Concat(made[:]...)
	slices.Sort(told)
	require.Equal(t, told, there, "each once, and nothing else")
	t.Logf("%d issues", len(there))
}

// lastWord is what a stream told last, as far as anybody looked.
type lastWord struct {
	told  <-chan string
	text  string
	ended bool
}

func (w *lastWord) look() (ended bool) {
	for {
		select {
		case text, more := <-w.told:
			if !more {
				w.ended = true
				return true
			}
			w.text = text
		default:
			return false
		}
	}
}

// works waits until a node has answered a few more messages.
func (n *serving) works(t *testing.T) {
	t.Helper()
	before := n.metric(t, "colaflow_messages_total")
	require.Eventually(t, func() bool { return n.metric(t, "colaflow_messages_total") > before+20 }, time.Minute, 10*time.Millisecond)
}

// write makes issues one after the other, each until it is said to be there, and returns
// their titles. It connects again after an error, as agents do.
func (s *site) write(t *testing.T, token, protocol string, writer int, stop <-chan struct{}) (made []string) {
	client := mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.8.0"}, nil)
	var session *mcp.ClientSession
	create := func(title string) (err error) {
		if session == nil {
			if session, err = client.Connect(t.Context(), s.transport(t, "http", token), &mcp.ClientSessionOptions{ProtocolVersion: protocol}); err != nil {
				return err
			}
		}
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "create_issue",
			Arguments: args{"project": "WEB", "title": title, "idempotency_key": title}})
		if err == nil && result.IsError {
			err = fmt.Errorf("refused: %s", mustJSON(t, result.Content))
		}
		return err
	}
	hangUp := func() {
		if session != nil {
			_ = session.Close()
			session = nil
		}
	}
	defer hangUp()
	for n := 0; ; n++ {
		title := fmt.Sprintf("Issue %d of writer %d", n, writer)
		for tries := 1; ; tries++ {
			err := create(title)
			if err == nil {
				made = append(made, title)
				break
			}
			hangUp()
			if tries == 200 || t.Context().Err() != nil {
				t.Errorf("%s is not made: %v", title, err)
				return made
			}
		}
		select {
		case <-stop:
			return made
		default:
		}
	}
}

// TestNodes_Proxy: what nodes hear of clients is what the proxy says.
func TestNodes_Proxy(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	acme := s.db.Tenant(t, "acme")
	token := acme.FullToken(t)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me"}}`
	for _, host := range []string{"colaflow.example.com", "acme.colaflow.example.com", "colaflow-tokens.example.com"} {
		status, header, body := s.send(t, http.MethodPost, "https://"+host+"/mcp", token, ping, "X-Forwarded-For", "192.0.2.66")
		require.Equal(t, http.StatusOK, status, "%s: %s", host, body)
		require.Empty(t, header.Get("Set-Cookie"))
		status, header, _ = s.send(t, http.MethodPost, "https://"+host+"/mcp", "", ping)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Equal(t, host != "colaflow-tokens.example.com", strings.Contains(header.Get("WWW-Authenticate"), `"https://colaflow.example.com/.well-known/`), header)
		status, _, body = s.send(t, http.MethodPost, "https://"+host+"/mcp", token, strings.Repeat(" ", 1<<20+1))
		require.Equal(t, http.StatusRequestEntityTooLarge, status)
		require.Contains(t, body, "1 MiB", "ColaFlow's own answer")
	}
	for url, want := range map[string]int{
		"https://colaflow.example.com/healthz": 200, "https://colaflow.example.com/readyz": 404, "https://colaflow.example.com/metrics": 404,
		"https://colaflow.example.com/.well-known/oauth-protected-resource": 200, "https://acme.colaflow.example.com/": 200,
		"https://colaflow-tokens.example.com/.well-known/oauth-protected-resource": 404, "https://colaflow-tokens.example.com/healthz": 200,
	} {
		status, _, body := s.send(t, http.MethodGet, url, "", "")
		require.Equal(t, want, status, "%s: %s", url, body)
	}
	var addresses []string
	require.NoError(t, s.db.Admin(t).QueryRow(t.Context(), "select array_agg(distinct client_ip) from audit_log where tool = 'get_me'").Scan(&addresses))
	require.Equal(t, []string{"127.0.0.1"}, addresses, "whatever a client says of itself")
	for _, n := range s.nodes {
		res, err := http.Get("http://" + n.addr + "/readyz")
		require.NoError(t, err)
		_ = res.Body.Close()
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
}
