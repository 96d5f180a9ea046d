package sso

import (
	"context"
	"encoding/binary"
	"net/url"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

// A SAML response comes in a POST from another site, which brings no cookie. So
// the id of a request proves by itself that it is ours, and the result waits under
// a handle until the browser fetches it with its cookie.

// newRequest makes the id of a request: sealed for its tenant and connection, it
// holds when it ends.
func (s *Service) newRequest(p Party) string {
	end := binary.BigEndian.AppendUint64(nil, uint64(s.Clock().Add(AttemptLife).Unix()))
	return "_" + s.sealer.Seal(end, requestScope(p))
}

// ours reports whether an id is that of a request of ours that may still be answered.
func (s *Service) ours(p Party, id string) error {
	if len(id) < 2 || id[0] != '_' {
		return problem(Unsolicited, nil, "")
	}
	end, err := s.sealer.Open(id[1:], requestScope(p))
	if err != nil || len(end) != 8 {
		return problem(Unsolicited, nil, "it answers a request that is not ours")
	}
	if s.Clock().Unix() >= int64(binary.BigEndian.Uint64(end)) {
		return problem(AttemptExpired, nil, "")
	}
	return nil
}

func requestScope(p Party) []byte {
	return append(append([]byte(useRequest), p.Tenant.ID[:]...), p.Connection.ID[:]...)
}

// result is what waits for the browser.
type result struct {
	Request  string   `json:"r"`
	Identity Identity `json:"i"`
}

// resultLife is how long a browser may take for one redirect.
const resultLife = time.Minute

// Received is what to do after a SAML response was posted: fetch the result with
// its handle, or begin a sign-in of our own.
type Received struct {
	Handle string
	Begin  bool
}

// Receive takes a posted SAML response. It holds for one of our requests and is
// used once, on all nodes; the result is for the browser that began.
func (s *Service) Receive(ctx context.Context, p Party, form url.Values) (Received, error) {
	open, err := s.Provider(ctx, p)
	if err != nil {
		return Received{}, err
	}
	provider, ok := open.(*samlProvider)
	if !ok {
		return Received{}, problem(ProviderMismatch, nil, "")
	}
	raw, err := decodeResponse(form.Get(samlAnswer))
	if err != nil {
		return Received{}, err
	}
	request, err := requestOf(raw)
	if err != nil {
		return Received{}, err
	}
	if request == "" && p.Connection.SAML.IDPInitiated && s.ours(p, form.Get("RelayState")) != nil {
		return Received{Begin: true}, nil
	}
	if err := s.ours(p, request); err != nil {
		return Received{}, err
	}
	id, mark, err := provider.accept(request, raw)
	if err != nil {
		return Received{}, err
	}
	handle := random()
	fresh, err := s.Replay.Spend(ctx, p.Tenant.ID, Once{
		IDs: []string{"request " + request, "assertion " + p.Connection.ID.String() + " " + mark.assertion}, Until: mark.until,
		Handle: handle, Sealed: s.seal(useResult+handle, result{Request: request, Identity: id}), Waits: s.Clock().Add(resultLife),
	})
	if err != nil {
		return Received{}, err
	}
	if !fresh {
		return Received{}, problem(Replayed, nil, "")
	}
	return Received{Handle: handle}, nil
}

// Fetch gives the result of a SAML response to the browser that began the sign-in,
// once. Cookies are all those that it sent.
func (s *Service) Fetch(ctx context.Context, p Party, handle string, cookies func(name string) string) (Outcome, error) {
	if len(handle) > 100 {
		return Outcome{}, problem(AttemptInvalid, nil, "")
	}
	sealed, err := s.Replay.TakeResult(ctx, p.Tenant.ID, handle)
	if err != nil {
		return Outcome{}, err
	}
	var r result
	if sealed == "" || !s.unseal(useResult+handle, sealed, &r) {
		return Outcome{}, problem(AttemptUsed, nil, "")
	}
	a, err := s.openAttempt(cookies(CookieName(r.Request)), r.Request)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.sameParty(a, p); err != nil {
		return Outcome{}, err
	}
	if r.Identity.Provider != p.Connection.ID {
		return Outcome{}, problem(ProviderMismatch, nil, "")
	}
	return Outcome{Identity: r.Identity, Return: a.Return, Dry: a.Dry}, nil
}

// Metadata describes a SAML connection of ours to its provider.
func (s *Service) Metadata(p Party) ([]byte, error) {
	cert, _, err := p.Secrets.signer()
	if err != nil {
		return nil, err
	}
	return spMetadata(p.Tenant, p.Connection, cert)
}

// ticket allows one admin to try a connection that is not enabled.
type ticket struct {
	Tenant   tenancy.TenantID `json:"t"`
	Provider [16]byte         `json:"p"`
	Expires  time.Time        `json:"e"`
}

// TestTicket lets whoever holds it make a sign-in that creates nothing.
func (s *Service) TestTicket(p Party) string {
	return s.seal(useTest, ticket{p.Tenant.ID, p.Connection.ID, s.Clock().Add(AttemptLife)})
}

func (s *Service) validTicket(p Party, sealed string) bool {
	var t ticket
	return s.unseal(useTest, sealed, &t) && t.Tenant == p.Tenant.ID && t.Provider == p.Connection.ID && s.Clock().Before(t.Expires)
}

// TrialURL is where whoever holds it can try a sign-in that changes nothing.
func (s *Service) TrialURL(p Party) string {
	return p.Connection.StartURL(p.Tenant) + "&" + url.Values{"test": {s.TestTicket(p)}}.Encode()
}
