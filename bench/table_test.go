package bench

import (
	"fmt"
	"strings"
)

// table prints figures as Markdown, so that a run can go into docs/performance.md.
type table struct{ b strings.Builder }

func newTable(title string, columns ...string) *table {
	t := &table{}
	fmt.Fprintf(&t.b, "\n### %s\n\n", title)
	t.row(anys(columns)...)
	fmt.Fprintf(&t.b, "| %s\n", strings.Repeat("--- | ", len(columns)))
	return t
}

// row adds cells; a float is shown with two decimals.
func (t *table) row(cells ...any) {
	for _, c := range cells {
		if f, ok := c.(float64); ok {
			c = fmt.Sprintf("%.2f", f)
		}
		fmt.Fprintf(&t.b, "| %v ", c)
	}
	t.b.WriteString("|\n")
}

func (t *table) print() { fmt.Println(t.b.String()) }

func anys(list []string) []any {
	out := make([]any, len(list))
	for n, s := range list {
		out[n] = s
	}
	return out
}
