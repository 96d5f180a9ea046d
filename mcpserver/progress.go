package mcpserver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// progress tells the client of a call how far it is. mcp-go would lose what is told
// just before the end; here it is written before the call goes on. Over HTTP the first
// word turns the answer into a stream of events, whose last is the result.
type progress struct {
	token json.RawMessage
	send  func(notification any) error
	out   *eventStream // nil over stdio
	told  bool
	gone  bool // the client does not listen
	done  int
}

// progressTo is the progress of a tool's call whose client asked for it; else nil.
func (m message) progressTo(send func(notification any) error) *progress {
	if m.progress == nil || m.method != string(mcp.MethodToolsCall) {
		return nil
	}
	return &progress{token: m.progress, send: send}
}

// progressOf is the progress of a call over HTTP.
func (s *Server) progressOf(w http.ResponseWriter, hr *http.Request, r *request) *progress {
	out := &eventStream{w: w, control: http.NewResponseController(w), limit: s.slowReader}
	p := r.message.progressTo(out.event)
	if p == nil || !strings.Contains(strings.Join(hr.Header.Values("Accept"), ","), "text/event-stream") {
		return nil
	}
	p.out = out
	return p
}

// tell says that done of total is done. It never goes back, as when a call is tried
// again. Whoever tells must hold no connection to the database: the client may be slow.
func (p *progress) tell(done, total int, what string) {
	if p == nil || p.gone || p.told && done <= p.done {
		return
	}
	if !p.told && p.out != nil {
		p.out.begin()
	}
	p.told, p.done = true, done
	p.gone = p.send(object{"jsonrpc": "2.0", "method": mcp.MethodNotificationProgress,
		"params": object{"progressToken": p.token, "progress": done, "total": total, "message": what}}) != nil
}

// begun reports whether the answer is a stream already.
func (p *progress) begun() bool { return p != nil && p.told && p.out != nil }

// finishStream ends an answer that began with progress. A refusal comes too late for
// a status; it is the error that ends the stream.
func (s *Server) finishStream(hr *http.Request, r *request, answer *buffered) {
	out := r.progress.out
	switch {
	case r.refused != nil:
		s.recordRefusal(hr.Context(), r)
		_ = teller{r.message.id, out.event}.refused(r.refused) // a client that is gone cannot be told
		return
	case r.failed != nil:
		s.log.Error("request failed", "request", r.id, "error", r.failed)
		r.problem = &problem{codeInternal, tenancy.Public(r.failed, r.id).Error()}
	case answer.over:
		r.problem = &problem{codeInternal, errAnswerTooBig.Error()}
	}
	body := bytes.TrimSpace(answer.body)
	if r.problem != nil {
		body = r.problemBody()
	}
	if len(body) > 0 {
		_ = out.event(json.RawMessage(body))
	}
	_ = out.control.SetWriteDeadline(time.Time{}) // the connection may serve more
}
