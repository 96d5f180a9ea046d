package mcpserver_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
)

// staleCalls are the tools that take expected_version, and changes to make one after the other.
var staleCalls = map[string]struct {
	call    string // takes %s for what changes and %d for the version that is expected
	changes []string
	told    string // what of the first change the conflict says
}{
	"update_issue":   {`{"key":"WEB-1",%s,"expected_version":%d}`, []string{`"title":"Uno"`, `"priority":"high"`}, `WEB-1 changed (version 1 to 2) since you read it: title One to Uno.`},
	"update_project": {`{"project":"WEB",%s,"expected_version":%d}`, []string{`"lead":"ben"`, `"description":"Text"`}, `WEB changed (version 1 to 2) since you read it: lead is now ben@acme.test.`},
	"save_sprint":    {`{"project":"WEB","sprint":"Sprint 1",%s,"expected_version":%d}`, []string{`"end":"2026-06-30","goal":null`, `"action":"start"`}, `Sprint "Sprint 1" of WEB changed (version 1 to 2) since you read it: goal is now empty; end is now 2026-06-30.`},
	"delete_issue":   {`{"key":"WEB-1","expected_version":%[2]d}`, nil, ``},
}

// TestExpectedVersion: whatever takes expected_version refuses what was read before
// somebody else's change, and says what that changed and which version there is now.
func TestExpectedVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	acme.Issues(t, web, "One")
	c := b.client(t, acme.FullToken(t)).all()
	made := c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 1", "goal": "Ship", "end": "2026-06-29"})
	require.EqualValues(t, 1, made["version"])
	taking := []string{}
	for _, tool := range mcpserver.Catalogue() {
		for _, a := range tool.Arguments() {
			if a.Name == "expected_version" {
				taking = append(taking, tool.Name)
			}
		}
	}
	for tool, s := range staleCalls {
		require.Contains(t, taking, tool)
		run := func(change string, version int) (string, bool) {
			text, isError, err := c.callText(tool, fmt.Sprintf(s.call, change, version))
			require.NoError(t, err)
			return text, isError
		}
		for n, change := range s.changes {
			text, isError := run(change, n+1)
			require.False(t, isError, text)
			require.Contains(t, text, fmt.Sprintf(`"version":%d`, n+2))
			text, isError = run(change, n+1)
			require.True(t, isError, text)
			require.Regexp(t, fmt.Sprintf(`^conflict: .*retry with expected_version %d\.`, n+2), text)
			if n == 0 {
				require.Contains(t, text, s.told)
			}
		}
	}
	require.Len(t, taking, len(staleCalls))
	require.Contains(t, c.fails("conflict", "save_sprint", args{"project": "WEB", "sprint": "current", "name": "x", "expected_version": 1}),
		`goal is now empty; state is now active; start is now `)
	require.Contains(t, c.fails("conflict", "update_project", args{"project": "WEB", "name": "x", "expected_version": 2}), "since you read it: description is now Text.")
	require.EqualValues(t, 3, c.ok("save_sprint", args{"project": "WEB", "sprint": "current", "end": "2026-06-30", "expected_version": 3})["version"], "nothing changed")
	require.EqualValues(t, 3, c.ok("list_sprints", args{"project": "WEB"})["items"].([]any)[0].(map[string]any)["version"])
	require.Contains(t, c.fails("conflict", "update_project", args{"project": "WEB", "name": "x", "expected_version": 9}),
		"WEB never had version 9, only up to 3. Read it again or retry with expected_version 3.")
	c.fails("unknown_argument", "save_sprint", args{"project": "WEB", "name": "Sprint 2", "expected_version": 1})
	c.fails("conflict", "delete_issue", args{"key": "WEB-1", "expected_version": 1})
}

// TestAttack101_EachVersionOfAPlanHasOneWinner is TestAttack101_EachVersionHasOneWinner
// for projects and sprints.
func TestAttack101_EachVersionOfAPlanHasOneWinner(t *testing.T) {
	t.Parallel()
	b := setup(t, storetest.Options{MaxConns: 8})
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	c.ok("save_sprint", args{"project": "WEB", "name": "Sprint 1"})
	for tool, call := range map[string]string{"update_project": `{"project":"WEB","description":"Text %d","expected_version":%d}`,
		"save_sprint": `{"project":"WEB","sprint":"Sprint 1","goal":"Goal %d","expected_version":%d}`} {
		for version := 1; version <= 3; version++ {
			won, lost := together(t, 8, func(n int) (string, bool, error) {
				return c.callText(tool, fmt.Sprintf(call, 10*version+n, version))
			})
			require.Len(t, won, 1, "%s version %d", tool, version)
			for _, text := range lost {
				require.Contains(t, text, fmt.Sprintf("(version %d to %d) since you read it: ", version, version+1), text)
			}
		}
	}
}
