package mcpserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// defaultBodyTimeout bounds how long a client may take to send its message.
const defaultBodyTimeout = 15 * time.Second

// chain is the way of an HTTP request, in this order: recover, request id,
// Host and Origin, client address, method, body limit, token, shape, mcp-go. What it
// refuses for want of a token names the metadata, if there is any.
func (s *Server) chain(metadata string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		from := tenancy.NewRequest(clientIP(hr, s.proxies))
		r := &request{id: from.ID, started: s.now(), clientIP: from.ClientIP, metadata: metadata, url: hr.URL}
		w.Header().Set(tenancy.RequestHeader, r.id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		defer s.recover(w, r)
		if !s.gate.admits(hr) {
			refuse(w, http.StatusForbidden, "origin_not_allowed", "This Host or Origin is not allowed here.")
			return
		}
		s.allowCrossOrigin(w, hr)
		switch {
		case hr.Method == http.MethodOptions && hr.Header.Get("Origin") != "":
			w.WriteHeader(http.StatusNoContent)
		case !r.narrow.readPath(hr.URL.Path):
			refuse(w, http.StatusNotFound, "not_found", "There is nothing here. MCP is served at /mcp, /mcp/readonly, /mcp/p/{KEY} and /mcp/x/{TOOLSETS}.")
		case hr.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "Send MCP messages with POST.")
		default:
			s.post(w, hr, r)
		}
	})
}

func (s *Server) post(w http.ResponseWriter, hr *http.Request, r *request) {
	defer s.report(r)
	if s.exchange(w, hr, r); r.listen != nil {
		s.listen(w, hr, r) // with nothing left of what reading the message took
	}
}

// exchange answers a message, unless it opens a stream.
func (s *Server) exchange(w http.ResponseWriter, hr *http.Request, r *request) {
	r.outcome = resultMalformed // until mcp-go takes it
	if hr.ContentLength > maxBody {
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", "A message may have at most 1 MiB.")
		return
	}
	if hr.Header.Get("Content-Encoding") != "" {
		refuse(w, http.StatusUnsupportedMediaType, "unsupported_encoding", "Send the body without Content-Encoding.")
		return
	}
	if !s.authenticate(w, hr, r) || !s.narrow(w, hr, r) {
		return
	}
	charge, done, ok := s.openCharge(w, hr, r)
	if !ok {
		return
	}
	defer done()
	body, ok := s.readBody(w, hr, r, charge)
	if !ok {
		return
	}
	var err error
	if r.message, err = parseMessage(body); err != nil {
		writeShapeError(w, err)
		return
	}
	if name := doubledHeader(hr.Header); name != "" {
		writeShapeError(w, &shapeError{codeHeaderMismatch, "header " + name + " is given twice"})
		return
	}
	r.client = r.message.client
	if r.client == "" {
		r.client = shorten(hr.UserAgent(), maxAuditText)
	}
	r.outcome = ""
	// Nothing that a client tells us about our own requests or its sessions has
	// a meaning here: the endpoint is stateless and asks nothing.
	if !r.message.isRequest() {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	hr.Header.Del("Mcp-Session-Id")
	leave, err := s.throttle.Enter(r.principal)
	if err == nil {
		defer leave()
		err = charge.Grow(answerRoom)
	}
	if err != nil {
		s.overBudget(w, hr, r, err)
		return
	}
	r.progress = s.progressOf(w, hr, r)
	ctx, stop := s.running.start(withRequest(hr.Context(), r), r)
	defer stop()
	answer := buffered{header: http.Header{}, charge: charge, room: answerRoom}
	if !s.checkToken(ctx, r) {
		s.finish(w, hr.WithContext(ctx), r, &answer)
		return
	}
	s.http.Handle(&answer, &server.HTTPRequest{Method: hr.Method, URL: hr.URL, Header: hr.Header, Body: body, Context: ctx})
	if r.listen != nil {
		return
	}
	s.finish(w, hr.WithContext(ctx), r, &answer)
}

// holdBack makes who is beyond a limit wait for being told so.
func (s *Server) holdBack(ctx context.Context) {
	select {
	case <-time.After(s.pause):
	case <-ctx.Done():
	}
}

// narrow takes away from the principal what headers and path say, or answers.
func (s *Server) narrow(w http.ResponseWriter, hr *http.Request, r *request) bool {
	var err error
	if r.narrow, err = narrowingOf(hr, s.toolNames); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_narrowing", tenancy.Public(err, r.id).Error())
		return false
	}
	r.principal = r.narrow.apply(r.principal)
	return true
}

// finish sends what mcp-go wrote, unless the token was refused on the way or
// the call could not be audited.
func (s *Server) finish(w http.ResponseWriter, hr *http.Request, r *request, answer *buffered) {
	if r.refused == nil && answer.status == 0 && wasCut(hr.Context()) {
		r.refused = cutOff(hr.Context(), hr.Context().Err())
	}
	if r.progress.begun() {
		s.finishStream(hr, r, answer)
		return
	}
	if r.refused != nil {
		s.recordRefusal(hr.Context(), r)
		s.refuseToken(w, r, r.refused)
		return
	}
	if hr.Context().Err() != nil && answer.status == 0 {
		return // the client is gone
	}
	if r.failed != nil {
		s.unavailable(w, r, r.failed)
		return
	}
	if !r.audited {
		row := s.auditRow(r, nil, answer.body, nil)
		if answer.status >= http.StatusBadRequest || r.problem != nil {
			row.Decision, row.Code = store.Failed, strconv.Itoa(answer.status)
		}
		// A revocation that comes now is for the next call: this one is answered, or it
		// would be recorded and yet refused.
		if err := s.record(context.WithoutCancel(hr.Context()), row); err != nil {
			s.unavailable(w, r, fmt.Errorf("audit: %w", err))
			return
		}
	}
	if r.wanting != 0 {
		r.refuseScope(w)
		return
	}
	if answer.over {
		s.tooMany(w, r, errAnswerTooBig)
		return
	}
	if r.problem != nil {
		answer.body = append(r.problemBody(), '\n')
		if r.message.modern {
			answer.status = r.problem.status(answer.status)
		}
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

func (s *Server) recover(w http.ResponseWriter, r *request) {
	if p := recover(); p != nil {
		s.log.Error("panic in HTTP chain", "request", r.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		refuse(w, http.StatusInternalServerError, "internal", "Internal error, request "+r.id+".")
	}
}

func (s *Server) allowCrossOrigin(w http.ResponseWriter, hr *http.Request) {
	origin := hr.Header.Get("Origin")
	if origin == "" {
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, "+
		strings.Join([]string{headerToolsets, headerTools, headerExclude, headerReadOnly}, ", "))
	h.Set("Access-Control-Expose-Headers", tenancy.RequestHeader+", WWW-Authenticate")
	h.Add("Vary", "Origin")
}

func (s *Server) readBody(w http.ResponseWriter, hr *http.Request, r *request, charge *tenancy.Charge) ([]byte, bool) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.bodyTimeout)) // not every transport has deadlines
	body, err := io.ReadAll(chargedReader{http.MaxBytesReader(w, hr.Body, maxBody), charge})
	var tooLarge *http.MaxBytesError
	switch {
	case tenancy.CodeOf(err) == tenancy.RateLimited:
		s.overBudget(w, hr, r, err)
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", "A message may have at most 1 MiB.")
	case err != nil:
		refuse(w, http.StatusRequestTimeout, "timeout", "The message did not arrive in time.")
	default:
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		return body, true
	}
	return nil, false
}

var onceHeaders = []string{"Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Content-Type"}

// doubledHeader names a protocol header that is given more than once: proxies
// and we might read different ones.
func doubledHeader(h http.Header) string {
	for name, values := range h {
		if len(values) > 1 && (slices.Contains(onceHeaders, name) || strings.HasPrefix(name, mcp.HeaderParamPrefix)) {
			return name
		}
	}
	return ""
}

func writeShapeError(w http.ResponseWriter, err error) {
	shape := &shapeError{codeInvalidRequest, "the message is not valid"}
	errors.As(err, &shape)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":%s}}`+"\n", shape.code, mustJSON(shape.text))
}

// refuse answers an HTTP request that never reached MCP.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":%s,"message":%s}`+"\n", mustJSON(code), mustJSON(message))
}

func (s *Server) unavailable(w http.ResponseWriter, r *request, err error) {
	if tenancy.CodeOf(err) == tenancy.RateLimited {
		s.tooMany(w, r, err)
		return
	}
	s.log.Error("request failed", "request", r.id, "error", err)
	if tenancy.CodeOf(err) == tenancy.Unavailable {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "unavailable", "The service is not available; try again in a moment. Request "+r.id+".")
		return
	}
	refuse(w, http.StatusInternalServerError, "internal", "Internal error, request "+r.id+".")
}

// recordFlood leaves the row of a call that its tenant's limit turned away. It does
// not wait long: the database may be what keeps the others running.
func (s *Server) recordFlood(ctx context.Context, r *request, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	row := s.auditRow(r, nil, nil, err)
	row.Method = cmp.Or(row.Method, "connect") // turned away before its message was read
	if recordErr := s.record(ctx, row); recordErr != nil {
		s.log.Warn("a refusal was not audited in time", "request", r.id, "error", recordErr)
	}
}

// tooMany answers a flood: the message was not read any further.
func (s *Server) tooMany(w http.ResponseWriter, r *request, err error) {
	e := tenancy.Public(err, r.id)
	r.outcome = string(e.Code)
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(e.RetryAfter.Seconds())))))
	refuse(w, http.StatusTooManyRequests, string(e.Code), e.Message)
}

// buffered holds mcp-go's answer back until its call is audited and its token
// still good. It cannot stream, so mcp-go never upgrades to server-sent events; progress
// does it by itself.
type buffered struct {
	header http.Header
	status int
	body   []byte
	charge *tenancy.Charge
	room   int  // bytes that are charged for
	over   bool // there was no room for the whole body
}

func (b *buffered) Header() http.Header { return b.header }

func (b *buffered) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffered) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	if more := len(b.body) + len(p) - b.room; more > 0 && !b.over {
		b.over = b.charge.Grow(int64(more)) != nil
		b.room += more
	}
	if !b.over {
		b.body = append(b.body, p...)
	}
	return len(p), nil
}

func (b *buffered) Flush() {}

func (b *buffered) CanStream() bool { return false }

// bearer returns the one token of a request; ok is false for several or another scheme.
func bearer(h http.Header) (token string, given, ok bool) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", false, true
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if len(values) > 1 || !found || !strings.EqualFold(scheme, "Bearer") || strings.ContainsAny(token, ", ") {
		return "", true, false
	}
	return token, true, true
}
