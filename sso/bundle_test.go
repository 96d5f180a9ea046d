package sso_test

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// clock is the time, moved by a test.
type clock struct {
	mu    sync.Mutex
	moved time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.moved)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += d
}

// bundle is a service over a real database, which remembers what was used.
type bundle struct {
	*sso.Service
	db    *storetest.DB
	clock *clock
	acme  tenancy.Tenant
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: storetest.Open(t, storetest.Options{MaxConns: 4, Clock: time.Now}), clock: &clock{}}
	b.acme = b.db.Tenant(t, "acme").Tenant
	b.Service = b.node()
	return b
}

// node is one more service on the same database.
func (b *bundle) node() *sso.Service {
	return sso.NewService(sso.Config{Key: b.db.Key, Replay: b.db.Store, Reach: sso.Reach{Loopback: true}, Clock: b.clock.now})
}

// oidc is an enabled connection to an OpenID provider.
func (b *bundle) oidc(t *testing.T, issuer string, change ...func(*sso.Connection)) sso.Party {
	t.Helper()
	c := sso.Connection{ID: tenancy.NewID(), Name: "idp", Protocol: sso.OIDC, Enabled: true, UpdatedAt: time.Now(), Settings: sso.Settings{
		Address: "http://acme.localhost:8080", OIDC: &sso.OIDCSettings{Issuer: issuer, ClientID: ssotest.ClientID},
		Rules: sso.Rules{Domains: []string{"acme.test"}, AutoProvision: true}}}
	for _, fn := range change {
		fn(&c)
	}
	require.NoError(t, c.Check(b.Reach))
	return sso.Party{Tenant: b.acme, Connection: c, Secrets: sso.Secrets{ClientSecret: ssotest.ClientSecret}}
}

// saml is an enabled connection to a SAML provider.
func (b *bundle) saml(t *testing.T, metadata string, change ...func(*sso.Connection)) sso.Party {
	t.Helper()
	c := sso.Connection{ID: tenancy.NewID(), Name: "idp", Protocol: sso.SAML, Enabled: true, UpdatedAt: time.Now(), Settings: sso.Settings{
		Address: "http://acme.localhost:8080", SAML: &sso.SAMLSettings{Metadata: metadata},
		Rules: sso.Rules{Domains: []string{"acme.test"}, AutoProvision: true, TrustEmail: true}}}
	for _, fn := range change {
		fn(&c)
	}
	require.NoError(t, c.Check(b.Reach))
	secrets, err := sso.NewSigningKey("acme", time.Now())
	require.NoError(t, err)
	return sso.Party{Tenant: b.acme, Connection: c, Secrets: secrets}
}

// begin starts a sign-in.
func (b *bundle) begin(t *testing.T, p sso.Party) sso.Start {
	t.Helper()
	start, err := b.Start(t.Context(), p, "/", "")
	require.NoError(t, err)
	return start
}

// signIn goes through a whole OIDC sign-in.
func (b *bundle) signIn(t *testing.T, idp *ssotest.OIDC, p sso.Party) (sso.Outcome, error) {
	t.Helper()
	start := b.begin(t, p)
	return b.Callback(t.Context(), p, start.Sealed, idp.Authorize(t, start.Address))
}

// jar finds the cookie that a browser keeps for a sign-in.
func jar(starts ...sso.Start) func(string) string {
	return func(name string) string {
		for _, s := range starts {
			if s.Cookie == name {
				return s.Sealed
			}
		}
		return ""
	}
}

// receive posts a SAML response and fetches the result with the browser's cookies.
func (b *bundle) receive(ctx context.Context, p sso.Party, form url.Values, starts ...sso.Start) (sso.Outcome, error) {
	got, err := b.Receive(ctx, p, form)
	if err != nil {
		return sso.Outcome{}, err
	}
	return b.Fetch(ctx, p, got.Handle, jar(starts...))
}

func other(p sso.Party) sso.Party {
	p.Connection.ID = uuid.New()
	return p
}
