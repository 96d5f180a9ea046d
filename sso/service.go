package sso

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Once is what may happen one time: ids that are used up, and a sealed result that
// waits under a handle for whoever takes it first.
type Once struct {
	IDs    []string
	Until  time.Time // of the ids
	Handle string    // "" for no result
	Sealed string
	Waits  time.Time // until when the result does
}

// ReplayStore remembers across nodes what may happen once. It is the port that
// this room needs from the database.
type ReplayStore interface {
	// Spend reports true to exactly one caller that names all of the ids; if one of
	// them was spent before, it changes nothing.
	Spend(ctx context.Context, tenant tenancy.TenantID, once Once) (bool, error)
	// TakeResult returns a result to exactly one caller, and "" to every other.
	TakeResult(ctx context.Context, tenant tenancy.TenantID, handle string) (string, error)
}

// Config says what a Service stands on. Key and Replay are required.
type Config struct {
	Key    tenancy.MasterKey
	Replay ReplayStore
	Reach  Reach
	// Clock returns the current time; nil means time.Now.
	Clock func() time.Time
}

// Service runs sign-ins of all tenants. It is safe for concurrent use.
type Service struct {
	Config
	sealer tenancy.Sealer

	mu   sync.Mutex
	open map[opened]cached
}

// NewService returns a Service.
func NewService(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return &Service{Config: cfg, sealer: tenancy.NewSealer(cfg.Key, tenancy.PurposeSSO), open: map[opened]cached{}}
}

// Party is one connection of one tenant, with its secrets: whom a sign-in is with.
type Party struct {
	Tenant     tenancy.Tenant
	Connection Connection
	Secrets    Secrets
}

// Start is how a sign-in begins: the browser keeps the cookie and goes there.
type Start struct {
	Cookie  string // name
	Sealed  string // value
	Address string
}

// Start begins a sign-in that ends at a path of ours. A disabled connection can
// only be tested, by who holds a ticket of TestTicket.
func (s *Service) Start(ctx context.Context, p Party, back, ticket string) (Start, error) {
	dry := ticket != ""
	if dry && !s.validTicket(p, ticket) {
		return Start{}, problem(AttemptExpired, nil, "")
	}
	if !dry && !p.Connection.Enabled {
		return Start{}, problem(ProviderDisabled, nil, "")
	}
	provider, err := s.Provider(ctx, p)
	if err != nil {
		return Start{}, err
	}
	a := newAttempt(p.Tenant.ID, p.Connection.ID, back, dry, s.Clock())
	if p.Connection.Protocol == SAML {
		a.State, a.Nonce, a.Verifier = s.newRequest(p), "", ""
	}
	address, err := provider.Begin(ctx, a)
	if err != nil {
		return Start{}, err
	}
	return Start{Cookie: CookieName(a.State), Sealed: s.seal(useAttempt, a), Address: address}, nil
}

// Outcome is a sign-in that the provider vouches for. What becomes of it is for
// the rules to say.
type Outcome struct {
	Identity Identity
	Return   string // path on our side
	Dry      bool
}

// Callback finishes an OIDC sign-in: the answer in the address belongs to the
// attempt in the cookie, of this tenant and this connection, and is used once.
func (s *Service) Callback(ctx context.Context, p Party, cookie string, answer url.Values) (Outcome, error) {
	a, err := s.openAttempt(cookie, answer.Get("state"))
	if err != nil {
		return Outcome{}, err
	}
	if err := s.sameParty(a, p); err != nil {
		return Outcome{}, err
	}
	provider, err := s.Provider(ctx, p)
	if err != nil {
		return Outcome{}, err
	}
	fresh, err := s.Replay.Spend(ctx, a.Tenant, Once{IDs: []string{"state " + a.State}, Until: a.Expires.Add(skew)})
	if err != nil {
		return Outcome{}, err
	}
	if !fresh {
		return Outcome{}, problem(AttemptUsed, nil, "")
	}
	id, err := provider.Complete(ctx, a, answer)
	return Outcome{Identity: id, Return: a.Return, Dry: a.Dry}, err
}

// AttemptOf tells which tenant and connection a cookie is for, where the address
// does not say it.
func (s *Service) AttemptOf(cookie, state string) (tenancy.TenantID, uuid.UUID, error) {
	a, err := s.openAttempt(cookie, state)
	return a.Tenant, a.Provider, err
}

// sameParty refuses an attempt of another tenant or connection (mix-up).
func (s *Service) sameParty(a Attempt, p Party) error {
	if a.Tenant != p.Tenant.ID || a.Provider != p.Connection.ID {
		return problem(ProviderMismatch, nil, "")
	}
	if !a.Dry && !p.Connection.Enabled {
		return problem(ProviderDisabled, nil, "")
	}
	return nil
}

// opened says which state of a connection a provider was opened for.
type opened struct {
	id      uuid.UUID
	updated time.Time
}

type cached struct {
	provider Provider
	until    time.Time
}

const (
	openFor  = 5 * time.Minute
	openKept = 1000
)

// Provider opens a connection: it reads the provider's configuration, or takes
// what it read in the last minutes. A changed connection is opened anew.
func (s *Service) Provider(ctx context.Context, p Party) (Provider, error) {
	key, now := opened{p.Connection.ID, p.Connection.UpdatedAt}, s.Clock()
	s.mu.Lock()
	known, ok := s.open[key]
	s.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.provider, nil
	}
	provider, err := s.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, c := range s.open {
		if !now.Before(c.until) || len(s.open) >= openKept {
			delete(s.open, k)
		}
	}
	s.open[key] = cached{provider, now.Add(openFor)}
	return provider, nil
}

// Open is Provider without memory.
func (s *Service) Open(ctx context.Context, p Party) (Provider, error) {
	if p.Connection.Protocol == SAML {
		return openSAML(ctx, p.Tenant, p.Connection, p.Secrets, s.Reach, s.Clock)
	}
	return openOIDC(ctx, p.Connection, p.Secrets.ClientSecret, s.Reach, s.Clock)
}
