package mcpserver_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// loadTenant is one of several tenants whose issues have the same keys.
type loadTenant struct {
	*storetest.Tenant
	writers []*client // one per node
	streams []*listener
	quiet   int // the issue that is never touched here, but in every other tenant
}

const loadIssues, loadRounds = 6, 3

func loadKey(project string, n int) string { return fmt.Sprintf("%s-%d", project, n) }

// touched lists the issues of a project that the tenant changes in each round.
func (lt *loadTenant) touched(project string) (keys []string) {
	for n := 1; n <= loadIssues; n++ {
		if n != lt.quiet {
			keys = append(keys, loadKey(project, n))
		}
	}
	return keys
}

// TestListen_Load has a hundred streams of five tenants open on two nodes while every
// tenant's writer changes issues on both. In each round every issue changes once, but
// one that is left alone; the next round begins when everybody has heard. So a stream is
// told of an issue exactly once a round, and of nothing that is not its own.
func TestListen_Load(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	nodes := []*node{b.node(t, storetest.Options{}).follow(t), b.node(t, storetest.Options{}).follow(t)}
	const tenants, streams = 5, 20
	var world []*loadTenant
	for n := range tenants {
		lt := &loadTenant{Tenant: b.db.Tenant(t, fmt.Sprint("tenant", n)), quiet: n + 1}
		titles := make([]string, loadIssues)
		for i := range titles {
			titles[i] = fmt.Sprint("Issue ", i)
		}
		lt.Issues(t, lt.Project(t, "WEB", "Website"), titles...)
		lt.Issues(t, lt.Project(t, "HR", "People"), titles...)
		full := lt.FullToken(t)
		_, limited := lt.Token(t, "limited", `{"projects":["read"],"issues":["read"],"only_projects":["WEB"]}`)
		var uris []string
		for i := 1; i <= loadIssues; i++ {
			uris = append(uris, "colaflow://issues/"+loadKey("WEB", i), "colaflow://issues/"+loadKey("HR", i))
		}
		for _, at := range nodes {
			lt.writers = append(lt.writers, &client{t: t, url: at.url, token: full})
		}
		for s := range streams {
			c := &client{t: t, url: nodes[s%2].url, token: []string{full, limited}[s/2%2]}
			l := c.listen(uris)
			require.Len(t, l.acknowledged(), map[bool]int{true: 2 * loadIssues, false: loadIssues}[c.token == full])
			lt.streams = append(lt.streams, l)
		}
		world = append(world, lt)
	}
	require.Equal(t, tenants*streams, nodes[0].Streams()+nodes[1].Streams())

	for round := 1; round <= loadRounds; round++ {
		var wg sync.WaitGroup
		failed := make(chan string, 1000)
		for _, lt := range world {
			for p, project := range []string{"WEB", "HR"} {
				wg.Go(func() {
					for n, key := range lt.touched(project) {
						title := fmt.Sprintf(`{"key":%q,"title":"Round %d"}`, key, round)
						if body, err := lt.writers[(n+p)%2].do(t.Context(), callBody("update_issue", title)); err != nil || strings.Contains(body, `"isError":true`) {
							failed <- fmt.Sprint(err, body)
						}
					}
				})
			}
		}
		wg.Wait()
		require.Empty(t, failed)
		for _, lt := range world {
			for s, l := range lt.streams {
				want := map[string]int{}
				for _, key := range lt.touched("WEB") {
					want["colaflow://issues/"+key] = round
				}
				if s/2%2 == 0 {
					for _, key := range lt.touched("HR") {
						want["colaflow://issues/"+key] = round
					}
				}
				require.Eventually(t, func() bool { return total(l.updates()) >= total(want) }, 30*time.Second, time.Millisecond, "round %d", round)
				require.Equal(t, want, l.updates(), "round %d", round)
			}
		}
	}
}

func total(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
