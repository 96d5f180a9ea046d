package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// errHungUp ends a request that its client has cancelled: no answer is expected.
var errHungUp = errors.New("the client has cancelled it")

// cancels are how to end a client's requests, by their ids.
type cancels struct {
	mu sync.Mutex
	by map[string]context.CancelCauseFunc
}

// open returns a request's context, which close ends; the caller must call close.
func (c *cancels) open(ctx context.Context, id json.RawMessage) (_ context.Context, close func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]context.CancelCauseFunc{}
	}
	c.by[string(id)] = cancel
	return ctx, func() {
		c.mu.Lock()
		delete(c.by, string(id))
		c.mu.Unlock()
		cancel(nil)
	}
}

// hangUp ends the request that a notifications/cancelled names, if it runs.
func (c *cancels) hangUp(line []byte) {
	var m struct {
		Params struct {
			RequestID json.RawMessage `json:"requestId"`
		} `json:"params"`
	}
	if json.Unmarshal(line, &m) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.by[string(m.Params.RequestID)]; cancel != nil {
		cancel(errHungUp)
	}
}

// isListen reports whether the message opens a stream, which ends with its client.
func (m message) isListen() bool {
	return m.isRequest() && m.method == string(mcp.MethodSubscriptionsListen)
}

// listen serves subscriptions/listen until the client cancels it or is gone. The stream
// is cut off like a running call when its token ends.
func (p *pipe) listen(ctx context.Context, r *request) {
	s := p.server
	uris := r.listen.ResourceSubscriptions
	if r.problem = checkWatched(uris); r.problem != nil {
		p.write(r.problemBody())
		return
	}
	ctx, stop := s.running.start(ctx, r)
	defer stop()
	free := func() {}
	defer func() { free() }()
	st, leave, err := s.subscribe(ctx, r, uris, func(bytes int64) (err error) {
		_, release, err := s.reserve(ctx, r.principal.TenantID, int(bytes))
		if err == nil {
			free = release
		}
		return err
	})
	if err != nil {
		if !errors.Is(context.Cause(ctx), errHungUp) {
			p.turnAway(ctx, r, cutOff(ctx, err))
		}
		return
	}
	defer leave()
	s.report(r)
	tell := teller{r.message.id, func(message any) error { p.write(mustJSON(message)); return nil }}
	_ = tell.acknowledged(st)
	if st.watching() > 0 {
		err = s.follow(ctx, st, outlet{tell.updated, func() error { return nil }})
	}
	switch {
	case isRefusal(err):
		_ = tell.refused(err)
	case !errors.Is(context.Cause(ctx), errHungUp):
		_ = tell.result()
	}
}
