package mcpserver

import (
	"encoding/json"

	"github.com/colaflow/colaflow/tenancy"
)

// ListedTool is a line of tools/list, and what it costs an agent.
type ListedTool struct {
	Name     string
	Title    string
	ReadOnly bool
	Tokens   int // of four bytes
}

// ListedTools lists what an agent that holds these permissions sees by default.
func (s *Server) ListedTools(set tenancy.PermissionSet) []ListedTool {
	var listed []ListedTool
	for _, t := range Catalogue() {
		if t.InToolset() != ToolsetDefault || t.Permission != nil && !set.Has(*t.Permission) {
			continue
		}
		data, err := json.Marshal(t.definition())
		if err != nil { // New has made the same ones
			continue
		}
		listed = append(listed, ListedTool{t.Name, t.Title, t.ReadOnly, (len(data) + 3) / 4})
	}
	return listed
}
