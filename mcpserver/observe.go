package mcpserver

import (
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// Observation is one message of a client, for metrics. Method, Tool and Result come
// from closed lists, whatever the client sent.
type Observation struct {
	Tenant   tenancy.TenantID // zero, if the token did not say whose it is
	Slug     string
	Claimed  string // without a tenant: the slug that the client wrote in its token
	Method   string // such as tools/call; notification; other, if we do not know it
	Tool     string // of tools/call; unknown, if there is no such tool
	Result   string // ok, an error code, malformed, or protocol_error
	Duration time.Duration
}

// Refused reports whether the message's token did not work.
func (o Observation) Refused() bool { return o.Result == string(tenancy.Unauthenticated) }

// TokenAccepted reports whether the token was good, whatever became of the message.
func (o Observation) TokenAccepted() bool {
	switch tenancy.Code(o.Result) {
	case tenancy.Unauthenticated, tenancy.TenantIsSuspended, tenancy.AddressNotAllowed:
		return false
	}
	return o.Tenant != uuid.Nil
}

const (
	resultOK        = "ok"
	resultMalformed = "malformed"
	resultProtocol  = "protocol_error"
)

const methodOther = "other"

// knownMethod is a method of a closed list: what the client named, or other.
func knownMethod(method string) string {
	switch mcp.MCPMethod(method) {
	case mcp.MethodInitialize, mcp.MethodPing, mcp.MethodServerDiscover, mcp.MethodToolsList, mcp.MethodToolsCall,
		mcp.MethodResourcesList, mcp.MethodResourcesTemplatesList, mcp.MethodResourcesRead, mcp.MethodCompletionComplete,
		mcp.MethodPromptsList, mcp.MethodPromptsGet, mcp.MethodSubscriptionsListen, mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe:
		return method
	}
	return methodOther
}

// report tells Config.Observe once how a message ended.
func (s *Server) report(r *request) {
	if s.observe == nil || r.reported {
		return
	}
	r.reported = true
	o := Observation{Method: knownMethod(r.message.method), Result: resultOK, Duration: s.now().Sub(r.started)}
	if o.Tenant, o.Slug = r.principal.TenantID, r.principal.TenantSlug; o.Tenant == uuid.Nil {
		o.Claimed, _, _ = tokens.Parse(r.token)
	}
	if o.Method == string(mcp.MethodToolsCall) {
		o.Tool = "unknown"
		if _, ok := s.catalogue[r.message.name]; ok {
			o.Tool = r.message.name
		}
	}
	if r.message.method != "" && !r.message.isRequest() {
		o.Method = "notification"
	}
	switch {
	case r.refused != nil:
		o.Result = string(tenancy.CodeOf(r.refused))
	case r.outcome != "":
		o.Result = r.outcome
	case r.problem != nil, o.Method == methodOther: // mcp-go answers unknown methods without asking us
		o.Result = resultProtocol
	}
	s.observe(o)
}
