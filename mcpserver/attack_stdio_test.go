package mcpserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
)

// stdio serves one token over pipes.
type stdio struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	ended chan error
}

func (b *bundle) stdio(ctx context.Context, t *testing.T, token string) *stdio {
	t.Helper()
	return piped(t, func(in io.Reader, out io.Writer) error {
		return b.mcp.ServeStdio(ctx, in, out, token, mcpserver.Narrowing{})
	})
}

// piped runs what speaks over pipes.
func piped(t *testing.T, serve func(in io.Reader, out io.Writer) error) *stdio {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	s := &stdio{t: t, in: toServer, lines: make(chan string, 1000), ended: make(chan error, 1)}
	go func() {
		err := serve(in, out)
		_ = out.Close()
		s.ended <- err
	}()
	go func() {
		defer close(s.lines)
		scanner := bufio.NewScanner(fromServer)
		scanner.Buffer(nil, 4<<20)
		for scanner.Scan() {
			s.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() { _ = toServer.Close(); _ = fromServer.Close() })
	return s
}

// send writes a line and returns the next answer, which must be one JSON object.
func (s *stdio) send(line string) string {
	s.t.Helper()
	_, err := io.WriteString(s.in, line+"\n")
	require.NoError(s.t, err)
	return s.next()
}

func (s *stdio) next() string {
	s.t.Helper()
	select {
	case line, ok := <-s.lines:
		require.True(s.t, ok, "the output ended")
		var m struct {
			JSONRPC string `json:"jsonrpc"`
		}
		require.NoError(s.t, json.Unmarshal([]byte(line), &m), line)
		require.Equal(s.t, "2.0", m.JSONRPC, line)
		return line
	case <-time.After(20 * time.Second):
		require.Fail(s.t, "no answer")
		return ""
	}
}

// end waits for the server to end by itself in time.
func (s *stdio) end() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(10 * time.Second):
		require.Fail(s.t, "stdio did not end")
		return nil
	}
}

func TestAttack049_Stdio(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	token, plain := acme.Token(t, "desktop", `{"projects":["read","create"]}`)
	s := b.stdio(t.Context(), t, plain)
	require.Contains(t, s.send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`), `"serverInfo"`)
	_, err := io.WriteString(s.in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n\n  \n")
	require.NoError(t, err)
	require.Contains(t, s.send(callBody("get_me", `{}`)), `\"tenant\":\"acme\"`)

	b.mcp.Hook("list_projects", func(context.Context, *mcpserver.Call) error { panic("hunter2") })
	require.Contains(t, s.send(callBody("list_projects", `{}`)), "Internal error, request")
	for _, bad := range []string{`{`, `[]`, `nonsense`, "\ufeff" + ping, `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"Method":"ping"}`, "\xff"} {
		require.Regexp(t, `"error":\{"code":-32(700|600)`, s.send(bad), bad)
	}
	require.Contains(t, s.send(`{"jsonrpc":"2.0","id":"big","method":"ping","params":{"a":"`+strings.Repeat("x", 50<<20)+`"}}`), "1 MiB")
	require.Contains(t, s.send(`{"jsonrpc":"2.0","id":1,"result":{}}`+"\n"+ping), `"result":{}`, "a response is dropped, what follows is answered")
	require.NotContains(t, b.log.String(), plain)

	require.NoError(t, b.db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	for _, body := range []string{ping, callBody("get_me", `{}`), callBody("create_project", `{"name":"x"}`), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`} {
		answer := s.send(body)
		require.Contains(t, answer, `"code":-32001`, body)
		require.Contains(t, answer, "revoked", body)
	}
	require.NoError(t, s.in.Close())
	require.NoError(t, s.end(), "exit 0 at the end of input")
}

// TestAttack049_StdioEndsWhileCallsRun closes the input, and then the process's
// context, while a call that never ends by itself is running.
func TestAttack049_StdioEndsWhileCallsRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	started := make(chan struct{}, 10)
	b.mcp.Hook("get_me", func(ctx context.Context, _ *mcpserver.Call) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	for name, stop := range map[string]func(*stdio, context.CancelFunc){
		"input ends": func(s *stdio, _ context.CancelFunc) { require.NoError(t, s.in.Close()) },
		"terminated": func(_ *stdio, cancel context.CancelFunc) { cancel() },
		"input breaks": func(s *stdio, _ context.CancelFunc) {
			require.NoError(t, s.in.CloseWithError(errors.New("broken")))
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s := b.stdio(ctx, t, acme.FullToken(t))
		_, err := io.WriteString(s.in, callBody("get_me", `{}`)+"\n")
		require.NoError(t, err)
		<-started
		before := time.Now()
		stop(s, cancel)
		err = s.end()
		t.Logf("%s: ended after %s", name, time.Since(before))
		require.Equal(t, name == "input breaks", err != nil, name)
		cancel()
		for line := range s.lines {
			require.True(t, json.Valid([]byte(line)), line)
		}
	}
}

// TestAttack049_StdioKeepsAnswersWhole runs many calls beside each other.
func TestAttack049_StdioKeepsAnswersWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.stdio(t.Context(), t, b.db.Tenant(t, "acme").FullToken(t))
	const calls = 60
	var in bytes.Buffer
	for range calls {
		in.WriteString(callBody("get_me", `{}`) + "\n")
	}
	_, err := in.WriteTo(s.in)
	require.NoError(t, err)
	for range calls {
		require.Contains(t, s.next(), `\"tenant\":\"acme\"`)
	}
	require.NoError(t, s.in.Close())
	require.NoError(t, s.end())
}
