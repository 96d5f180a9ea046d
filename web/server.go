// Package web is the companion HTTP surface for people: pages that agents hand
// over, the JSON API of signed-in members, and the console that stands on it. It never sees agent tokens.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// Config says what the surface stands on. All but Clock and Log are required.
type Config struct {
	Apps  *tenancy.Applications
	Store *store.Store
	Key   tenancy.MasterKey
	// CallTool runs a tool of the MCP catalogue for a signed-in member.
	CallTool func(ctx context.Context, p tenancy.Principal, call ToolCall) (ToolAnswer, error)
	// ListTools lists the tools that an agent with these permissions sees by default.
	ListTools func(tenancy.PermissionSet) []ToolInfo
	// Clients says what MCP clients need to use a token.
	Clients func(token string) []Client
	// SSO runs sign-ins by the tenants' identity providers.
	SSO *sso.Service
	// CheckMember asks the database whether a member is active at an epoch; it is
	// used while the revocation feed is not healthy.
	CheckMember func(ctx context.Context, tenant tenancy.TenantID, member uuid.UUID, epoch int64) error
	// FeedHealthy reports whether changes of members arrive by the feed.
	FeedHealthy func() bool
	// Limits are those of each plan on this node, also for a member; nil means tenancy.LimitsOf.
	Limits func(plan string) tenancy.Limits
	// PublicURL is the installation's address; tenants are its subdomains.
	PublicURL string
	// ClientIP is where a request comes from; nil means its peer.
	ClientIP func(*http.Request) netip.Addr
	// Clock returns the current time; nil means time.Now.
	Clock func() time.Time
	Log   *slog.Logger
}

// Server serves the companion surface. It is safe for concurrent use.
type Server struct {
	Config
	base      hostBase
	secure    bool
	templates map[string]*template.Template
	revoked   revokedMembers
	console   console
	pace      *tenancy.Pace
	renewals  []byte // derives the refresh token that follows another
	throttle  *tenancy.Throttle
	heavy     *tenancy.Throttle // what costs far more than other requests
	verifying gate
	downloads gate // exports, from the first row read to the last byte sent
	exports   gate // those that are being read
}

// New returns a Server for the public URL. Close it.
func New(cfg Config) (*Server, error) {
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || public.Host == "" {
		return nil, errors.New("the public URL must be like https://colaflow.example.com")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.ClientIP == nil {
		cfg.ClientIP = func(r *http.Request) netip.Addr { return tenancy.ClientAddr(r.RemoteAddr, nil, nil) }
	}
	if cfg.Limits == nil {
		cfg.Limits = tenancy.LimitsOf
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	console, err := newConsole()
	if err != nil {
		return nil, err
	}
	return &Server{Config: cfg, console: console, base: hostBase(strings.ToLower(public.Hostname())), secure: public.Scheme == "https", templates: templates,
		pace: tenancy.NewPace(cfg.Clock), renewals: cfg.Key.Subkey(purposeRenewals), exports: gate{most: exportsRead}, verifying: gate{most: verifiedAtOnce},
		throttle: tenancy.NewThrottle(cfg.Limits, cfg.Clock), heavy: tenancy.NewThrottle(heavyLimits, cfg.Clock)}, nil
}

// Close stops the housekeeping of what the server remembers.
func (s *Server) Close() {
	s.pace.Close()
	s.throttle.Close()
	s.heavy.Close()
}

// Register adds the routes of the surface to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) { mux.HandleFunc(pattern, s.guard(h)) }
	handle("GET /p/{id}", s.showPage)
	handle("POST /p/{id}", s.openPage)
	handle("GET /signin", s.showWays)
	handle("GET /signin/link", s.showSignIn)
	handle("POST /signin/link", s.openSignIn)
	s.console.register(handle)
	s.registerSSO(handle)
	for _, r := range s.routes() {
		handle(r.Method+" "+r.Path, r.handle)
	}
}

// requestID is how answers, the log and the audit name a request.
func requestID(r *http.Request) string { return tenancy.RequestOf(r.Context()).ID }

// public is what of an error a person may read. The rest of it is in the log.
func (s *Server) public(r *http.Request, err error) *tenancy.Error {
	if tenancy.CodeOf(err) == tenancy.Internal {
		s.Log.Error("request failed", "request", requestID(r), "error", err)
	}
	return tenancy.Public(err, requestID(r))
}

// fail answers an API request with the error's public form.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	known := s.public(r, err)
	setRetryAfter(w, known)
	writeJSON(w, statusOf(known.Code), struct {
		Error   tenancy.Code `json:"error"`
		Message string       `json:"message"`
		Next    string       `json:"next,omitempty"`
	}{known.Code, known.Message, known.Next})
}

// setRetryAfter says when the same request may succeed, if it may.
func setRetryAfter(w http.ResponseWriter, err error) {
	var known *tenancy.Error
	if errors.As(err, &known) && known.Retry {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(known.RetryAfter.Seconds())))))
	}
}

// statusOf is the one mapping of error codes to HTTP.
func statusOf(code tenancy.Code) int {
	switch code {
	case tenancy.Unauthenticated:
		return http.StatusUnauthorized
	case tenancy.Forbidden, tenancy.TenantIsSuspended:
		return http.StatusForbidden
	case tenancy.NotFound:
		return http.StatusNotFound
	case tenancy.Conflict, tenancy.IdempotencyConflict:
		return http.StatusConflict
	case tenancy.PlanLimit, tenancy.RateLimited:
		return http.StatusTooManyRequests
	case tenancy.TooLarge:
		return http.StatusRequestEntityTooLarge
	case tenancy.Unavailable:
		return http.StatusServiceUnavailable
	case tenancy.Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
