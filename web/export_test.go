package web

// Routes lists the JSON API, for the tests.
func (s *Server) Routes() []Route { return s.routes() }

// ConsolePaths lists the addresses of the console's views, for the tests.
func ConsolePaths() []string { return consolePaths }
