package main

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker/report"
)

func TestSparkline(t *testing.T) {
	t.Parallel()
	none := math.NaN()
	for _, c := range []struct {
		want      string
		values    report.Values
		low, high float64
	}{
		{"▁▅█", report.Values{0, 1, 2}, 0, 2},
		{"▁ █", report.Values{0, none, 7}, 0, 7},
		{"▁▁", report.Values{0, 0}, 0, 0},
		{"", nil, 0, 1},
		{"▁█", report.Values{-3, 3}, -3, 3},
	} {
		require.Equal(t, c.want, sparkline(c.values, c.low, c.high))
	}
	long := make(report.Values, 1000)
	long[999] = 1
	line := []rune(sparkline(long, 0, 1))
	require.LessOrEqual(t, len(line), maxSparks)
	require.Equal(t, '█', line[len(line)-1], "the last value is always shown")
}

func TestShowReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{out: &out}
	r := report.Report{Title: "Throughput", Project: "WEB", From: "2026-01-05", To: "2026-01-18", Unit: report.Count, Headline: "3 issues done in all.", Timezone: "UTC",
		Summary:  report.Figures{{Name: "mean_per_week", Value: 1.5}, {Name: "deviation", Value: math.NaN()}, {Name: "reasons", Value: []string{"a", "b"}}, {Name: "now", Value: map[string]float64{"Done": 3}}},
		Excluded: map[string]int{"epics": 2}, Warnings: []string{"A week is not whole."}, Definition: "What was done.",
		Table:  &report.Table{Columns: []string{"week", "not_done"}, Rows: [][]any{{"2026-01-05", 1.0}, {"2026-01-12\x1b[31m", nil}}},
		Series: &report.Series{X: []string{"2026-01-05", "2026-01-12"}, Lines: []report.Line{{Name: "done", Values: report.Values{1, 2}}}}}
	require.NoError(t, p.showReport(r, 1))
	for _, want := range []string{"Throughput: WEB, 2026-01-05 to 2026-01-18, in count\n3 issues done", "mean per week:  1.5", "deviation:      none", "a; b", "Done 3", "▅█", "NOT DONE",
		"... and 1 more rows", "Not counted: 2 epics.", "Mind: A week", "What was done.\n"} {
		require.Contains(t, out.String(), want)
	}
	out.Reset()
	require.NoError(t, p.showReport(r, 9))
	require.NotContains(t, out.String(), "\x1b")
	require.NotContains(t, out.String(), "more rows")
}
