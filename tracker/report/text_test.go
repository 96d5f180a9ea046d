package report_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker/report"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want string
		v    any
	}{
		{"", nil}, {"2.35", 2.346}, {"", math.NaN()}, {"", math.Inf(1)}, {"7", 7}, {"yes", true}, {"", false}, {"a; b", []string{"a", "b"}},
		{"Done 3, To Do 1.5", map[string]float64{"To Do": 1.5, "Done": 3}}, {"two lines", "two\x1b lines"}, {"", math.Inf},
	} {
		require.Equal(t, c.want, report.Text(c.v))
	}
	require.Equal(t, "mean per week", report.Words("mean_per_week"))
}
