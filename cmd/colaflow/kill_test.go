//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// killRounds is how often the server is killed under load.
const killRounds = 20

// answered is what a client got before the server died.
type answered struct {
	mu       sync.Mutex
	requests []string // ids of requests that were answered
	made     []string // keys of issues that an answer said were made
}

// TestKilledUnderLoad kills the server 20 times in the middle of reads and writes. No
// answer that a client received lacks its audit row, no change lacks its row, no row
// tells of a change that is not there, and the log verifies each time.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	token := newTenant(t, dir)
	client := stdio(t, dir, token) // keeps the database while servers die
	require.NotContains(t, client.tool("create_project", `{"name":"Website","key":"WEB"}`), `"isError":true`)
	var got answered
	for range killRounds {
		server := start(t, dir, nil, "serve", "--addr", "127.0.0.1:0")
		url := server.served()
		stop := make(chan struct{})
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Go(func() { got.work(url, token, worker, stop) })
		}
		time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		server.kill()
		close(stop)
		workers.Wait()
		require.Contains(t, command(t, dir, "audit", "verify", "--tenant", "acme"), "As written:")
	}
	require.NotEmpty(t, got.made)

	rows := auditRows(t, dir)
	byRequest, madeBy := map[string]int{}, map[string]int{}
	for _, r := range rows {
		byRequest[r.RequestID]++
		if r.Tool == "create_issue" && r.Decision == "allowed" {
			madeBy[r.Target]++
		}
	}
	for _, id := range got.requests {
		require.Equal(t, 1, byRequest[id], "request %s was answered and has no row", id)
	}
	issues := allIssues(t, client)
	require.Subset(t, issues, got.made, "what was said to be made is there")
	require.ElementsMatch(t, issues, slices.Collect(maps.Keys(madeBy)), "every issue has its row, and every row its issue")
	for key, n := range madeBy {
		require.Equal(t, 1, n, key)
	}
	t.Logf("%d answers, %d issues, %d audit rows over %d kills", len(got.requests), len(issues), len(rows), killRounds)
	require.NoError(t, client.in.Close())
	client.ends(exitOK)
}

// work calls tools until the server is gone.
func (a *answered) work(url, token string, worker int, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		tool, arguments := "search_issues", `{"limit":1}`
		if n%2 == worker%2 {
			tool, arguments = "create_issue", fmt.Sprintf(`{"project":"WEB","title":"Made by %d"}`, worker)
		}
		id, body, err := postForID(url, token, tool, arguments)
		if err != nil {
			return
		}
		var answer struct {
			Result struct{ StructuredContent struct{ Key string } }
		}
		if json.Unmarshal([]byte(body), &answer) != nil || strings.Contains(body, `"isError":true`) {
			continue
		}
		a.mu.Lock()
		a.requests = append(a.requests, id)
		if key := answer.Result.StructuredContent.Key; key != "" {
			a.made = append(a.made, key)
		}
		a.mu.Unlock()
	}
}

// postForID is post that also tells the request's id. A half answer is an error.
func postForID(url, token, tool, arguments string) (id, body string, err error) {
	req, err := http.NewRequest(http.MethodPost, url+"/mcp", strings.NewReader(
		fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments)))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d", res.StatusCode)
	}
	return res.Header.Get("X-Request-Id"), string(data), err
}

type exportedRow struct {
	Tool      string
	Decision  string
	Target    string
	RequestID string `json:"request_id"`
}

// auditRows reads the whole log as an operator exports it.
func auditRows(t *testing.T, dir string) (rows []exportedRow) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	command(t, dir, "audit", "export", "--tenant", "acme", "-o", name)
	file, err := os.Open(name)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	dec := json.NewDecoder(file)
	for dec.More() {
		var r exportedRow
		require.NoError(t, dec.Decode(&r))
		rows = append(rows, r)
	}
	require.NotEmpty(t, rows)
	return rows
}

// allIssues pages through every issue of the tenant.
func allIssues(t *testing.T, p *process) (keys []string) {
	t.Helper()
	cursor := ""
	for range 1000 {
		var page struct {
			Result struct {
				StructuredContent struct {
					Items      []struct{ Key string }
					NextCursor string `json:"next_cursor"`
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(p.tool("search_issues", fmt.Sprintf(`{"limit":100,"sort":"key","fields":["title"],"cursor":%q}`, cursor))), &page))
		for _, item := range page.Result.StructuredContent.Items {
			keys = append(keys, item.Key)
		}
		if cursor = page.Result.StructuredContent.NextCursor; cursor == "" {
			return keys
		}
	}
	require.Fail(t, "the list has no end")
	return nil
}
