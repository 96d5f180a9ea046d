package clientconfig

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// AsksToken tells that a client asks for the token when it follows a link, so that the
// token is not in it.
func (c Client) AsksToken() bool { return c.Name == "vscode" }

// Link is what adds a server to the client with one click; empty if it takes no links.
func (c Client) Link(s Server) string {
	switch c.Name {
	case "vscode":
		return "vscode:mcp/install?" + component(compact(askingEntry{s.Name,
			httpEntry{"http", c.url(s), map[string]string{"Authorization": "Bearer ${input:" + s.Name + "-token}"}},
			[]input{{"promptString", s.Name + "-token", "Token of the agent, mcp_...", true}}}))
	case "cursor":
		return "cursor://anysphere.cursor-deeplink/mcp/install?" + cursorQuery(s.Name, c.entry(s))
	}
	return ""
}

// WebLink is the Link for a page that may hold web addresses alone. It is public, so that
// Cursor takes the token from the environment.
func (c Client) WebLink(s Server) string {
	switch c.Name {
	case "vscode":
		return "https://vscode.dev/redirect?url=" + component(c.Link(s))
	case "cursor":
		s.Token = "${env:COLAFLOW_TOKEN}"
		return "https://cursor.com/en/install-mcp?" + cursorQuery(s.Name, c.entry(s))
	}
	return ""
}

// askingEntry is an entry of VS Code with what it asks for before it connects.
type askingEntry struct {
	Name string `json:"name"`
	httpEntry
	Inputs []input `json:"inputs"`
}

type input struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Description string `json:"description"`
	Password    bool   `json:"password"`
}

func cursorQuery(name string, entry any) string {
	return "name=" + component(name) + "&config=" + component(base64.StdEncoding.EncodeToString([]byte(compact(entry))))
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("clientconfig: encoding text cannot fail: %v", err))
	}
	return string(text)
}

// component escapes a text as encodeURIComponent does.
func component(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
