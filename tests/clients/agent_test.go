package clients

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/demo"
)

// What the answer to "which sprint slipped, and why" may cost.
const (
	agentCalls  = 4
	agentTokens = 6000 // of four bytes: what the agent reads and writes
)

// TestAgent_WhichSprintSlipped is an agent that is asked which sprint of the web team
// slipped and why, of the demo's first company. It follows what answers say, knows
// nothing else, and is held to a count straight from the demo's history.
func TestAgent_WhichSprintSlipped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tenant := b.db.Tenant(t, "acme")
	var web *dataset.Dataset
	for _, d := range demo.Tenants(storetest.Now)[0].Datasets {
		_, err := b.db.LoadDataset(t.Context(), store.AsSystem(tenant.ID, "test"), d, store.LoadOptions{})
		require.NoError(t, err)
		if d.Project.Key == "WEB" {
			web = d
		}
	}
	want, completion, reasons := slippedMost(web)
	require.NotEmpty(t, reasons)
	for _, protocol := range []string{modern, legacy} {
		t.Run(protocol, func(t *testing.T) {
			a := b.newAgent(t, tenant.FullToken(t), protocol)
			var projects struct {
				Items []struct{ Key, Name string }
			}
			a.call("list_projects", args{}, &projects)
			n := slices.IndexFunc(projects.Items, func(p struct{ Key, Name string }) bool { return strings.Contains(strings.ToLower(p.Name), "web") })
			require.GreaterOrEqual(t, n, 0)
			project := []string{projects.Items[n].Key}

			var velocity struct {
				Summary struct {
					Least struct {
						Sprint     string
						Completion float64
					} `json:"least_completion"`
				}
			}
			a.call("get_report", args{"type": "velocity", "project": project}, &velocity)
			slipped := velocity.Summary.Least
			require.Equal(t, want, slipped.Sprint)
			require.InDelta(t, completion, slipped.Completion, 0.005)

			var report struct {
				Headline string
				Summary  struct{ Reasons []string }
				Table    struct{ Rows [][]any }
			}
			a.call("get_report", args{"type": "sprint_report", "project": project, "sprint": slipped.Sprint, "detail": "table"}, &report)
			require.Contains(t, report.Headline, slipped.Sprint)
			require.Subset(t, report.Summary.Reasons, reasons, "each counted")
			require.NotEmpty(t, report.Table.Rows, "and by issue")
			t.Logf("answer: %s Because: %s.", report.Headline, strings.Join(report.Summary.Reasons, "; "))
			t.Logf("%d calls of %d, %d tokens of %d", a.calls, agentCalls, a.tokens(), agentTokens)
			require.LessOrEqual(t, a.calls, agentCalls)
			require.LessOrEqual(t, a.tokens(), agentTokens)

			alone := b.newAgent(t, tenant.FullToken(t), protocol)
			review := alone.prompt("sprint_review", map[string]string{"project": project[0], "sprint": want})
			for _, reason := range reasons {
				require.Contains(t, review, reason)
			}
			t.Logf("the prompt sprint_review tells it in %d call, %d tokens", alone.calls, alone.tokens())
			require.LessOrEqual(t, alone.tokens(), agentTokens)
		})
	}
}

// slippedMost counts from the revisions of issues which of the last eight completed
// sprints kept least of its points, the share that it kept, and why not all: what was
// taken out, and where what was left stood.
func slippedMost(d *dataset.Dataset) (name string, completion float64, reasons []string) {
	completion = 1
	sprints := slices.DeleteFunc(slices.Clone(d.Sprints), func(s dataset.Sprint) bool { return s.State != tracker.SprintCompleted })
	slices.SortFunc(sprints, func(a, b dataset.Sprint) int { return a.CompletedAt.Compare(*b.CompletedAt) })
	for _, s := range sprints[max(0, len(sprints)-8):] {
		var committed, kept float64
		count, points := map[string]int{}, map[string]float64{}
		note := func(reason string, size float64) { count[reason]++; points[reason] += size }
		for _, i := range d.Issues {
			start, end := stateBefore(i, s.StartedAt.Add(time.Nanosecond)), stateBefore(i, *s.CompletedAt)
			promised := start.Sprint == s.Name && start.Status.Category != tracker.Done && start.Status.Category != tracker.Cancelled
			member := end.Sprint == s.Name && end.Type != "Subtask"
			if start.Type == "Subtask" {
				promised = false
			}
			if promised {
				committed += size(start)
			}
			switch {
			case promised && member && end.Status.Category == tracker.Done:
				kept += size(start)
			case promised && !member:
				note("taken out", size(start))
			case member && end.Status.Category == tracker.InProgress:
				note("unfinished in "+end.Status.Name, size(end))
			}
		}
		if committed > 0 && kept/committed < completion {
			name, completion, reasons = s.Name, kept/committed, nil
			for reason, n := range count {
				issues := "issues"
				if n == 1 {
					issues = "issue"
				}
				reasons = append(reasons, fmt.Sprintf("%d %s (%v) %s", n, issues, points[reason], reason))
			}
		}
	}
	return name, completion, reasons
}

func stateBefore(i dataset.Issue, t time.Time) (s dataset.State) {
	for _, r := range i.Revisions {
		if r.At.Before(t) {
			s = r.State
		}
	}
	return s
}

func size(s dataset.State) float64 {
	if s.Points == nil {
		return 0
	}
	return *s.Points
}

// agent is a client of the Go SDK that counts what its model would read and write.
type agent struct {
	t       *testing.T
	session *mcp.ClientSession
	calls   int
	bytes   int
}

func (b *bundle) newAgent(t *testing.T, token, protocol string) *agent {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), b.transport(t, "http", token), &mcp.ClientSessionOptions{ProtocolVersion: protocol})
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return &agent{t: t, session: session}
}

func (a *agent) tokens() int { return a.bytes / 4 }

// call runs a tool and reads the text of its answer into out.
func (a *agent) call(tool string, arguments args, out any) {
	a.t.Helper()
	result, err := a.session.CallTool(a.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	require.NoError(a.t, err)
	require.Len(a.t, result.Content, 1)
	text := result.Content[0].(*mcp.TextContent).Text
	require.False(a.t, result.IsError, text)
	a.calls, a.bytes = a.calls+1, a.bytes+len(text)+len(tool)+len(mustJSON(a.t, arguments))
	require.NoError(a.t, json.Unmarshal([]byte(text), out))
}

// prompt gets a prompt and returns the text of its last message.
func (a *agent) prompt(name string, arguments map[string]string) (text string) {
	a.t.Helper()
	result, err := a.session.GetPrompt(a.t.Context(), &mcp.GetPromptParams{Name: name, Arguments: arguments})
	require.NoError(a.t, err)
	a.calls++
	for _, m := range result.Messages {
		text = m.Content.(*mcp.TextContent).Text
		a.bytes += len(text)
	}
	return text
}
