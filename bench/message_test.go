package bench

import (
	"fmt"
	"strings"
)

// era is a generation of the protocol: how a call is written in it.
type era string

const (
	legacy era = "legacy" // up to 2025-11-25
	modern era = "modern" // 2026-07-28: stateless, headers repeat the body
)

// ping is the least call of the era.
func (e era) ping() string {
	if e == modern {
		return "server/discover"
	}
	return "ping"
}

// message is a whole HTTP request with one JSON-RPC message.
func (e era) message(token, method, name, arguments string) []byte {
	params, headers := "", ""
	if e == modern {
		headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " + method + "\r\n"
		params = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
			`"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	}
	if name != "" {
		if e == modern {
			headers += "Mcp-Name: " + name + "\r\n"
			params += ","
		}
		params += `"name":"` + name + `","arguments":` + arguments
	}
	body := `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":{` + params + `}}`
	return fmt.Appendf(nil, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Accept: application/json, text/event-stream\r\nAuthorization: Bearer %s\r\n%sContent-Length: %d\r\n\r\n%s",
		token, headers, len(body), body)
}

func (e era) call(token, tool, arguments string, values ...any) []byte {
	return e.message(token, "tools/call", tool, strings.TrimSpace(fmt.Sprintf(arguments, values...)))
}
