package mcpserver_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker/dataset/github"
)

// TestImportedArchive imports a real archive and then sees it through MCP alone.
func TestImportedArchive(t *testing.T) {
	t.Parallel()
	for _, known := range []struct {
		archive, phrase, key, created, closed string
		comments                              int
	}{
		{"mls-protocol", "different ways to do deletion in", "REAL-7", "2018-01-22T13:20:52Z", "2019-01-07T22:55:25Z", 4},
		{"privacypass", "provide recommendations for section", "REAL-2", "2020-03-03T14:06:06Z", "2022-06-28T10:59:41Z", 3},
	} {
		t.Run(known.archive, func(t *testing.T) {
			t.Parallel()
			file := storetest.Archive(t, known.archive)
			b := setup(t)
			acme := b.db.Tenant(t, "acme")
			numbers := importArchive(t, b, acme, file)
			c := b.client(t, acme.FullToken(t))

			found := c.ok("search_issues", args{"query": `"` + known.phrase + `"`, "category": []string{"done"}})
			require.Contains(t, keysOf(found), known.key)

			var seen []string
			query := args{"project": "REAL", "category": []string{"todo", "in_progress", "done", "cancelled"}, "limit": 40, "fields": []string{"title"}}
			for {
				page := c.ok("search_issues", query)
				require.EqualValues(t, len(numbers), page["total"])
				seen = append(seen, keysOf(page)...)
				if page["next_cursor"] == nil {
					break
				}
				query["cursor"] = page["next_cursor"]
			}
			require.Greater(t, len(seen), 200)
			slices.Sort(seen)
			require.Equal(t, numbers, seen, "every issue once")

			answer := c.ok("get_issue", args{"keys": known.key, "include": []string{"comments", "history"}})
			issue := answer["issues"].([]any)[0].(map[string]any)
			require.Equal(t, "Done", issue["status"])
			require.Len(t, issue["comments"], known.comments)
			history, err := json.Marshal(issue["history"])
			require.NoError(t, err)
			require.Contains(t, string(history), known.created)
			require.Regexp(t, `"at":"`+known.closed+`"[^}]*"before":\{"category":"todo"`, string(history))
		})
	}
}

// importArchive loads a file as project REAL and returns the keys that its
// issues should have, sorted.
func importArchive(t *testing.T, b *bundle, tn *storetest.Tenant, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	d, err := github.ReadArchive(f, false)
	require.NoError(t, err)
	d.Project.Key = "REAL"
	_, err = b.db.LoadDataset(t.Context(), tn.Scope(), d, store.LoadOptions{})
	require.NoError(t, err)
	var raw struct {
		Issues []struct{ Number json.Number }
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &raw))
	var keys []string
	for _, i := range raw.Issues {
		keys = append(keys, "REAL-"+i.Number.String())
	}
	slices.Sort(keys)
	return keys
}

func keysOf(answer map[string]any) []string {
	var keys []string
	for _, item := range answer["items"].([]any) {
		keys = append(keys, item.(map[string]any)["key"].(string))
	}
	return keys
}
