package report_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker/report"
)

// TestStatistics's working for 2 4 4 4 5 5 7 9: the mean is 40/8 = 5, the median
// (4+5)/2, the squares of the distances 9+1+1+1+0+0+4+16 = 32, and the deviation of
// the sample sqrt(32/7) = 2.1381. The quartiles by nearest rank are the 2nd and the
// 6th, 4 and 5, so that the fence is at 5 + 1.5 = 6.5.
func TestStatistics(t *testing.T) {
	t.Parallel()
	values := []float64{9, 4, 5, 4, 2, 7, 4, 5}
	mean, median, deviation := report.Describe(values)
	require.Equal(t, []float64{5, 4.5, 2.1381}, []float64{mean, median, rounded(deviation)})
	require.Equal(t, 6.5, report.Fence(values))
	require.Equal(t, []float64{9, 4, 5, 4, 2, 7, 4, 5}, values, "the values stay as they are")
	for p, want := range map[float64]float64{0: 2, 5: 2, 12.5: 2, 12.6: 4, 50: 4, 50.1: 5, 85: 7, 87.5: 7, 95: 9, 100: 9} {
		require.Equal(t, want, report.Percentile(values, p), "%g", p)
	}
	mean, median, deviation = report.Describe([]float64{3})
	require.Equal(t, []float64{3, 3, 0}, []float64{mean, median, deviation})
	mean, median, deviation = report.Describe(nil)
	require.True(t, math.IsNaN(mean) && math.IsNaN(median) && math.IsNaN(deviation) && math.IsNaN(report.Percentile(nil, 50)))
}

// TestPercentile_IsTheLeast: enough values do not exceed it, and of those below it
// the same cannot be said.
func TestPercentile_IsTheLeast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 20), func(n int) float64 { return float64(n) / 4 }), 1, 40).Draw(rt, "values")
		p := rapid.SampledFrom([]float64{1, 5, 15, 25, 50, 75, 85, 95, 100}).Draw(rt, "p")
		got := report.Percentile(values, p)
		require.Contains(rt, values, got)
		reach := func(v float64) bool {
			n := 0
			for _, other := range values {
				if other <= v {
					n++
				}
			}
			return float64(n)*100 >= p*float64(len(values))
		}
		require.True(rt, reach(got))
		for _, v := range values {
			require.False(rt, v < got && reach(v), "%g would do", v)
		}
		mean, median, deviation := report.Describe(values)
		low, high := slices.Min(values), slices.Max(values)
		require.True(rt, low-1e-9 <= mean && mean <= high+1e-9 && low <= median && median <= high)
		require.True(rt, deviation >= 0 && deviation <= high-low)
	})
}
