package mcpserver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"

	"github.com/mark3labs/mcp-go/mcp"
)

// relay writes the messages of a server's answer, one a line.
func (b *bridge) relay(res *http.Response, m message) error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")) // an unknown kind is not JSON
	if res.StatusCode == http.StatusOK && kind == "text/event-stream" {
		return b.relayEvents(res.Body, m)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if res.StatusCode == http.StatusAccepted && !m.isRequest() {
		return nil
	}
	if kind == "application/json" && b.relayMessage(body, m) {
		return nil
	}
	return refusalOf(res, body)
}

// relayMessage writes one JSON-RPC message. An error without an id is about this
// request; it gets the id, so that the client knows.
func (b *bridge) relayMessage(data []byte, m message) bool {
	var answer struct {
		Version string          `json:"jsonrpc"`
		Method  string          `json:"method"`
		ID      json.RawMessage `json:"id"`
		Result  json.RawMessage `json:"result"`
		Error   *problem        `json:"error"`
	}
	if json.Unmarshal(data, &answer) != nil || answer.Version == "" {
		return false
	}
	if !m.isRequest() {
		return true // nobody waits for it
	}
	if answer.Error != nil && (len(answer.ID) == 0 || string(answer.ID) == "null") {
		r := request{message: m, problem: answer.Error}
		b.write(r.problemBody())
		return true
	}
	if m.method == string(mcp.MethodInitialize) {
		b.learn(answer.Result)
	}
	var line bytes.Buffer
	if json.Compact(&line, data) != nil {
		return false
	}
	b.write(line.Bytes())
	return true
}

// relayEvents writes the messages of an event stream as they arrive.
func (b *bridge) relayEvents(stream io.Reader, m message) error {
	scanner := bufio.NewScanner(stream)
	scanner.Buffer(nil, maxAnswer)
	var data []byte
	for scanner.Scan() {
		line := scanner.Bytes()
		if text, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(append(data, bytes.TrimPrefix(text, []byte(" "))...), '\n')
		} else if len(line) == 0 && len(data) > 0 {
			if !b.relayMessage(data, m) {
				return errors.New("the server sent an event that is not a JSON-RPC message")
			}
			data = data[:0]
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// learn keeps the protocol version that initialize agreed on.
func (b *bridge) learn(result json.RawMessage) {
	var r struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	if json.Unmarshal(result, &r) == nil {
		b.state.Lock()
		defer b.state.Unlock()
		b.version = r.ProtocolVersion
	}
}

// refusalOf says an HTTP answer that is no MCP message, and what to do about it.
func refusalOf(res *http.Response, body []byte) error {
	var said struct{ Message string }
	_ = json.Unmarshal(body, &said) // whoever answered may not be ColaFlow
	host := res.Request.URL.Host
	switch status := res.StatusCode; {
	case status == http.StatusUnauthorized:
		return &problem{codeUnauthorized, errUnauthorizedStdio}
	case status == http.StatusForbidden && said.Message != "":
		return &problem{codeInternal, said.Message}
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status < 300:
		return &problem{codeInternal, "There is no MCP server at " + res.Request.URL.Redacted() + "; check --url."}
	case status >= 300 && status < 400:
		return &problem{codeInternal, fmt.Sprintf("%s redirects to %s; if you trust it, give that address with --url.", host, res.Header.Get("Location"))}
	case status == http.StatusTooManyRequests:
		return &problem{codeInternal, "Too many requests; try again in " + seconds(res.Header.Get("Retry-After")) + "."}
	case said.Message != "":
		return &problem{codeInternal, said.Message}
	default:
		return &problem{codeInternal, fmt.Sprintf("%s answered HTTP %d; try again in a moment.", host, status)}
	}
}

func seconds(retryAfter string) string {
	if retryAfter == "" {
		return "a moment"
	}
	return shorten(retryAfter, 20) + " seconds"
}

// unreachable says why no answer came, without the URL's parts that may be private.
func unreachable(u *url.URL, err error) error {
	var dns *net.DNSError
	var operation *net.OpError
	reason := "the connection failed"
	switch {
	case errors.As(err, &dns):
		reason = "its name is not known"
	case errors.As(err, &operation):
		reason = operation.Err.Error()
	case errors.Is(err, io.EOF):
		reason = "it closed the connection"
	}
	return fmt.Errorf("%w (%w)", &problem{codeInternal, "Cannot reach " + u.Host + ": " + reason + ". Is the server running, and is --url right?"}, err)
}

// asProblem is the error as the client sees it.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return &problem{codeInternal, "The server's answer could not be read; try again."}
}

// Error makes a problem travel as an error inside the bridge.
func (p *problem) Error() string { return p.Message }
