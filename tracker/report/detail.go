package report

import "slices"

// First is the table with its first n rows, which says how many it lacks.
func (t *Table) First(n int) *Table {
	n = max(0, min(n, len(t.Rows)))
	return &Table{Columns: t.Columns, Rows: t.Rows[:n], More: t.More + len(t.Rows) - n}
}

// Without is the table without a column, if it has it. Nil stays nil.
func (t *Table) Without(column string) *Table {
	if t == nil {
		return nil
	}
	at := slices.Index(t.Columns, column)
	if at < 0 {
		return t
	}
	out := &Table{Columns: slices.Delete(slices.Clone(t.Columns), at, at+1), More: t.More}
	for _, row := range t.Rows {
		out.Rows = append(out.Rows, slices.Delete(slices.Clone(row), at, at+1))
	}
	return out
}

// Last is the series with its last n points.
func (s *Series) Last(n int) *Series {
	from := max(0, len(s.X)-max(n, 0))
	out := &Series{X: s.X[from:]}
	for _, l := range s.Lines {
		out.Lines = append(out.Lines, Line{l.Name, l.Values[from:]})
	}
	return out
}
