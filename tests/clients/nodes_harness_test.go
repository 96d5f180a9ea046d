package clients

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
)

// nodeFlags are those that docs/scaling.md gives every node, with the proxy's network.
var nodeFlags = []string{"--public-url", "https://colaflow.example.com", "--allowed-host", "*.colaflow.example.com",
	"--allowed-host", "colaflow-tokens.example.com", "--trusted-proxy", "127.0.0.0/8", "--nodes", "2", "--max-conns", "16"}

// site is two nodes over one database behind nginx, as docs/scaling.md has it.
type site struct {
	*bundle
	nodes [2]*serving
	http  *http.Client // comes by the proxy, whatever the name in the URL
}

// serving is one node, which tests may stop, kill and start again at its addresses.
type serving struct {
	*program.Process
	addr, tokens, metrics string
}

func startSite(t *testing.T) *site {
	t.Helper()
	s := &site{bundle: &bundle{db: storetest.Open(t), bin: program.Path(t)}}
	for n := range s.nodes {
		local := func() string { return fmt.Sprintf("127.0.0.1:%d", program.FreePort(t)) }
		s.nodes[n] = &serving{addr: local(), tokens: local(), metrics: local()}
		s.startNode(t, s.nodes[n])
	}
	s.startProxy(t)
	return s
}

func (s *site) startNode(t *testing.T, n *serving) {
	t.Helper()
	n.Process = program.Launch(t, `"msg":"serving"`, s.environment(), s.bin,
		append([]string{"serve", "--addr", n.addr, "--token-addr", n.tokens, "--metrics-addr", n.metrics}, nodeFlags...)...)
}

// startProxy runs nginx with the configuration of the documentation, in which only the
// addresses and the certificate are this test's.
func (s *site) startProxy(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711)) // nginx, if it is root's, works as nobody
	s.roots = filepath.Join(dir, "colaflow.pem")
	pool := certify(t, s.roots, filepath.Join(dir, "colaflow.key"))
	config, err := os.ReadFile("../../docs/nginx.conf")
	require.NoError(t, err)
	port := program.FreePort(t)
	text := string(config)
	for _, change := range []struct {
		old, is string
		times   int
	}{
		{"10.0.0.11:8080", s.nodes[0].addr, 1}, {"10.0.0.12:8080", s.nodes[1].addr, 1},
		{"10.0.0.11:8081", s.nodes[0].tokens, 1}, {"10.0.0.12:8081", s.nodes[1].tokens, 1},
		{"listen 443 ", fmt.Sprintf("listen 127.0.0.1:%d ", port), 2}, {"/etc/ssl/", dir + "/", 4},
	} {
		require.Equal(t, change.times, strings.Count(text, change.old), change.old)
		text = strings.ReplaceAll(text, change.old, change.is)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "colaflow.conf"), []byte(text), 0o600))
	frame := fmt.Sprintf("daemon off;\npid %[1]s/pid;\nevents {}\nhttp {\n  client_body_temp_path %[1]s/body;\n  proxy_temp_path %[1]s/proxy;\n"+
		"  fastcgi_temp_path %[1]s/f;\n  uwsgi_temp_path %[1]s/u;\n  scgi_temp_path %[1]s/s;\n  include %[1]s/colaflow.conf;\n}\n", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(frame), 0o600))
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx" // where Debian puts it, out of most people's PATH
	}
	require.FileExists(t, nginx, "these tests need nginx; run scripts/nginx")
	program.Launch(t, "start worker process ", nil, nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-g", "error_log stderr notice;")
	proxy := fmt.Sprintf("127.0.0.1:%d", port)
	transport := &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, proxy)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	s.way, s.http = transport, &http.Client{Transport: transport}
	s.url = "https://localhost:" + strconv.Itoa(port) + "/mcp" // a name that every client finds
}

// certify writes a certificate of the site and its key, and returns what trusts it.
func certify(t *testing.T, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ColaFlow"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"colaflow.example.com", "*.colaflow.example.com", "colaflow-tokens.example.com", "localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	require.NoError(t, os.WriteFile(certFile, text, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return pool
}

// send makes a request by way of the proxy, and returns status, header and body.
func (s *site) send(t *testing.T, method, url, token, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := s.http.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(text)
}

// metric reads a number of one node; 0: it has none of that name.
func (n *serving) metric(t *testing.T, name string) int {
	t.Helper()
	res, err := http.Get("http://" + n.metrics + "/metrics")
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	sum := 0
	for _, found := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\d+)$`).FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		sum += value
	}
	return sum
}

// watch opens a stream about a resource by way of the proxy. What its client is told comes
// through the channel, which closes with the stream.
func (s *site) watch(t *testing.T, token, uri string) <-chan string {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":"w","method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["` + uri + `"]},"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Authorization": "Bearer " + token, "MCP-Protocol-Version": modern, "Mcp-Method": "subscriptions/listen"} {
		req.Header.Set(name, value)
	}
	res, err := s.http.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	told := make(chan string, 1000)
	go func() {
		defer close(told)
		defer func() { _ = res.Body.Close() }()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				told <- data
			}
		}
	}()
	require.Contains(t, next(t, told), "acknowledged")
	return told
}

// next waits for what a stream tells; empty: it has ended.
func next(t *testing.T, told <-chan string) string {
	t.Helper()
	select {
	case text := <-told:
		return text
	case <-time.After(time.Minute):
		t.Fatal("the stream is silent")
		return ""
	}
}
