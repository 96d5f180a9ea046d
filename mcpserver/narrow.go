package mcpserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// The toolsets. The default one is on unless others are asked for by name.
const (
	ToolsetDefault     = "default"
	ToolsetAdmin       = "admin"
	ToolsetAttachments = "attachments"
	ToolsetTime        = "time"
)

// Toolsets lists every toolset.
func Toolsets() []string {
	return []string{ToolsetDefault, ToolsetAdmin, ToolsetAttachments, ToolsetTime}
}

// The headers by which a client narrows what its token may do.
const (
	headerToolsets = "X-MCP-Toolsets"
	headerTools    = "X-MCP-Tools"
	headerExclude  = "X-MCP-Exclude-Tools"
	headerReadOnly = "X-MCP-Readonly"
)

// endpointPath is where MCP is served, and what narrows it comes after: /readonly,
// /p/{KEY} and /x/{TOOLSETS}, in any order.
const endpointPath = "/mcp"

// Narrowing is what a client takes away from its token's power, and which of the
// opt-in toolsets it wants to see. Nothing of it can widen what the token may do.
type Narrowing struct {
	Toolsets []string // empty: default; all: every one
	Tools    []string // only these, of whatever toolset; empty: all
	Exclude  []string
	ReadOnly bool
	Project  string // key: every call is held to it, and no tool asks for it
}

// Check returns an InvalidValue error that names what is not known.
func (n Narrowing) Check() error { return n.check(toolNames(Catalogue())) }

func toolNames(tools []Tool) []string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.Name
	}
	return names
}

// check is Check where the names of all tools are known already: every request does it.
func (n Narrowing) check(names []string) error {
	for _, name := range n.Toolsets {
		if name != "all" && !slices.Contains(Toolsets(), name) {
			return tenancy.Errorf(tenancy.InvalidValue, "Toolset %q is not known.", shorten(name, 60)).
				WithNext("Use " + strings.Join(Toolsets(), ", ") + " or all.")
		}
	}
	for _, name := range append(slices.Clone(n.Tools), n.Exclude...) {
		if !slices.Contains(names, name) {
			e := tenancy.Errorf(tenancy.InvalidValue, "Tool %q is not known.", shorten(name, 60))
			if best := closest(name, names); best != "" {
				return e.WithNext("Did you mean " + best + "?")
			}
			return e.WithNext("tools/list names them.")
		}
	}
	if n.Project != "" {
		return tracker.CheckProjectKey(n.Project)
	}
	return nil
}

// allows reports whether the narrowing leaves a tool in.
func (n Narrowing) allows(t Tool) bool {
	switch {
	case n.ReadOnly && !t.ReadOnly, slices.Contains(n.Exclude, t.Name):
		return false
	case len(n.Tools) > 0:
		return slices.Contains(n.Tools, t.Name)
	case len(n.Toolsets) == 0:
		return t.InToolset() == ToolsetDefault
	}
	return slices.Contains(n.Toolsets, "all") || slices.Contains(n.Toolsets, t.InToolset())
}

// apply holds a principal to the project. The database holds its transactions to it
// as well, by the principal's Pinned.
func (n Narrowing) apply(p tenancy.Principal) tenancy.Principal {
	if n.Project == "" {
		return p
	}
	covered := p.Grants.CoversProject(n.Project)
	p.Pinned, p.Grants.Limited, p.Grants.Projects = n.Project, true, nil
	if covered {
		p.Grants.Projects = []string{n.Project}
	}
	return p
}

// narrowingOf reads the headers and the path of a request. What is given twice, or not
// understood, is refused: a client must not believe that it is held when it is not.
func narrowingOf(hr *http.Request, tools []string) (n Narrowing, err error) {
	n.readPath(hr.URL.Path) // chain has checked it
	if len(n.Toolsets) > 0 && len(hr.Header.Values(headerToolsets)) > 0 {
		return n, tenancy.Errorf(tenancy.InvalidValue, "The address names toolsets, and so does header %s.", headerToolsets).WithNext("Leave one of them out.")
	}
	for name, into := range map[string]*[]string{headerToolsets: &n.Toolsets, headerTools: &n.Tools, headerExclude: &n.Exclude} {
		values := hr.Header.Values(name)
		if len(values) == 0 {
			continue
		}
		if *into = listed(strings.Join(values, ",")); len(*into) == 0 {
			return n, tenancy.Errorf(tenancy.InvalidValue, "Header %s is empty.", name).WithNext("Leave it out, or name something.")
		}
	}
	switch value := strings.ToLower(strings.Join(hr.Header.Values(headerReadOnly), ",")); value {
	case "", "false", "0":
	case "true", "1":
		n.ReadOnly = true
	default:
		return n, tenancy.Errorf(tenancy.InvalidValue, "Header %s must be true or false.", headerReadOnly)
	}
	return n, n.check(tools)
}

// listed reads names that are separated by commas.
func listed(text string) (names []string) {
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// readPath reads what follows the endpoint. It reports false for a path where nothing
// is served.
func (n *Narrowing) readPath(path string) bool {
	rest := strings.Trim(strings.TrimPrefix(path, endpointPath), "/")
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		switch {
		case part == "readonly":
			n.ReadOnly = true
		case part == "p" && rest != "" && n.Project == "":
			part, rest, _ = strings.Cut(rest, "/")
			n.Project = strings.ToUpper(part)
		case part == "x" && n.Toolsets == nil:
			part, rest, _ = strings.Cut(rest, "/")
			if n.Toolsets = listed(part); n.Toolsets == nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// headers writes the narrowing as a remote server reads it, but for its path.
func (n Narrowing) headers(h http.Header) {
	for name, list := range map[string][]string{headerToolsets: n.Toolsets, headerTools: n.Tools, headerExclude: n.Exclude} {
		if len(list) > 0 {
			h.Set(name, strings.Join(list, ","))
		}
	}
	if n.ReadOnly {
		h.Set(headerReadOnly, "true")
	}
}

// endpoint is the address at which a server holds every call to the project.
func (n Narrowing) endpoint(url string) string {
	if n.Project == "" {
		return url
	}
	return strings.TrimSuffix(url, "/") + "/p/" + n.Project
}
