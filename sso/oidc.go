package sso

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// oidcProvider is a Provider that speaks OpenID Connect: authorization code with
// PKCE, state and nonce.
type oidcProvider struct {
	conn     Connection
	secret   string
	client   *http.Client
	clock    func() time.Time
	provider *oidc.Provider
	keys     oidc.KeySet
	found    discovery
	offset   time.Duration // of the provider's clock
}

// discovery is what we use of OpenID Connect Discovery 1.0 beside go-oidc.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	ClientAuth    []string `json:"token_endpoint_auth_methods_supported"`
	SendsIssuer   bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

// algorithms are those that an ID token may be signed with. What is shared with
// the client (HS256) or nothing (none) proves nothing.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// openOIDC reads the provider's configuration.
func openOIDC(ctx context.Context, conn Connection, secret string, reach Reach, clock func() time.Time) (*oidcProvider, error) {
	p := &oidcProvider{conn: conn, secret: secret, client: reach.client(), clock: clock}
	address := strings.TrimSuffix(conn.OIDC.Issuer, "/") + "/.well-known/openid-configuration"
	data, header, err := fetch(ctx, p.client, address)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &p.found); err != nil {
		return nil, problem(DiscoveryInvalid, err, "%s is not JSON", address)
	}
	p.offset = clockOffset(header, clock())
	if p.found.Issuer != conn.OIDC.Issuer && !(p.shared() && sharedTemplate(conn.OIDC.Issuer, p.found.Issuer)) {
		return nil, problem(IssuerMismatch, nil, "set is %q, the provider says %q", conn.OIDC.Issuer, p.found.Issuer)
	}
	for name, endpoint := range map[string]string{"authorization_endpoint": p.found.Authorization, "token_endpoint": p.found.Token, "jwks_uri": p.found.Keys} {
		if endpoint == "" {
			return nil, problem(DiscoveryInvalid, nil, "%s is missing", name)
		}
		if err := reach.CheckAddress(endpoint); err != nil {
			return nil, err
		}
	}
	if p.found.UserInfo != "" {
		if err := reach.CheckAddress(p.found.UserInfo); err != nil {
			return nil, err
		}
	}
	config := oidc.ProviderConfig{IssuerURL: p.found.Issuer, AuthURL: p.found.Authorization, TokenURL: p.found.Token, UserInfoURL: p.found.UserInfo,
		JWKSURL: p.found.Keys}
	own := oidc.ClientContext(context.Background(), p.client) // keys are fetched for everybody who waits for them
	p.provider, p.keys = config.NewProvider(own), oidc.NewRemoteKeySet(own, p.found.Keys)
	return p, nil
}

// shared reports whether the issuer serves accounts of many companies.
func (p *oidcProvider) shared() bool {
	return p.conn.OIDC.Preset == "entra" && sharedEntra(p.conn.OIDC.Issuer)
}

// tenantPart is what Entra writes for the tenant in the issuer of an endpoint that
// many share.
const tenantPart = "{tenantid}"

// sharedTemplate reports whether discovery of a shared endpoint names the issuer
// as Entra does: the same address with {tenantid} for common.
func sharedTemplate(set, found string) bool {
	for _, name := range []string{"common", "organizations", "consumers"} {
		if strings.Replace(set, "/"+name+"/", "/"+tenantPart+"/", 1) == found && strings.Contains(found, tenantPart) {
			return true
		}
	}
	return false
}

func (p *oidcProvider) config() *oauth2.Config {
	endpoint := oauth2.Endpoint{AuthURL: p.found.Authorization, TokenURL: p.found.Token, AuthStyle: oauth2.AuthStyleInHeader}
	if p.secret == "" || len(p.found.ClientAuth) > 0 && !slices.Contains(p.found.ClientAuth, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: p.conn.OIDC.ClientID, ClientSecret: p.secret, Endpoint: endpoint, RedirectURL: p.conn.CallbackURL(),
		Scopes: append([]string{oidc.ScopeOpenID}, p.conn.OIDC.Scopes...)}
}

// Begin implements Provider.
func (p *oidcProvider) Begin(_ context.Context, a Attempt) (string, error) {
	return p.config().AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Complete implements Provider: it takes the answer that the browser brought. What
// is wrong with it is refused before the provider is asked.
func (p *oidcProvider) Complete(ctx context.Context, a Attempt, answer url.Values) (Identity, error) {
	for name, values := range answer {
		if len(values) > 1 {
			return Identity{}, problem(AttemptInvalid, nil, "%s is given twice", name)
		}
	}
	if err := p.checkIssuer(answer); err != nil {
		return Identity{}, err
	}
	switch code := answer.Get("error"); {
	case code == "access_denied" || strings.HasSuffix(code, "_required") || code == "account_selection_required":
		return Identity{}, problem(SignInDenied, nil, "%s %s", code, answer.Get("error_description"))
	case code != "":
		return Identity{}, problem(ProviderError, nil, "%s %s", code, answer.Get("error_description"))
	case answer.Get("code") == "" || len(answer.Get("code")) > 8<<10:
		return Identity{}, problem(AttemptInvalid, nil, "there is no code")
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.config().Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Identity{}, exchangeError(err)
	}
	return p.identify(ctx, a, token)
}

// checkIssuer holds RFC 9207: an answer that names its issuer names this one. One
// of many companies' endpoint is told by its tenant, later, from the token.
func (p *oidcProvider) checkIssuer(answer url.Values) error {
	issuer, sent := answer.Get("iss"), answer.Has("iss")
	switch {
	case !sent && p.found.SendsIssuer:
		return problem(ProviderMismatch, nil, "the answer names no issuer, though the provider sends it")
	case sent && p.shared() && p.entraTenantOf(issuer) != "":
		return nil
	case sent && issuer != p.found.Issuer:
		return problem(ProviderMismatch, nil, "the answer is from %q", issuer)
	}
	return nil
}

// entraTenantOf is the tenant in an issuer of Entra, if it has the right form.
func (p *oidcProvider) entraTenantOf(issuer string) string {
	before, after, _ := strings.Cut(p.found.Issuer, tenantPart)
	rest, ok := strings.CutPrefix(issuer, before)
	id, end := strings.CutSuffix(rest, after)
	if !ok || !end || strings.Contains(id, "/") {
		return ""
	}
	return id
}

// exchangeError gives a refused code its reason.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	var broken *url.Error
	if errors.As(err, &broken) {
		return unreachable(err)
	}
	if !errors.As(err, &refused) {
		return problem(ProviderError, err, "the token endpoint's answer cannot be read")
	}
	switch refused.ErrorCode {
	case "invalid_client", "unauthorized_client":
		return problem(ClientRejected, err, "%s %s", refused.ErrorCode, refused.ErrorDescription)
	case "invalid_grant", "redirect_uri_mismatch":
		return problem(CodeRejected, err, "%s %s", refused.ErrorCode, refused.ErrorDescription)
	case "":
		if refused.Response != nil && refused.Response.StatusCode == http.StatusUnauthorized {
			return problem(ClientRejected, err, "")
		}
		return problem(ProviderError, err, "the token endpoint answers %s", refused.Response.Status)
	default:
		return problem(ProviderError, err, "%s %s", refused.ErrorCode, refused.ErrorDescription)
	}
}
