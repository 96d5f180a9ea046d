package mcpserver

import (
	"context"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// watcher is what a stdio client has subscribed to by calls of the legacy era.
type watcher struct {
	mu        sync.Mutex
	stream    *stream // nil: nothing, or its token has ended
	following sync.WaitGroup
}

// isSubscription reports whether the message is one of those calls, which mcp-go would
// refuse because HTTP has no session to keep them in.
func (m message) isSubscription() bool {
	method := mcp.MCPMethod(m.method)
	return !m.modern && m.isRequest() && (method == mcp.MethodResourcesSubscribe || method == mcp.MethodResourcesUnsubscribe)
}

// changeSubscription serves resources/subscribe and resources/unsubscribe. session is
// the client's context, which outlives the call's.
func (p *pipe) changeSubscription(session, ctx context.Context, r *request) any {
	err := p.server.throttle.Admit(r.principal, false)
	if err == nil && mcp.MCPMethod(r.message.method) == mcp.MethodResourcesSubscribe {
		err = p.subscribe(session, ctx, r)
	} else if err == nil {
		p.unsubscribe(r.message.name)
	}
	if err == nil {
		err = p.server.recordSubscription(ctx, r, []string{r.message.name})
	}
	switch {
	case isRefusal(err):
		r.refused = err
	case err != nil:
		r.failed = err
	}
	return struct {
		Version string   `json:"jsonrpc"`
		ID      any      `json:"id"`
		Result  struct{} `json:"result"`
	}{"2.0", r.message.id, struct{}{}}
}

// subscribe begins to watch a resource. One that the token may not read looks as if it
// did not exist.
func (p *pipe) subscribe(session, ctx context.Context, r *request) error {
	subs, err := p.server.watch(ctx, r, []string{r.message.name})
	if err != nil {
		return err
	}
	if len(subs) == 0 {
		r.problem = r.notFound()
		return nil
	}
	p.watcher.mu.Lock()
	defer p.watcher.mu.Unlock()
	if p.watcher.stream == nil {
		return p.startWatching(session, ctx, r, subs)
	}
	if p.watcher.stream.watching() >= maxWatched {
		r.problem = &problem{codeInvalidParams, "Too many subscriptions; unsubscribe from some, or watch a project."}
		return nil
	}
	p.watcher.stream.add(subs)
	return nil
}

// startWatching opens the client's stream; the watcher is locked. The stream is cut off
// like a running call when its token ends.
func (p *pipe) startWatching(session, ctx context.Context, r *request, subs []subscription) error {
	s, st := p.server, newStream(r, subs)
	_, free, err := s.reserve(ctx, r.principal.TenantID, streamRoom+maxWatched*watchRoom)
	if err != nil {
		return err
	}
	leave, err := s.hub.join(ctx, st)
	if err != nil {
		free()
		return err
	}
	p.watcher.stream = st
	session, stop := s.running.start(session, &request{principal: r.principal, token: r.token, clientIP: r.clientIP})
	p.watcher.following.Go(func() {
		defer free()
		defer stop()
		defer leave()
		_ = s.follow(session, st, outlet{updated: p.updated, alive: func() error { return nil }})
		p.watcher.mu.Lock()
		defer p.watcher.mu.Unlock()
		p.watcher.stream = nil
	})
	return nil
}

func (p *pipe) unsubscribe(uri string) {
	p.watcher.mu.Lock()
	defer p.watcher.mu.Unlock()
	if p.watcher.stream != nil {
		p.watcher.stream.remove(uri)
	}
}

func (p *pipe) updated(uri string) error {
	p.write(mustJSON(object{"jsonrpc": "2.0", "method": mcp.MethodNotificationResourceUpdated, "params": object{"uri": uri}}))
	return nil
}
