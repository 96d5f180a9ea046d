package mcpserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
)

// callText runs a tool and returns its text, for use in goroutines.
func (c *client) callText(tool, arguments string) (text string, failed bool, err error) {
	body, err := c.do(context.Background(), callBody(tool, arguments))
	if err != nil {
		return "", false, err
	}
	var m struct {
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil || len(m.Result.Content) != 1 {
		return "", false, fmt.Errorf("unexpected answer: %s", body)
	}
	return m.Result.Content[0].Text, m.Result.IsError, nil
}

// together runs fn n times at once and returns what each returned.
func together(t *testing.T, n int, fn func(n int) (text string, failed bool, err error)) (texts []string, failures []string) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	var errs []error
	for i := range n {
		all.Go(func() {
			text, failed, err := fn(i)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				errs = append(errs, err)
			case failed:
				failures = append(failures, text)
			default:
				texts = append(texts, text)
			}
		})
	}
	all.Wait()
	require.Empty(t, errs)
	return texts, failures
}

// TestAttack101_EachVersionHasOneWinner sends rounds of parallel updates that
// all expect the same version.
func TestAttack101_EachVersionHasOneWinner(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	acme := b.db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")
	c := b.client(t, acme.FullToken(t))
	const rounds, writers = 5, 10
	for version := 1; version <= rounds; version++ {
		won, lost := together(t, writers, func(n int) (string, bool, error) {
			return c.callText("update_issue", fmt.Sprintf(`{"key":"WEB-1","title":"Title %d of %d","expected_version":%d}`, n, version, version))
		})
		require.Len(t, won, 1, "version %d", version)
		require.Contains(t, won[0], fmt.Sprintf(`"version":%d`, version+1))
		for _, text := range lost {
			require.Regexp(t, fmt.Sprintf(`^conflict: WEB-1 changed \(version %d to %d\) since you read it: title .* retry with expected_version %[2]d\.`, version, version+1), text)
		}
	}
	history := c.ok("get_issue", args{"keys": "WEB-1", "include": "history"})["issues"].([]any)[0].(map[string]any)
	require.EqualValues(t, rounds+1, history["version"])
	require.Len(t, history["history"], rounds+1, "no update is lost, none is counted twice")

	// Without a version every write counts, one after the other.
	added, failed := together(t, writers, func(n int) (string, bool, error) {
		return c.callText("update_issue", fmt.Sprintf(`{"key":"WEB-1","add_labels":["label %d"]}`, n))
	})
	require.Empty(t, failed)
	require.Len(t, added, writers)
	issue := c.ok("get_issue", args{"keys": "WEB-1"})["issues"].([]any)[0].(map[string]any)
	require.Len(t, issue["labels"], writers)
	require.EqualValues(t, rounds+1+writers, issue["version"])
}

// TestAttack062_IdempotencyTwins sends the same call under the same key many
// times at once, by two tokens and two tenants.
func TestAttack062_IdempotencyTwins(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	acme, beta := b.db.Tenant(t, "acme"), b.db.Tenant(t, "beta")
	acme.Project(t, "WEB", "Website")
	beta.Project(t, "WEB", "Website")
	const call = `{"project":"WEB","title":"Once","idempotency_key":"same key"}`
	answers := map[string]bool{}
	for _, c := range []*client{b.client(t, acme.FullToken(t)), b.client(t, acme.FullToken(t)), b.client(t, beta.FullToken(t))} {
		texts, failed := together(t, 20, func(int) (string, bool, error) { return c.callText("create_issue", call) })
		require.Empty(t, failed)
		replayed := 0
		same := map[string]bool{}
		for _, text := range texts {
			if strings.HasPrefix(text, `{"replayed":true,`) {
				replayed++
			}
			same[strings.Replace(text, `{"replayed":true,`, "{", 1)] = true
		}
		require.Equal(t, 19, replayed)
		require.Len(t, same, 1, "all get the first answer")
		answers[texts[0]] = true

		c.fails("idempotency_conflict", "create_issue", args{"project": "WEB", "title": "Other", "idempotency_key": "same key"})
		require.Contains(t, c.call("create_issue", args{"project": "WEB", "title": "Dry", "idempotency_key": "dry", "dry_run": true}).text, `"dry_run":true`)
		c.fails("not_found", "create_issue", args{"project": "NOPE", "title": "x", "idempotency_key": "failing"})
		c.ok("create_issue", args{"project": "WEB", "title": "x", "idempotency_key": "failing"})
		c.ok("create_project", args{"name": "Other tool", "idempotency_key": "same key"})
	}
	require.NotEmpty(t, answers)
	var made int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), "select count(*) from issues where title = 'Once'").Scan(&made))
	require.Equal(t, 3, made, "one for each token")
}

// TestAttack050_TwoTenantsAtOnce writes and reads in two tenants whose projects
// and keys are called the same.
func TestAttack050_TwoTenantsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 3})
	slugs := []string{"acme", "beta"}
	clients := make([]*client, len(slugs))
	for n, slug := range slugs {
		tn := b.db.Tenant(t, slug)
		tn.Issues(t, tn.Project(t, "WEB", "Website of "+slug), "Work of "+slug)
		clients[n] = b.client(t, tn.FullToken(t))
	}
	calls := []string{"search_issues", `{"query":"work"}`, "get_issue", `{"keys":["WEB-1"],"include":["history","comments"]}`, "list_projects", `{}`,
		"add_comment", `{"key":"WEB-1","body":"Work"}`, "create_issue", `{"project":"WEB","title":"Work of OWN"}`, "list_activity", `{}`}
	texts, failed := together(t, 60, func(n int) (string, bool, error) {
		own, other := slugs[n%2], slugs[(n+1)%2]
		at := n / 2 % (len(calls) / 2) * 2
		text, failed, err := clients[n%2].callText(calls[at], strings.Replace(calls[at+1], "OWN", own, 1))
		if err == nil && (strings.Contains(text, other) || !strings.Contains(text, own)) {
			err = fmt.Errorf("%s of %s got %s", calls[at], own, text)
		}
		return text, failed, err
	})
	require.Empty(t, failed)
	require.Len(t, texts, 60)
}
