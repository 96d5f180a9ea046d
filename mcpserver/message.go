package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of one message. Real calls stay far below them.
const (
	maxBody   = 1 << 20
	maxDepth  = 32
	maxValues = 20_000 // names too: each costs far more memory than it has bytes
)

// message is what the chain knows of a JSON-RPC message before mcp-go sees it.
// Both read the same thing: duplicate names, names in another case, trailing
// data and invalid UTF-8 are refused here.
type message struct {
	method string
	id     json.RawMessage // absent in notifications and in messages without one
	// isResponse: a client's answer to a server's request, which we never send.
	isResponse   bool
	name         string // params.name or params.uri
	arguments    json.RawMessage
	client       string          // name/version that the client gives itself
	modern       bool            // _meta names protocol 2026-07-28 or later
	capabilities json.RawMessage // of a modern client
	state        string          // requestState, which the client was given
	responses    json.RawMessage // inputResponses, what it asked for
	progress     json.RawMessage // progressToken, by which it wants to hear how far the call is
}

// isRequest reports whether the message expects an answer.
func (m message) isRequest() bool { return m.method != "" && m.id != nil }

// shapeError is a refusal of the whole message with its JSON-RPC code.
type shapeError struct {
	code int
	text string
}

func (e *shapeError) Error() string { return e.text }

const (
	codeParse          = -32700
	codeInvalidRequest = -32600
	codeNoMethod       = -32601
	codeInvalidParams  = -32602
	codeInternal       = -32603
	codeNotFoundLegacy = -32002
	codeHeaderMismatch = -32020
)

// parseMessage checks the shape of one JSON-RPC message.
func parseMessage(data []byte) (message, error) {
	if err := checkJSON(data); err != nil {
		return message{}, err
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); trimmed[0] != '{' {
		return message{}, &shapeError{codeInvalidRequest, "the body must be one JSON-RPC object; batches are not supported"}
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return message{}, &shapeError{codeParse, "the body is not valid JSON"}
	}
	if err := exactNames(top, "jsonrpc", "id", "method", "params", "result", "error"); err != nil {
		return message{}, err
	}
	m := message{id: top["id"]}
	if string(top["jsonrpc"]) != `"2.0"` {
		return message{}, &shapeError{codeInvalidRequest, `jsonrpc must be "2.0"`}
	}
	if raw, ok := top["method"]; ok && (json.Unmarshal(raw, &m.method) != nil || m.method == "") {
		return message{}, &shapeError{codeInvalidRequest, "method must be a string"}
	}
	m.isResponse = top["result"] != nil || top["error"] != nil
	switch {
	case m.method == "" && !m.isResponse:
		return message{}, &shapeError{codeInvalidRequest, "method is missing"}
	case m.method != "" && m.isResponse: // mcp-go would take it for either
		return message{}, &shapeError{codeInvalidRequest, "a message with a method has no result and no error"}
	}
	if err := checkID(m.id); err != nil {
		return message{}, err
	}
	return m, m.readParams(top["params"])
}

// readParams looks into params for what dispatch and audit need.
func (m *message) readParams(raw json.RawMessage) error {
	if len(raw) == 0 || raw[0] != '{' {
		return nil // mcp-go answers wrong types
	}
	var params map[string]json.RawMessage
	if err := json.Unmarshal(raw, &params); err != nil {
		return &shapeError{codeParse, "the body is not valid JSON"}
	}
	if err := exactNames(params, "name", "uri", "arguments", "_meta", "clientInfo", "cursor", "ref", "argument",
		"requestState", "inputResponses"); err != nil {
		return err
	}
	m.arguments = params["arguments"]
	named := "name"
	if strings.HasPrefix(m.method, "resources/") {
		named = "uri"
	}
	if params[named] != nil {
		_ = json.Unmarshal(params[named], &m.name) // a wrong type is answered by mcp-go
	}
	_ = json.Unmarshal(params["requestState"], &m.state) // of another type, it is none of ours
	m.responses = params["inputResponses"]
	var client struct{ Name, Version string }
	if params["clientInfo"] != nil {
		_ = json.Unmarshal(params["clientInfo"], &client)
	}
	if len(params["_meta"]) > 2 {
		var meta map[string]json.RawMessage
		_ = json.Unmarshal(params["_meta"], &meta)
		if token := meta["progressToken"]; token != nil && checkID(token) == nil {
			m.progress = token
		}
		var version string
		_ = json.Unmarshal(meta["io.modelcontextprotocol/protocolVersion"], &version)
		m.modern = version >= "2026-07-28"
		if m.modern {
			m.capabilities = meta["io.modelcontextprotocol/clientCapabilities"]
		}
		if info := meta["io.modelcontextprotocol/clientInfo"]; info != nil {
			_ = json.Unmarshal(info, &client)
		}
	}
	m.client = strings.Trim(client.Name+"/"+client.Version, "/")
	return nil
}

// elicits reports whether the client can ask its person by a form, which is also meant
// where it names no mode.
func (m message) elicits() bool {
	var c struct{ Elicitation map[string]json.RawMessage }
	if json.Unmarshal(m.capabilities, &c) != nil || c.Elicitation == nil {
		return false
	}
	_, form := c.Elicitation["form"]
	return form || len(c.Elicitation) == 0
}

// checkJSON refuses what two readers might read differently, and what would
// cost too much to read.
func checkJSON(data []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	values := 0
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &shapeError{codeParse, "the body is not valid JSON: malformed, not UTF-8, or a name given twice"}
		}
		if dec.StackDepth() > maxDepth {
			return &shapeError{codeInvalidRequest, "the body is nested too deep"}
		}
		if kind := token.Kind(); kind != '}' && kind != ']' {
			if values++; values > maxValues {
				return &shapeError{codeInvalidRequest, "the body has too many values"}
			}
		}
		if dec.StackDepth() == 0 && len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
			return &shapeError{codeParse, "the body has data after its JSON value"}
		}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return &shapeError{codeParse, "the body is empty"}
	}
	return nil
}

// exactNames refuses names that differ from a known one only in case, because
// encoding/json would accept them where we do not look.
func exactNames(object map[string]json.RawMessage, known ...string) error {
	for name := range object {
		if slices.Contains(known, name) {
			continue
		}
		for _, k := range known {
			if strings.EqualFold(name, k) {
				return &shapeError{codeInvalidRequest, "the name " + k + " is in the wrong case"}
			}
		}
	}
	return nil
}

// checkID accepts a string or an integer that survives as a JSON number
// everywhere: mcp-go carries ids as float64, which changes larger ones.
func checkID(id json.RawMessage) error {
	if id == nil {
		return nil
	}
	const limit = 1 << 53
	var n int64
	switch {
	case id[0] == '"':
		return nil
	case json.Unmarshal(id, &n) == nil && string(id) != "null" && n <= limit && n >= -limit:
		return nil
	default:
		return &shapeError{codeInvalidRequest, "id must be a string or a whole number within 2^53"}
	}
}
