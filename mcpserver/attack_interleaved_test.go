package mcpserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
)

// interleaved is the nth call of get_me with an id of its own, of one era or the other.
func interleaved(own string, n int) (id, body string) {
	id = fmt.Sprintf(`"%s-%d"`, own, n)
	meta := ""
	if n%4 > 1 {
		meta = "," + modernMeta
	}
	return id, `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me","arguments":{}` + meta + `}}`
}

// belongs returns what is wrong with an answer, if it is not the asker's own.
func belongs(answer, own, id string, n int) error {
	modern := strings.Contains(answer, `"resultType":"complete"`)
	if strings.Contains(answer, `"id":`+id) && strings.Contains(answer, `\"tenant\":\"`+own+`\"`) && modern == (n%4 > 1) {
		return nil
	}
	return fmt.Errorf("%s got %s", id, answer)
}

// TestAttack050_BothErasInterleaved shares one connection between two tenants, both eras
// and a hundred goroutines, and does the same with a hundred connections; every answer
// belongs to its asker.
func TestAttack050_BothErasInterleaved(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	slugs := []string{"acme", "beta"}
	var tokens []string
	for _, slug := range slugs {
		tokens = append(tokens, b.db.Tenant(t, slug).FullToken(t))
	}
	var connections atomic.Int64
	one := httptest.NewUnstartedServer(b.mcp.Handler())
	one.EnableHTTP2 = true // with which all requests go over one connection
	one.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	one.StartTLS()
	t.Cleanup(one.Close)
	for _, way := range []*client{{url: one.URL, through: one.Client()}, {url: b.http.URL}} {
		_, err := (&client{url: way.url, through: way.through, token: tokens[0]}).do(t.Context(), callBody("get_me", `{}`)) // opens the connection
		require.NoError(t, err)
		_, failed := together(t, 100, func(n int) (string, bool, error) {
			own, c := slugs[n%2], &client{url: way.url, through: way.through, token: tokens[n%2]}
			for round := range 5 {
				id, body := interleaved(own, n+100*round)
				answer, err := c.do(context.Background(), body)
				if err == nil {
					err = belongs(answer, own, id, n+100*round)
				}
				if err != nil {
					return "", false, err
				}
			}
			return "", false, nil
		})
		require.Empty(t, failed)
	}
	require.EqualValues(t, 1, connections.Load())
}

// TestAttack050_BothErasAtOnePipe does the same at the pipes of two tenants' clients,
// each of which sends all its calls before it reads an answer.
func TestAttack050_BothErasAtOnePipe(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	for _, own := range []string{"acme", "beta"} {
		server, _ := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth})
		token := b.db.Tenant(t, own).FullToken(t)
		s := piped(t, func(in io.Reader, out io.Writer) error {
			return server.ServeStdio(t.Context(), in, out, token, mcpserver.Narrowing{})
		})
		want := map[string]int{}
		var lines strings.Builder
		for n := range 100 {
			id, body := interleaved(own, n)
			want[id] = n
			lines.WriteString(body + "\n")
		}
		go func() { _, _ = io.WriteString(s.in, lines.String()) }() // until the pipe is closed
		for range 100 {
			answer := s.next()
			var m struct{ ID json.RawMessage }
			require.NoError(t, json.Unmarshal([]byte(answer), &m))
			n, asked := want[string(m.ID)]
			require.True(t, asked, "not asked, or answered twice: %s", answer)
			delete(want, string(m.ID))
			require.NoError(t, belongs(answer, own, string(m.ID), n))
		}
	}
}
