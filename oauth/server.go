// Package oauth is the authorization server through which hosted agents connect
// without a pasted token (OAuth 2.1, MCP authorization). What it gives out are
// ordinary agents' tokens: nothing behind it knows a second kind.
package oauth

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// Person is a signed-in member who is asked for consent.
type Person struct {
	Tenant  tenancy.Tenant
	Member  tenancy.Member
	Epoch   int64
	Session uuid.UUID
}

// Config says what the server stands on. All but Clock and Log are required.
type Config struct {
	Store *store.Store
	Key   tenancy.MasterKey
	// PublicURL is the issuer (RFC 8414); PublicURL + "/mcp" is the resource.
	PublicURL string
	// FirstScope is what a client asks for to begin with at a path of the MCP endpoint,
	// such as /mcp; false: nothing is served there.
	FirstScope func(path string) (tenancy.PermissionSet, bool)
	// SignedIn returns the member whose session a request carries for this tenant; also
	// with the error TenantIsSuspended.
	SignedIn func(r *http.Request, slug string) (Person, error)
	// SignInURL is where a browser signs in to a tenant before it goes on to next,
	// a path of ours.
	SignInURL func(slug, next string) string
	// Fetch gets client metadata documents; it must refuse addresses that are not public.
	Fetch *http.Client
	// ClientIP is where a request comes from.
	ClientIP func(*http.Request) netip.Addr
	// Clock returns the current time; nil means time.Now.
	Clock func() time.Time
	Log   *slog.Logger
}

// Server is the authorization server. It is safe for concurrent use.
type Server struct {
	Config
	site      *url.URL // PublicURL
	clients   *clients
	requests  tenancy.Sealer
	renewals  []byte
	pace      pace
	templates *template.Template
}

// New returns a Server. Close it.
func New(cfg Config) (*Server, error) {
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || public.Host == "" {
		return nil, errors.New("the public URL must be like https://colaflow.example.com")
	}
	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	return &Server{Config: cfg, site: public, templates: templates,
		clients:  newClients(tenancy.NewSealer(cfg.Key, purposeClients), cfg.Fetch, cfg.Clock),
		requests: tenancy.NewSealer(cfg.Key, purposeRequests), renewals: cfg.Key.Subkey(purposeRenewals), pace: pace{tenancy.NewPace(cfg.Clock)}}, nil
}

// Purposes of the subkeys of this package. A name is bound into what it protects.
const (
	purposeClients  = "oauth-clients"
	purposeRequests = "oauth-requests"
	purposeRenewals = "oauth-renewals"
)

// Close stops the housekeeping of what the server remembers.
func (s *Server) Close() {
	s.clients.close()
	s.pace.Close()
}

// Resource is the identifier of the MCP endpoint (RFC 8707).
func (s *Server) Resource() string { return s.PublicURL + "/mcp" }

// ResourceMetadataURL is where the metadata of a resource of ours begins: its path follows
// (RFC 9728, 3.1).
func (s *Server) ResourceMetadataURL() string { return s.PublicURL + resourceMetadata }

const resourceMetadata = "/.well-known/oauth-protected-resource"

// Register adds the server's routes to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) { mux.HandleFunc(pattern, s.named(h)) }
	for _, path := range []string{resourceMetadata, resourceMetadata + "/mcp", resourceMetadata + "/mcp/"} {
		handle(path, open(http.MethodGet, s.resourceMetadata))
	}
	handle("/.well-known/oauth-authorization-server", open(http.MethodGet, s.serverMetadata))
	handle("/oauth/register", open(http.MethodPost, s.register))
	handle("/oauth/token", open(http.MethodPost, s.token))
	handle("/oauth/revoke", open(http.MethodPost, s.revoke))
	handle("GET /oauth/authorize", s.authorize)
	handle("GET /oauth/consent", s.consent)
	handle("POST /oauth/consent", s.decide)
}

// named names a request, and answers for a handler that broke.
func (s *Server) named(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := tenancy.NewRequest(s.ClientIP(r))
		r = r.WithContext(from.In(r.Context()))
		w.Header().Set(tenancy.RequestHeader, from.ID)
		defer func() {
			if p := recover(); p != nil {
				s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		next(w, r)
	}
}

// open serves one method, and lets pages of any origin use it: these routes take no cookie,
// so there is nothing that another site could borrow.
func open(method string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "Content-Type, MCP-Protocol-Version")
		h.Set("Access-Control-Allow-Methods", method)
		h.Set("Access-Control-Expose-Headers", tenancy.RequestHeader)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		switch {
		case r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
		case r.Method != method && !(r.Method == http.MethodHead && method == http.MethodGet):
			h.Set("Allow", method)
			writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "invalid_request", "error_description": "Use " + method + "."})
		default:
			next(w, r)
		}
	}
}

const maxBody = 64 << 10

// clientOf finds a client, and maps what keeps it from being found.
func (s *Server) clientOf(ctx context.Context, id string) (client, error) {
	c, err := s.clients.find(ctx, id)
	if err != nil {
		s.Log.Info("OAuth client refused", "request", tenancy.RequestOf(ctx).ID, "client_id", shorten(id), "error", err)
	}
	return c, err
}
