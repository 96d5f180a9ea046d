package clients

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tests/program"
)

// TestOAuthConformance runs the scenarios of the conformance suite for authorization
// servers. The suite takes a client that is registered, and prints where a person must go.
func TestOAuthConformance(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	port, dir := program.FreePort(t), t.TempDir()
	about := mustJSON(t, args{"client_name": "Conformance suite", "redirect_uris": []string{"http://127.0.0.1/callback"}})
	res, err := http.Post(r.url+"/oauth/register", "application/json", bytes.NewReader(about))
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var registered struct {
		ID string `json:"client_id"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&registered))

	cmd := nodeCommand(t, "node_modules/conformance-2026-07-28/dist/index.js", "authorization", "--url", r.url, "--client-id", registered.ID,
		"--resource", r.url+"/mcp", "--port", fmt.Sprint(port), "-o", dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines, asked := bufio.NewScanner(out), false
	for !asked && lines.Scan() {
		if asked = strings.HasPrefix(lines.Text(), r.url+"/oauth/authorize?"); asked {
			browser := exec.CommandContext(t.Context(), r.browser(t, person{Answer: "Allow"}), lines.Text())
			browser.Env = append(cmd.Env, "COLAFLOW_CHROMIUM="+program.Chromium(t))
			require.NoError(t, browser.Run())
		}
	}
	require.True(t, asked, "the suite sends a person to consent")
	_, _ = io.Copy(io.Discard, out)
	require.NoError(t, cmd.Wait(), "the suite fails where any check does")
	r.saw(t, 1)

	passed := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*", "checks.json"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var checks []struct{ ID, Status string }
		require.NoError(t, json.Unmarshal(data, &checks))
		for _, c := range checks {
			passed[c.ID] = c.Status
		}
	}
	require.Equal(t, map[string]string{
		"authorization-server-metadata":      "SUCCESS",
		"authorization-server-metadata-cimd": "SUCCESS",
		"authorization-code-grant":           "SUCCESS",
	}, passed, "all of the suite's checks, without exception")
}
