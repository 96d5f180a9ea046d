// Package clientconfig knows how MCP clients are told about a server: what they
// want to read, and in which file.
package clientconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Server is what a client must know of a ColaFlow server.
type Server struct {
	Name string // of the entry, such as colaflow
	URL  string // of the endpoint
	// TokenURL is the endpoint for tokens alone, if there is one.
	TokenURL string
	Token    string
	// Program and Args start a stdio server, for clients that want one.
	Program string
	Args    []string
}

// Client is one MCP client and its habits.
type Client struct {
	Name  string // as people type it
	Title string // as people call it
	// Stdio tells that the client starts a program instead of opening a URL.
	Stdio bool
	// Private tells that the file is the person's own; other files may end up in
	// version control.
	Private bool
	// AsksOAuth tells that it may leave its token aside where OAuth is offered.
	AsksOAuth bool
	// Where is where the snippet goes, in short.
	Where   string
	section string // member of the file that holds the servers
	file    func(Home) string
}

// Home is where a person's files are.
type Home struct {
	Dir    string // home directory
	Config string // os.UserConfigDir
	Work   string // working directory
}

// All lists the clients that we know.
func All() []Client {
	return []Client{
		{Name: "claude-desktop", Title: "Claude Desktop", Stdio: true, Private: true, Where: "claude_desktop_config.json", section: "mcpServers",
			file: func(h Home) string { return filepath.Join(h.Config, "Claude", "claude_desktop_config.json") }},
		{Name: "claude-code", Title: "Claude Code", Private: true, AsksOAuth: true, Where: "in a terminal", section: "mcpServers",
			file: func(h Home) string { return filepath.Join(h.Dir, ".claude.json") }},
		{Name: "vscode", Title: "VS Code", Where: ".vscode/mcp.json", section: "servers",
			file: func(h Home) string { return filepath.Join(h.Work, ".vscode", "mcp.json") }},
		{Name: "cursor", Title: "Cursor", Private: true, AsksOAuth: true, Where: "~/.cursor/mcp.json", section: "mcpServers",
			file: func(h Home) string { return filepath.Join(h.Dir, ".cursor", "mcp.json") }},
	}
}

// Names lists the clients' names.
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	return names
}

// Find returns the client with this name.
func Find(name string) (Client, error) {
	i := slices.IndexFunc(All(), func(c Client) bool { return c.Name == name })
	if i < 0 {
		return Client{}, fmt.Errorf("client %q is not known: use %s", name, strings.Join(Names(), ", "))
	}
	return All()[i], nil
}

// File is where the client keeps its servers.
func (c Client) File(h Home) string { return c.file(h) }

// stdioEntry, httpEntry and their order of members are what the clients document.
type stdioEntry struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
}

type httpEntry struct {
	Type    string            `json:"type,omitempty"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// url is the address that works for the client.
func (c Client) url(s Server) string {
	if c.AsksOAuth && s.TokenURL != "" {
		return s.TokenURL
	}
	return s.URL
}

func (c Client) entry(s Server) any {
	if c.Stdio {
		return stdioEntry{s.Program, s.Args, map[string]string{"COLAFLOW_TOKEN": s.Token}}
	}
	entry := httpEntry{"http", c.url(s), map[string]string{"Authorization": "Bearer " + s.Token}}
	if c.Name == "cursor" {
		entry.Type = "" // it tells by the url
	}
	return entry
}

// Snippet is what a person pastes: a command line for Claude Code, the whole file
// for the others.
func (c Client) Snippet(s Server) string {
	if c.Name == "claude-code" {
		return "claude mcp add --transport http " + shellWord(s.Name) + " " + shellWord(c.url(s)) +
			" --header " + shellWord("Authorization: Bearer "+s.Token)
	}
	return encode(map[string]any{c.section: map[string]any{s.Name: c.entry(s)}}, "", "  ")
}

// encode is JSON for people: indented, and without escapes for HTML.
func encode(v any, prefix, unit string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, unit)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("clientconfig: encoding text cannot fail: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shellWord quotes a word for the shell of this system.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/[]@%", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 && s != "" {
		return s
	}
	if runtime.GOOS == "windows" || !strings.ContainsAny(s, "\"$`\\!") {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
