package mcpserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listener is a client with an open stream. What arrives is kept.
type listener struct {
	t      testing.TB
	status int
	body   string // of an answer that is no stream
	cancel context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	messages []streamMessage
	beats    int
}

// streamMessage is one message of a stream.
type streamMessage struct {
	Method string
	ID     json.RawMessage
	Params struct {
		URI           string
		Notifications struct{ ResourceSubscriptions []string }
		Meta          map[string]json.RawMessage `json:"_meta"`
	}
	Result *struct {
		ResultType string
		Meta       map[string]json.RawMessage `json:"_meta"`
	}
	Error *struct {
		Code    int
		Message string
	}
}

// listenBody is a request for a stream about these URIs.
func listenBody(id string, uris ...string) string {
	list, _ := json.Marshal(uris)
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":` + string(list) + `},` + modernMeta + `}}`
}

// listen opens a stream and waits for its first message, or for the refusal.
func (c *client) listen(uris []string, edit ...func(*http.Request)) *listener {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	l := &listener{t: c.t, cancel: cancel, ended: make(chan struct{})}
	c.t.Cleanup(l.close)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(listenBody(`"sub"`, uris...)))
	require.NoError(c.t, err)
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Authorization": "Bearer " + c.token, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"} {
		req.Header.Set(name, value)
	}
	for _, e := range edit {
		e(req)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	if l.status = res.StatusCode; res.Header.Get("Content-Type") != "text/event-stream" {
		data, err := io.ReadAll(res.Body)
		require.NoError(c.t, err)
		_ = res.Body.Close()
		l.body = string(data)
		close(l.ended)
		return l
	}
	go l.read(res.Body)
	require.Eventually(c.t, func() bool { return len(l.all()) > 0 }, 20*time.Second, time.Millisecond, "a stream begins with a message")
	return l
}

func (l *listener) read(body io.ReadCloser) {
	defer close(l.ended)
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		l.mu.Lock()
		if bytes.HasPrefix(lines.Bytes(), []byte(":")) {
			l.beats++
		}
		if ok {
			var m streamMessage
			if json.Unmarshal(data, &m) != nil {
				m.Method = "unreadable: " + string(data)
			}
			l.messages = append(l.messages, m)
		}
		l.mu.Unlock()
	}
}

func (l *listener) close() {
	l.cancel()
	<-l.ended
}

func (l *listener) all() []streamMessage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]streamMessage{}, l.messages...)
}

func (l *listener) heartbeats() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.beats
}

// acknowledged is what the first message says is watched.
func (l *listener) acknowledged() []string {
	l.t.Helper()
	require.Equal(l.t, http.StatusOK, l.status, l.body)
	first := l.all()[0]
	require.Equal(l.t, "notifications/subscriptions/acknowledged", first.Method)
	require.JSONEq(l.t, `"sub"`, string(first.Params.Meta["io.modelcontextprotocol/subscriptionId"]))
	return first.Params.Notifications.ResourceSubscriptions
}

// updates counts the updates of each URI so far.
func (l *listener) updates() map[string]int {
	l.t.Helper()
	count := map[string]int{}
	for _, m := range l.all()[1:] {
		if m.Method == "notifications/resources/updated" {
			require.JSONEq(l.t, `"sub"`, string(m.Params.Meta["io.modelcontextprotocol/subscriptionId"]))
			count[m.Params.URI]++
		}
	}
	return count
}

// hears waits until exactly these were updated at least once.
func (l *listener) hears(uris ...string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return len(l.updates()) >= len(uris) }, 20*time.Second, time.Millisecond, "want %v", uris)
	got := l.updates()
	for _, uri := range uris {
		require.Contains(l.t, got, uri)
	}
	require.Len(l.t, got, len(uris))
}

// last waits for the end and returns the last message.
func (l *listener) last() streamMessage {
	l.t.Helper()
	select {
	case <-l.ended:
	case <-time.After(20 * time.Second):
		l.t.Fatal("the stream goes on")
	}
	all := l.all()
	return all[len(all)-1]
}
