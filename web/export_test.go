package web

// Routes lists the JSON API, for the tests.
func (s *Server) Routes() []Route { return s.routes() }
