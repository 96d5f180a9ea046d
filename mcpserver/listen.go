package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

const (
	defaultKeepAlive  = 20 * time.Second
	defaultSlowReader = 10 * time.Second // for a client to take one message
	// streamRoom is charged for an open stream, beside its URIs.
	streamRoom = 40 << 10
	watchRoom  = 256
)

// addSubscriptionHooks keeps subscriptions/listen away from mcp-go, which acknowledges
// any URI and feeds none, once it has checked the request; and says where which kind of
// subscription works: listening everywhere, subscribing by legacy calls over stdio only.
func (s *Server) addSubscriptionHooks(hooks *server.Hooks) {
	hooks.AddBeforeSubscriptionsListen(func(ctx context.Context, _ any, message *mcp.SubscriptionsListenRequest) {
		requestFrom(ctx).listen = &message.Params.Notifications
	})
	hooks.AddAfterInitialize(func(ctx context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		if result.Capabilities.Resources != nil {
			result.Capabilities.Resources.Subscribe = requestFrom(ctx).stdio
		}
	})
	hooks.AddAfterDiscover(func(_ context.Context, _ any, _ *mcp.DiscoverRequest, result *mcp.DiscoverResult) {
		if result.Capabilities.Resources != nil {
			result.Capabilities.Resources.Subscribe = true
		}
	})
}

// listen serves subscriptions/listen: a stream that begins by acknowledging what the
// token may watch, and tells of its changes until one side ends it.
func (s *Server) listen(w http.ResponseWriter, hr *http.Request, r *request) {
	uris := r.listen.ResourceSubscriptions
	if r.problem = checkWatched(uris); r.problem != nil {
		s.finish(w, hr, r, &buffered{header: http.Header{"Content-Type": {"application/json"}}, status: http.StatusBadRequest})
		return
	}
	charge, done, ok := s.openCharge(w, hr, r)
	if !ok {
		return
	}
	defer done()
	ctx, stop := s.running.start(hr.Context(), r)
	defer stop()
	st, leave, err := s.subscribe(ctx, r, uris, charge.Grow)
	if err != nil {
		s.refuseStream(w, hr.WithContext(ctx), r, err)
		return
	}
	defer leave()
	s.report(r)
	out := &eventStream{w: w, control: http.NewResponseController(w), limit: s.slowReader}
	out.begin()
	tell := teller{r.message.id, out.event}
	if tell.acknowledged(st) != nil {
		return
	}
	if st.watching() == 0 { // nothing would ever come
		_ = tell.result()
		return
	}
	switch err := s.follow(ctx, st, outlet{tell.updated, out.alive}); {
	case errors.Is(err, errClosing):
		_ = tell.result()
	case isRefusal(err):
		_ = tell.refused(err)
	}
}

// checkWatched returns what is wrong with a list of URIs that is too long for a stream.
func checkWatched(uris []string) *problem {
	if len(uris) <= maxWatched {
		return nil
	}
	return &problem{codeInvalidParams, fmt.Sprintf("One stream watches at most %d resources; open another, or watch a project.", maxWatched)}
}

// subscribe finds out what the token may watch, joins the hub, and leaves the audit
// row, all before anything is acknowledged. charge takes a stream's memory.
func (s *Server) subscribe(ctx context.Context, r *request, uris []string, charge func(bytes int64) error) (st *stream, leave func(), err error) {
	if err := s.throttle.Admit(r.principal, false); err != nil {
		return nil, nil, err
	}
	size := streamRoom
	for _, uri := range uris {
		size += watchRoom + len(uri)
	}
	if err := charge(int64(size)); err != nil {
		return nil, nil, err
	}
	subs, err := s.watch(ctx, r, uris)
	if err != nil {
		return nil, nil, err
	}
	st = newStream(r, subs)
	if leave, err = s.hub.join(ctx, st); err != nil {
		return nil, nil, err
	}
	if err := s.recordSubscription(ctx, r, uris); err != nil {
		leave()
		return nil, nil, err
	}
	return st, leave, nil
}

// recordSubscription leaves the row of a request to watch resources, or not any more.
func (s *Server) recordSubscription(ctx context.Context, r *request, uris []string) error {
	row := s.auditRow(r, nil, nil, nil)
	row.Tool, row.Target = "", redactText(strings.Join(uris, " "))
	if r.problem != nil {
		row.Decision = store.Failed
	}
	if err := s.record(context.WithoutCancel(ctx), row); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	r.audited = true
	return nil
}

// refuseStream answers a request for a stream that does not begin.
func (s *Server) refuseStream(w http.ResponseWriter, hr *http.Request, r *request, err error) {
	err = cutOff(hr.Context(), err)
	switch {
	case tenancy.CodeOf(err) == tenancy.RateLimited:
		s.overBudget(w, hr, r, err)
		return
	case isRefusal(err):
		r.refused = err
	default:
		r.failed = err
	}
	s.finish(w, hr, r, &buffered{})
}

// eventStream writes JSON-RPC messages as server-sent events. A client that does not
// take one in time loses the connection.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

func (e *eventStream) begin() {
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events for itself
	e.w.WriteHeader(http.StatusOK)
}

func (e *eventStream) write(text string) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(e.limit)) // not every transport has deadlines
	if _, err := e.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write to stream: %w", err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("flush stream: %w", err)
	}
	return nil
}

func (e *eventStream) event(message any) error {
	return e.write("event: message\ndata: " + string(mustJSON(message)) + "\n\n")
}

// alive is a comment, which clients skip.
func (e *eventStream) alive() error { return e.write(": alive\n\n") }
