package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/colaflow/colaflow/cmd/colaflow/internal/clientconfig"
)

// printDemo says how to connect, in pieces that a person can copy.
func (p *program) printDemo(url, tokenURL string, c choice, tenants []demoTenant) error {
	first := tenants[0]
	server, home, err := p.demoServer(url, tokenURL, c, first)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ColaFlow serves two made-up companies at %s\n\n", url)
	for _, t := range tenants {
		fmt.Fprintf(&b, "  %-16s %s; %d issues in %s\n  %-16s token %s\n\n", t.Slug, t.name, t.issues, strings.Join(t.projects, ", "), "", t.Token)
	}
	b.WriteString("Look at it in a browser, as an owner; each link signs in once:\n\n")
	for _, t := range tenants {
		fmt.Fprintf(&b, "  %s\n", t.SignIn)
	}
	fmt.Fprintf(&b, "\nConnect your client to %s. For the other company, use its token and another name.\n", first.Slug)
	for _, client := range clientconfig.All() {
		where := client.File(home)
		if client.Name == "claude-code" {
			where = "type this"
		}
		fmt.Fprintf(&b, "\n%s (%s)\n\n%s\n", client.Title, where, indent(client.Snippet(server)))
	}
	fmt.Fprintf(&b, "\nTo write it into the client's file: %s config CLIENT --token TOKEN --write\n", callable(server.Program))
	fmt.Fprintf(&b, "\nTry a tool from here\n\n%s\n", indent(curl(server, "search_issues", `{"query":"checkout","limit":3}`)))
	fmt.Fprintf(&b, "\nCtrl-C stops it. The data stays in %s.\n", c.shown())
	return p.printf("%s", b.String())
}

func (p *program) demoServer(url, tokenURL string, c choice, t demoTenant) (clientconfig.Server, clientconfig.Home, error) {
	self, err := os.Executable()
	if err != nil {
		return clientconfig.Server{}, clientconfig.Home{}, fmt.Errorf("find this program: %w", err)
	}
	home, err := p.home()
	if err != nil { // then nobody works here with a client; the names say enough
		home = clientconfig.Home{Dir: "~", Config: "~/.config"}
	}
	s := clientconfig.Server{Name: "colaflow", URL: url + "/mcp", TokenURL: tokenURL + "/mcp", Token: t.Token, Program: self, Args: []string{"stdio"}}
	s.Args = append(s.Args, publicURLArgs(url)...)
	if dir := c.shown(); dir != (choice{}).shown() {
		s.Args = append(s.Args, "--data", dir)
	}
	return s, home, nil
}

// shown is the data directory's path for people; empty if there is none.
func (c choice) shown() string {
	dir, err := c.dataDir()
	if err != nil {
		return ""
	}
	return dir
}

// callable is how a person calls this program from where they are.
func callable(path string) string {
	work, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(work, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return path
	}
	return relative
}

// curl is a call that needs no client.
func curl(s clientconfig.Server, tool, args string) string {
	return "curl -s " + s.URL + " \\\n" +
		"  -H 'Authorization: Bearer " + s.Token + "' \\\n" +
		"  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n" +
		`  -d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + args + `}}'`
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
