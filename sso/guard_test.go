package sso

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"code.dny.dev/ssrf"
	"github.com/stretchr/testify/require"
)

// TestAttack084_Addresses: nothing but https to a public host passes by its text.
func TestAttack084_Addresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "idp.example.com", "//idp.example.com", "http://idp.example.com", "ftp://idp.example.com", "file:///etc/passwd", "https://", "https:idp",
		"https://user:secret@idp.example.com", "https://idp.example.com/#x", "javascript:alert(1)", "gopher://x", "https://\x00", "https://" + strings.Repeat("x", 2000), "http://127.0.0.1", "http://localhost"} {
		err := Reach{}.CheckAddress(bad)
		require.Equal(t, AddressInvalid, CodeOf(err), bad)
		require.NotContains(t, err.Error(), "secret")
	}
	require.NoError(t, Reach{}.CheckAddress("https://idp.example.com/path?x=1"))
	development := Reach{Loopback: true}
	require.NoError(t, development.CheckAddress("http://127.0.0.1:8080"))
	require.NoError(t, development.CheckAddress("http://[::1]:8080"))
	require.NoError(t, development.CheckAddress("http://localhost:8080"))
	for _, bad := range []string{"http://idp.example.com", "http://10.0.0.1", "http://localhost.evil.test", "http://127.0.0.1.evil.test"} {
		require.Equal(t, AddressInvalid, CodeOf(development.CheckAddress(bad)), bad)
	}
}

// nameServer is a DNS server on loopback that answers like this, query by query.
func nameServer(t *testing.T, answers ...string) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	var asked atomic.Int32
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			query := buf[:n]
			end := 12
			for query[end] != 0 {
				end += int(query[end]) + 1
			}
			end += 5
			kind := binary.BigEndian.Uint16(query[end-4:])
			reply := append([]byte{}, query[:end]...)
			reply[2], reply[3] = 0x81, 0x80
			for n := 6; n < 12; n++ {
				reply[n] = 0
			}
			addr := netip.MustParseAddr(answers[min(int(asked.Load()), len(answers)-1)])
			if addr.Is4() && kind == 1 || addr.Is6() && kind == 28 {
				asked.Add(1)
				reply[7] = 1
				reply = append(reply, 0xC0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(addr.AsSlice())))
				reply = append(reply, addr.AsSlice()...)
			}
			_, _ = conn.WriteTo(reply, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, &asked
}

// TestAttack084_PrivateNetworks: whatever a name resolves to is judged when it is
// dialled, each time.
func TestAttack084_PrivateNetworks(t *testing.T) {
	t.Parallel()
	hit := atomic.Bool{}
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit.Store(true) }))
	t.Cleanup(inside.Close)
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	get := func(r Reach, address string) error {
		_, _, err := fetch(t.Context(), r.client(), address)
		return err
	}
	for _, literal := range []string{"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]"} {
		require.Equal(t, AddressBlocked, CodeOf(get(Reach{}, "https://"+literal+"/")), literal)
		require.Equal(t, AddressBlocked, CodeOf(get(Reach{}, "https://"+literal+":"+port+"/")), literal)
	}
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "10.1.1.1", "::1", "::ffff:10.0.0.1", "fd00::1"} {
		resolver, asked := nameServer(t, address)
		require.Equal(t, AddressBlocked, CodeOf(get(Reach{Resolver: resolver}, "https://idp.example.com/")), address)
		require.NotZero(t, asked.Load(), address)
	}
	// A name that is public when it is looked at and private when it is used: each
	// request resolves again, and is judged by what it dials.
	resolver, asked := nameServer(t, "10.0.0.9", "127.0.0.1")
	r := Reach{Resolver: resolver, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}
	client := r.client()
	ctx, cancel := context.WithTimeout(t.Context(), answerTime/4) // nobody is at 10.0.0.9
	_, _, first := fetch(ctx, client, "https://rebind.example.com:"+port+"/")
	cancel()
	require.Equal(t, AddressUnreachable, CodeOf(first), "it was dialled")
	_, _, second := fetch(t.Context(), client, "https://rebind.example.com:"+port+"/")
	require.Equal(t, AddressBlocked, CodeOf(second))
	require.GreaterOrEqual(t, asked.Load(), int32(2))
	require.False(t, hit.Load(), "nothing reached the inside")

	// What an operator allows is reached, and only that.
	require.Equal(t, AddressUnreachable, CodeOf(get(Reach{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, inside.URL)), "its certificate is nobody's")
	require.Equal(t, AddressBlocked, CodeOf(get(Reach{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}}, inside.URL)))
	require.Equal(t, AddressBlocked, CodeOf(get(Reach{Loopback: true}, "https://10.0.0.1/")))
}

// TestAttack071_Documents: the client for documents of anybody judges what it dials as well,
// before a packet leaves: private addresses, names of such, and names that change their mind.
func TestAttack071_Documents(t *testing.T) {
	t.Parallel()
	blocked := func(r Reach, host string) {
		t.Helper()
		_, err := r.Client().Get("https://" + host + "/client.json") //nolint:bodyclose // there is none
		require.Error(t, err)
		require.ErrorIs(t, err, ssrf.ErrProhibitedIP, "refused by the guard, not by who is there: %s", host)
	}
	for _, literal := range []string{"127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::1]", "[::ffff:10.0.0.1]", "[fe80::1]", "[fd00::1]"} {
		blocked(Reach{}, literal)
	}
	for _, address := range []string{"127.0.0.1", "10.1.1.1", "192.168.1.1", "169.254.169.254", "::1", "fd00::1"} {
		resolver, asked := nameServer(t, address)
		blocked(Reach{Resolver: resolver}, "agent.example.com")
		require.NotZero(t, asked.Load(), address)
	}
	resolver, _ := nameServer(t, "10.0.0.9", "127.0.0.1")
	r := Reach{Resolver: resolver, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}
	ctx, cancel := context.WithTimeout(t.Context(), answerTime/4) // nobody is at 10.0.0.9
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://rebind.example.com/client.json", nil)
	require.NoError(t, err)
	_, err = r.Client().Do(req) //nolint:bodyclose // there is none
	require.Error(t, err)
	require.NotErrorIs(t, err, ssrf.ErrProhibitedIP, "it was dialled")
	blocked(r, "rebind.example.com")
}

// TestAttack084_Redirects: a redirect is judged like an address of its own.
func TestAttack084_Redirects(t *testing.T) {
	t.Parallel()
	secret := atomic.Bool{}
	var to atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/secret" {
			secret.Store(true)
			return
		}
		http.Redirect(w, r, to.Load().(string), http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	client := Reach{Loopback: true}.client()
	for address, want := range map[string]Code{"http://10.0.0.1/": AddressInvalid, "https://10.0.0.1/": AddressBlocked, "https://169.254.169.254/latest": AddressBlocked,
		"file:///etc/passwd": AddressInvalid, "http://user:pw@127.0.0.1/": AddressInvalid, server.URL + "/again": AddressInvalid, "http://evil.test/": AddressInvalid} {
		to.Store(address)
		_, _, err := fetch(t.Context(), client, server.URL)
		require.Equal(t, want, CodeOf(err), address)
	}
	to.Store(server.URL + "/secret")
	_, _, err := fetch(t.Context(), client, server.URL)
	require.NoError(t, err, "a read may be redirected")
	require.True(t, secret.Swap(false))
	_, err = client.PostForm(server.URL, url.Values{"client_secret": {"s"}})
	require.Equal(t, AddressInvalid, CodeOf(err), "a secret may not")
	req, err := http.NewRequest(http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer access")
	_, err = client.Do(req)
	require.Equal(t, AddressInvalid, CodeOf(err))
	require.False(t, secret.Load())
}

// TestAttack084_LargeAnswers: an answer ends at the limit, also one that only
// grows when it is unpacked.
func TestAttack084_LargeAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fits":
			_, _ = w.Write(make([]byte, answerLimit))
		case "/one-more":
			_, _ = w.Write(make([]byte, answerLimit+1))
		case "/endless":
			for chunk := make([]byte, 64<<10); r.Context().Err() == nil; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			_, _ = io.CopyN(zip, zeroes{}, 64<<20)
			_ = zip.Close()
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}
	}))
	t.Cleanup(server.Close)
	client := Reach{Loopback: true}.client()
	data, _, err := fetch(t.Context(), client, server.URL+"/fits")
	require.NoError(t, err)
	require.Len(t, data, answerLimit)
	for _, path := range []string{"/one-more", "/endless", "/bomb"} {
		_, _, err := fetch(t.Context(), client, server.URL+path)
		require.Equal(t, AnswerTooLarge, CodeOf(err), path)
	}
	_, _, err = fetch(t.Context(), client, server.URL+"/headers")
	require.Equal(t, AddressUnreachable, CodeOf(err))
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestAttack090_SlowProviders: a provider that does not answer costs a bounded time.
func TestAttack090_SlowProviders(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/trickle" {
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("{"))
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release); server.Close() })
	client := Reach{Loopback: true}.client()
	client.Timeout /= 10
	for _, path := range []string{"/silent", "/trickle"} {
		_, _, err := fetch(t.Context(), client, server.URL+path)
		require.Equal(t, AddressUnreachable, CodeOf(err), path)
	}
	server.CloseClientConnections()
	closed := httptest.NewServer(http.NotFoundHandler())
	_, _, err := fetch(t.Context(), client, closed.URL)
	require.ErrorContains(t, err, "404")
	closed.Close()
	_, _, err = fetch(t.Context(), client, closed.URL)
	require.Equal(t, AddressUnreachable, CodeOf(err))
	require.ErrorContains(t, err, "refused")
	resolver, _ := nameServer(t, "::1") // no IPv4 address, and none that is public
	_, _, err = fetch(t.Context(), Reach{Resolver: resolver}.client(), "https://idp.example.com")
	require.Equal(t, AddressBlocked, CodeOf(err))
}

// TestReach_NoProxy: variables of the environment do not lead requests elsewhere.
// It changes the environment, so it runs alone.
func TestReach_NoProxy(t *testing.T) {
	proxied := atomic.Bool{}
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Store(true) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	transport, ok := Reach{}.client().Transport.(bounded)
	require.True(t, ok)
	require.Nil(t, transport.next.Proxy, "net/http would read the environment only once, and never for loopback")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "direct") }))
	defer server.Close()
	data, _, err := fetch(t.Context(), Reach{Loopback: true}.client(), server.URL)
	require.NoError(t, err)
	require.True(t, bytes.Equal([]byte("direct"), data))
	require.False(t, proxied.Load())
}
