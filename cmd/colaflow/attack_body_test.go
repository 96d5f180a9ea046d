package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// TestAttack033_TrickledBodies sends bodies a byte at a time, wherever the program takes
// one and where it takes none, with a token and without, and headers too: each connection
// is ended. A stream whose message was
// there lives on.
func TestAttack033_TrickledBodies(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0")
	lines := s.openStream(t.Context(), t, acme.FullToken(t), "colaflow://projects/WEB")
	for lines.Scan() && lines.Text() != "" { // the acknowledgement
	}
	ended := make(chan error)
	const length, chunked = "Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"
	authorized := "Authorization: Bearer " + acme.FullToken(t) + "\r\n"
	var begun []string
	for _, path := range []string{"/oauth/token", "/oauth/register", "/oauth/consent", "/signin/link?tenant=acme", "/api/v1/auth/refresh?tenant=acme",
		"/api/v1/tokens", "/mcp", "/nothing"} {
		begun = append(begun, path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"+length)
	}
	for _, rest := range []string{length, chunked, "X-Header: "} { // of which the last has no end
		begun = append(begun, "/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+authorized+rest)
	}
	begun = append(begun, "/mc")
	for _, request := range begun {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "POST %s", request)
		require.NoError(t, err)
		go func() {
			trickle := time.NewTicker(200 * time.Millisecond)
			defer trickle.Stop()
			for range trickle.C {
				if _, err := conn.Write([]byte("a")); err != nil {
					return
				}
			}
		}()
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(8 * bodyTime)) // the body would take 200 s
			_, err := io.Copy(io.Discard, conn)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				ended <- fmt.Errorf("%s: %w", request, err)
				return
			}
			ended <- nil // closed, or reset with our bytes in it
		}()
	}
	for range begun {
		require.NoError(t, <-ended)
	}
	acme.Issues(t, web, "Written after all that")
	require.True(t, lines.Scan(), "the stream is open")
}
