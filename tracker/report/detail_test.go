package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker/report"
)

func TestTable_Parts(t *testing.T) {
	t.Parallel()
	table := &report.Table{Columns: []string{"key", "title", "size"}, Rows: [][]any{{"A-1", "One", 1}, {"A-2", "Two", 2}, {"A-3", "Three", 3}}}
	require.Equal(t, &report.Table{Columns: []string{"key", "size"}, Rows: [][]any{{"A-1", 1}, {"A-2", 2}, {"A-3", 3}}}, table.Without("title"))
	require.Equal(t, table, table.Without("age"))
	require.Nil(t, (*report.Table)(nil).Without("title"))
	require.Equal(t, "Two", table.Rows[1][1], "the table itself stays")
	two := table.First(2)
	require.Equal(t, []any{2, 1}, []any{len(two.Rows), two.More})
	require.Equal(t, 2, two.First(1).More)
	require.Zero(t, table.First(9).More)
	require.Equal(t, 3, table.First(-1).More)
}

func TestSeries_Last(t *testing.T) {
	t.Parallel()
	s := &report.Series{X: []string{"a", "b", "c"}, Lines: []report.Line{{Name: "done", Values: report.Values{1, 2, 3}}}}
	require.Equal(t, &report.Series{X: []string{"b", "c"}, Lines: []report.Line{{Name: "done", Values: report.Values{2, 3}}}}, s.Last(2))
	require.Equal(t, s, s.Last(5))
	require.Empty(t, s.Last(-1).X)
}
