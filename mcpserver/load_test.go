package mcpserver_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// Many tenants at once.
const (
	loadTenants  = 100
	loadRequests = 10_000
	loadAtOnce   = 400
)

// TestLoad_TenThousandOverAHundredTenants makes 10,000 calls, hundreds at a time, for 100
// tenants whose texts are marked: every answer is right, and none holds a mark of others.
func TestLoad_TenThousandOverAHundredTenants(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes it too long; TestAttack050 is the one for it")
	}
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 16, Wait: 5 * time.Minute})
	clients := make([]*client, loadTenants)
	marks := make([]string, loadTenants)
	for n := range clients {
		slug := fmt.Sprintf("tenant%03d", n)
		marks[n] = fmt.Sprintf("canary%03dx", n)
		tn := b.db.Tenant(t, slug)
		tn.Issues(t, tn.Project(t, "WEB", "Site "+marks[n]), "First "+marks[n], "Second "+marks[n])
		clients[n] = b.client(t, tn.FullToken(t))
		clients[n].ok("get_me", nil) // the guard lets few new tokens of one address in at once
	}
	calls := []struct{ tool, arguments, has string }{
		{"get_issue", `{"keys":["WEB-1","WEB-2"]}`, "First %s"}, {"search_issues", `{"query":"first"}`, "First %s"}, {"get_project", `{"project":"WEB"}`, "Site %s"},
		{"list_activity", `{}`, "Second %s"}, {"search_issues", `{"query":"canary000x or canary001x or second"}`, "Second %s"},
	}
	var wrong atomic.Int64
	var first atomic.Value
	next := make(chan int)
	var all sync.WaitGroup
	for range loadAtOnce {
		all.Go(func() {
			for n := range next {
				who, call := n%loadTenants, calls[n/loadTenants%len(calls)]
				text, err := clients[who].do(context.Background(), callBody(call.tool, call.arguments))
				ok := err == nil && strings.Contains(text, fmt.Sprintf(call.has, marks[who])) && !strings.Contains(text, `"isError":true`)
				for at := strings.Index(text, "canary"); ok && at >= 0 && at < len(text); {
					ok = strings.HasPrefix(text[at:], marks[who]) || strings.HasPrefix(text[at:], "canary000x or canary001x")
					if more := strings.Index(text[at+6:], "canary"); more >= 0 {
						at += 6 + more
					} else {
						break
					}
				}
				if !ok {
					wrong.Add(1)
					first.CompareAndSwap(nil, fmt.Sprintf("%s of %s: %v %s", call.tool, marks[who], err, text))
				}
			}
		})
	}
	for n := range loadRequests {
		next <- n
	}
	close(next)
	all.Wait()
	require.Zero(t, wrong.Load(), "such as %v", first.Load())
}
