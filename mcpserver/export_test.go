package mcpserver

import (
	"context"
	"time"
)

// SetBodyTimeout shortens the wait for a message.
func (s *Server) SetBodyTimeout(d time.Duration) { s.bodyTimeout = d }

// Hook runs fn before the handler of a tool; its error becomes the handler's.
func (s *Server) Hook(tool string, fn func(context.Context, *Call) error) {
	t := s.catalogue[tool]
	run := t.run
	t.run = func(ctx context.Context, c *Call, in any) (any, error) {
		if err := fn(ctx, c); err != nil {
			return nil, err
		}
		return run(ctx, c, in)
	}
	s.mcp.AddTool(t.definition(), s.handler(t))
}

// SetStreamTimes shortens how long streams are silent and may wait for their clients.
func (s *Server) SetStreamTimes(keepAlive, slowReader time.Duration) {
	s.keepAlive, s.slowReader = keepAlive, slowReader
}
