package main

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/cmd/colaflow/internal/clientconfig"
	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/oauth"
	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/web"
)

// service is the rooms of a serving process, wired to one open database: the
// MCP face, the companion surface, the authorization server, and what they stand on.
type service struct {
	mcp   *mcpserver.Server
	web   *web.Server
	oauth *oauth.Server
	auth  *tokens.Authenticator
	apps  *tenancy.Applications
	log   func(msg string, args ...any)
}

// newService assembles a service, and starts following the revocation feed and
// sealing the audit log. The caller closes it before the database. tokenURL is where
// tokens alone are served, if anywhere. Nil metrics: nobody counts.
func (p *program) newService(db *database, cfg mcpserver.Config, tokenURL string, reach sso.Reach, m *metrics) (*service, error) {
	s := &service{auth: tokens.NewAuthenticator(db), log: p.log.Warn}
	cfg.Store, cfg.Tokens, cfg.Key, cfg.Version = db.Store, s.auth, db.key, version()
	cfg.Clock, cfg.Log = p.clock, p.log
	var meters *tenancy.Meters
	if m != nil {
		meters, cfg.Observe = m.tenants.meters, m.observe
	}
	s.apps = p.applications(db, cfg.PublicURL, meters)
	if m != nil {
		m.tenants.apps = s.apps
	}
	cfg.Budget, cfg.PutPage = s.budget, s.putPage(cfg.PublicURL)
	clientIP := func(r *http.Request) netip.Addr {
		return tenancy.ClientAddr(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), cfg.TrustedProxies)
	}
	var err error
	s.oauth, err = oauth.New(oauth.Config{Store: db.Store, Key: db.key, PublicURL: cfg.PublicURL, SignedIn: s.signedIn, SignInURL: web.SignInPath,
		FirstScope: func(path string) (tenancy.PermissionSet, bool) { return s.mcp.FirstScope(path) }, Fetch: reach.Client(), ClientIP: clientIP, Clock: p.clock, Log: p.log})
	if err != nil {
		s.auth.Close()
		return nil, err
	}
	cfg.ResourceMetadata = s.oauth.ResourceMetadataURL()
	if s.mcp, err = mcpserver.New(cfg); err != nil {
		s.auth.Close()
		s.oauth.Close()
		return nil, err
	}
	s.web, err = web.New(web.Config{Apps: s.apps, Store: db.Store, Limits: cfg.Limits, Key: db.key, CallTool: s.callTool, ListTools: s.listTools, Clients: clients(cfg.PublicURL, tokenURL), FeedHealthy: s.auth.Healthy,
		SSO: sso.NewService(sso.Config{Key: db.key, Replay: db.Store, Reach: reach, Clock: p.clock}), PublicURL: cfg.PublicURL, Clock: p.clock, Log: p.log, ClientIP: clientIP,
		CheckMember: func(ctx context.Context, tenant tenancy.TenantID, member uuid.UUID, epoch int64) error {
			return db.Read(ctx, store.ForMember(tenant, member, epoch), func(tx *store.Tx) error { return tx.Ensure(ctx) })
		}})
	if err != nil {
		s.Close()
		return nil, err
	}
	if m != nil {
		m.watchStreams(s.mcp.StreamsByPlan)
	}
	s.mcp.Follow(s.changed)
	db.SealAudit(store.SealConfig{})
	return s, nil
}

// changed keeps the companion surface true to what the revocation feed brings.
func (s *service) changed(c tokens.Change) {
	switch c.Subject {
	case tokens.SubjectMember:
		s.web.MemberChanged(c.Tenant, c.ID)
	case tokens.SubjectSession:
		s.web.SessionEnded(c.Tenant, c.ID)
	case tokens.SubjectTenant:
		s.apps.Drop(c.Tenant)
	case tokens.SubjectAny:
		s.web.AnyoneChanged()
		s.apps.DropAll()
	}
}

// budget is the account of a tenant's memory, which its Application keeps.
func (s *service) budget(ctx context.Context, tenant tenancy.TenantID) (*tenancy.Budget, func(), error) {
	app, release, err := s.apps.UseID(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	return app.Budget(), release, nil
}

// putPage puts pages into the Applications of tenants.
func (s *service) putPage(publicURL string) mcpserver.PutPage {
	return func(ctx context.Context, tenant tenancy.TenantID, title string, content []byte, by string) (mcpserver.PutPageResult, error) {
		app, release, err := s.apps.UseID(ctx, tenant)
		if err != nil {
			return mcpserver.PutPageResult{}, err
		}
		defer release()
		page, ticket, err := app.PutPage(ctx, title, content, by)
		return mcpserver.PutPageResult{ID: page.ID, Link: web.PageLink(publicURL, app.Tenant().Slug, page.ID, ticket), ExpiresAt: page.ExpiresAt}, err
	}
}

// sweepEvery closes idle Applications, also while nobody calls; stop ends it.
func (s *service) sweepEvery(interval time.Duration) (stop func()) {
	ticker, end, done := time.NewTicker(interval), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.apps.Sweep()
			case <-end:
				return
			}
		}
	}()
	return func() { close(end); <-done }
}

// Close stops following, and closes every tenant's Application.
func (s *service) Close() {
	s.auth.Close()
	s.mcp.Close()
	s.oauth.Close()
	if s.web != nil {
		s.web.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.apps.Close(ctx); err != nil {
		s.log("shutdown", "error", err)
	}
}

// signedIn is who may consent to what an agent asks for.
func (s *service) signedIn(r *http.Request, slug string) (oauth.Person, error) {
	p, err := s.web.Person(r, slug)
	return oauth.Person{Tenant: p.Tenant, Member: p.Member, Epoch: p.Epoch, Session: p.Session}, err
}

// callTool runs a tool for a signed-in member.
func (s *service) callTool(ctx context.Context, p tenancy.Principal, call web.ToolCall) (web.ToolAnswer, error) {
	answer, err := s.mcp.CallAs(ctx, p, mcpserver.PersonCall(call))
	return web.ToolAnswer(answer), err
}

// listTools lists what an agent with these permissions sees.
func (s *service) listTools(set tenancy.PermissionSet) []web.ToolInfo {
	listed := []web.ToolInfo{}
	for _, t := range s.mcp.ListedTools(set) {
		listed = append(listed, web.ToolInfo(t))
	}
	return listed
}

// clients says what each MCP client needs to reach this server with a token.
func clients(url, tokenURL string) func(token string) []web.Client {
	return func(token string) []web.Client {
		server := clientconfig.Server{Name: "colaflow", URL: url + "/mcp", Token: token, Program: "colaflow", Args: []string{"stdio", "--url", url}}
		if tokenURL != "" {
			server.TokenURL = tokenURL + "/mcp"
		}
		var list []web.Client
		for _, c := range clientconfig.All() {
			list = append(list, web.Client{Title: c.Title, Where: c.Where, Text: c.Snippet(server), Link: c.Link(server), Asks: c.AsksToken()})
		}
		return append(list, web.Client{Title: "curl", Where: "in a terminal", Text: curl(server, "get_me", "{}")})
	}
}
