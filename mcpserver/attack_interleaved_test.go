package mcpserver_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAttack050_BothErasInterleaved shares connections between two tenants and
// both eras; every answer belongs to its asker.
func TestAttack050_BothErasInterleaved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	clients := []*client{b.client(t, b.db.Tenant(t, "acme").FullToken(t)), b.client(t, b.db.Tenant(t, "beta").FullToken(t))}
	failed := make(chan error, 100)
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			c, own := clients[n%2], []string{"acme", "beta"}[n%2]
			id := fmt.Sprintf(`"%s-%d"`, own, n)
			body := `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me","arguments":{}}}`
			if n%4 > 1 {
				body = `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"get_me","arguments":{},` + modernMeta + `}}`
			}
			for range 3 {
				text, err := c.do(context.Background(), body)
				if err == nil && (!strings.Contains(text, id) || !strings.Contains(text, `\"tenant\":\"`+own+`\"`)) {
					err = fmt.Errorf("%s got %s", id, text)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	require.NoError(t, <-failed)
}
