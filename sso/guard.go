package sso

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"code.dny.dev/ssrf"
)

// Reach says how far requests to identity providers may go. The zero value is
// the internet: public addresses, ports 80 and 443, https only.
type Reach struct {
	// Loopback lets connections reach this machine, over http too. Development only.
	Loopback bool
	// Networks are private networks in which identity providers may be.
	Networks []netip.Prefix
	// Resolver finds addresses; nil means the system's.
	Resolver *net.Resolver
}

const (
	answerLimit  = 1 << 20 // bytes of one answer, unpacked
	answerTime   = 10 * time.Second
	maxRedirects = 3
	maxAddress   = 2000
)

var errTooLarge = errors.New("answer is too large")

// client returns the only HTTP client that speaks to identity providers. Whatever
// an address resolves to is judged when it is dialled, redirects included, so that
// a name cannot change its mind in between. It never uses a proxy.
func (r Reach) client() *http.Client {
	options := []ssrf.Option{}
	v4, v6 := []netip.Prefix{}, []netip.Prefix{}
	allowed := slices.Clone(r.Networks)
	if r.Loopback {
		allowed = append(allowed, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	for _, network := range allowed {
		if network.Addr().Is4() {
			v4 = append(v4, network)
		} else {
			v6 = append(v6, network)
		}
	}
	if len(allowed) > 0 {
		options = append(options, ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	}
	dialer := &net.Dialer{Timeout: answerTime / 2, Control: ssrf.New(options...).Safe, Resolver: r.Resolver}
	return &http.Client{
		Timeout:       answerTime,
		CheckRedirect: r.checkRedirect,
		Transport: bounded{&http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    answerTime / 2,
			ResponseHeaderTimeout:  answerTime,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		}},
	}
}

// Client returns a client under the same guard for documents of anybody, such as those
// in which agents describe themselves. It follows no redirect.
func (r Reach) Client() *http.Client {
	c := r.client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// checkRedirect follows a few redirects of reads. A request with a secret in its
// body goes where it was meant to go and nowhere else.
func (r Reach) checkRedirect(next *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet || via[0].Header.Get("Authorization") != "" {
		return problem(AddressInvalid, nil, "%s redirects a request that may not be redirected", via[0].URL.Host)
	}
	if len(via) > maxRedirects {
		return problem(AddressInvalid, nil, "more than %d redirects", maxRedirects)
	}
	return r.checkURL(next.URL)
}

// CheckAddress refuses an address that no request of ours may go to, as far as its
// text tells: no https, or with parts that do not belong there.
func (r Reach) CheckAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxAddress {
		return problem(AddressInvalid, nil, "%q is not an address", address)
	}
	return r.checkURL(u)
}

func (r Reach) checkURL(u *url.URL) error {
	switch {
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return problem(AddressInvalid, nil, "%q names no host", u.Redacted())
	case u.User != nil:
		return problem(AddressInvalid, nil, "an address has no user name and password in it")
	case u.Fragment != "":
		return problem(AddressInvalid, nil, "%q has a fragment", u.Redacted())
	case u.Scheme == "https", u.Scheme == "http" && r.Loopback && isLoopback(u.Hostname()):
		return nil
	default:
		return problem(AddressInvalid, nil, "%q does not begin with https://", u.Redacted())
	}
}

// isLoopback reports whether a host is this machine by its very name.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// bounded reads whole answers, which are small documents, and refuses one that is
// not small, also when it only grows as it is unpacked.
type bounded struct{ next *http.Transport }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, answerLimit+1))
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && len(data) > answerLimit {
		err = errTooLarge
	}
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, nil
}

// fetch reads a document of a provider.
func fetch(ctx context.Context, client *http.Client, address string) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, problem(AddressInvalid, err, "%q is not an address", address)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, unreachable(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil, unreachable(err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, problem(AddressUnreachable, nil, "%s answers %s", address, res.Status)
	}
	return data, res.Header, nil
}

// unreachable gives a failed request its code.
func unreachable(err error) error {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case ProblemIn(err) != nil:
		return ProblemIn(err)
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedPort), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return problem(AddressBlocked, err, "")
	case errors.Is(err, errTooLarge):
		return problem(AnswerTooLarge, err, "")
	case errors.As(err, &dns):
		return problem(AddressUnreachable, err, "the name %s is not known", dns.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return problem(AddressUnreachable, err, "no answer within %v", answerTime)
	default:
		return problem(AddressUnreachable, err, "%s", cause(err))
	}
}

// cause is the last error of a chain, which says what happened without repeating
// the address.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Sprint(err)
}
