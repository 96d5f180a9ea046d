package chart_test

import (
	"encoding/xml"
	"fmt"
	"html"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker/chart"
	"github.com/colaflow/colaflow/tracker/report"
)

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 0, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}}, {0, 6, []float64{0, 1, 2, 3, 4, 5, 6}}, {0, 56, []float64{0, 10, 20, 30, 40, 50, 60}},
		{-9, 16, []float64{-10, -5, 0, 5, 10, 15, 20}}, {0, 41_000, []float64{0, 10_000, 20_000, 30_000, 40_000, 50_000}},
	} {
		require.InDeltaSlice(t, c.want, chart.Ticks(c.low, c.high), 1e-9, "%v to %v", c.low, c.high)
	}
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-1e6, 1e6).Draw(t, "low")
		high := low + rapid.Float64Range(0.001, 1e6).Draw(t, "span")
		ticks := chart.Ticks(low, high)
		require.LessOrEqual(t, len(ticks), 10)
		require.GreaterOrEqual(t, len(ticks), 2)
		unseen := (ticks[1]-ticks[0])*1e-8 + 1e-9*math.Max(math.Abs(low), math.Abs(high)) // nobody sees less of a step
		require.LessOrEqual(t, ticks[0], low+unseen)
		require.GreaterOrEqual(t, ticks[len(ticks)-1], high-unseen)
	})
}

var texts = regexp.MustCompile(`<text x="([-0-9.]+)" y="([-0-9.]+)" font-size="([0-9.]+)"( font-weight="bold")? fill="#[0-9a-f]{6}" text-anchor="(start|middle|end)">([^<]*)</text>`)

// requireWhole refuses an SVG that is not well formed, or in which a text is cut off
// by an edge.
func requireWhole(t require.TestingT, svg []byte) {
	decoder := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		if _, err := decoder.Token(); err != nil {
			require.ErrorContains(t, err, "EOF")
			break
		}
	}
	require.NotRegexp(t, "NaN|Inf", string(svg))
	found := texts.FindAllStringSubmatch(string(svg), -1)
	require.NotEmpty(t, found)
	require.Len(t, found, strings.Count(string(svg), "<text"))
	for _, m := range found {
		x, _ := strconv.ParseFloat(m[1], 64)
		y, _ := strconv.ParseFloat(m[2], 64)
		size, _ := strconv.ParseFloat(m[3], 64)
		text := html.UnescapeString(m[6])
		left := x - chart.TextWidth(text, size, m[4] != "")*map[string]float64{"start": 0, "middle": 0.5, "end": 1}[m[5]]
		require.GreaterOrEqual(t, left, 0.0, m[6])
		require.LessOrEqual(t, left+chart.TextWidth(text, size, m[4] != ""), float64(chart.Width), m[6])
		require.Less(t, y, float64(chart.Height), m[6])
		require.Greater(t, y, size/2, m[6])
	}
}

// lines are those that the chart of each type looks for.
func lines(name string) []string {
	switch name {
	case "sprint_burndown":
		return []string{"remaining", "ideal", "scope"}
	case "sprint_burnup":
		return []string{"completed", "scope", "ideal"}
	case "velocity":
		return []string{"committed", "completed"}
	case "cycle_time", "lead_time":
		return []string{name, "rolling mean"}
	case "throughput":
		return []string{"done"}
	case "created_vs_resolved":
		return []string{"created", "resolved", "cumulative net"}
	case "aging_wip":
		return []string{"age"}
	case "workload":
		return []string{"in progress", "todo"}
	case "forecast":
		return []string{"done", "50 %", "85 %", "95 %", "all work"}
	default:
		return []string{"one", "two", "three"}
	}
}

// TestCharts_AnyData draws series of any length with names of any kind: nothing is
// clipped, nothing of a name is markup.
func TestCharts_AnyData(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(report.TypeNames()).Draw(t, "type")
		n := rapid.SampledFrom([]int{1, 2, 3, 7, 20, 90, 400}).Draw(t, "length")
		text := rapid.SampledFrom([]string{"S", "Sprint %d", "A very long name of a sprint that nobody can read %d", `<b>"&'%d`, "日本語 %d"}).Draw(t, "names")
		high := rapid.SampledFrom([]float64{0, 0.3, 1, 40, 12345, 9e6}).Draw(t, "high")
		step := rapid.SampledFrom([]int{1, 7, 40}).Draw(t, "step")
		r := report.Report{Type: report.Type(name), Title: "Title", Project: fmt.Sprintf(text, 1), Unit: report.Count, AsOf: now, Timezone: "Europe/Berlin",
			Summary: report.Figures{{Name: "p50", Value: high / 2}, {Name: "p85", Value: high}, {Name: "mean", Value: math.NaN()}}, Series: &report.Series{}}
		for k := range n {
			day := time.Date(2024, 1, 1+k*step, 0, 0, 0, 0, time.UTC)
			x := day.Format(time.DateOnly)
			switch name {
			case "velocity", "workload", "aging_wip", "time_in_status":
				x = fmt.Sprintf(text, k)
			case "cycle_time", "lead_time":
				x = day.Format("2006-01-02T15:04")
			}
			r.Series.X = append(r.Series.X, x)
		}
		for _, line := range lines(name) {
			l := report.Line{Name: line}
			for range n {
				v := rapid.Float64Range(0, high+0.001).Draw(t, "value")
				if (name == "forecast" || strings.HasPrefix(name, "sprint")) && rapid.IntRange(0, 4).Draw(t, "none") == 0 {
					v = math.NaN()
				}
				l.Values = append(l.Values, v)
			}
			r.Series.Lines = append(r.Series.Lines, l)
		}
		c, ok := chart.Of(r)
		require.Equal(t, name != "sprint_report" && name != "project_status", ok)
		if !ok {
			return
		}
		svg, err := c.SVG()
		require.NoError(t, err)
		require.NotContains(t, string(svg), "<b>")
		requireWhole(t, svg)
		again, err := c.SVG()
		require.NoError(t, err)
		require.Equal(t, svg, again)
	})
}

// TestOf_Years: over many years, leap years do not move the ticks into other months.
func TestOf_Years(t *testing.T) {
	t.Parallel()
	c, ok := chart.Of(report.Report{Type: "cumulative_flow", Unit: report.Count, Series: &report.Series{X: []string{"2019-01-01", "2026-11-26"},
		Lines: []report.Line{{Name: "Done", Values: report.Values{1, 2}}}}})
	require.True(t, ok)
	svg, err := c.SVG()
	require.NoError(t, err)
	var years []string
	for _, m := range texts.FindAllStringSubmatch(string(svg), -1) {
		if strings.HasPrefix(m[6], "Jan ") {
			years = append(years, m[6])
		}
	}
	require.NotContains(t, string(svg), "Dec ")
	require.Equal(t, []string{"Jan 2019", "Jan 2020", "Jan 2021", "Jan 2022", "Jan 2023", "Jan 2024", "Jan 2025", "Jan 2026"}, years)
}

func TestOf_Nothing(t *testing.T) {
	t.Parallel()
	for _, s := range []*report.Series{nil, {}} {
		_, ok := chart.Of(report.Report{Type: "velocity", Series: s})
		require.False(t, ok)
	}
}
