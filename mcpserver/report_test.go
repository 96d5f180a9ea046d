package mcpserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker/demo"
	"github.com/colaflow/colaflow/tracker/report"
)

// loadDemo makes the first demo company, and returns a client that may do everything.
func loadDemo(t *testing.T, b *bundle) (*storetest.Tenant, *client) {
	t.Helper()
	tn := b.db.Tenant(t, "acme")
	for _, d := range demo.Tenants(storetest.Now)[0].Datasets {
		_, err := b.db.LoadDataset(t.Context(), store.AsSystem(tn.ID, "test"), d, store.LoadOptions{})
		require.NoError(t, err)
	}
	return tn, b.client(t, tn.FullToken(t))
}

// summaryTokens is what a report may cost without detail, in tokens of four bytes.
const summaryTokens = 400

func TestGetReport_Types(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, c := loadDemo(t, b)
	var enum []string
	tools, _ := c.listTools()
	for _, tool := range tools {
		if tool.Name == "get_report" {
			enum = tool.InputSchema.Properties["type"].Enum
		}
	}
	require.Equal(t, report.TypeNames(), enum, "the schema offers every type")
	for _, name := range enum {
		short := c.call("get_report", args{"type": name, "project": []string{"WEB"}})
		require.False(t, short.isError, short.text)
		require.LessOrEqual(t, len(short.text)/4, summaryTokens, short.text)
		t.Logf("%s: %d tokens: %s", name, len(short.text)/4, short.data["headline"])
		for _, want := range []string{"type", "title", "project", "as_of", "timezone", "unit", "headline", "summary", "definition"} {
			require.NotEmpty(t, short.data[want], "%s: %s", name, want)
		}
		require.NotContains(t, short.data, "table")
		require.NotContains(t, short.data, "series")
		for _, detail := range []string{"table", "series"} {
			long := c.ok("get_report", args{"type": name, "project": []string{"WEB"}, "detail": detail})
			part, _ := long[detail].(map[string]any)
			if detail == "series" && part == nil {
				require.Contains(t, []string{"sprint_report", "project_status"}, name)
				require.Contains(t, fmt.Sprint(long["warnings"]), "has no series; this is its table")
				require.NotEmpty(t, long["table"])
				continue
			}
			require.NotEmpty(t, part, "%s has a %s", name, detail)
			delete(long, detail)
			require.Equal(t, short.data, long, "%s: the rest is the same", name)
		}
	}
}

func TestGetReport_Arguments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, c := loadDemo(t, b)
	ask := func(more args) args {
		out := args{"type": "throughput", "project": []string{"WEB"}}
		for name, v := range more {
			out[name] = v
		}
		return out
	}
	require.Contains(t, c.fails("missing", "get_report", args{"type": "velocity"}), "Pass its key as project")
	require.Contains(t, c.fails("invalid_value", "get_report", ask(args{"type": "velocity", "project": []string{"WEB", "OPS"}})), "is about one project")
	require.Contains(t, c.fails("not_found", "get_report", ask(args{"project": []string{"WEB", "WEP"}})), "Did you mean WEB?")
	require.Contains(t, c.fails("not_found", "get_report", ask(args{"type": "sprint_report", "sprint": "Sprint 99"})), `no sprint "Sprint 99"`)
	require.Contains(t, c.fails("invalid_value", "get_report", ask(args{"sprint": "current"})), "not about a sprint")
	require.Contains(t, c.fails("invalid_value", "get_report", ask(args{"unit": "hours"})), "not counted in hours")
	require.Contains(t, c.fails("invalid_value", "get_report", ask(args{"from": "May"})), "from")
	require.Contains(t, c.fails("invalid_value", "get_report", ask(args{"from": "2030-01-01"})), "not before")
	require.Equal(t, "WEB", c.ok("get_report", ask(args{"project": []string{"web", "WEB "}}))["project"], "a key twice is one project")
	both := c.ok("get_report", args{"type": "workload", "unit": "count"})
	require.Equal(t, "APP, OPS, WEB", both["project"], "none means all")
	sum := 0.0
	for _, key := range []string{"WEB", "OPS", "APP"} {
		sum += c.ok("get_report", args{"type": "workload", "project": []string{key}})["summary"].(map[string]any)["open"].(float64)
	}
	require.Equal(t, sum, both["summary"].(map[string]any)["open"])
	narrow := c.ok("get_report", ask(args{"from": "2026-01-05", "to": "2026-01-18", "detail": "table"}))
	require.Equal(t, []any{"2026-01-05", "2026-01-18"}, []any{narrow["from"], narrow["to"]})
	require.Len(t, narrow["table"].(map[string]any)["rows"], 2)
}

func TestGetReport_Permissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn, full := loadDemo(t, b)
	_, plain := tn.Token(t, "ops", `{"reports":["read"],"only_projects":["OPS"]}`)
	c := b.client(t, plain)
	require.Equal(t, "OPS", c.ok("get_report", args{"type": "workload"})["project"], "all that it sees")
	require.Equal(t, "OPS", c.ok("get_report", args{"type": "cycle_time"})["project"], "the one that it sees")
	require.Contains(t, c.fails("not_found", "get_report", args{"type": "cycle_time", "project": []string{"WEB"}}), "not visible")
	columns := func(c *client) []any {
		return c.ok("get_report", args{"type": "cycle_time", "project": []string{"OPS"}, "detail": "table"})["table"].(map[string]any)["columns"].([]any)
	}
	require.Contains(t, columns(full), "title")
	require.NotContains(t, columns(c), "title", "which takes issues:read")
	_, plain = tn.Token(t, "nothing", `{"reports":["read"],"only_projects":[]}`)
	require.Contains(t, b.client(t, plain).fails("not_found", "get_report", args{"type": "workload"}), "sees no active project")
	_, plain = tn.Token(t, "without", `{"issues":["read"]}`)
	require.Contains(t, b.client(t, plain).fails("forbidden", "get_report", args{"type": "workload"}), "reports:read")
}

func TestGetReport_Chart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, c := loadDemo(t, b)
	for _, name := range report.TypeNames() {
		plain := c.call("get_report", args{"type": name, "project": []string{"WEB"}, "chart": "none"})
		require.Empty(t, plain.images)
		drawn := c.call("get_report", args{"type": name, "project": []string{"WEB"}, "chart": "png"})
		if len(drawn.images) == 0 {
			require.Contains(t, fmt.Sprint(drawn.data["warnings"]), "nothing to draw", name)
			require.Contains(t, []string{"sprint_report", "project_status"}, name)
			continue
		}
		require.Equal(t, plain.text, drawn.text, "the data are the same")
		picture, err := png.DecodeConfig(bytes.NewReader(drawn.images[0]))
		require.NoError(t, err)
		require.Equal(t, []int{800, 450}, []int{picture.Width, picture.Height})
	}
}

// TestGetReport_Fits asks for more than a response holds.
func TestGetReport_Fits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.db.Tenant(t, "acme")
	tn.History(t, tn.Project(t, "WEB", "Website"), 8000)
	c := b.client(t, tn.FullToken(t))
	ask := func(detail string) toolResult {
		r := c.call("get_report", args{"type": "cycle_time", "project": []string{"WEB"}, "from": "2025-01-01", "detail": detail})
		require.False(t, r.isError, r.text)
		require.LessOrEqual(t, len(r.text), 24<<10)
		require.Greater(t, len(r.text), 16<<10, "no smaller than it must be")
		return r
	}
	table := ask("table").data
	rows, more := table["table"].(map[string]any)["rows"].([]any), table["table"].(map[string]any)["more"].(float64)
	require.Equal(t, table["summary"].(map[string]any)["issues"], float64(len(rows))+more)
	require.True(t, slices.IsSortedFunc(rows, func(a, b any) int { return int(100 * (b.([]any)[4].(float64) - a.([]any)[4].(float64))) }), "the slowest are kept")
	series := ask("series").data
	require.Contains(t, fmt.Sprint(series["warnings"]), "cut to its newest part")
}

func TestReportResource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn, c := loadDemo(t, b)
	text, rpcError := c.read("colaflow://projects/WEB/reports/sprint_burndown?sprint=WEB%20Sprint%2012")
	require.Empty(t, rpcError)
	for _, want := range []string{`"sprint":"WEB Sprint 12"`, `"series":{`, `"table":{`, `"definition":`} {
		require.Contains(t, text, want)
	}
	for _, name := range report.TypeNames() {
		text, rpcError := c.read("colaflow://projects/web/reports/" + name)
		require.Empty(t, rpcError, name)
		require.LessOrEqual(t, len(text), 24<<10, name)
	}
	complete := func(variable, value string, given args) []string {
		result, rpcError := c.rpc("completion/complete", args{"ref": args{"type": "ref/resource", "uri": "colaflow://projects/{project}/reports/{type}{?sprint}"},
			"argument": args{"name": variable, "value": value}, "context": args{"arguments": given}})
		require.Empty(t, rpcError)
		var r struct{ Completion struct{ Values []string } }
		require.NoError(t, json.Unmarshal(result, &r))
		return r.Completion.Values
	}
	require.Equal(t, []string{"sprint_burndown", "sprint_burnup", "sprint_report"}, complete("type", "Sprint", nil))
	require.Equal(t, []string{"last"}, complete("sprint", "la", args{"project": "WEB"}))
	require.Contains(t, complete("sprint", "web", args{"project": "WEB"}), "WEB Sprint 12")

	_, plain := tn.Token(t, "ops", `{"reports":["read"],"only_projects":["OPS"]}`)
	l := b.client(t, plain)
	_, hidden := l.read("colaflow://projects/WEB/reports/workload")
	_, absent := l.read("colaflow://projects/NOPE/reports/workload")
	_, unknown := l.read("colaflow://projects/OPS/reports/horoscope")
	require.Contains(t, hidden, "not found")
	require.Equal(t, strings.ReplaceAll(absent, "NOPE", "WEB"), hidden)
	require.Contains(t, unknown, "not found")
	_, rpcError = l.read("colaflow://projects/OPS/reports/workload")
	require.Empty(t, rpcError)
}
