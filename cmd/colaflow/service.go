package main

import (
	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tokens"
)

// newMCP assembles the MCP face over an open database. The caller closes the
// authenticator.
func (p *program) newMCP(db *database, cfg mcpserver.Config) (*mcpserver.Server, *tokens.Authenticator, error) {
	auth := tokens.NewAuthenticator(db)
	cfg.Store, cfg.Tokens, cfg.Key, cfg.Version = db.Store, auth, db.key, version()
	cfg.Clock, cfg.Log = p.clock, p.log
	server, err := mcpserver.New(cfg)
	if err != nil {
		auth.Close()
		return nil, nil, err
	}
	server.Follow()
	return server, auth, nil
}
