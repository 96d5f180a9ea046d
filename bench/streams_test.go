package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const (
	streamTenants = 50
	streamsEach   = 20 // of a tenant, half on each node
	streamIssues  = 20 // of a tenant, each of which every stream of it watches
	streamWriters = 20
	streamLasts   = 15 * time.Second
)

// watched is a tenant with open streams.
type watched struct {
	plain   string // of the streams
	writer  string // of those who change issues
	revoke  func() error
	touched [streamIssues + 1]atomic.Int64 // when the last change of each issue was answered; nobody changes the last issue
	streams []*stream
}

// stream is one open stream and what it was told.
type stream struct {
	conn  net.Conn
	node  int
	told  [streamIssues + 1]atomic.Int64 // when of each issue, last
	words [streamIssues + 1]atomic.Int64 // how often
	took  []time.Duration                // from a change that was answered to its word
	end   chan time.Time
}

// BenchmarkStreams holds a thousand streams of fifty tenants open on two nodes while
// twenty writers change issues on both, and then revokes every token.
func BenchmarkStreams(b *testing.B) {
	db := open(b)
	var nodes []*mcpserver.Server
	var addrs []string
	for range 2 {
		s := db.Reopen(b, storetest.Options{MaxConns: 16, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
		auth := tokens.NewAuthenticator(s)
		b.Cleanup(auth.Close)
		n, err := mcpserver.New(mcpserver.Config{Store: s, Tokens: auth, Key: db.Key, PublicURL: publicURL, Version: "bench",
			Log: slog.New(slog.DiscardHandler), Limits: func(string) tenancy.Limits { return generous }})
		require.NoError(b, err)
		b.Cleanup(n.Close)
		n.Follow()
		require.Eventually(b, auth.Healthy, 10*time.Second, 10*time.Millisecond)
		h := httptest.NewServer(n.Handler())
		b.Cleanup(h.Close)
		nodes, addrs = append(nodes, n), append(addrs, h.Listener.Addr().String())
	}
	world := watchedTenants(b, db)
	before := held()
	for _, w := range world {
		for n := range streamsEach {
			w.open(b, n%2, addrs[n%2])
		}
	}
	const streams = streamTenants * streamsEach
	require.Eventually(b, func() bool { return nodes[0].Streams()+nodes[1].Streams() == streams }, time.Minute, 10*time.Millisecond)
	memory := (held() - before) / streams

	for _, w := range world {
		for _, st := range w.streams {
			go st.read(w)
		}
	}
	began := time.Now()
	written := write(b, world, addrs)
	require.Eventually(b, func() bool { return behind(world) == 0 }, time.Minute, 10*time.Millisecond, "a change was not told")
	var took []time.Duration
	tooMany, foreign := int64(0), int64(0)
	most := int64(time.Since(began)/time.Second) + 1
	for _, w := range world {
		for _, st := range w.streams {
			foreign += st.words[streamIssues].Load()
			for n := range st.words {
				tooMany += max(0, st.words[n].Load()-most)
			}
		}
	}
	revoked := revokeAll(b, world)
	for _, w := range world { // their readers have ended
		for _, st := range w.streams {
			took = append(took, st.took...)
		}
	}
	slices.Sort(took)

	out := newTable("1,000 streams of 50 tenants on two nodes, 20 issues watched by each, 20 writers", "figure", "value")
	out.row("memory of an open stream, KB", float64(memory)/1024)
	out.row("changes a second", float64(written)/streamLasts.Seconds())
	out.row("words to streams", len(took))
	out.row("of issues that nobody of the tenant changed", foreign)
	out.row("beyond one a second for each issue", tooMany)
	out.row("from the answer to a change to its word, p50 ms", ms(took[len(took)/2]))
	out.row("p99 ms", ms(took[len(took)*99/100]))
	out.row("from the start of a revocation to the end of a stream on the other node, p50 ms", ms(revoked[len(revoked)/2]))
	out.row("p99 ms", ms(revoked[len(revoked)*99/100]))
	out.print()
	b.ReportMetric(0, "ns/op") // means nothing here
}

// held is the memory in use after everything that is garbage went.
func held() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func watchedTenants(b *testing.B, db *database) (world []*watched) {
	b.Helper()
	for n := range streamTenants {
		tn := db.Tenant(b, fmt.Sprintf("tenant%d", n))
		titles := make([]string, streamIssues+1)
		for i := range titles {
			titles[i] = fmt.Sprint("Issue ", i)
		}
		tn.Issues(b, tn.Project(b, "WEB", "Website"), titles...)
		token, plain := tn.Token(b, "watcher", `{"issues":["read"]}`)
		_, writer := tn.Token(b, "writer", `{"issues":["read","update"]}`)
		world = append(world, &watched{plain: plain, writer: writer, revoke: func() error {
			return db.RevokeToken(context.WithoutCancel(b.Context()), tn.Scope(), "bench", token.ID)
		}})
	}
	return world
}

// open opens a stream and leaves what comes in the network, so that the client holds nothing.
func (w *watched) open(b *testing.B, node int, addr string) {
	b.Helper()
	uris := make([]string, streamIssues+1)
	for n := range uris {
		uris[n] = fmt.Sprintf(`"colaflow://issues/WEB-%d"`, n+1)
	}
	message := string(modern.message(w.plain, "subscriptions/listen", "", ""))
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	head, _, _ = strings.Cut(head, "\r\nContent-Length")
	body = strings.Replace(body, `"params":{`, `"params":{"notifications":{"resourceSubscriptions":[`+strings.Join(uris, ",")+`]},`, 1)
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "%s\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
	require.NoError(b, err)
	w.streams = append(w.streams, &stream{conn: conn, node: node, end: make(chan time.Time, 1)})
}

// read notes when each word came, until the stream ends.
func (st *stream) read(w *watched) {
	in := bufio.NewReader(st.conn)
	for {
		line, err := in.ReadString('\n')
		now := time.Now()
		if err != nil || strings.Contains(line, `"error"`) {
			st.end <- now
			_, _ = io.Copy(io.Discard, in)
			return
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var m struct{ Params struct{ URI string } }
		var n int
		_ = json.Unmarshal([]byte(data), &m) // of another kind it has no URI
		if _, err := fmt.Sscanf(m.Params.URI, "colaflow://issues/WEB-%d", &n); err != nil {
			continue
		}
		changed, before := w.touched[n-1].Load(), st.told[n-1].Swap(now.UnixNano())
		st.words[n-1].Add(1)
		if changed > before {
			st.took = append(st.took, time.Duration(now.UnixNano()-changed))
		}
	}
}

// write changes issues of random tenants for a while, on both nodes.
func write(b *testing.B, world []*watched, addrs []string) (written int64) {
	b.Helper()
	var wg sync.WaitGroup
	var done atomic.Int64
	failed := make(chan error, streamWriters)
	until := time.Now().Add(streamLasts)
	for n := range streamWriters {
		c := newClient(b, addrs[n%2])
		wg.Go(func() {
			defer c.close()
			for i := 0; time.Now().Before(until); i++ {
				w, issue := world[rand.IntN(len(world))], rand.IntN(streamIssues)
				err := c.exchange(legacy.call(w.writer, "update_issue", `{"key":"WEB-%d","title":"Change %d of %d"}`, issue+1, i, n))
				if err != nil {
					failed <- err
					return
				}
				w.touched[issue].Store(time.Now().UnixNano())
				done.Add(1)
			}
		})
	}
	wg.Wait()
	close(failed)
	require.NoError(b, <-failed)
	return done.Load()
}

// behind counts the changes that a stream was not told of since. What was told while
// its change was being answered counts.
func behind(world []*watched) (n int) {
	const answering = int64(500 * time.Millisecond)
	for _, w := range world {
		for i := range streamIssues {
			for _, st := range w.streams {
				if changed := w.touched[i].Load(); changed > 0 && st.told[i].Load() < changed-answering {
					n++
				}
			}
		}
	}
	return n
}

// revokeAll revokes every token and measures how long each stream went on on the other node.
func revokeAll(b *testing.B, world []*watched) (took []time.Duration) {
	b.Helper()
	for _, w := range world {
		began := time.Now()
		require.NoError(b, w.revoke())
		for _, st := range w.streams {
			if d := (<-st.end).Sub(began); st.node == 1 {
				took = append(took, d)
			}
		}
	}
	slices.Sort(took)
	return took
}
