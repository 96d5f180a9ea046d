package mcpserver

import "slices"

// allows reports whether the narrowing leaves a tool in.
func (n narrowing) allows(t Tool) bool {
	return (!n.readOnly || t.ReadOnly) && (n.only == nil || slices.Contains(n.only, t.Name)) && !slices.Contains(n.except, t.Name)
}
