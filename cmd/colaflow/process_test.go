package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is the program as others start it, with pipes.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log *lines
}

// dataDir returns an empty data directory that PostgreSQL's account can reach. It
// goes when its keeper has gone.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cf-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() {
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(dir, "pg", "postmaster.pid"))
			return os.IsNotExist(err)
		}, 30*time.Second, 50*time.Millisecond, "PostgreSQL stays behind")
		require.Eventually(t, func() bool { return os.RemoveAll(dir) == nil }, 5*time.Second, 50*time.Millisecond)
	})
	return dir
}

// start starts the program on a data directory.
func start(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	program, err := exec.LookPath("colaflow") // put there by testscript
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.Command(program, args...), log: newLines()}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "COLAFLOW_DATA=" + dir,
		"COLAFLOW_PG_BIN=" + os.Getenv("COLAFLOW_PG_BIN")}, env...)
	p.cmd.Stderr = p.log
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // those that a test has ended are gone already
		_ = p.cmd.Wait()
	})
	return p
}

// line reads one line of the answer.
func (p *process) line() string {
	p.t.Helper()
	text, err := p.out.ReadString('\n')
	require.NoError(p.t, err, "log: %s", p.log)
	return text
}

// ends waits for the exit code.
func (p *process) ends(code int) {
	p.t.Helper()
	_ = p.cmd.Wait()
	require.Equal(p.t, code, p.cmd.ProcessState.ExitCode(), "log: %s", p.log)
}

func (p *process) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// served waits until the server says its address.
func (p *process) served() string {
	p.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case line := <-p.log.each:
			var entry struct{ Msg, URL string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
				return entry.URL
			}
		case <-deadline:
			require.Fail(p.t, "the server does not start", p.log.String())
		}
	}
}

// ask sends one message over stdio and returns the answer.
func (p *process) ask(method, params string) string {
	p.t.Helper()
	_, err := fmt.Fprintf(p.in, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`+"\n", method, params)
	require.NoError(p.t, err)
	return p.line()
}

func (p *process) tool(name, args string) string {
	p.t.Helper()
	return p.ask("tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, name, args))
}

// command runs the program to its end.
func command(t *testing.T, dir string, args ...string) string {
	t.Helper()
	p := start(t, dir, nil, args...)
	out, err := io.ReadAll(p.out)
	require.NoError(t, err)
	p.ends(exitOK)
	return string(out)
}

// newTenant makes a tenant with a project and returns a token's variable.
func newTenant(t *testing.T, dir string) (token string) {
	t.Helper()
	command(t, dir, "tenant", "create", "acme", "--owner", "ada@acme.test")
	var made struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(command(t, dir, "token", "create", "--tenant", "acme", "--name", "t", "--owner", "ada",
		"--preset", "full", "--json")), &made))
	return made.Token
}

func stdio(t *testing.T, dir, token string) *process {
	t.Helper()
	return start(t, dir, []string{"COLAFLOW_TOKEN=" + token}, "stdio")
}

// post calls a tool over HTTP; it fails quietly, because servers are killed here.
func post(url, token, tool, args string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, url+"/mcp", strings.NewReader(
		fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, args)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// TestShared_ServerFirst kills the server in the middle of batches, while a stdio
// process goes on with the database that the server had started.
func TestShared_ServerFirst(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	server := start(t, dir, nil, "serve", "--addr", "127.0.0.1:0")
	url := server.served()
	token := newTenant(t, dir)
	client := stdio(t, dir, token)
	require.Contains(t, client.tool("create_project", `{"key":"WEB","name":"Website"}`), `"key":"WEB"`)

	batch := `{"project":"WEB","issues":[` + strings.TrimSuffix(strings.Repeat(`{"title":"one of twenty"},`, 20), ",") + `]}`
	first, err := post(url, token, "batch_create_issues", batch)
	require.NoError(t, err)
	require.Contains(t, first, `"key":"WEB-20"`)
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		for {
			if _, err := post(url, token, "batch_create_issues", batch); err != nil {
				return
			}
		}
	}()
	time.Sleep(150 * time.Millisecond)
	server.kill()
	<-broken

	var found struct {
		Result struct{ StructuredContent struct{ Total int } }
	}
	require.NoError(t, json.Unmarshal([]byte(client.tool("search_issues", `{"project":"WEB","limit":1}`)), &found))
	total := found.Result.StructuredContent.Total
	require.NotZero(t, total)
	require.Zero(t, total%20, "a batch is there whole or not at all: %d", total)

	again := start(t, dir, nil, "serve", "--addr", "127.0.0.1:0")
	answer, err := post(again.served(), token, "get_me", `{}`)
	require.NoError(t, err)
	require.Contains(t, answer, "ada@acme.test")
	require.NoError(t, client.in.Close())
	client.ends(exitOK)
	require.NoError(t, again.cmd.Process.Signal(syscall.SIGTERM))
	again.ends(exitOK)
}

// TestShared_ClientFirst lets stdio start the database, then kills stdio and the
// keeper under a running server.
func TestShared_ClientFirst(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	token := newTenant(t, dir)
	started := time.Now()
	client := stdio(t, dir, token)
	require.Contains(t, client.ask("ping", `{}`), `"result":{}`)
	t.Logf("first answer on stdio after %v", time.Since(started))
	server := start(t, dir, nil, "serve", "--addr", "127.0.0.1:0")
	url := server.served()
	client.kill()
	answer, err := post(url, token, "get_me", `{}`)
	require.NoError(t, err)
	require.Contains(t, answer, "ada@acme.test")

	text, err := os.ReadFile(filepath.Join(dir, "keeper.lock"))
	require.NoError(t, err)
	keeper, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(keeper, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		answer, err := post(url, token, "get_me", `{}`)
		return err == nil && strings.Contains(answer, "ada@acme.test")
	}, 30*time.Second, 100*time.Millisecond, "the server brings the database back")
	require.NoError(t, server.cmd.Process.Signal(os.Interrupt))
	server.ends(exitOK)
}

// TestShared_AtOnce starts everything at the same moment on an empty directory:
// one database and one master key come of it.
func TestShared_AtOnce(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	var all []*process
	for range 3 {
		all = append(all, start(t, dir, nil, "serve", "--addr", "127.0.0.1:0"))
	}
	token := newTenant(t, dir)
	client := stdio(t, dir, token)
	require.Contains(t, client.tool("get_me", `{}`), "ada@acme.test")
	for _, server := range all {
		answer, err := post(server.served(), token, "get_me", `{}`)
		require.NoError(t, err)
		require.Contains(t, answer, "ada@acme.test")
		require.NoError(t, server.cmd.Process.Signal(os.Interrupt))
		server.ends(exitOK)
	}
	require.NotContains(t, client.tool("get_me", `{}`), `"error"`, "the last user still has the database")
	require.NoError(t, client.in.Close())
	client.ends(exitOK)
	require.Empty(t, client.log.String(), "nothing to report")
}
