package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
)

// remote is the real program as a hosted agent meets it: at its public address, where it
// asks a person with a browser. What passes by there is noted.
type remote struct {
	*bundle
	acme *storetest.Tenant
	url  string // public
	dir  string // of what the browser is told and what it saw
	// below follows /mcp in the address that programs are given.
	below string

	mu     sync.Mutex
	passed []string // method, path and status of each request
}

func openRemote(t *testing.T) *remote {
	t.Helper()
	r := &remote{bundle: &bundle{db: storetest.Open(t), bin: program.Path(t)}, dir: t.TempDir()}
	r.acme = r.db.Tenant(t, "acme")
	web := r.acme.Project(t, "WEB", "Website")
	r.acme.Issues(t, web, "Login fails on Safari", "Export is slow")
	r.acme.Project(t, "API", "Interface")

	var leadTo func(string)
	r.url, leadTo = startProxy(t, func(*httputil.ProxyRequest) {}, func(res *http.Response) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.passed = append(r.passed, fmt.Sprint(res.Request.Method, " ", res.Request.URL.Path, " ", res.StatusCode))
	})
	leadTo(r.serve(t, "--public-url", r.url))
	return r
}

// noted returns what passed since it was asked before, and forgets it: without the pages
// that the person sees, and MCP only where it was refused, since clients differ in how much
// they ask. Requests of one kind in a row count as one.
func (r *remote) noted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.passed = nil }()
	return slices.Compact(slices.DeleteFunc(r.passed, func(line string) bool {
		method, path, _ := strings.Cut(line, " ")
		refused := method == http.MethodPost && !strings.HasSuffix(line, " 200") && !strings.HasSuffix(line, " 202")
		return !strings.HasPrefix(path, "/.well-known/") && !strings.HasPrefix(path, "/oauth/") && !(strings.HasPrefix(path, "/mcp") && refused) ||
			strings.HasPrefix(path, "/oauth/consent")
	}))
}

// person is how a member answers on the consent page.
type person struct {
	Answer   string   `json:"answer"` // the button
	Allow    []string `json:"allow,omitempty"`
	Projects []string `json:"projects,omitempty"` // empty: all
	Opener   string   `json:"opener,omitempty"`   // the page that asks them in a popup; empty: in a window
}

// browser returns the command that BROWSER names for a program, so that Ada answers as told.
// Each call changes how she answers from now on.
func (r *remote) browser(t *testing.T, p person) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.bin, "member", "signin-link", "--tenant", "acme", r.acme.Ada.Email, "--public-url", r.url)
	cmd.Env = r.environment()
	link, err := cmd.Output()
	require.NoError(t, err)
	type told struct {
		person
		Ours   string `json:"ours"`
		Link   string `json:"link"`
		Tenant string `json:"tenant"`
		Log    string `json:"log"`
	}
	job, script := filepath.Join(r.dir, "job.json"), filepath.Join(r.dir, "browser")
	require.NoError(t, os.WriteFile(job, mustJSON(t, told{p, r.url + "/", strings.TrimSpace(string(link)), "acme", r.log()}), 0o600))
	driver, err := filepath.Abs("drivers/person.js")
	require.NoError(t, err)
	node := nodeCommand(t, driver, job).Args
	text := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$1\"\n", strings.Join(node, "' '"))
	require.NoError(t, os.WriteFile(script, []byte(text), 0o700))
	return script
}

func (r *remote) log() string { return filepath.Join(r.dir, "browser.log") }

// saw is what the person saw and where the browser ended.
type saw struct {
	Asks, Consent, Back, Landed, Failed string
	Asked                               []string
	Lost                                bool // the opener cannot see its popup any more
	Wide                                bool // a page did not fit into its window
	Offered                             bool // projects could be ticked though all were chosen
}

// saw waits until a person has answered so many times since it was asked before, and
// returns what they saw.
func (r *remote) saw(t *testing.T, times int) (all []saw) {
	t.Helper()
	var lines []string
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(r.log()) // there is none before the first
		lines = strings.SplitAfter(string(data), "\n")
		return len(lines) > times
	}, 2*time.Minute, 100*time.Millisecond)
	for _, line := range lines[:times] {
		var s saw
		require.NoError(t, json.Unmarshal([]byte(line), &s))
		require.Empty(t, s.Failed)
		all = append(all, s)
	}
	require.Empty(t, lines[times], "nobody was asked more often")
	require.NoError(t, os.Remove(r.log()))
	return all
}

// expire lets the access tokens of all connections run out, as an hour does.
func (r *remote) expire(t *testing.T) {
	t.Helper()
	tag, err := r.db.Admin(t).Exec(t.Context(), `update tokens set expires_at = now() - interval '1 second' where id in (select token_id from oauth_connections)`)
	require.NoError(t, err)
	require.NotZero(t, tag.RowsAffected())
}

// revoke ends the newest connection's token, as an admin does.
func (r *remote) revoke(t *testing.T) {
	t.Helper()
	var id string
	require.NoError(t, r.db.Admin(t).QueryRow(t.Context(), `select token_id::text from oauth_connections where token_id is not null order by redeemed_at desc limit 1`).Scan(&id))
	cmd := exec.CommandContext(t.Context(), r.bin, "token", "revoke", "--tenant", "acme", id)
	cmd.Env = r.environment()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
