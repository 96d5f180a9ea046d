package web

import "github.com/colaflow/colaflow/tenancy"

// Routes lists the JSON API, for the tests.
func (s *Server) Routes() []Route { return s.routes() }

// ConsolePaths lists the addresses of the console's views, for the tests.
func ConsolePaths() []string { return consolePaths }

// NewGate returns how to enter a gate that lets so many through, for the tests.
func NewGate(most int) func(tenancy.TenantID, string) (func(), error) {
	return (&gate{most: most}).enter
}
