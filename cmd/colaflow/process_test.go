//go:build unix

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
		}, 2*time.Minute, 50*time.Millisecond, "PostgreSQL stays behind")
		require.Eventually(t, func() bool { return os.RemoveAll(dir) == nil }, time.Minute, 50*time.Millisecond)
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

// rest reads the answer to its end.
func (p *process) rest() string {
	p.t.Helper()
	out, err := io.ReadAll(p.out)
	require.NoError(p.t, err)
	return string(out)
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
	deadline := time.After(2 * time.Minute)
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
	out := p.rest()
	p.ends(exitOK)
	return out
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

// startDemo starts the demo and waits for what it says.
func startDemo(t *testing.T, dir string) (*process, demoAnswer) {
	t.Helper()
	p := start(t, dir, nil, "demo", "--addr", "127.0.0.1:0", "--json")
	var answer demoAnswer
	require.NoError(t, json.NewDecoder(p.out).Decode(&answer), "log: %s", p.log)
	require.Len(t, answer.Tenants, 2)
	return p, answer
}

// total asks for the exact number of issues, closed ones too.
func (p *process) total(args string) int {
	p.t.Helper()
	var found struct {
		Result struct{ StructuredContent struct{ Total int } }
	}
	require.NoError(p.t, json.Unmarshal([]byte(p.tool("search_issues", args)), &found))
	return found.Result.StructuredContent.Total
}

// TestShared_DemoFirst kills the demo while it makes up its data, and again in the
// middle of batches, while a stdio process goes on with the same database.
func TestShared_DemoFirst(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	halfway := start(t, dir, nil, "demo", "--addr", "127.0.0.1:0", "--json")
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, masterKeyFile))
		return err == nil
	}, 2*time.Minute, 5*time.Millisecond)
	halfway.kill()

	first, answer := startDemo(t, dir)
	acme, globex := answer.Tenants[0], answer.Tenants[1]
	client := stdio(t, dir, acme.Token)
	require.Contains(t, client.tool("get_me", `{}`), `"tenant":"acme"`)
	const all = `"category":["todo","in_progress","done"],"limit":1`
	whole := client.total(`{` + all + `}`)
	require.Greater(t, whole, 300, "the killed start left nothing half made")

	batch := `{"project":"WEB","issues":[` + strings.TrimSuffix(strings.Repeat(`{"title":"one of twenty"},`, 20), ",") + `]}`
	made, err := post(answer.URL, acme.Token, "batch_create_issues", batch)
	require.NoError(t, err)
	require.NotContains(t, made, `"isError":true`)
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		for {
			if _, err := post(answer.URL, acme.Token, "batch_create_issues", batch); err != nil {
				return
			}
		}
	}()
	time.Sleep(150 * time.Millisecond)
	first.kill()
	<-broken
	added := client.total(`{`+all+`}`) - whole
	require.NotZero(t, added)
	require.Zero(t, added%20, "a batch is there whole or not at all: %d", added)

	second, again := startDemo(t, dir)
	for n, tenant := range answer.Tenants {
		require.Equal(t, tenant.Token, again.Tenants[n].Token, "so that clients stay connected")
		require.NotEqual(t, tenant.SignIn, again.Tenants[n].SignIn, "a link works once")
	}
	// PostgreSQL may have finished the batch that was on its way when its client died.
	require.Contains(t, []int{whole + added, whole + added + 20}, client.total(`{`+all+`}`), "nothing is made up twice")
	told, err := post(again.URL, globex.Token, "search_issues", `{"query":"one of twenty"}`)
	require.NoError(t, err)
	require.Contains(t, told, `"total":0`)
	require.NoError(t, client.in.Close())
	client.ends(exitOK)
	require.NoError(t, second.cmd.Process.Signal(syscall.SIGTERM))
	second.ends(exitOK)
	require.Empty(t, second.log.String(), "nothing to report")

	// A token that was revoked is replaced at the next start.
	var tokens []struct{ ID, State string }
	require.NoError(t, json.Unmarshal([]byte(command(t, dir, "token", "list", "--tenant", "acme", "--json")), &tokens))
	require.Len(t, tokens, 1)
	command(t, dir, "token", "revoke", "--tenant", "acme", tokens[0].ID)
	third, renewed := startDemo(t, dir)
	require.NotEqual(t, acme.Token, renewed.Tenants[0].Token)
	require.Equal(t, globex.Token, renewed.Tenants[1].Token)
	require.NoError(t, third.cmd.Process.Signal(os.Interrupt))
	third.ends(exitOK)
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
	}, 2*time.Minute, 100*time.Millisecond, "the server brings the database back")
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
