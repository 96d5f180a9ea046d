package mcpserver

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// request is what travels with one authenticated message through mcp-go to
// dispatch and back: who, from where, what, and how it ended.
type request struct {
	id        string // ours, for logs and errors
	message   message
	token     string // plain; for re-authentication only, never logged
	principal tenancy.Principal
	clientIP  string
	client    string
	started   time.Time
	narrow    Narrowing
	memory    *tenancy.Charge // of the tenant, which the request is charged to; nil: unlimited
	beside    []mcp.Content   // that the call's answer shows after its data
	file      *file           // that the call read
	metadata  string          // Config.ResourceMetadata, where a refused client is told of it
	url       *url.URL        // that was asked for; nil: not by HTTP
	// refused is set when the database no longer accepts the token: the
	// transport answers 401 or 403 instead of what mcp-go wrote.
	refused error
	// wanting is set when a call lacked permissions that its person may give: the
	// transport answers 403 with these, which the call needs.
	wanting tenancy.PermissionSet
	// failed is set when the call could not be checked or audited: whatever mcp-go
	// wrote must not leave.
	failed error
	// problem replaces mcp-go's JSON-RPC error, whose text is not for clients.
	problem *problem
	// outcome is how the message ended, for metrics; empty: as refused and problem say.
	outcome string
	// detail goes with the problem, as its data.
	detail any
	// audited tells that dispatch has written the call's audit row.
	audited bool
	// reported tells that Config.Observe has heard of it.
	reported bool
	// progress is where the client hears how far its call is; nil: nowhere.
	progress *progress
	// stdio tells that the client is at our standard input.
	stdio bool
	// listen is what a client of the modern era wants to hear of, once mcp-go has found
	// nothing wrong with its request.
	listen *mcp.SubscriptionFilter
}

// tokenID names the token for the audit; nil for a signed-in member.
func (r *request) tokenID() *uuid.UUID {
	if r.principal.TokenID == uuid.Nil {
		return nil
	}
	return &r.principal.TokenID
}

// address is where the call comes from; zero if unknown, as over stdio.
func (r *request) address() netip.Addr {
	addr, err := netip.ParseAddr(r.clientIP)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// problem is a JSON-RPC error in our words.
type problem struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// notFound is the problem of a resource that is not there, or hidden.
func (r *request) notFound() *problem {
	if r.message.name != "" {
		r.detail = map[string]string{"uri": r.message.name}
	}
	if r.message.modern {
		return &problem{codeInvalidParams, "Resource not found, or not visible to this token."}
	}
	return &problem{codeNotFoundLegacy, "Resource not found, or not visible to this token."}
}

// protocolError is the error of a call that is answered by a JSON-RPC error, because
// the client did not keep to the protocol.
type protocolError struct {
	problem
	detail any
	cause  error
}

// Error implements error.
func (e *protocolError) Error() string { return e.cause.Error() }

// Unwrap lets the audit and the metrics see the code.
func (e *protocolError) Unwrap() error { return e.cause }

// status is the HTTP status of the problem in the modern era, where mcp-go's
// answer had the given one.
func (p *problem) status(answered int) int {
	switch {
	case p.Code == codeNoMethod:
		return http.StatusNotFound
	case answered == http.StatusOK:
		return http.StatusBadRequest
	default:
		return answered
	}
}

func (r *request) problemBody() []byte {
	type detailed struct {
		*problem
		Data any `json:"data,omitempty"`
	}
	return mustJSON(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   detailed        `json:"error"`
	}{"2.0", r.message.id, detailed{r.problem, r.detail}})
}

type requestKey struct{}

func withRequest(ctx context.Context, r *request) context.Context {
	return context.WithValue(tenancy.Request{ID: r.id, ClientIP: r.clientIP}.In(ctx), requestKey{}, r)
}

// requestFrom returns the request of the call. A call without one cannot have
// come through a transport of ours; it gets an empty principal, which may do nothing.
func requestFrom(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}
