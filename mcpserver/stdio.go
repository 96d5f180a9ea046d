package mcpserver

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

const (
	stdioParallel = 16
	// stdioDrain is how long running calls may finish after the client is gone.
	stdioDrain           = 1500 * time.Millisecond
	codeUnauthorized     = -32001
	errUnauthorizedStdio = "The token in COLAFLOW_TOKEN is missing, unknown, expired or revoked. Ask an admin for a new one."
)

// ServeStdio speaks MCP over one client's pipes until in ends or ctx is done:
// one JSON message a line, nothing else on out. The token is checked again for
// every message; narrow holds it further.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer, token string, narrow Narrowing) error {
	if err := narrow.Check(); err != nil {
		return err
	}
	session := server.NewInProcessSession("stdio", nil)
	if err := s.mcp.RegisterSession(ctx, session); err != nil {
		return fmt.Errorf("register session: %w", err)
	}
	defer s.mcp.UnregisterSession(ctx, session.SessionID())
	ctx, cancel := context.WithCancel(s.mcp.WithContext(ctx, session))
	defer cancel()
	p := &pipe{server: s, lineWriter: lineWriter{out: out}, token: token, narrow: narrow, slots: make(chan struct{}, stdioParallel)}
	err := eachLine(ctx, in, func(line []byte) { p.accept(ctx, line) })
	drain(&p.running, cancel)
	cancel()
	p.watcher.following.Wait()
	return err
}

// drain lets running calls finish for a moment, then cancels them.
func drain(running *sync.WaitGroup, cancel context.CancelFunc) {
	drained := make(chan struct{})
	go func() { running.Wait(); close(drained) }()
	select {
	case <-drained:
	case <-time.After(stdioDrain):
		cancel()
		<-drained
	}
}

// pipe is one stdio client.
type pipe struct {
	server  *Server
	token   string
	narrow  Narrowing
	client  string // known to accept alone
	slots   chan struct{}
	running sync.WaitGroup
	watcher watcher
	streams cancels
	lineWriter
}

// eachLine hands the lines of in to accept, one after the other, until in ends
// or ctx is done.
func eachLine(ctx context.Context, in io.Reader, accept func(line []byte)) error {
	lines, failed := make(chan []byte), make(chan error, 1)
	go func() {
		defer close(lines)
		reader := bufio.NewReaderSize(in, 64<<10)
		for {
			line, err := readLine(reader)
			if len(line) > 0 {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				failed <- err
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if ok {
				accept(line)
				continue
			}
			if err := <-failed; !errors.Is(err, io.EOF) {
				return fmt.Errorf("read standard input: %w", err)
			}
			return nil
		}
	}
}

// readLine reads one line of at most maxBody bytes; of a longer one it keeps
// just enough to be refused, and skips the rest.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) <= maxBody {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), err
		}
	}
}

// accept handles one line. Requests run beside each other, but the handshake
// and notifications keep their place.
func (p *pipe) accept(ctx context.Context, line []byte) {
	if len(line) > maxBody {
		p.writeShape(&shapeError{codeInvalidRequest, "a message may have at most 1 MiB"})
		return
	}
	m, err := parseMessage(line)
	if err != nil {
		p.writeShape(err)
		return
	}
	if m.isResponse {
		return
	}
	m.client = cmp.Or(m.client, p.client) // that it said last
	p.client = m.client
	if m.method == string(mcp.MethodNotificationCancelled) {
		p.streams.hangUp(line) // mcp-go knows of calls
	}
	if !m.isRequest() || m.method == string(mcp.MethodInitialize) {
		p.handle(ctx, m, line)
		return
	}
	if m.isListen() { // it holds no slot
		ctx, done := p.streams.open(ctx, m.id)
		p.watcher.following.Go(func() {
			defer done()
			p.handle(ctx, m, line)
		})
		return
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	p.running.Go(func() {
		defer func() { <-p.slots }()
		p.handle(ctx, m, line)
	})
}

func (p *pipe) handle(ctx context.Context, m message, line []byte) {
	s := p.server
	r := &request{id: tenancy.NewRequest(netip.Addr{}).ID, started: s.now(), message: m, token: p.token, client: m.client, narrow: p.narrow, stdio: true}
	defer s.report(r)
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("panic in stdio", "request", r.id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			r.problem = &problem{codeInternal, "Internal error, request " + r.id + "."}
			p.write(r.problemBody())
		}
	}()
	if p.answer(ctx, r, line); r.listen != nil {
		p.listen(ctx, r) // with nothing left of what reading the message took
	}
}

// answer answers a message, unless it opens a stream.
func (p *pipe) answer(ctx context.Context, r *request, line []byte) {
	s, m := p.server, r.message
	var err error
	if r.principal, err = s.tokens.Authenticate(ctx, p.token); err != nil {
		r.outcome = string(tenancy.CodeOf(err))
		p.refuse(r, err)
		return
	}
	r.principal = p.narrow.apply(r.principal)
	if r.refused = checkAddress(r); r.refused != nil {
		p.refuse(r, r.refused)
		return
	}
	r.progress = m.progressTo(func(notification any) error { p.write(mustJSON(notification)); return nil })
	session := ctx
	ctx, stop := s.running.start(withRequest(ctx, r), r)
	defer stop()
	var free func()
	if r.memory, free, err = s.reserve(ctx, r.principal.TenantID, len(line)+answerRoom); err != nil {
		p.turnAway(ctx, r, err)
		return
	}
	defer free()
	if r.message.isRequest() && !s.checkToken(ctx, r) {
		p.refuse(r, cmp.Or(r.refused, r.failed))
		return
	}
	var answer any
	if m.isSubscription() {
		answer = p.changeSubscription(session, ctx, r)
	} else {
		answer = s.mcp.HandleMessage(ctx, line)
	}
	if !m.isRequest() || r.listen != nil {
		return
	}
	if r.refused != nil || r.failed != nil {
		p.refuse(r, cmp.Or(r.refused, r.failed))
		return
	}
	if !r.audited {
		row := s.auditRow(r, nil, nil, nil)
		if r.problem != nil {
			row.Decision = store.Failed
		}
		if err := s.record(context.WithoutCancel(ctx), row); err != nil {
			p.refuse(r, err)
			return
		}
	}
	if r.problem != nil {
		p.write(r.problemBody())
		return
	}
	p.write(mustJSON(answer))
}

// turnAway answers a request that is not served: there is no room for it in its tenant's
// account or among its streams, or its token is of no use any more.
func (p *pipe) turnAway(ctx context.Context, r *request, err error) {
	r.outcome = string(tenancy.CodeOf(err))
	switch {
	case isRefusal(err):
		r.refused = err
	case tenancy.CodeOf(err) == tenancy.RateLimited:
		p.server.recordFlood(ctx, r, err)
	}
	p.refuse(r, err)
}

// refuse answers a request whose token does not work, or that could not be served.
func (p *pipe) refuse(r *request, err error) {
	if !r.message.isRequest() {
		return
	}
	if r.refused != nil {
		p.server.recordRefusal(context.Background(), r) // the client may be gone
	}
	switch tenancy.CodeOf(err) {
	case tenancy.Unauthenticated:
		r.problem = &problem{codeUnauthorized, errUnauthorizedStdio}
	case tenancy.Internal:
		p.server.log.Error("request failed", "request", r.id, "error", err)
		r.problem = &problem{codeInternal, tenancy.Public(err, r.id).Error()}
	default:
		r.problem = &problem{codeInternal, tenancy.Public(err, r.id).Error()}
	}
	p.write(r.problemBody())
}

// lineWriter writes one message a line, from any goroutine.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) writeShape(err error) {
	shape := &shapeError{codeInvalidRequest, "the message is not valid"}
	errors.As(err, &shape)
	w.write(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":%s}}`, shape.code, mustJSON(shape.text)))
}

func (w *lineWriter) write(data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.out.Write(append(bytes.TrimSpace(data), '\n')) // a client that is gone shows at the next read
}
