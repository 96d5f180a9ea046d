package mcpserver

import (
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// teller makes the messages of a stream, whatever carries them to the client.
type teller struct {
	id   json.RawMessage // of the request that opened the stream
	send func(message any) error
}

type object = map[string]any

// tag marks a message as belonging to the stream.
func (t teller) tag() object { return object{mcp.MetaKeySubscriptionID: t.id} }

// acknowledged says what is watched. The stream does not run yet.
func (t teller) acknowledged(st *stream) error {
	var filter mcp.SubscriptionFilter
	for _, sub := range st.subs {
		filter.ResourceSubscriptions = append(filter.ResourceSubscriptions, sub.uri)
	}
	return t.send(object{"jsonrpc": "2.0", "method": mcp.MethodNotificationSubscriptionsAcknowledged,
		"params": object{"notifications": filter, "_meta": t.tag()}})
}

func (t teller) updated(uri string) error {
	return t.send(object{"jsonrpc": "2.0", "method": mcp.MethodNotificationResourceUpdated, "params": object{"uri": uri, "_meta": t.tag()}})
}

// result ends the stream as the protocol has it.
func (t teller) result() error {
	return t.send(object{"jsonrpc": "2.0", "id": t.id, "result": object{"resultType": mcp.ResultTypeComplete, "_meta": t.tag()}})
}

// refused ends the stream of a token that no longer works.
func (t teller) refused(err error) error {
	text := "The token is unknown, expired or revoked."
	switch tenancy.CodeOf(err) {
	case tenancy.TenantIsSuspended:
		text = "This tenant is suspended."
	case tenancy.AddressNotAllowed:
		text = "This token may not be used from this address."
	}
	return t.send(object{"jsonrpc": "2.0", "id": t.id, "error": problem{codeUnauthorized, text}})
}
