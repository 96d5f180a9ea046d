package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// mostGrowth is what the program may take for all the bodies of the test, of which many
// would be hundreds of MiB each.
const mostGrowth = 128 << 20

// TestAttack033_MemoryStaysFlat sends sixteen bodies at a time that never end, or that
// would unpack to 400 MiB, or are just too long, and asks the kernel what the program
// took at most.
func TestAttack033_MemoryStaysFlat(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	p := start(t, t.TempDir(), []string{"COLAFLOW_DSN=" + db.AppDSN, "COLAFLOW_MASTER_KEY=" + db.Key.Hex()}, "serve", "--addr", "127.0.0.1:0")
	url := p.served()
	_, err := post(url, token, "get_me", `{}`)
	require.NoError(t, err)

	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, err = io.CopyN(zip, spaces{}, 400<<20)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	before := p.peak()
	bodies := map[string]func() (body io.Reader, encoding string){
		"without an end": func() (io.Reader, string) { return io.LimitReader(spaces{}, 1<<30), "" },
		"too long":       func() (io.Reader, string) { return strings.NewReader(strings.Repeat(" ", 1<<20+1)), "" },
		"long enough":    func() (io.Reader, string) { return strings.NewReader(strings.Repeat("[", 1<<20)), "" },
		"many numbers":   func() (io.Reader, string) { return strings.NewReader(filled("0,", "0")), "" },
		"many objects":   func() (io.Reader, string) { return strings.NewReader(filled("{},", "{}")), "" },
		"gzip bomb":      func() (io.Reader, string) { return bytes.NewReader(bomb.Bytes()), "gzip" },
	}
	for name, body := range bodies {
		var all sync.WaitGroup
		wrong := make(chan string, 16)
		for n := range 16 {
			all.Go(func() {
				content, encoding := body()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp", content)
				if err != nil {
					wrong <- err.Error()
					return
				}
				if n%4 > 0 { // the others are strangers
					req.Header.Set("Authorization", "Bearer "+token)
				}
				if encoding != "" {
					req.Header.Set("Content-Encoding", encoding)
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					return // the program hung up before the client had said it all
				}
				_ = res.Body.Close()
				if res.StatusCode < 200 || res.StatusCode >= 500 {
					wrong <- fmt.Sprint(name, " got ", res.Status)
				}
			})
		}
		all.Wait()
		close(wrong)
		require.Empty(t, <-wrong)
	}
	growth := p.peak() - before
	t.Logf("%d MiB, and at most %d MiB more", before>>20, growth>>20)
	require.Less(t, growth, mostGrowth)
	answer, err := post(url, token, "get_me", `{}`)
	require.NoError(t, err)
	require.Contains(t, answer, "ada@acme.test", "and it serves")
}

// filled is a call whose arguments are a list of a megabyte.
func filled(item, last string) string {
	const before, after = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{"a":[`, `]}}}`
	return before + strings.Repeat(item, (1<<20-len(before)-len(after)-len(last))/len(item)) + last + after
}

// peak is the most memory that the process has held.
func (p *process) peak() int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(p.t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(p.t, found)
	kB, err := strconv.Atoi(string(found[1]))
	require.NoError(p.t, err)
	return kB << 10
}

// spaces are bytes without an end, which JSON may begin with.
type spaces struct{}

// Read implements io.Reader.
func (spaces) Read(p []byte) (int, error) {
	for n := range p {
		p[n] = ' '
	}
	return len(p), nil
}
